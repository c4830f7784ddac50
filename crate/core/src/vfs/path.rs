//! Operations by path, for callers that have no path resolution of their own.

use super::inode::FileKind;
use super::{Errno, FileSystem, Inode};

/// A path, or the target of a symbolic link, has fewer bytes than this.
pub(super) const PATH_MAX: usize = 4096;

/// How many symbolic links a path may lead through.
const MAX_LINKS: u32 = 40;

impl FileSystem {
    /// What a path stands for. Relative paths start at the root.
    ///
    /// # Errors
    /// `ENOENT` (also for an empty path), `ENOTDIR` (also for a file with a `/` behind it), `ELOOP`, `ENAMETOOLONG`, `EXDEV`
    /// where another file system is mounted ([`FileSystem::cover`]).
    pub fn resolve(&self, path: &str, follow: bool) -> Result<Inode, Errno> {
        if path.is_empty() {
            return Err(Errno::ENOENT);
        }
        if path.len() >= PATH_MAX {
            return Err(Errno::ENAMETOOLONG);
        }
        let mut links = 0;
        let mut trail = vec![self.root()];
        let mut rest: Vec<String> = names(path).rev().map(str::to_owned).collect();
        if path.ends_with('/') {
            // The same, and it asks for a directory.
            rest.insert(0, ".".to_owned());
        }
        while let Some(name) = rest.pop() {
            let here = *trail.last().unwrap_or(&self.root());
            match name.as_str() {
                "." => {
                    self.directory(here)?;
                    continue;
                }
                ".." => {
                    self.directory(here)?;
                    if trail.len() > 1 {
                        trail.pop();
                    }
                    continue;
                }
                _ => {}
            }
            let inode = self.lookup(here, &name)?;
            if self.covered.contains(&inode) {
                return Err(Errno::EXDEV);
            }
            let is_link = FileKind::of(self.metadata(inode)?.mode) == Some(FileKind::Symlink);
            if is_link && (follow || !rest.is_empty()) {
                links += 1;
                if links > MAX_LINKS {
                    return Err(Errno::ELOOP);
                }
                let target = self.read_link(inode)?;
                if target.starts_with('/') {
                    trail.truncate(1);
                }
                rest.extend(names(target).rev().map(str::to_owned));
            } else {
                trail.push(inode);
            }
        }
        Ok(*trail.last().unwrap_or(&self.root()))
    }

    /// Makes a directory and those above it, as far as they are missing; gives the last.
    ///
    /// # Errors
    /// `ENOTDIR` if a file is in the way, `ENOENT` for a link that leads nowhere, `ELOOP`, `ENAMETOOLONG`, `EINVAL`.
    pub fn create_directories(&mut self, path: &str, permissions: u32, now: f64) -> Result<Inode, Errno> {
        let mut here = self.root();
        let mut ends = path.match_indices('/').map(|(end, _)| end).collect::<Vec<_>>();
        ends.push(path.len());
        for above in ends.into_iter().map(|end| &path[..end]).filter(|above| !above.is_empty()) {
            here = match self.resolve(above, true) {
                Ok(inode) => inode,
                Err(Errno::ENOENT) => {
                    let name = above.rsplit_once('/').map_or(above, |(_, name)| name);
                    if self.lookup(here, name).is_ok() {
                        return Err(Errno::ENOENT);
                    }
                    self.make_node(here, name, FileKind::Directory.bits() | permissions, 0, now)?
                }
                Err(errno) => return Err(errno),
            };
            self.directory(here)?;
        }
        Ok(here)
    }

    /// The contents of a file.
    ///
    /// # Errors
    /// As [`FileSystem::resolve`] and [`FileSystem::read`].
    pub fn read_file(&mut self, path: &str) -> Result<Vec<u8>, Errno> {
        let inode = self.resolve(path, true)?;
        let size = self.metadata(inode)?.size as usize;
        self.with_bytes(inode, 0, size, <[u8]>::to_vec)
    }

    /// Writes a file, over what is there.
    ///
    /// # Errors
    /// As [`FileSystem::resolve`] and [`FileSystem::write`].
    pub fn write_file(&mut self, path: &str, bytes: &[u8], now: f64) -> Result<Inode, Errno> {
        let (directory, name) = path.trim_end_matches('/').rsplit_once('/').unwrap_or(("", path));
        let parent = if directory.is_empty() { self.root() } else { self.resolve(directory, true)? };
        let inode = match self.resolve(path, true) {
            Ok(inode) => inode,
            Err(Errno::ENOENT) if self.lookup(parent, name).is_ok() => return Err(Errno::ENOENT),
            Err(Errno::ENOENT) => self.make_node(parent, name, FileKind::File.bits() | 0o644, 0, now)?,
            Err(errno) => return Err(errno),
        };
        let cut = super::AttributeChange { size: Some(0), ..Default::default() };
        self.set_attributes(inode, &cut, now)?;
        self.write(inode, 0, bytes, now)?;
        Ok(inode)
    }

    /// Whether a path stands for something.
    pub fn exists(&self, path: &str) -> bool {
        self.resolve(path, true).is_ok()
    }
}

fn names(path: &str) -> impl DoubleEndedIterator<Item = &str> {
    path.split('/').filter(|name| !name.is_empty())
}
