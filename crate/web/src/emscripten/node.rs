//! Conversions between Emscripten's nodes and inodes.

use js_sys::{Date, Object, Uint8Array};
use taipan_core::vfs::{Inode, Metadata};
use wasm_bindgen::JsValue;

use super::abi::set;

/// Bytes of a block in `st_blksize`.
const BLOCK: u64 = 4096;

/// The kinds of node that have operations of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeKind {
    /// `S_IFREG`
    File,
    /// `S_IFDIR`
    Directory,
    /// `S_IFLNK`
    Symlink,
    /// `S_IFCHR`
    Device,
}

impl NodeKind {
    /// The kind in the upper bits of a mode.
    pub const fn of(mode: u32) -> Self {
        match mode & 0o170_000 {
            0o040_000 => Self::Directory,
            0o120_000 => Self::Symlink,
            0o020_000 => Self::Device,
            _ => Self::File,
        }
    }

    /// The word in `FileStat.kind`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Symlink => "symlink",
            Self::Device => "device",
        }
    }
}

/// The object that Emscripten's `getattr` gives.
pub fn attributes(inode: Inode, metadata: &Metadata) -> Object {
    let object = Object::new();
    let number = |name: &str, value: f64| set(&object, name, &value.into());
    number("dev", 1.0);
    number("ino", f64::from(inode.get()));
    number("mode", f64::from(metadata.mode));
    number("nlink", f64::from(metadata.nlink));
    number("uid", 0.0);
    number("gid", 0.0);
    number("rdev", f64::from(metadata.rdev));
    number("size", metadata.size as f64);
    number("blksize", BLOCK as f64);
    number("blocks", metadata.size.div_ceil(BLOCK) as f64);
    for (name, time) in [("atime", metadata.atime), ("mtime", metadata.mtime), ("ctime", metadata.ctime)] {
        set(&object, name, &Date::new(&time.into()));
    }
    object
}

/// A time that a caller of `setattr` gives: a number of milliseconds, a `Date`, or nothing.
pub fn milliseconds(value: &JsValue) -> Option<f64> {
    use wasm_bindgen::JsCast as _;
    value.as_f64().or_else(|| value.dyn_ref::<Date>().map(Date::get_time))
}

/// The bytes that a caller means by a buffer, an offset and a length. The buffer may be any view of bytes: CPython
/// hands in its heap as an `Int8Array`.
pub fn window(buffer: &Uint8Array, offset: u32, length: u32) -> Uint8Array {
    Uint8Array::new_with_byte_offset_and_length(&buffer.buffer(), buffer.byte_offset() + offset, length)
}
