//! Writes images.

use xxhash_rust::xxh64::xxh64;

use super::chunk::Compression;
use super::page::push_page;
use super::{
    Chunk, ContentHash, Head, Identity, Image, ImageError, Limits, Manifest, MemoryLayout, PAGE_SIZE, PageSet, Part,
    PartKind, Run, is_zero,
};
use crate::source::ByteSource;

/// Bytes of a chunk's contents; the last of a part may have fewer.
const CHUNK_LENGTH: usize = 1 << 20;

type Compress<'a> = Box<dyn FnMut(&[u8]) -> Option<Vec<u8>> + 'a>;
type Sink<'a> = Box<dyn FnMut(&[u8]) + 'a>;

/// An image that is being written. It hands out the *body*, piece by piece; the head, which stands before it, is known
/// when everything is. Parts are written in the order in which they are added, the manifest first. The same calls write
/// the same bytes.
pub struct ImageWriter<'a> {
    manifest: Manifest,
    memory: MemoryLayout,
    parts: Vec<Part>,
    /// Contents of the chunk that is being filled, and the pages they are.
    buffer: Vec<u8>,
    runs: Vec<Run>,
    compress: Compress<'a>,
    sink: Sink<'a>,
}

/// The head of an image that has been written.
#[derive(Debug, Clone)]
pub struct Baked {
    /// Its bytes: what the sink was given belongs behind them.
    pub bytes: Vec<u8>,
    /// What they say.
    pub head: Head,
}

impl<'a> ImageWriter<'a> {
    /// Begins with the manifest.
    ///
    /// `compress` gives the raw DEFLATE form of a chunk, or `None` to leave it as it is; what is not smaller is not used.
    /// `sink` takes the bytes of the body in their order.
    pub fn new(
        manifest: Manifest,
        compress: impl FnMut(&[u8]) -> Option<Vec<u8>> + 'a,
        sink: impl FnMut(&[u8]) + 'a,
    ) -> Self {
        let encoded = manifest.encode();
        let mut writer = Self {
            manifest,
            memory: MemoryLayout::default(),
            parts: Vec::new(),
            buffer: Vec::new(),
            runs: Vec::new(),
            compress: Box::new(compress),
            sink: Box::new(sink),
        };
        writer.part(PartKind::Manifest, "manifest", [encoded]);
        writer
    }

    /// Adds a part whose contents are these pieces, one after the other.
    pub fn part(&mut self, kind: PartKind, name: &str, pieces: impl IntoIterator<Item = impl AsRef<[u8]>>) {
        self.parts.push(Part { kind, name: name.to_owned(), chunks: Vec::new() });
        for piece in pieces {
            let mut rest = piece.as_ref();
            while !rest.is_empty() {
                let (taken, left) = rest.split_at(rest.len().min(CHUNK_LENGTH - self.buffer.len()));
                self.buffer.extend_from_slice(taken);
                rest = left;
                self.flush(CHUNK_LENGTH);
            }
        }
        self.flush(1);
    }

    /// Adds linear memory, which the source reads by address: all pages that are not zeros, or those that have changed
    /// since the parent.
    ///
    /// # Errors
    /// [`ImageError::Order`] for a memory that is not of whole pages, and for changed pages outside of it;
    /// [`ImageError::Source`].
    pub fn memory(&mut self, source: &dyn ByteSource, changed: Option<&PageSet>) -> Result<(), ImageError> {
        let page_size = PAGE_SIZE as u64;
        let length = source.len();
        let page_count = u32::try_from(length / page_size).ok().filter(|_| length.is_multiple_of(page_size));
        let page_count = page_count.ok_or(ImageError::Order("the memory is not of whole pages"))?;
        let runs = changed.map_or_else(|| vec![Run { first: 0, count: page_count }], PageSet::runs);
        if runs.last().is_some_and(|run| run.end() > page_count) {
            return Err(ImageError::Order("pages have changed that are not in the memory"));
        }
        self.parts.push(Part { kind: PartKind::Memory, name: "memory".to_owned(), chunks: Vec::new() });
        self.memory.length = length;
        let mut window = vec![0; CHUNK_LENGTH];
        for run in runs {
            for first in (run.first..run.end()).step_by(CHUNK_LENGTH / PAGE_SIZE) {
                let rest = Run { first, count: run.end() - first };
                let window = &mut window[..(rest.bytes() as usize).min(CHUNK_LENGTH)];
                source.read_at(rest.address(), window)?;
                for (page, bytes) in (first..).zip(window.chunks(PAGE_SIZE)) {
                    if !is_zero(bytes) {
                        push_page(&mut self.runs, page);
                        self.buffer.extend_from_slice(bytes);
                        self.flush(CHUNK_LENGTH);
                    } else if changed.is_some() {
                        push_page(&mut self.memory.zeroed, page);
                    }
                }
            }
        }
        self.flush(1);
        Ok(())
    }

    /// Adds a part of another image as it is there. Where it is the memory, the image that is written has to be of the same
    /// parent.
    ///
    /// # Errors
    /// [`ImageError::Source`], [`ImageError::Chunk`].
    pub fn copy(&mut self, image: &Image, part: usize) -> Result<(), ImageError> {
        for extent in image.extents(part) {
            (self.sink)(&image.stored(extent)?);
        }
        let part = image.head().parts[part].clone();
        if part.kind == PartKind::Memory {
            self.memory = image.head().memory.clone();
        }
        self.parts.push(part);
        Ok(())
    }

    /// Ends with the head. `parent` is the image since which pages have changed.
    ///
    /// # Errors
    /// Where what was added does not fit together: every [`ImageError`] with which a reader would refuse the image.
    pub fn finish(self, identity: Identity, parent: Option<ContentHash>, limits: &Limits) -> Result<Baked, ImageError> {
        let (bytes, head) = Head::encode(identity, parent, self.memory, self.parts, limits)?;
        self.manifest.check(&head)?;
        Ok(Baked { bytes, head })
    }

    /// Writes the chunk that is being filled, once it has so many bytes.
    fn flush(&mut self, at_least: usize) {
        if self.buffer.len() < at_least {
            return;
        }
        let compressed = (self.compress)(&self.buffer).filter(|compressed| compressed.len() < self.buffer.len());
        let compression = if compressed.is_some() { Compression::Deflate } else { Compression::None };
        let stored = compressed.as_deref().unwrap_or(&self.buffer);
        let chunk = Chunk {
            compression,
            stored_length: stored.len() as u64,
            length: self.buffer.len() as u64,
            checksum: xxh64(stored, 0),
            sha256: ContentHash::of(stored),
            runs: std::mem::take(&mut self.runs),
        };
        (self.sink)(stored);
        self.buffer.clear();
        if let Some(part) = self.parts.last_mut() {
            part.chunks.push(chunk);
        }
    }
}
