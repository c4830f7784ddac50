//! Chunks: pieces of a part that are checked and inflated independently of each other.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};
use xxhash_rust::xxh64::{Xxh64, xxh64};

use super::page::Runs;
use super::wire::{Input, Wire};
use super::{ContentHash, ImageError, PAGE_SIZE, Run};
use crate::attempt::attempt;

/// DEFLATE makes at most 258 bytes out of two bits.
pub(super) const MAX_RATIO: u64 = 1032;

/// How a chunk is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all (0).
    None,
    /// Raw DEFLATE (1), RFC 1951.
    Deflate,
}

/// Which hash of a chunk is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    /// XXH64: for bytes that this device wrote itself. It finds accidents.
    Checksum,
    /// SHA-256: for bytes of a network. Slower, and finds everything.
    Sha256,
}

/// A piece of a part. Hashes are of the bytes as they are in the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    /// How it is compressed.
    pub compression: Compression,
    /// Bytes in the file.
    pub stored_length: u64,
    /// Bytes when inflated.
    pub length: u64,
    /// Their XXH64 with seed 0.
    pub checksum: u64,
    /// Their SHA-256.
    pub sha256: ContentHash,
    /// The pages that it holds, in order, if it is one of memory.
    pub runs: Vec<Run>,
}

impl Chunk {
    /// Whether these are the bytes of the chunk, as they are in the file.
    pub fn matches(&self, stored: &[u8], verify: Verify) -> bool {
        stored.len() as u64 == self.stored_length
            && match verify {
                Verify::Checksum => xxh64(stored, 0) == self.checksum,
                Verify::Sha256 => ContentHash::of(stored) == self.sha256,
            }
    }

    /// The contents: inflated, if the chunk is compressed. `None` if that cannot be done.
    pub fn inflate<'a>(&self, stored: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match self.compression {
            Compression::None => Some(Cow::Borrowed(stored)),
            Compression::Deflate => {
                let length = usize::try_from(self.length).ok()?;
                attempt(|| inflate(stored, length), Option::is_some)?.map(Cow::Owned)
            }
        }
    }

    /// What is to be copied into memory: where the bytes of a run begin in the chunk's contents, and the run.
    pub fn copies(&self) -> impl Iterator<Item = (u64, Run)> {
        self.runs.iter().scan(0, |offset, run| {
            let begin = *offset;
            *offset += run.bytes();
            Some((begin, *run))
        })
    }

    /// Whether the runs are those of pages as many as there are bytes.
    pub(super) fn fits_runs(&self) -> bool {
        self.runs.iter().map(|run| run.bytes()).sum::<u64>() == self.length
            && self.length.is_multiple_of(PAGE_SIZE as u64)
    }
}

fn inflate(stored: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length).ok()?;
    let mut inflater = Decompress::new(false);
    let status = inflater.decompress_vec(stored, &mut bytes, FlushDecompress::Finish).ok()?;
    let is_all = bytes.len() == length && inflater.total_in() == stored.len() as u64;
    (status == Status::StreamEnd && is_all).then_some(bytes)
}

/// The checksum of a chunk whose bytes come in pieces, for hosts that do not hand them over whole.
#[derive(Clone)]
pub struct Checksum(Xxh64);

impl Default for Checksum {
    fn default() -> Self {
        Self(Xxh64::new(0))
    }
}

impl Checksum {
    /// Takes some more bytes in.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The checksum of all of them, to be compared with [`Chunk::checksum`].
    pub fn value(&self) -> u64 {
        self.0.digest()
    }
}

impl Wire for Chunk {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(self.compression == Compression::Deflate));
        self.stored_length.put(out);
        self.length.put(out);
        out.extend(self.checksum.to_le_bytes());
        self.sha256.put(out);
        Runs::put(&self.runs, out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Ok(Self {
            compression: if bool::take(input)? { Compression::Deflate } else { Compression::None },
            stored_length: Wire::take(input)?,
            length: Wire::take(input)?,
            checksum: u64::from_le_bytes(input.array()?),
            sha256: Wire::take(input)?,
            runs: Runs::take(input)?,
        })
    }
}
