//! Contents of pages, outside Rust's memory, which cannot shrink.

use js_sys::Uint8Array;
use taipan_core::checkpoint::{PageCopy, PageStore};
use taipan_core::image::PAGE_SIZE;

use crate::archive_bytes::allocate;
use crate::error::Result;

/// Pages that are allocated, and freed, together: 1 MiB.
const SLAB: u32 = 256;

/// Slot *n* is page *n* modulo [`SLAB`] of its slab.
#[derive(Default)]
pub struct Slabs(Vec<Option<Uint8Array>>);

impl Slabs {
    /// Copies pages out of memory.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn keep(&mut self, heap: &Uint8Array, copy: PageCopy) -> Result<()> {
        for piece in pieces(copy) {
            let slab = (piece.slot / SLAB) as usize;
            if slab >= self.0.len() {
                self.0.resize(slab + 1, None);
            }
            if self.0[slab].is_none() {
                self.0[slab] = Some(allocate(u64::from(SLAB) * PAGE_SIZE as u64, "a checkpoint")?);
            }
            if let Some(bytes) = &self.0[slab] {
                let (address, length) = (piece.pages.address() as u32, piece.pages.bytes() as u32);
                bytes.set(&heap.subarray(address, address + length), piece.slot % SLAB * PAGE_SIZE as u32);
            }
        }
        Ok(())
    }

    /// Copies pages into memory.
    pub fn put_back(&self, heap: &Uint8Array, copy: PageCopy) {
        for piece in pieces(copy) {
            if let Some(Some(bytes)) = self.0.get((piece.slot / SLAB) as usize) {
                let first = piece.slot % SLAB * PAGE_SIZE as u32;
                let contents = bytes.subarray(first, first + piece.pages.bytes() as u32);
                heap.set(&contents, piece.pages.address() as u32);
            }
        }
    }

    /// Frees what nobody needs.
    pub fn shrink(&mut self, store: &PageStore) {
        for (first, slab) in (0..).step_by(SLAB as usize).zip(&mut self.0) {
            if slab.is_some() && store.are_free(first..first + SLAB) {
                *slab = None;
            }
        }
    }
}

/// A copy, cut where slabs end.
fn pieces(copy: PageCopy) -> impl Iterator<Item = PageCopy> {
    let mut rest = copy;
    std::iter::from_fn(move || {
        if rest.pages.count == 0 {
            return None;
        }
        let mut piece = rest;
        piece.pages.count = rest.pages.count.min(SLAB - rest.slot % SLAB);
        rest.slot += piece.pages.count;
        rest.pages.first += piece.pages.count;
        rest.pages.count -= piece.pages.count;
        Some(piece)
    })
}
