//! Where bytes come from when they are too many to be held in Rust's linear memory.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use thiserror::Error;

/// A read-only, random-access sequence of bytes that the host owns: a downloaded wheel, the standard library's
/// archive, a `File` that the user dropped on the page.
///
/// Rust's linear memory can grow and never shrinks, so archives stay with the host (as `Uint8Array` or `Blob` in a
/// browser) and only the part being read is copied in.
pub trait ByteSource {
    /// The number of bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Fills `buffer` with the bytes from `offset` on.
    ///
    /// # Errors
    /// [`SourceError::OutOfRange`] if the range ends past [`ByteSource::len`], [`SourceError::Host`] if the host could
    /// not read.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError>;
}

/// A source that several files share.
pub type SharedSource = Rc<dyn ByteSource>;

/// Why a [`ByteSource`] could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SourceError {
    /// The range is not inside the source.
    #[error("{length} bytes at offset {offset} are past the end of a source of {available} bytes")]
    OutOfRange {
        /// First byte asked for.
        offset: u64,
        /// Number of bytes asked for.
        length: u64,
        /// Size of the source.
        available: u64,
    },
    /// The bytes have not been fetched: [`SparseSource::missing`] says which.
    #[error("the bytes at offset {offset} have not been fetched")]
    NotHere {
        /// First byte asked for.
        offset: u64,
    },
    /// The host failed to read, for example because a file changed on disk after it was dropped on the page.
    #[error("the host could not read: {0}")]
    Host(String),
}

impl ByteSource for Vec<u8> {
    fn len(&self) -> u64 {
        self.as_slice().len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        let out_of_range =
            || SourceError::OutOfRange { offset, length: buffer.len() as u64, available: self.as_slice().len() as u64 };
        let start = usize::try_from(offset).map_err(|_| out_of_range())?;
        let end = start.checked_add(buffer.len()).ok_or_else(out_of_range)?;
        let bytes = self.get(start..end).ok_or_else(out_of_range)?;
        buffer.copy_from_slice(bytes);
        Ok(())
    }
}

/// A sequence of bytes of which only parts are here, such as of a file on a server that answers requests for ranges.
///
/// Who reads what is not here gets [`SourceError::NotHere`], and [`SparseSource::missing`] says what to fetch before
/// trying again.
#[derive(Debug)]
pub struct SparseSource {
    length: u64,
    parts: RefCell<Vec<(u64, Vec<u8>)>>,
    missing: Cell<Option<(u64, u64)>>,
}

impl SparseSource {
    /// A source of so many bytes, none of which is here.
    pub fn new(length: u64) -> Self {
        Self { length, parts: RefCell::default(), missing: Cell::default() }
    }

    /// Adds the bytes from `offset` on.
    pub fn add(&self, offset: u64, bytes: Vec<u8>) {
        self.parts.borrow_mut().push((offset, bytes));
    }

    /// Offset and number of the bytes that the last reader did not find here; asking forgets them.
    pub fn missing(&self) -> Option<(u64, u64)> {
        self.missing.take()
    }
}

impl ByteSource for SparseSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        let length = buffer.len() as u64;
        if offset.checked_add(length).is_none_or(|end| end > self.length) {
            return Err(SourceError::OutOfRange { offset, length, available: self.length });
        }
        for (start, bytes) in self.parts.borrow().iter() {
            let within = offset.checked_sub(*start).and_then(|skipped| usize::try_from(skipped).ok());
            if let Some(found) = within.and_then(|at| bytes.get(at..at.checked_add(buffer.len())?)) {
                buffer.copy_from_slice(found);
                return Ok(());
            }
        }
        self.missing.set(Some((offset, length)));
        Err(SourceError::NotHere { offset })
    }
}
