//! Reads images that are there as a whole.

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

    /// The contents of a chunk, checked and inflated.
    ///
    /// # Errors
    /// [`ImageError::Source`], [`ImageError::Chunk`].
    pub fn chunk(&self, extent: Extent) -> Result<Vec<u8>, ImageError> {
        contents(&self.head, extent, self.read(extent)?, self.verify)
    }

    /// The bytes of a chunk as they are in the file, checked.
    pub(super) fn stored(&self, extent: Extent) -> Result<Vec<u8>, ImageError> {
        let stored = self.read(extent)?;
        checked(&self.head, extent, &stored, self.verify)?;
        Ok(stored)
    }

    fn read(&self, extent: Extent) -> Result<Vec<u8>, ImageError> {
        let mut stored = vec![0; extent.stored_length as usize];
        self.source.read_at(extent.file_offset, &mut stored)?;
        Ok(stored)
    }

    /// The contents of a part, checked and inflated.
    ///
    /// # Errors
    /// As [`Image::chunk`]; [`ImageError::TooMuch`] for what does not fit into Rust's memory.
    pub fn part(&self, part: usize) -> Result<Vec<u8>, ImageError> {
        let mut all = Vec::new();
        for extent in self.extents(part) {
            let contents = self.chunk(extent)?;
            let actual = all.len() as u64 + contents.len() as u64;
            all.try_reserve(contents.len()).map_err(|_| ImageError::TooMuch {
                what: "bytes of a part",
                actual,
                limit: all.len() as u64,
            })?;
            all.extend_from_slice(&contents);
        }
        Ok(all)
    }

    /// The manifest.
    ///
    /// # Errors
    /// As [`Image::part`] and [`Manifest::parse`].
    pub fn manifest(&self) -> Result<Manifest, ImageError> {
        let part = self.head.find_kind(PartKind::Manifest).unwrap_or_default();
        Manifest::parse(&self.part(part)?, &self.head)
    }
}

/// What a chunk holds whose bytes in the file are given.
pub(super) fn contents(head: &Head, extent: Extent, stored: Vec<u8>, verify: Verify) -> Result<Vec<u8>, ImageError> {
    checked(head, extent, &stored, verify)?;
    match head.chunk(extent).inflate(&stored) {
        Some(std::borrow::Cow::Owned(inflated)) => Ok(inflated),
        Some(std::borrow::Cow::Borrowed(_)) => Ok(stored),
        None => Err(damaged(head, extent)),
    }
}

fn checked(head: &Head, extent: Extent, stored: &[u8], verify: Verify) -> Result<(), ImageError> {
    if head.chunk(extent).matches(stored, verify) { Ok(()) } else { Err(damaged(head, extent)) }
}

fn damaged(head: &Head, extent: Extent) -> ImageError {
    ImageError::Chunk { part: head.parts[extent.part].name.clone(), chunk: extent.chunk }
}
