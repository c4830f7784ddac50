//! The contents of a file.

use std::fmt;
use std::rc::Rc;

use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;
use zlib_rs::crc32;

use super::Errno;
use crate::attempt::attempt;
use crate::source::{ByteSource, SharedSource, SourceError};

/// The largest file that can be written, in bytes: linear memory has to hold it.
pub(super) const MAX_FILE_SIZE: u64 = 1 << 31;

/// Compressed bytes that are read of a source at a time.
const CHUNK: u64 = 64 * 1024;

/// DEFLATE makes at most 258 bytes out of two bits: a declared length that is larger than this many times the compressed
/// one is a lie, and nothing is allocated for it.
const MAX_RATIO: u64 = 1032;

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
        if let Self::Bytes(bytes) = self {
            return Ok(Rc::clone(bytes));
        }
        self.check()?;
        shared(self.len(), |bytes| self.fill(bytes))
    }

    /// As [`Content::read`], at the beginning of a buffer that grows as far as it must. One that is used for several is
    /// faster than new memory for each.
    ///
    /// # Errors
    /// Every [`ContentError`].
    pub fn read_into<'a>(&self, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], ContentError> {
        self.check()?;
        let more = self.len().saturating_sub(buffer.len() as u64);
        reserve(buffer, more)?;
        buffer.resize(buffer.len() + more as usize, 0);
        let bytes = &mut buffer[..self.len() as usize];
        self.fill(bytes)?;
        Ok(bytes)
    }

    /// Whether there can be as many bytes as are declared, before there is room for them.
    fn check(&self) -> Result<(), ContentError> {
        match self {
            Self::Bytes(_) => Ok(()),
            Self::Stored { source, offset, length } => check_range(&**source, *offset, *length),
            Self::Deflated { source, offset, compressed_length, length, .. } => {
                check_range(&**source, *offset, *compressed_length)?;
                let is_possible = *length <= compressed_length.saturating_mul(MAX_RATIO);
                if is_possible { Ok(()) } else { Err(ContentError::Damaged("it cannot have the declared length")) }
            }
        }
    }

    /// Writes all bytes to where there is room for just these.
    fn fill(&self, bytes: &mut [u8]) -> Result<(), ContentError> {
        match self {
            Self::Bytes(own) => bytes.copy_from_slice(own),
            Self::Stored { source, offset, .. } => source.read_at(*offset, bytes)?,
            Self::Deflated { source, offset, compressed_length, crc32, .. } => {
                let inflate = || {
                    inflate(&**source, *offset, *compressed_length, bytes)?;
                    let actual = crc32::crc32(0, bytes);
                    if actual == *crc32 { Ok(()) } else { Err(ContentError::Checksum { expected: *crc32, actual }) }
                };
                let is_wrong = |error: &_| matches!(error, ContentError::Damaged(_) | ContentError::Checksum { .. });
                attempt(inflate, |inflated| !inflated.as_ref().is_err_and(is_wrong))
                    .unwrap_or(Err(ContentError::Damaged("it cannot be inflated")))?;
            }
        }
        Ok(())
    }
}

