//! The file system: an inode tree in memory, with read-only layers under one writable one.
//!
//! [`FileSystem`] works on inode numbers, as a kernel's file systems do: whoever mounts it resolves paths, checks
//! permissions and keeps descriptors (Emscripten's `FS` does, see `crate/web/src/emscripten/file_system.rs`).
//! Path-wise conveniences for other callers are in [`path`].
//!
//! A *layer* (the standard library, a wheel) brings inodes whose [`Content`] is a slice of an archive: it is inflated
//! when it is first read. Writing to such a file gives it bytes of its own; the layer itself never changes.
//!
//! Non-goals: hard links (Emscripten has none), owners, extended attributes, access times on reading (as with
//! `noatime`).

mod cache;
mod content;
mod directory;
mod errno;
mod file_contents;
mod file_system;
mod inode;
mod layer;
mod names;
mod path;
mod saved;
mod snapshot;
mod walk;

#[cfg(test)]
mod tests;

pub use content::{Content, ContentError};
pub use errno::Errno;
pub use file_system::{FileSystem, Usage};
pub use inode::{AttributeChange, DirectoryEntry, FileKind, Inode, Metadata};
pub use layer::{Layer, LayerEntry, LayerError, LayerId, Overlap};
pub use saved::SavedFiles;
pub use snapshot::{Tree, TreeError, TreeNode};
pub use walk::WalkEntry;
