//! Archives that stay in JavaScript's memory.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::source::{ByteSource, SourceError};

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

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        let out_of_range = || SourceError::OutOfRange { offset, length: buffer.len() as u64, available: self.len() };
        let end = offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.len()).ok_or_else(out_of_range)?;
        self.bytes.subarray(offset as u32, end as u32).copy_to(buffer);
        Ok(())
    }
}
