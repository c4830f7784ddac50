//! Where bytes come from when they are too many to be held in Rust's linear memory.

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
