//! The head: what an image is for, and where everything in it is.

use std::collections::HashSet;

use super::chunk::MAX_RATIO;
use super::page::Runs;
use super::wire::{Input, Wire, record};
use super::{Chunk, Compression, ContentHash, FORMAT_VERSION, Identity, ImageError, Limits, PAGE_SIZE, PageSet, Run};

/// Bytes of the part of the head that says how long the head is.
pub const PREAMBLE_LENGTH: usize = 56;

const MAGIC: [u8; 8] = *b"\x89TAIPAN\n";

/// Where the head's own hash stands: it is left out when it is computed.
const ID: std::ops::Range<usize> = 24..PREAMBLE_LENGTH;

/// The head of an image.
#[derive(Debug, Clone, PartialEq)]
pub struct Head {
    /// SHA-256 of the head, which has the hashes of everything else in it: the image's name.
    pub id: ContentHash,
    /// Bytes of the head: where the first chunk begins.
    pub head_length: u64,
    /// Bytes of the whole image.
    pub length: u64,
    /// What was baked, and where.
    pub identity: Identity,
    /// The image since which only changes are here; absent if everything is.
    pub parent: Option<ContentHash>,
    /// Linear memory.
    pub memory: MemoryLayout,
    /// The parts, in the order in which they are in the file. The first is the manifest.
    pub parts: Vec<Part>,
}

/// How linear memory is laid out. Pages that are in no run are zeros, or as in the parent.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryLayout {
    /// Its bytes; a multiple of [`PAGE_SIZE`].
    pub length: u64,
    /// Pages that have become zeros since the parent.
    pub zeroed: Vec<Run>,
}

/// What a part holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PartKind {
    /// The manifest (0). There is one, and it comes first.
    Manifest,
    /// Pages of linear memory (1). At most one.
    Memory,
    /// WebAssembly (2): a side module, or one that was generated for the image.
    Module,
    /// Contents of files (3), one after the other. At most one.
    Files,
    /// Something that the host knows (4).
    Other,
}

/// A part: its chunks' contents, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// What it holds.
    pub kind: PartKind,
    /// Its name; no other part has it.
    pub name: String,
    /// Its chunks. None of them is empty.
    pub chunks: Vec<Chunk>,
}

/// Where a chunk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// The number of its part.
    pub part: usize,
    /// Its number in the part.
    pub chunk: usize,
    /// Its first byte in the file.
    pub file_offset: u64,
    /// Its bytes in the file.
    pub stored_length: u64,
}

impl Part {
    /// Bytes of its contents.
    pub fn length(&self) -> u64 {
        self.chunks.iter().map(|chunk| chunk.length).sum()
    }
}

/// What stands behind the preamble.
struct Body {
    identity: Identity,
    parent: Option<ContentHash>,
    memory: MemoryLayout,
    parts: Vec<Part>,
}

impl Head {
    /// How long the head is whose first [`PREAMBLE_LENGTH`] bytes these are.
    ///
    /// # Errors
    /// [`ImageError::NotImage`], [`ImageError::Version`], [`ImageError::TooMuch`], [`ImageError::Damaged`].
    pub fn length_of(preamble: &[u8], limits: &Limits) -> Result<u64, ImageError> {
        if !preamble.starts_with(&MAGIC) {
            return Err(ImageError::NotImage);
        }
        let mut input = Input::new(preamble, "head");
        input.slice(MAGIC.len())?;
        let version = u32::from_le_bytes(input.array()?);
        if version != FORMAT_VERSION {
            return Err(ImageError::Version { found: version, known: FORMAT_VERSION });
        }
        let length = u64::from(u32::from_le_bytes(input.array()?));
        over("bytes of head", length, limits.head_bytes)?;
        if length <= PREAMBLE_LENGTH as u64 {
            return Err(input.damaged());
        }
        Ok(length)
    }