impl Content {
    /// Some of the bytes of stored contents, which need not fit into memory as a whole; of others, which do, a copy.
    pub(super) fn read_range(&self, start: u64, length: u64) -> Result<Vec<u8>, ContentError> {
        let out_of_range = SourceError::OutOfRange { offset: start, length, available: self.len() };
        let Some(end) = start.checked_add(length).filter(|end| *end <= self.len()) else {
            return Err(out_of_range.into());
        };
        let mut bytes = room(length, 0)?;
        if let Self::Stored { source, offset, .. } = self {
            let first = offset.checked_add(start).ok_or(out_of_range)?;
            check_range(&**source, first, length)?;
            bytes.resize(length as usize, 0);
            source.read_at(first, &mut bytes)?;
        } else {
            bytes.extend_from_slice(&self.read()?[start as usize..end as usize]);
        }
        Ok(bytes)
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

fn check_range(source: &dyn ByteSource, offset: u64, length: u64) -> Result<(), ContentError> {
    let available = source.len();
    if offset.checked_add(length).is_none_or(|end| end > available) {
        return Err(SourceError::OutOfRange { offset, length, available }.into());
    }
    Ok(())
}

/// Inflates into a buffer that has the declared length. The compressed bytes come through a small buffer: all of them
/// would be in linear memory beside the inflated ones otherwise.
fn inflate(source: &dyn ByteSource, offset: u64, compressed_length: u64, bytes: &mut [u8]) -> Result<(), ContentError> {
    let wrong_length = ContentError::Damaged("it does not have the declared length");
    let mut inflater = Decompress::new(false);
    let mut chunk = vec![0; compressed_length.min(CHUNK) as usize];
    let mut read = 0;
    while read < compressed_length {
        let piece = (compressed_length - read).min(CHUNK);
        let mut input = &mut chunk[..piece as usize];
        source.read_at(offset + read, input)?;
        read += piece;
        while !input.is_empty() {
            let (consumed, produced) = (inflater.total_in(), inflater.total_out());
            let status = inflater
                .decompress(input, &mut bytes[produced as usize..], FlushDecompress::None)
                .map_err(|_| ContentError::Damaged("it is not DEFLATE data"))?;
            if status == Status::StreamEnd {
                return if inflater.total_out() == bytes.len() as u64 { Ok(()) } else { Err(wrong_length) };
            }
            let taken = inflater.total_in() - consumed;
            if taken == 0 && inflater.total_out() == produced {
                return Err(wrong_length);
            }
            input = &mut input[taken as usize..];
        }
    }
    Err(wrong_length)
}

/// Shared bytes that are filled where they are: turning a `Vec` into an `Rc` would copy them, and linear memory would
/// keep the size of both.
fn shared(length: u64, fill: impl FnOnce(&mut [u8]) -> Result<(), ContentError>) -> Result<Rc<[u8]>, ContentError> {
    // An `Rc` cannot be allocated fallibly, so ask first whether there is room for it and its two counts.
    drop(room(length, 4 * size_of::<usize>() as u64)?);
    let mut bytes: Rc<[u8]> = std::iter::repeat_n(0, length as usize).collect();
    if let Some(bytes) = Rc::get_mut(&mut bytes) {
        fill(bytes)?;
    }
    Ok(bytes)
}

/// A copy, or `ENOSPC`.
pub(super) fn copy(bytes: &[u8]) -> Result<Vec<u8>, Errno> {
    let mut copied = Vec::new();
    copied.try_reserve_exact(bytes.len()).map_err(|_| Errno::ENOSPC)?;
    copied.extend_from_slice(bytes);
    Ok(copied)
}

/// An empty buffer for some bytes, and a few more, that is had or not had, but never aborts.
fn room(length: u64, more: u64) -> Result<Vec<u8>, ContentError> {
    let mut bytes = Vec::new();
    reserve(&mut bytes, length + more)?;
    Ok(bytes)
}

/// Has room for more bytes behind those of a buffer.
fn reserve(buffer: &mut Vec<u8>, more: u64) -> Result<(), ContentError> {
    let length = more.saturating_add(buffer.len() as u64);
    let too_large = ContentError::TooLarge { length };
    let size = usize::try_from(more).ok().filter(|_| length <= MAX_FILE_SIZE);
    size.and_then(|size| buffer.try_reserve_exact(size).ok()).ok_or(too_large)
}

/// The contents of a file that is in the tree.
#[derive(Debug, Clone)]
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

    /// The contents, to be shared: bytes of its own are moved to where that can be done, and copied when they are
    /// written to again.
    pub(super) fn share(&mut self) -> Result<Content, ContentError> {
        if let Self::Own(bytes) = self {
            let shared = shared(bytes.len() as u64, |copy| {
                copy.copy_from_slice(bytes);
                Ok(())
            })?;
            *self = Self::Layer(Content::Bytes(shared));
        }
        match self {
            Self::Layer(content) => Ok(content.clone()),
            Self::Own(_) => Ok(Content::Bytes([].into())),
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
