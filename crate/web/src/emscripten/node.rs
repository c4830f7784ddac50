//! Conversions between Emscripten's nodes and inodes.

use js_sys::{Array, Date, Object, Uint8Array};
use taipan_core::vfs::{Inode, Metadata};
use wasm_bindgen::prelude::*;

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

/// The object that Emscripten's `getattr` gives. Every `stat` of CPython's makes one, thousands for a large import, so
/// its properties are set without going through their names.
pub fn attributes(inode: Inode, metadata: &Metadata) -> Attributes {
    let attributes: Attributes = Object::new().unchecked_into();
    attributes.set_dev(1);
    attributes.set_ino(inode.get());
    attributes.set_mode(metadata.mode);
    attributes.set_nlink(metadata.nlink);
    attributes.set_uid(0);
    attributes.set_gid(0);
    attributes.set_rdev(metadata.rdev);
    attributes.set_size(metadata.size as f64);
    attributes.set_blksize(BLOCK as u32);
    attributes.set_blocks(metadata.size.div_ceil(BLOCK) as f64);
    let modified = Date::new(&metadata.mtime.into());
    // Files that nobody has touched have one time; only `getTime` is ever asked of it.
    let date = |time: f64| {
        if time.to_bits() == metadata.mtime.to_bits() { modified.clone() } else { Date::new(&time.into()) }
    };
    attributes.set_atime(&date(metadata.atime));
    attributes.set_mtime(&modified);
    attributes.set_ctime(&date(metadata.ctime));
    attributes
}

#[wasm_bindgen]
extern "C" {
    /// What Emscripten's `getattr` gives.
    pub type Attributes;

    #[wasm_bindgen(method, setter)]
    fn set_dev(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_ino(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_mode(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_nlink(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_uid(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_gid(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_rdev(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_size(this: &Attributes, value: f64);
    #[wasm_bindgen(method, setter)]
    fn set_blksize(this: &Attributes, value: u32);
    #[wasm_bindgen(method, setter)]
    fn set_blocks(this: &Attributes, value: f64);
    #[wasm_bindgen(method, setter)]
    fn set_atime(this: &Attributes, value: &Date);
    #[wasm_bindgen(method, setter)]
    fn set_mtime(this: &Attributes, value: &Date);
    #[wasm_bindgen(method, setter)]
    fn set_ctime(this: &Attributes, value: &Date);
}

/// A time that a caller of `setattr` gives: a number of milliseconds, a `Date`, or nothing.
pub fn milliseconds(value: &JsValue) -> Option<f64> {
    value.as_f64().or_else(|| value.dyn_ref::<Date>().map(Date::get_time))
}

/// The bytes that a caller means by a buffer, an offset and a length. The buffer may be any view of bytes: CPython
/// hands in its heap as an `Int8Array`. It may also be an array of numbers: `FS.createDataFile` makes one of a text.
pub fn window(buffer: &Uint8Array, offset: u32, length: u32) -> Uint8Array {
    if Array::is_array(buffer) {
        return Uint8Array::new(buffer).subarray(offset, offset + length);
    }
    Uint8Array::new_with_byte_offset_and_length(&buffer.buffer(), buffer.byte_offset() + offset, length)
}
