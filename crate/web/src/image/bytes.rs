//! Where the bytes of an image are.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::source::{ByteSource, SharedSource, SourceError};

use crate::archive_bytes::ArchiveBytes;

/// The bytes of an image, until they are let go of.
pub struct ImageBytes {
    length: u64,
    is_trusted: bool,
    place: RefCell<Option<Place>>,
}

enum Place {
    /// In the store.
    Stored(SharedSource),
    /// In JavaScript's memory.
    Here(ArchiveBytes),
}

impl ImageBytes {
    /// What this browser has written itself: only accidents can have changed it.
    pub fn stored(source: SharedSource) -> Self {
        Self { length: source.len(), is_trusted: true, place: RefCell::new(Some(Place::Stored(source))) }
    }

    /// What came from somewhere else; `is_trusted` if all of it has been compared with a hash. `held` counts bytes outside
    /// Rust's linear memory.
    pub fn fetched(bytes: Uint8Array, is_trusted: bool, held: &Rc<Cell<u64>>) -> Self {
        let bytes = ArchiveBytes::new(bytes, held);
        Self { length: bytes.len(), is_trusted, place: RefCell::new(Some(Place::Here(bytes))) }
    }

    /// Whether only accidents can have changed them, so that checksums are enough.
    pub fn is_trusted(&self) -> bool {
        self.is_trusted
    }

    /// Bytes that are in JavaScript's memory, as they are there.
    pub fn bytes(&self, offset: u64, length: u64) -> Option<Uint8Array> {
        match &*self.place.borrow() {
            Some(Place::Here(bytes)) => Some(bytes.bytes().subarray(offset as u32, (offset + length) as u32)),
            _ => None,
        }
    }

    /// Lets go of the bytes.
    pub fn release(&self) {
        *self.place.borrow_mut() = None;
    }

    /// Whether they have been let go of.
    pub fn is_released(&self) -> bool {
        self.place.borrow().is_none()
    }
}

impl ByteSource for ImageBytes {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        match &*self.place.borrow() {
            Some(Place::Stored(source)) => source.read_at(offset, buffer),
            Some(Place::Here(bytes)) => bytes.read_at(offset, buffer),
            None => Err(SourceError::Host("it has been let go of".to_owned())),
        }
    }
}
