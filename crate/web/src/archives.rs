//! The archives that files are slices of: which source is which archive, and archives that are fetched when they are
//! first read.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::image::ArchiveReference;
use taipan_core::source::{ByteSource, SharedSource, SourceError};

use crate::archive_bytes::ArchiveBytes;
use crate::error::Result;
use crate::fetch::{compare_sha256, fetch_now, sha256_now};

/// The archives of one interpreter.
#[derive(Default)]
pub struct Archives {
    known: RefCell<Vec<(SharedSource, ArchiveReference)>>,
}

impl Archives {
    /// Notes which archive a source is.
    pub fn note(&self, source: &SharedSource, reference: ArchiveReference) {
        self.known.borrow_mut().push((Rc::clone(source), reference));
    }

    /// Every archive that is known, in the order in which they came.
    pub fn references(&self) -> Vec<ArchiveReference> {
        self.known.borrow().iter().map(|(_, reference)| reference.clone()).collect()
    }

    /// The number of the archive that a source is.
    pub fn find(&self, source: &SharedSource) -> Option<u32> {
        let number = self.known.borrow().iter().position(|(known, _)| Rc::ptr_eq(known, source))?;
        u32::try_from(number).ok()
    }
}

/// An archive that is fetched, while everything waits, when something is first read of it.
pub struct LazyArchive {
    url: String,
    reference: ArchiveReference,
    bytes: OnceCell<ArchiveBytes>,
    total: Rc<Cell<u64>>,
}

impl LazyArchive {
    /// Nothing is fetched yet.
    pub fn new(url: String, reference: ArchiveReference, total: &Rc<Cell<u64>>) -> Self {
        Self { url, reference, bytes: OnceCell::new(), total: Rc::clone(total) }
    }

    fn fetch(&self) -> Result<Uint8Array> {
        let bytes = fetch_now(&self.url)?;
        compare_sha256(&self.reference.file_name, &sha256_now(&bytes), &self.reference.sha256.to_string())?;
        Ok(bytes)
    }
}

impl ByteSource for LazyArchive {
    fn len(&self) -> u64 {
        self.reference.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), SourceError> {
        if self.bytes.get().is_none() {
            let bytes = self.fetch().map_err(|error| SourceError::Host(error.message().to_owned()))?;
            // Nobody else can have set it: nothing was awaited.
            let _ = self.bytes.set(ArchiveBytes::new(bytes, &self.total));
        }
        match self.bytes.get() {
            Some(bytes) => bytes.read_at(offset, buffer),
            None => Err(SourceError::Host("it has not arrived".to_owned())),
        }
    }
}
