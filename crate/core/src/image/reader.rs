//! Reads images that are there as a whole.

use std::borrow::Cow;

use super::{Extent, Head, ImageError, Limits, Manifest, PREAMBLE_LENGTH, PartKind, Verify};
use crate::source::SharedSource;

/// An image in a file, a `Blob`, or a buffer of the host's. Only the head has been read.
pub struct Image {
    head: Head,
    extents: Vec<Extent>,
    source: SharedSource,
    verify: Verify,
}

impl Image {
    /// Reads the head.
    ///
    /// # Errors
    /// Every [`ImageError`] that concerns a head; [`ImageError::Length`] also for an image that is cut off or has
    /// something behind it.
    pub fn open(source: SharedSource, verify: Verify, limits: &Limits) -> Result<Self, ImageError> {
        let available = source.len();
        if available < PREAMBLE_LENGTH as u64 {
            return Err(ImageError::NotImage);
        }
        let mut bytes = vec![0; PREAMBLE_LENGTH];
        source.read_at(0, &mut bytes)?;
        let head_length = Head::length_of(&bytes, limits)?;
        if head_length > available {
            return Err(ImageError::Length { expected: head_length, actual: available });
        }
        bytes.resize(head_length as usize, 0);
        source.read_at(0, &mut bytes)?;
        let head = Head::parse(&bytes, limits)?;
        if head.length != available {
            return Err(ImageError::Length { expected: head.length, actual: available });
        }
        Ok(Self { extents: head.extents(), head, source, verify })
    }

    /// The head.
    pub const fn head(&self) -> &Head {
        &self.head
    }

    /// Where the chunks of a part are.
    pub fn extents(&self, part: usize) -> impl Iterator<Item = Extent> {
        self.extents.iter().copied().filter(move |extent| extent.part == part)
    }

    /// The contents of a chunk, checked and inflated. They stand at the beginning of the buffer, which gets longer where that
    /// is needed: whoever reads many chunks does so into one buffer.
    ///
    /// # Errors
    /// [`ImageError::Source`], [`ImageError::Chunk`]; [`ImageError::TooMuch`] for what does not fit into Rust's memory.
    pub fn read_chunk<'a>(&self, extent: Extent, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], ImageError> {
        let length = self.read_behind(0, extent, buffer)?;
        Ok(&buffer[..length])
    }

    /// The contents of a part, as [`Image::read_chunk`] gives those of a chunk.
    ///
    /// # Errors
    /// As [`Image::read_chunk`].
    pub fn read_part<'a>(&self, part: usize, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], ImageError> {
        let length = self.extents(part).try_fold(0, |end, extent| self.read_behind(end, extent, buffer))?;
        Ok(&buffer[..length])
    }

    /// The contents of a chunk in a buffer of its own.
    ///
    /// # Errors
    /// As [`Image::read_chunk`].
    pub fn chunk(&self, extent: Extent) -> Result<Vec<u8>, ImageError> {
        owned(|buffer| self.read_chunk(extent, buffer))
    }

    /// The contents of a part in a buffer of its own.
    ///
    /// # Errors
    /// As [`Image::read_chunk`].
    pub fn part(&self, part: usize) -> Result<Vec<u8>, ImageError> {
        owned(|buffer| self.read_part(part, buffer))
    }

    /// Reads a chunk into a buffer, and gives where its contents end there.
    fn read_behind(&self, start: usize, extent: Extent, buffer: &mut Vec<u8>) -> Result<usize, ImageError> {
        let end = start + extent.stored_length as usize;
        lengthen(buffer, end)?;
        let stored = &mut buffer[start..end];
        self.source.read_at(extent.file_offset, stored)?;
        checked(&self.head, extent, stored, self.verify)?;
        let inflated = match self.head.chunk(extent).inflate(stored) {
            Some(Cow::Borrowed(_)) => return Ok(end),
            Some(Cow::Owned(inflated)) => inflated,
            None => return Err(damaged(&self.head, extent)),
        };
        let end = start + inflated.len();
        lengthen(buffer, end)?;
        buffer[start..end].copy_from_slice(&inflated);
        Ok(end)
    }

    /// The bytes of a chunk as they are in the file, checked.
    pub(super) fn stored(&self, extent: Extent) -> Result<Vec<u8>, ImageError> {
        let mut stored = vec![0; extent.stored_length as usize];
        self.source.read_at(extent.file_offset, &mut stored)?;
        checked(&self.head, extent, &stored, self.verify)?;
        Ok(stored)
    }

    /// The manifest.
    ///
    /// # Errors
    /// As [`Image::read_part`] and [`Manifest::parse`].
    pub fn manifest(&self) -> Result<Manifest, ImageError> {
        let part = self.head.find_kind(PartKind::Manifest).unwrap_or_default();
        Manifest::parse(self.read_part(part, &mut Vec::new())?, &self.head)
    }
}

/// What a chunk holds whose bytes in the file are given.
pub(super) fn contents(head: &Head, extent: Extent, stored: Vec<u8>, verify: Verify) -> Result<Vec<u8>, ImageError> {
    checked(head, extent, &stored, verify)?;
    match head.chunk(extent).inflate(&stored) {
        Some(Cow::Owned(inflated)) => Ok(inflated),
        Some(Cow::Borrowed(_)) => Ok(stored),
        None => Err(damaged(head, extent)),
    }
}

/// What is read into a new buffer, which then has nothing else in it.
fn owned(read: impl FnOnce(&mut Vec<u8>) -> Result<&[u8], ImageError>) -> Result<Vec<u8>, ImageError> {
    let mut buffer = Vec::new();
    let length = read(&mut buffer)?.len();
    buffer.truncate(length);
    Ok(buffer)
}

/// Makes a buffer at least as long as that.
fn lengthen(buffer: &mut Vec<u8>, length: usize) -> Result<(), ImageError> {
    const ZEROS: [u8; 4096] = [0; 4096];
    if let Some(missing) = length.checked_sub(buffer.len()) {
        let (actual, limit) = (length as u64, buffer.len() as u64);
        buffer.try_reserve_exact(missing).map_err(|_| ImageError::TooMuch {
            what: "bytes of a part",
            actual,
            limit,
        })?;
        // `resize` writes byte by byte where code is to be small.
        while buffer.len() < length {
            let more = (length - buffer.len()).min(ZEROS.len());
            buffer.extend_from_slice(&ZEROS[..more]);
        }
    }
    Ok(())
}

fn checked(head: &Head, extent: Extent, stored: &[u8], verify: Verify) -> Result<(), ImageError> {
    if head.chunk(extent).matches(stored, verify) { Ok(()) } else { Err(damaged(head, extent)) }
}

fn damaged(head: &Head, extent: Extent) -> ImageError {
    ImageError::Chunk { part: head.parts[extent.part].name.clone(), chunk: extent.chunk }
}
