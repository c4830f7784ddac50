//! Names in directories: finding, making, moving and removing what they stand for.

use super::content::FileData;
use super::directory::Directory;
use super::inode::{Body, DirectoryEntry, FileKind, Inode, Node};
use super::path::PATH_MAX;
use super::{Errno, FileSystem};

/// The longest name, in bytes (`NAME_MAX`).
const NAME_MAX: usize = 255;

impl FileSystem {
    /// What a name in a directory stands for.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `ENAMETOOLONG`.
    pub fn lookup(&self, parent: Inode, name: &str) -> Result<Inode, Errno> {
        let missing = if name.len() > NAME_MAX { Errno::ENAMETOOLONG } else { Errno::ENOENT };
        self.directory(parent)?.get(name).ok_or(missing)
    }

    /// Makes a file, directory or character device.
    ///
    /// # Errors
    /// `EEXIST`, `ENOENT` in a directory that was removed, `ENOTDIR`, `ENAMETOOLONG`, `EINVAL` for a name that is none,
    /// `EPERM` for other kinds.
    pub fn make_node(&mut self, parent: Inode, name: &str, mode: u32, rdev: u32, now: f64) -> Result<Inode, Errno> {
        let body = match FileKind::of(mode) {
            Some(FileKind::File) => Body::File(FileData::Own(Vec::new())),
            Some(FileKind::Directory) => Body::Directory(Directory::default()),
            Some(FileKind::Device) => Body::Device(rdev),
            Some(FileKind::Symlink) => return Err(Errno::EINVAL),
            None => return Err(Errno::EPERM),
        };
        self.add(parent, name, Node::new(body, mode, now), now)
    }

    /// Makes a symbolic link.
    ///
    /// # Errors
    /// As [`FileSystem::make_node`]; for the target `ENOENT` if it is empty, `ENAMETOOLONG`, `EINVAL` if it has a NUL.
    pub fn symlink(&mut self, parent: Inode, name: &str, target: &str, now: f64) -> Result<Inode, Errno> {
        check_target(target)?;
        self.add(parent, name, Node::new(Body::Symlink(target.to_owned()), 0o777, now), now)
    }

