//! Images: everything that a page needs to have Python ready, packages imported, in one file.
//!
//! The format is specified in `docs/image-format.md`. A *head* comes first: the identity of what was baked, the layout
//! of linear memory, and every chunk of the *body* with its length and hashes. So a chunk is checked before it is used,
//! and memory can be copied from wherever the host keeps the file to wherever CPython's memory is, without passing
//! through Rust's. The body is a sequence of parts: the [`Manifest`] first, then what restoring needs, in that order.
//!
//! Writing: [`ImageWriter`]; what is not called at once becomes files beside the image: [`detach`]. Reading a file that
//! is there: [`Image`]; one that is arriving: [`ImageReader`]. Images of changed pages only: [`PageHashes`] and
//! [`resolve`].

mod chain;
mod chunk;
mod detach;
mod error;
mod files;
mod hash;
mod head;
mod identity;
mod manifest;
mod page;
mod reader;
mod side_modules;
mod stream;
mod tree;
mod wire;
mod writer;

pub use self::chain::{Piece, resolve};
pub use self::chunk::{Checksum, Chunk, Compression, Verify};
pub use self::detach::{Detached, DetachedFile, detach};
pub use self::error::ImageError;
pub use self::files::{FileBody, FileRecord, FileTree};
pub use self::head::{Extent, Head, MemoryLayout, PREAMBLE_LENGTH, Part, PartKind};
pub use self::identity::{Difference, Distribution, Identity, ImagePackage};
pub use self::manifest::{ArchiveReference, LayerReference, LinkedModule, Manifest, ModuleBytes, TableEntry};
pub use self::page::{PAGE_SIZE, PageHash, PageHashes, PageSet, Run, is_zero};
pub use self::reader::Image;
pub use self::side_modules::{SHIM, SideModuleImages};
pub use self::stream::{Event, ImageReader};
pub use self::tree::{OwnContents, Placement};
pub use self::writer::{Baked, ImageWriter};
pub use crate::content_hash::ContentHash;

/// The version of the format that is written and read. A reader refuses every other one.
pub const FORMAT_VERSION: u32 = 2;

/// What an image may at most claim to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of the head. Default: 16 MiB.
    pub head_bytes: u64,
    /// Bytes of the manifest. Default: 64 MiB.
    pub manifest_bytes: u64,
    /// Bytes of one chunk, compressed or not. Default: 16 MiB.
    pub chunk_bytes: u64,
    /// Bytes of one part other than the memory. Default: 1 GiB.
    pub part_bytes: u64,
    /// Bytes of linear memory. Default: 4 GiB, all that 32-bit addresses reach.
    pub memory_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head_bytes: 16 << 20,
            manifest_bytes: 64 << 20,
            chunk_bytes: 16 << 20,
            part_bytes: 1 << 30,
            memory_bytes: 4 << 30,
        }
    }
}
