//! A file system as plain values, and back: for images.

use thiserror::Error;

use super::content::FileData;
use super::directory::Directory;
use super::inode::{Body, FileKind, Inode, Node, PERMISSIONS};
use super::layer::LayerId;
use super::names::{check_name, check_target};
use super::{Content, ContentError, Errno, FileSystem};

/// All inodes that have a path.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// The number that the next inode gets.
    pub next_inode: u32,
    /// The number that the next layer gets.
    pub next_layer: u32,
    /// The inodes: the root first, every directory before what is in it, names in the order in which they were made.
    pub nodes: Vec<TreeNode>,
}

/// An inode and its name.
#[derive(Debug, Clone)]
pub struct TreeNode {
    /// Its number.
    pub inode: u32,
    /// The number of the directory it is in; the root's own for the root.
    pub parent: u32,
    /// Its name in there; empty for the root.
    pub name: String,
    /// What it is.
    pub kind: FileKind,
    /// Its permissions.
    pub permissions: u32,
    /// Device number of a device.
    pub rdev: u32,
    /// Last access, in milliseconds since 1970.
    pub atime: f64,
    /// Last change of the contents.
    pub mtime: f64,
    /// Last change of the inode.
    pub ctime: f64,
    /// The layer that brought it, unless it has been changed since.
    pub layer: Option<u32>,
    /// Contents of a file, target of a symbolic link; empty for everything else. Not read: bytes are shared with the file
    /// system.
    pub content: Content,
}

/// Why a tree is not that of a file system.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("inode {inode} ({name:?}) cannot be made: {errno}")]
pub struct TreeError {
    /// The inode's number.
    pub inode: u32,
    /// Its name.
    pub name: String,
    /// Why: `EEXIST` for a number or a name that is there already, `ENOENT` and `ENOTDIR` for the directory, `EINVAL`,
    /// `ENAMETOOLONG` or `EIO` for the rest.
    pub errno: Errno,
}

impl FileSystem {
    /// Everything that has a path. Files that are unlinked and still open are not in it.
    ///
    /// Contents that were written are shared from now on, and copied when they are written to again.
    ///
    /// # Errors
    /// [`ContentError::TooLarge`] if there is no room to move contents to where they can be shared.
    pub fn snapshot(&mut self) -> Result<Tree, ContentError> {
        let mut tree = Tree { next_inode: self.next_inode, next_layer: self.next_layer, nodes: Vec::new() };
        let mut open = vec![(self.root, String::new(), self.root)];
        while let Some((parent, name, inode)) = open.pop() {
            let Some(node) = self.nodes.get_mut(&inode) else { continue };
            let (mut rdev, mut content) = (0, Content::Bytes([].into()));
            match &mut node.body {
                Body::File(data) => content = data.share()?,
                Body::Symlink(target) => content = Content::Bytes(target.as_bytes().into()),
                Body::Device(number) => rdev = *number,
                Body::Directory(directory) => {
                    let first = open.len();
                    open.extend(directory.iter().map(|(name, child)| (inode, name.to_owned(), child)));
                    open[first..].reverse();
                }
            }
            tree.nodes.push(TreeNode {
                inode: inode.get(),
                parent: parent.get(),
                name,
                kind: node.kind(),
                permissions: node.permissions,
                rdev,
                atime: node.atime,
                mtime: node.mtime,
                ctime: node.ctime,
                layer: node.layer.map(LayerId::get),
                content,
            });
        }
        Ok(tree)
    }

    /// The file system that a tree is of: the same inode numbers, the same order of names.
    ///
    /// # Errors
    /// [`TreeError`] for a tree that is none.
    pub fn from_tree(tree: &Tree) -> Result<Self, TreeError> {
        let mut files = Self::new(0.0);
        files.nodes.clear();
        (files.next_inode, files.next_layer) = (tree.next_inode, tree.next_layer);
        for node in &tree.nodes {
            files.insert(node).map_err(|errno| TreeError { inode: node.inode, name: node.name.clone(), errno })?;
        }
        match tree.nodes.first() {
            Some(_) => Ok(files),
            None => Err(TreeError { inode: 0, name: String::new(), errno: Errno::ENOENT }),
        }
    }

    fn insert(&mut self, node: &TreeNode) -> Result<(), Errno> {
        let (inode, parent) = (Inode::from(node.inode), Inode::from(node.parent));
        let body = match node.kind {
            FileKind::File => Body::File(FileData::Layer(node.content.clone())),
            FileKind::Directory => Body::Directory(Directory::default()),
            FileKind::Device => Body::Device(node.rdev),
            FileKind::Symlink => {
                let target = node.content.read().map_err(|_| Errno::EIO)?;
                let target = std::str::from_utf8(&target).map_err(|_| Errno::EINVAL)?;
                check_target(target)?;
                Body::Symlink(target.to_owned())
            }
        };
        let is_known = |number: u32, next: u32| number < next;
        if !is_known(node.inode, self.next_inode)
            || !node.layer.is_none_or(|layer| is_known(layer, self.next_layer))
            || node.permissions & !PERMISSIONS != 0
        {
            return Err(Errno::EINVAL);
        }
        if self.nodes.contains_key(&inode) {
            return Err(Errno::EEXIST);
        }
        if self.nodes.is_empty() {
            if node.kind != FileKind::Directory || inode != parent || !node.name.is_empty() {
                return Err(Errno::EINVAL);
            }
            self.root = inode;
        } else {
            check_name(&node.name)?;
            let directory = self.directory_mut(parent)?;
            if directory.get(&node.name).is_some() {
                return Err(Errno::EEXIST);
            }
            directory.insert(&node.name, inode, node.kind == FileKind::Directory);
        }
        let made = Node {
            body,
            permissions: node.permissions,
            atime: node.atime,
            mtime: node.mtime,
            ctime: node.ctime,
            links: 1,
            opens: 0,
            layer: node.layer.map(LayerId::from),
        };
        self.nodes.insert(inode, made);
        Ok(())
    }
}