    /// Renames, over a file or an empty directory if there is one (`rename` of POSIX.1-2024).
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EISDIR`, `ENOTEMPTY`, `ENAMETOOLONG`, `EINVAL` if a directory would come to be inside itself.
    pub fn rename(
        &mut self,
        from_parent: Inode,
        from_name: &str,
        to_parent: Inode,
        to_name: &str,
        now: f64,
    ) -> Result<(), Errno> {
        let moved = self.lookup(from_parent, from_name)?;
        check_name(to_name)?;
        self.check_not_removed(to_parent)?;
        let is_directory = self.node(moved)?.kind() == FileKind::Directory;
        let replaced = self.directory(to_parent)?.get(to_name);
        if replaced == Some(moved) {
            return Ok(());
        }
        if is_directory && self.contains(moved, to_parent) {
            return Err(Errno::EINVAL);
        }
        if let Some(replaced) = replaced {
            match (&self.node(replaced)?.body, is_directory) {
                (Body::Directory(_), false) => return Err(Errno::EISDIR),
                (Body::Directory(directory), true) if !directory.is_empty() => return Err(Errno::ENOTEMPTY),
                (Body::Directory(_), true) | (_, false) => {}
                (_, true) => return Err(Errno::ENOTDIR),
            }
            self.directory_mut(to_parent)?.remove(to_name);
            self.drop_link(replaced, now);
        }
        self.directory_mut(from_parent)?.remove(from_name);
        self.directory_mut(to_parent)?.insert(to_name, moved, is_directory);
        self.touch(from_parent, now)?;
        self.touch(to_parent, now)?;
        let moved = self.node_mut(moved)?;
        moved.ctime = now;
        // It is where the user wants it, and stays there when its layer goes.
        moved.layer = None;
        Ok(())
    }

    /// Takes away a name that is not a directory's. The file lives on while it is open.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `EISDIR`.
    pub fn unlink(&mut self, parent: Inode, name: &str, now: f64) -> Result<(), Errno> {
        let inode = self.lookup(parent, name)?;
        if self.node(inode)?.kind() == FileKind::Directory {
            return Err(Errno::EISDIR);
        }
        self.directory_mut(parent)?.remove(name);
        self.drop_link(inode, now);
        self.touch(parent, now)
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, `ENOTEMPTY`.
    pub fn remove_directory(&mut self, parent: Inode, name: &str, now: f64) -> Result<(), Errno> {
        let inode = self.lookup(parent, name)?;
        if !self.directory(inode)?.is_empty() {
            return Err(Errno::ENOTEMPTY);
        }
        self.directory_mut(parent)?.remove(name);
        self.drop_link(inode, now);
        self.touch(parent, now)
    }

    /// The names in a directory, in the order in which they were made, without `.` and `..`.
    ///
    /// # Errors
    /// `ENOTDIR`.
    pub fn read_directory(&self, inode: Inode) -> Result<Vec<DirectoryEntry>, Errno> {
        let entry = |(name, inode): (&str, Inode)| {
            Some(DirectoryEntry { name: name.to_owned(), inode, mode: self.nodes.get(&inode)?.mode() })
        };
        Ok(self.directory(inode)?.iter().filter_map(entry).collect())
    }

    pub(super) fn add(&mut self, parent: Inode, name: &str, node: Node, now: f64) -> Result<Inode, Errno> {
        check_name(name)?;
        if self.directory(parent)?.get(name).is_some() {
            return Err(Errno::EEXIST);
        }
        self.check_not_removed(parent)?;
        let inode = self.new_inode()?;
        let is_directory = node.kind() == FileKind::Directory;
        self.nodes.insert(inode, node);
        self.directory_mut(parent)?.insert(name, inode, is_directory);
        self.touch(parent, now)?;
        Ok(inode)
    }

    /// Puts a new file in the place of another one, which keeps its inode without a name: to be given to
    /// [`FileSystem::restore`] or [`FileSystem::forget_replaced`].
    pub(super) fn replace(&mut self, parent: Inode, name: &str, node: Node, now: f64) -> Result<(), Errno> {
        let inode = self.new_inode()?;
        self.directory_mut(parent)?.replace(name, inode).ok_or(Errno::ENOENT)?;
        self.nodes.insert(inode, node);
        self.touch(parent, now)
    }

    /// Gives a replaced inode its name back, in place of what has it now.
    pub(super) fn restore(&mut self, parent: Inode, name: &str, original: Inode, now: f64) {
        let replacement = self.directory_mut(parent).ok().and_then(|directory| directory.replace(name, original));
        if let Some(replacement) = replacement {
            self.drop_link(replacement, now);
        }
    }

    /// Lets go of a replaced inode.
    pub(super) fn forget_replaced(&mut self, original: Inode, now: f64) {
        self.files_replaced += 1;
        self.drop_link(original, now);
    }

    /// `ENOENT` for a directory that is removed and still open: a name in it would be out of reach for ever.
    fn check_not_removed(&self, directory: Inode) -> Result<(), Errno> {
        if self.node(directory)?.links == 0 { Err(Errno::ENOENT) } else { Ok(()) }
    }

    /// Whether `inner` is `outer` or below it.
    fn contains(&self, outer: Inode, inner: Inode) -> bool {
        let mut open = vec![outer];
        while let Some(inode) = open.pop() {
            if inode == inner {
                return true;
            }
            if let Some(Body::Directory(directory)) = self.nodes.get(&inode).map(|node| &node.body)
                && directory.subdirectories() > 0
            {
                open.extend(directory.iter().map(|(_, child)| child));
            }
        }
        false
    }
}

/// Whether a symbolic link may lead there.
pub(super) fn check_target(target: &str) -> Result<(), Errno> {
    if target.is_empty() {
        Err(Errno::ENOENT)
    } else if target.len() >= PATH_MAX {
        Err(Errno::ENAMETOOLONG)
    } else if target.contains('\0') {
        Err(Errno::EINVAL)
    } else {
        Ok(())
    }
}

/// A name is not empty, not `.` or `..`, has no slash and no NUL, and is not too long.
pub(super) fn check_name(name: &str) -> Result<(), Errno> {
    if name.len() > NAME_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    match name {
        "" | "." | ".." => Err(Errno::EINVAL),
        _ if name.contains(['/', '\0']) => Err(Errno::EINVAL),
        _ => Ok(()),
    }
}
