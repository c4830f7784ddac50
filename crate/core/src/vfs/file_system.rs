//! The inode tree, and what is done to inodes; what is done to their names is in `names`.

use std::collections::{HashMap, HashSet};

use super::Errno;
use super::cache::Cache;
use super::directory::Directory;
use super::inode::{AttributeChange, Body, Inode, Metadata, Node, PERMISSIONS};
use super::layer::LayerId;

/// An in-memory file system. Every mutating call is given the time in milliseconds since 1970.
#[derive(Debug)]
pub struct FileSystem {
    pub(super) nodes: HashMap<Inode, Node>,
    pub(super) root: Inode,
    pub(super) next_inode: u32,
    pub(super) next_layer: u32,
    pub(super) cache: Cache,
    pub(super) files_inflated: u64,
    pub(super) files_replaced: u64,
    /// Directories that another file system is mounted over.
    pub(super) covered: HashSet<Inode>,
}

/// What a file system holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Inodes, unlinked but open ones included.
    pub inodes: usize,
    /// Bytes of files that have contents of their own.
    pub bytes_written: u64,
    /// Inflated bytes that are kept.
    pub bytes_cached: u64,
    /// How many times a file had to be inflated.
    pub files_inflated: u64,
}

impl FileSystem {
    /// An empty file system: a root directory with mode 755.
    pub fn new(now: f64) -> Self {
        let root = Inode::from(1);
        let node = Node::new(Body::Directory(Directory::default()), 0o755, now);
        Self {
            nodes: HashMap::from([(root, node)]),
            root,
            next_inode: 2,
            next_layer: 1,
            cache: Cache::default(),
            files_inflated: 0,
            files_replaced: 0,
            covered: HashSet::new(),
        }
    }

    /// How many files have had to give their places to those of layers. Who remembers inodes by name looks again when that
    /// grows.
    pub const fn files_replaced(&self) -> u64 {
        self.files_replaced
    }

    /// The root directory.
    pub const fn root(&self) -> Inode {
        self.root
    }

    /// What `stat` tells of an inode.
    ///
    /// # Errors
    /// `ENOENT` if there is no such inode.
    pub fn metadata(&self, inode: Inode) -> Result<Metadata, Errno> {
        self.node(inode).map(Node::metadata)
    }

    /// Changes permissions, times and size.
    ///
    /// # Errors
    /// `EISDIR` or `EINVAL` when resizing what is not a file, `EFBIG`, `ENOSPC`, `EIO` if a layer's file cannot be read.
    pub fn set_attributes(&mut self, inode: Inode, change: &AttributeChange, now: f64) -> Result<(), Errno> {
        if let Some(size) = change.size {
            self.truncate(inode, size, now)?;
        }
        let node = self.node_mut(inode)?;
        if let Some(mode) = change.mode {
            node.permissions = mode & PERMISSIONS;
            node.layer = None;
        }
        if change.mtime.is_some() {
            node.layer = None;
        }
        node.atime = change.atime.unwrap_or(node.atime);
        node.mtime = change.mtime.unwrap_or(node.mtime);
        node.ctime = change.ctime.unwrap_or(now);
        Ok(())
    }

    /// The target of a symbolic link.
    ///
    /// # Errors
    /// `EINVAL` if it is none.
    pub fn read_link(&self, inode: Inode) -> Result<&str, Errno> {
        match &self.node(inode)?.body {
            Body::Symlink(target) => Ok(target),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Notes that a descriptor is open on an inode: it lives until [`FileSystem::close`] even if it is unlinked.
    pub fn open(&mut self, inode: Inode) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.opens += 1;
            self.cache.hold(inode);
        }
    }

    /// Notes that a descriptor is closed.
    pub fn close(&mut self, inode: Inode) {
        let Some(node) = self.nodes.get_mut(&inode) else { return };
        node.opens = node.opens.saturating_sub(1);
        if node.opens > 0 {
            return;
        }
        if node.links == 0 {
            self.nodes.remove(&inode);
            self.cache.forget(inode);
        } else {
            self.cache.release(inode);
        }
    }

    /// Notes that another file system is mounted over a directory: what is below it is not what programs see.
    pub fn cover(&mut self, directory: Inode) {
        self.covered.insert(directory);
    }

    /// Notes that nothing is mounted over a directory any more.
    pub fn uncover(&mut self, directory: Inode) {
        self.covered.remove(&directory);
    }

    /// What is held.
    pub fn usage(&self) -> Usage {
        let written = self.nodes.values().map(|node| if node.has_own_bytes() { node.metadata().size } else { 0 });
        Usage {
            inodes: self.nodes.len(),
            bytes_written: written.sum(),
            bytes_cached: self.cache.bytes() as u64,
            files_inflated: self.files_inflated,
        }
    }

    pub(super) fn new_inode(&mut self) -> Result<Inode, Errno> {
        let inode = Inode::from(self.next_inode);
        self.next_inode = self.next_inode.checked_add(1).ok_or(Errno::ENOSPC)?;
        Ok(inode)
    }

    /// Takes one of its names from an inode.
    pub(super) fn drop_link(&mut self, inode: Inode, now: f64) {
        let Some(node) = self.nodes.get_mut(&inode) else { return };
        node.links = node.links.saturating_sub(1);
        node.ctime = now;
        if node.links == 0 && node.opens == 0 {
            self.nodes.remove(&inode);
            self.cache.forget(inode);
        }
    }

    /// Notes that the contents of a file or directory have changed.
    pub(super) fn touch(&mut self, inode: Inode, now: f64) -> Result<(), Errno> {
        let node = self.node_mut(inode)?;
        (node.mtime, node.ctime) = (now, now);
        Ok(())
    }

    /// The layer that brought an inode, unless it has been changed since.
    pub fn layer_of(&self, inode: Inode) -> Option<LayerId> {
        self.nodes.get(&inode)?.layer
    }

    pub(super) fn node(&self, inode: Inode) -> Result<&Node, Errno> {
        self.nodes.get(&inode).ok_or(Errno::ENOENT)
    }

    pub(super) fn node_mut(&mut self, inode: Inode) -> Result<&mut Node, Errno> {
        self.nodes.get_mut(&inode).ok_or(Errno::ENOENT)
    }

    pub(super) fn directory(&self, inode: Inode) -> Result<&Directory, Errno> {
        match &self.node(inode)?.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }

    pub(super) fn directory_mut(&mut self, inode: Inode) -> Result<&mut Directory, Errno> {
        match &mut self.node_mut(inode)?.body {
            Body::Directory(directory) => Ok(directory),
            _ => Err(Errno::ENOTDIR),
        }
    }
}
