//! A file system as it was at one moment, to go back to.

use std::collections::HashMap;

use super::cache::Cache;
use super::inode::{Body, Inode, Node};
use super::{ContentError, FileSystem};

/// All inodes at one moment: those that are open and have no path any more as well, and how often each is open.
#[derive(Debug)]
pub struct SavedFiles {
    nodes: HashMap<Inode, Node>,
    root: Inode,
}

impl FileSystem {
    /// Everything that is there now. Contents are shared with the file system, and copied when they are written to again.
    ///
    /// # Errors
    /// [`ContentError::TooLarge`] if there is no room to move contents to where they can be shared.
    pub fn save(&mut self) -> Result<SavedFiles, ContentError> {
        for node in self.nodes.values_mut() {
            if let Body::File(data) = &mut node.body {
                data.share()?;
            }
        }
        Ok(SavedFiles { nodes: self.nodes.clone(), root: self.root })
    }

    /// Goes back to an earlier moment. Files are open as often as they were then: whoever keeps descriptors goes back as
    /// well. Numbers of inodes and layers that were given away since are not given away again.
    pub fn roll_back(&mut self, saved: &SavedFiles) {
        self.nodes.clone_from(&saved.nodes);
        self.root = saved.root;
        self.cache = Cache::default();
    }
}
