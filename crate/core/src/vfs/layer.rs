//! Layers: files that come together and can be taken away together.

use std::collections::HashMap;

use thiserror::Error;

use super::content::FileData;
use super::directory::Directory;
use super::inode::{Body, FileKind, Inode, Node};
use super::names::check_target;
use super::{Content, Errno, FileSystem};

/// The number of a mounted layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LayerId(u32);

impl LayerId {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl From<u32> for LayerId {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// Files to be mounted together.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    /// What it holds. Directories that are not listed are made with mode 755.
    pub entries: Vec<LayerEntry>,
    /// What happens where a file is there already.
    pub overlap: Overlap,
}

/// A file, directory or symbolic link of a layer.
#[derive(Debug, Clone)]
pub struct LayerEntry {
    /// Path from where the layer is mounted, with `/` between names, without `.` and `..`.
    pub path: String,
    /// Kind and permissions.
    pub mode: u32,
    /// Milliseconds since 1970.
    pub mtime: f64,
    /// Contents of a file, target of a symbolic link; empty for a directory.
    pub content: Content,
}

/// What happens where a layer brings a file that is there already. Directories always merge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Overlap {
    /// The layer is not mounted.
    #[default]
    Refuse,
    /// The layer's file takes its place. Unmounting does not bring the other back.
    Replace,
    /// What is there stays.
    Keep,
}

/// Why a layer was not mounted. Nothing has changed then.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LayerError {
    /// A file is there already.
    #[error("{path} exists already")]
    Exists {
        /// Path in the layer.
        path: String,
    },
    /// A path cannot be made.
    #[error("{path} cannot be made: {errno}")]
    Path {
        /// Path in the layer.
        path: String,
        /// Why.
        errno: Errno,
    },
}

impl Layer {
    /// A layer that is refused where it overlaps.
    pub fn new(entries: Vec<LayerEntry>) -> Self {
        Self { entries, overlap: Overlap::default() }
    }
}

impl LayerEntry {
    /// A file.
    pub fn file(path: impl Into<String>, permissions: u32, mtime: f64, content: Content) -> Self {
        Self { path: path.into(), mode: FileKind::File.bits() | permissions, mtime, content }
    }

    /// A directory.
    pub fn directory(path: impl Into<String>, permissions: u32, mtime: f64) -> Self {
        let content = Content::Bytes([].into());
        Self { path: path.into(), mode: FileKind::Directory.bits() | permissions, mtime, content }
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.path.split('/').filter(|name| !name.is_empty())
    }

    fn node(&self, layer: LayerId) -> Result<Node, Errno> {
        let body = match FileKind::of(self.mode) {
            Some(FileKind::File) => Body::File(FileData::Layer(self.content.clone())),
            Some(FileKind::Directory) => Body::Directory(Directory::default()),
            Some(FileKind::Symlink) => {
                let target = self.content.read().map_err(|_| Errno::EIO)?;
                let target = std::str::from_utf8(&target).map_err(|_| Errno::EINVAL)?;
                check_target(target)?;
                Body::Symlink(target.to_owned())
            }
            Some(FileKind::Device) | None => return Err(Errno::EPERM),
        };
        let mut node = Node::new(body, self.mode, self.mtime);
        node.layer = Some(layer);
        Ok(node)
    }
}

/// A mount on its way, with what is needed to take it back.
struct Mount<'a> {
    id: LayerId,
    overlap: Overlap,
    now: f64,
    /// Directory, name and former inode: unlinked only when everything is known to fit.
    replaced: Vec<(Inode, &'a str, Inode)>,
    /// `mtime` and `ctime` of the directories that were gone through, as they were.
    times: HashMap<Inode, (f64, f64)>,
}

