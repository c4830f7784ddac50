//! Archives that stay in JavaScript's memory.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Reflect, Uint8Array};
use taipan_core::source::{ByteSource, SourceError};
use wasm_bindgen::JsCast;

use crate::error::{Code, Error, Result};

/// Room for so many bytes in JavaScript's memory. `purpose` is named where there is none.
///
/// # Errors
/// [`Code::OutOfMemory`].
pub fn allocate(length: u64, purpose: &str) -> Result<Uint8Array> {
    let failed = |thrown| Error::from_js(Code::OutOfMemory, &format!("There is no room for {purpose}"), thrown);
    let constructor: Function = Reflect::get(&js_sys::global(), &"Uint8Array".into()).map_err(failed)?.unchecked_into();
    Reflect::construct(&constructor, &Array::of1(&(length as f64).into())).map(JsCast::unchecked_into).map_err(failed)
}

/// Bytes held in a `Uint8Array`, outside Rust's linear memory.
pub struct ArchiveBytes {
    bytes: Uint8Array,
    total: Rc<Cell<u64>>,
}

impl ArchiveBytes {
    /// Takes bytes over and counts them in `total` as long as they are held.
    pub fn new(bytes: Uint8Array, total: &Rc<Cell<u64>>) -> Self {
        total.set(total.get() + u64::from(bytes.length()));
        Self { bytes, total: Rc::clone(total) }
    }

    /// All of them.
    pub const fn bytes(&self) -> &Uint8Array {
        &self.bytes
    }
}

impl Drop for ArchiveBytes {
    fn drop(&mut self) {
        self.total.set(self.total.get() - u64::from(self.bytes.length()));
    }
}

impl ByteSource for ArchiveBytes {
    fn len(&self) -> u64 {
        u64::from(self.bytes.length())
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), SourceError> {
        let out_of_range = || SourceError::OutOfRange { offset, length: buffer.len() as u64, available: self.len() };
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.len()).ok_or_else(out_of_range)?;
        self.bytes.subarray(offset as u32, end as u32).copy_to(buffer);
        Ok(())
    }
}
