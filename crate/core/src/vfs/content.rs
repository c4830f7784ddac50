//! The contents of a file.

use std::fmt;
use std::rc::Rc;

use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;

use super::Errno;
use crate::source::{ByteSource, SharedSource, SourceError};

/// The largest file that can be written, in bytes: linear memory has to hold it.
pub(super) const MAX_FILE_SIZE: u64 = 1 << 31;

/// Contents that a layer brings.
#[derive(Clone)]
pub enum Content {
    /// Bytes in linear memory, shared until a file is written to.
    Bytes(Rc<[u8]>),
    /// Bytes of a source, as they are.
    Stored {
        /// Where they are.
        source: SharedSource,
        /// The first.
        offset: u64,
        /// How many.
        length: u64,
    },
    /// Bytes of a source, compressed with raw DEFLATE (RFC 1951).
    Deflated {
        /// Where they are.
        source: SharedSource,
        /// The first compressed byte.
        offset: u64,
        /// How many are compressed.
        compressed_length: u64,
        /// How many there are when inflated. The reader of the archive has checked it against its limits.
        length: u64,
        /// Checksum of the inflated bytes (ISO 3309, as in ZIP).
        crc32: u32,
    },
}

/// Why contents cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ContentError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The compressed bytes are not DEFLATE data, or not of the declared length.
    #[error("the compressed data is damaged: {0}")]
    Damaged(&'static str),
    /// The inflated bytes have another checksum than declared.
    #[error("the checksum is {actual:08x}, it should be {expected:08x}")]
    Checksum {
        /// As declared.
        expected: u32,
        /// As computed.
        actual: u32,
    },
    /// The contents are too large for linear memory.
    #[error("{length} bytes are too many to hold")]
    TooLarge {
        /// Declared length in bytes.
        length: u64,
    },
}

impl Content {
    /// The number of bytes when read.
    pub fn len(&self) -> u64 {
        match self {
            Self::Bytes(bytes) => bytes.len() as u64,
            Self::Stored { length, .. } | Self::Deflated { length, .. } => *length,
        }
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All bytes; inflated and checked where they are compressed.
    ///
    /// # Errors
    /// Every [`ContentError`].
    pub fn read(&self) -> Result<Rc<[u8]>, ContentError> {
        match self {
            Self::Bytes(bytes) => Ok(Rc::clone(bytes)),
            Self::Stored { source, offset, length } => Ok(read_range(&**source, *offset, *length)?.into()),
            Self::Deflated { source, offset, compressed_length, length, crc32 } => {
                let compressed = read_range(&**source, *offset, *compressed_length)?;
                let bytes = inflate(&compressed, *length)?;
                let actual = crc32fast::hash(&bytes);
                if actual == *crc32 {
                    Ok(bytes.into())
                } else {
                    Err(ContentError::Checksum { expected: *crc32, actual })
                }
            }
        }
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self {
            Self::Bytes(_) => "Bytes",
            Self::Stored { .. } => "Stored",
            Self::Deflated { .. } => "Deflated",
        };
        write!(formatter, "{kind}({} bytes)", self.len())
    }
}

fn read_range(source: &dyn ByteSource, offset: u64, length: u64) -> Result<Vec<u8>, ContentError> {
    let available = source.len();
    if offset.checked_add(length).is_none_or(|end| end > available) {
        return Err(SourceError::OutOfRange { offset, length, available }.into());
    }
    let mut bytes = buffer(length)?;
    source.read_at(offset, &mut bytes)?;
    Ok(bytes)
}

fn inflate(compressed: &[u8], length: u64) -> Result<Vec<u8>, ContentError> {
    let mut bytes = buffer(length)?;
    let mut inflater = Decompress::new(false);
    let status = inflater
        .decompress(compressed, &mut bytes, FlushDecompress::Finish)
        .map_err(|_| ContentError::Damaged("it is not DEFLATE data"))?;
    if status != Status::StreamEnd || inflater.total_out() != length {
        return Err(ContentError::Damaged("it does not have the declared length"));
    }
    Ok(bytes)
}

/// A buffer that is had or not had, but never aborts.
fn buffer(length: u64) -> Result<Vec<u8>, ContentError> {
    let too_large = ContentError::TooLarge { length };
    let Some(size) = usize::try_from(length).ok().filter(|_| length <= MAX_FILE_SIZE) else { return Err(too_large) };
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(size).map_err(|_| too_large)?;
    bytes.resize(size, 0);
    Ok(bytes)
}

/// The contents of a file that is in the tree.
#[derive(Debug)]
pub(super) enum FileData {
    /// As a layer brought it.
    Layer(Content),
    /// Bytes of its own.
    Own(Vec<u8>),
}

impl FileData {
    pub(super) fn len(&self) -> u64 {
        match self {
            Self::Layer(content) => content.len(),
            Self::Own(bytes) => bytes.len() as u64,
        }
    }

    /// Cuts or extends with zeros, to a size below [`MAX_FILE_SIZE`].
    pub(super) fn resize(bytes: &mut Vec<u8>, size: u64) -> Result<(), Errno> {
        if size > MAX_FILE_SIZE {
            return Err(Errno::EFBIG);
        }
        let size = usize::try_from(size).map_err(|_| Errno::EFBIG)?;
        if let Some(more) = size.checked_sub(bytes.len()) {
            // Amortised, as appending in small pieces is what programs do; exactly, when that cannot be had.
            bytes.try_reserve(more).or_else(|_| bytes.try_reserve_exact(more)).map_err(|_| Errno::ENOSPC)?;
        }
        bytes.resize(size, 0);
        if bytes.capacity() > 4096 && bytes.len() < bytes.capacity() / 4 {
            bytes.shrink_to_fit();
        }
        Ok(())
    }
}
