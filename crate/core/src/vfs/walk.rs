//! Everything in a file system, in order: for images, which have to write it down.

use super::inode::{Body, Inode, Metadata};
use super::layer::LayerId;
use super::{Errno, FileSystem};

/// An inode on a walk.
#[derive(Debug, Clone, PartialEq)]
pub struct WalkEntry {
    /// Path from where the walk began, without a leading slash; empty for that directory itself.
    pub path: String,
    /// Its number.
    pub inode: Inode,
    /// What `stat` tells.
    pub metadata: Metadata,
    /// The layer that brought it, unless the user has written to it, renamed it, or changed its mode or time since.
    pub layer: Option<LayerId>,
    /// Whether the contents are in this file system rather than in a layer.
    pub has_own_bytes: bool,
}

impl FileSystem {
    /// Every inode below a directory, parents before children, names in the order in which they were made.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`.
    pub fn walk(&self, from: Inode) -> Result<Vec<WalkEntry>, Errno> {
        self.directory(from)?;
        let mut entries = Vec::new();
        let mut open = vec![(String::new(), from)];
        while let Some((path, inode)) = open.pop() {
            let node = self.node(inode)?;
            if let Body::Directory(directory) = &node.body {
                let below = directory.iter().map(|(name, child)| {
                    (if path.is_empty() { name.to_owned() } else { format!("{path}/{name}") }, child)
                });
                let mut below: Vec<_> = below.collect();
                below.reverse();
                open.extend(below);
            }
            entries.push(WalkEntry {
                path,
                inode,
                metadata: node.metadata(),
                layer: node.layer,
                has_own_bytes: node.has_own_bytes(),
            });
        }
        Ok(entries)
    }
}