    /// Reads a head. What it says has been checked when this returns: chunks follow each other without gaps, runs of
    /// pages lie inside the memory and do not overlap, lengths are within the limits.
    ///
    /// # Errors
    /// Every [`ImageError`] that concerns a head.
    pub fn parse(bytes: &[u8], limits: &Limits) -> Result<Self, ImageError> {
        let head_length = Self::length_of(bytes, limits)?;
        if head_length != bytes.len() as u64 {
            return Err(ImageError::Length { expected: head_length, actual: bytes.len() as u64 });
        }
        let mut input = Input::new(bytes, "head");
        input.slice(16)?;
        let length = u64::from_le_bytes(input.array()?);
        let (id, actual) = (ContentHash::take(&mut input)?, id_of(bytes));
        if id != actual {
            return Err(ImageError::Head { expected: id, actual });
        }
        let Body { identity, parent, memory, parts } = input.only()?;
        let head = Self { id, head_length, length, identity, parent, memory, parts };
        head.check(limits)?;
        Ok(head)
    }

    /// Writes a head.
    pub(super) fn encode(
        identity: Identity,
        parent: Option<ContentHash>,
        memory: MemoryLayout,
        parts: Vec<Part>,
        limits: &Limits,
    ) -> Result<(Vec<u8>, Self), ImageError> {
        let body = Body { identity, parent, memory, parts };
        let mut bytes = vec![0; PREAMBLE_LENGTH];
        body.put(&mut bytes);
        over("bytes of head", bytes.len() as u64, limits.head_bytes.min(u64::from(u32::MAX)))?;
        let stored: u64 = body.parts.iter().flat_map(|part| &part.chunks).map(|chunk| chunk.stored_length).sum();
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..12].copy_from_slice(&FORMAT_VERSION.to_le_bytes());
        let head_length = bytes.len() as u32;
        bytes[12..16].copy_from_slice(&head_length.to_le_bytes());
        bytes[16..24].copy_from_slice(&(u64::from(head_length) + stored).to_le_bytes());
        let id = id_of(&bytes);
        bytes[ID].copy_from_slice(&id.0);
        let head = Self::parse(&bytes, limits)?;
        Ok((bytes, head))
    }

    /// The number of a part with a name.
    ///
    /// # Errors
    /// [`ImageError::NoPart`].
    pub fn find(&self, name: &str) -> Result<usize, ImageError> {
        let found = self.parts.iter().position(|part| part.name == name);
        found.ok_or_else(|| ImageError::NoPart { name: name.to_owned() })
    }

    /// The number of the part of a kind of which there is one at most.
    pub fn find_kind(&self, kind: PartKind) -> Option<usize> {
        self.parts.iter().position(|part| part.kind == kind)
    }

    /// All chunks, in the order in which they are in the file.
    pub fn extents(&self) -> Vec<Extent> {
        let mut file_offset = self.head_length;
        let mut extents = Vec::new();
        for (part, chunks) in self.parts.iter().map(|part| &part.chunks).enumerate() {
            for (chunk, stored_length) in chunks.iter().map(|chunk| chunk.stored_length).enumerate() {
                extents.push(Extent { part, chunk, file_offset, stored_length });
                file_offset += stored_length;
            }
        }
        extents
    }

    /// The chunk that is somewhere.
    pub fn chunk(&self, extent: Extent) -> &Chunk {
        &self.parts[extent.part].chunks[extent.chunk]
    }

    fn check(&self, limits: &Limits) -> Result<(), ImageError> {
        let wrong = |what, reason| Err(ImageError::Inconsistent { what, reason });
        over("bytes of memory", self.memory.length, limits.memory_bytes)?;
        if !self.memory.length.is_multiple_of(PAGE_SIZE as u64) {
            return wrong("memory", "it is not of whole pages");
        }
        if self.parts.first().is_none_or(|part| part.kind != PartKind::Manifest || part.chunks.is_empty()) {
            return wrong("parts", "the first is not a manifest");
        }
        if self.parent.is_none() && !self.memory.zeroed.is_empty() {
            return wrong("memory", "pages have changed since no other image");
        }
        let (mut names, mut kinds) = (HashSet::new(), HashSet::new());
        let mut stored = 0_u64;
        for part in &self.parts {
            let is_single = matches!(part.kind, PartKind::Manifest | PartKind::Memory | PartKind::Files);
            if !names.insert(part.name.as_str()) || (is_single && !kinds.insert(part.kind)) {
                return wrong("parts", "one is there twice");
            }
            let (what, limit) = match part.kind {
                PartKind::Manifest => ("bytes of manifest", limits.manifest_bytes),
                PartKind::Memory => ("bytes of pages", self.memory.length),
                _ => ("bytes of a part", limits.part_bytes),
            };
            let mut length = 0_u64;
            for chunk in &part.chunks {
                over("bytes of a chunk", chunk.length.max(chunk.stored_length), limits.chunk_bytes)?;
                length += chunk.length;
                stored += chunk.stored_length;
                over(what, length, limit)?;
                let is_possible = match chunk.compression {
                    Compression::None => chunk.length == chunk.stored_length,
                    Compression::Deflate => chunk.length <= chunk.stored_length.saturating_mul(MAX_RATIO),
                };
                if chunk.length == 0 || !is_possible {
                    return wrong("parts", "a chunk cannot have its length");
                }
                if part.kind != PartKind::Memory && !chunk.runs.is_empty() {
                    return wrong("parts", "there are pages outside the memory");
                }
            }
        }
        self.check_runs()?;
        let actual = self.head_length + stored;
        if actual == self.length { Ok(()) } else { Err(ImageError::Length { expected: self.length, actual }) }
    }

    /// Runs ascend, also from chunk to chunk, and none is in two places.
    fn check_runs(&self) -> Result<(), ImageError> {
        let damaged = |reason| ImageError::Inconsistent { what: "memory", reason };
        let mut pages = PageSet::default();
        let mut end = 0;
        let memory = self.parts.iter().filter(|part| part.kind == PartKind::Memory);
        for chunk in memory.flat_map(|part| &part.chunks) {
            if !chunk.fits_runs() {
                return Err(damaged("a chunk does not hold the pages that it says"));
            }
            for run in &chunk.runs {
                if run.first < end || !pages.insert_run(*run) {
                    return Err(damaged("pages are not in order"));
                }
                end = run.end();
            }
        }
        let zeroed_once = self.memory.zeroed.iter().all(|run| pages.insert_run(*run));
        let last = self.memory.zeroed.last().map_or(end, |run| run.end().max(end));
        if !zeroed_once || u64::from(last) * PAGE_SIZE as u64 > self.memory.length {
            return Err(damaged("a page is there twice, or outside"));
        }
        Ok(())
    }
}

pub(super) fn over(what: &'static str, actual: u64, limit: u64) -> Result<(), ImageError> {
    if actual > limit { Err(ImageError::TooMuch { what, actual, limit }) } else { Ok(()) }
}

fn id_of(head: &[u8]) -> ContentHash {
    ContentHash::of_pieces(&[&head[..ID.start], &head[ID.end..]])
}

record!(Body { identity, parent, memory, parts });
record!(Part { kind, name, chunks });

impl Wire for MemoryLayout {
    fn put(&self, out: &mut Vec<u8>) {
        self.length.put(out);
        Runs::put(&self.zeroed, out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Ok(Self { length: Wire::take(input)?, zeroed: Runs::take(input)? })
    }
}

impl Wire for PartKind {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(*self as u8);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        match input.array()? {
            [0] => Ok(Self::Manifest),
            [1] => Ok(Self::Memory),
            [2] => Ok(Self::Module),
            [3] => Ok(Self::Files),
            [4] => Ok(Self::Other),
            _ => Err(input.damaged()),
        }
    }
}