impl FileSystem {
    /// Mounts a layer below a directory, whole or not at all.
    ///
    /// # Errors
    /// [`LayerError`]; nothing has changed then.
    pub fn mount_layer(&mut self, at: Inode, layer: &Layer, now: f64) -> Result<LayerId, LayerError> {
        let id = LayerId(self.next_layer);
        self.next_layer += 1;
        let mut mount = Mount { id, overlap: layer.overlap, now, replaced: Vec::new(), times: HashMap::new() };
        for entry in &layer.entries {
            let mounted = self.mount_entry(at, entry, &mut mount);
            if let Err(error) = mounted {
                for (parent, name, original) in mount.replaced.into_iter().rev() {
                    self.restore(parent, name, original, now);
                }
                self.unmount_below(at, id, now);
                for (directory, (mtime, ctime)) in mount.times {
                    if let Ok(node) = self.node_mut(directory) {
                        (node.mtime, node.ctime) = (mtime, ctime);
                    }
                }
                return Err(error);
            }
        }
        for (_, _, original) in mount.replaced {
            self.forget_replaced(original, now);
        }
        Ok(id)
    }

    /// Takes a layer away: the files it brought that the user has not written to, renamed, or given another mode or time,
    /// and the directories it made that are empty then. A directory that is not goes with the layer that still has
    /// something in it, or is the user's.
    pub fn unmount_layer(&mut self, id: LayerId, now: f64) {
        self.unmount_below(self.root(), id, now);
    }

    fn mount_entry<'a>(&mut self, at: Inode, entry: &'a LayerEntry, mount: &mut Mount<'a>) -> Result<(), LayerError> {
        let failed = |errno| LayerError::Path { path: entry.path.clone(), errno };
        let mut parent = at;
        let mut names = entry.names().peekable();
        while let Some(name) = names.next() {
            let directory = self.node(parent).map_err(failed)?;
            mount.times.entry(parent).or_insert((directory.mtime, directory.ctime));
            let existing = match self.lookup(parent, name) {
                Ok(inode) => Some(inode),
                Err(Errno::ENOENT) => None,
                Err(errno) => return Err(failed(errno)),
            };
            if names.peek().is_some() {
                parent = match existing {
                    Some(inode) => inode,
                    None => self.add(parent, name, directory_node(mount.id, entry.mtime), mount.now).map_err(failed)?,
                };
                continue;
            }
            let node = entry.node(mount.id).map_err(failed)?;
            let Some(existing) = existing else {
                self.add(parent, name, node, mount.now).map_err(failed)?;
                return Ok(());
            };
            let is_directory = |kind| kind == FileKind::Directory;
            let there = self.node(existing).map_err(failed)?.kind();
            match (is_directory(there), is_directory(node.kind())) {
                (true, true) => {}
                (false, false) if mount.overlap == Overlap::Keep => {}
                (false, false) if mount.overlap == Overlap::Replace => {
                    self.replace(parent, name, node, mount.now).map_err(failed)?;
                    mount.replaced.push((parent, name, existing));
                }
                _ => return Err(LayerError::Exists { path: entry.path.clone() }),
            }
        }
        Ok(())
    }

    fn unmount_below(&mut self, directory: Inode, id: LayerId, now: f64) {
        // Leaves first: a directory is empty only when what it held is gone.
        let mut open = vec![directory];
        let mut found = Vec::new();
        while let Some(parent) = open.pop() {
            for entry in self.read_directory(parent).unwrap_or_default() {
                let is_directory = FileKind::of(entry.mode) == Some(FileKind::Directory);
                if is_directory {
                    open.push(entry.inode);
                }
                if self.layer_of(entry.inode) == Some(id) {
                    found.push((parent, entry.name, is_directory));
                }
            }
        }
        for (parent, name, is_directory) in found.into_iter().rev() {
            if !is_directory {
                let _ = self.unlink(parent, &name, now);
            } else if self.remove_directory(parent, &name, now).is_err()
                && let Ok(directory) = self.lookup(parent, &name)
            {
                self.hand_over(directory);
            }
        }
    }

    /// A directory outlives its layer, for what else is in it.
    fn hand_over(&mut self, directory: Inode) {
        let Ok(names) = self.directory(directory) else { return };
        let heir = names.iter().find_map(|(_, child)| self.layer_of(child));
        if let Ok(node) = self.node_mut(directory) {
            node.layer = heir;
        }
    }
}

fn directory_node(id: LayerId, mtime: f64) -> Node {
    let mut node = Node::new(Body::Directory(Directory::default()), 0o755, mtime);
    node.layer = Some(id);
    node
}
