//! The linear memory of an image, on its way to where it belongs.

use std::iter;
use std::ops::Range;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use js_sys::Uint8Array;
use taipan_core::image::{Compression, Extent, PartKind};

use super::{OpenImage, not_usable};
use crate::error::{Code, Error, Result};

impl OpenImage {
    /// Makes zeros of what the image has no pages of, up to an address, except for what is `spare`.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it has no memory.
    pub fn clear_memory(&self, heap: &Uint8Array, end: u32, spare: Range<u32>) -> Result<()> {
        let clear = |from: u64, to: u64| {
            if from < to {
                heap.fill(0, from as u32, to as u32);
            }
        };
        let (mut begin, end, spare) = (0, u64::from(end), u64::from(spare.start)..u64::from(spare.end));
        let runs = self.memory_chunks()?.flat_map(|extent| &self.image.head().chunk(extent).runs);
        let runs = runs.map(|run| run.address()..run.address() + run.bytes());
        for next in runs.chain(iter::once(end..end)) {
            let gap = begin..next.start.min(end);
            clear(gap.start, gap.end.min(spare.start));
            clear(gap.start.max(spare.end), gap.end);
            begin = next.end;
        }
        Ok(())
    }

    /// Copies the chunks that begin below an address to where they belong: all that have to be there.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if one is damaged. What has been copied is of no use then.
    pub fn copy_memory(&self, heap: &Uint8Array, below: u32) -> Result<()> {
        let mut chunks = self.memory_chunks()?.filter(|extent| !self.begins_at(*extent, below));
        chunks.try_for_each(|extent| self.copy_chunk(extent, heap))
    }

    /// Copies the other chunks, each when it has come. What they hold may turn out not to be what was baked: nothing is to
    /// run with it before [`OpenImage::whole`] says so. `heap` is asked for each time, memory may have grown.
    ///
    /// # Errors
    /// As [`OpenImage::copy_memory`], and what keeps them from coming.
    pub fn copy_arriving_memory(
        self: &Rc<Self>,
        heap: impl Fn() -> Uint8Array + 'static,
        from: u32,
    ) -> LocalBoxFuture<'static, Result<()>> {
        let image = Rc::clone(self);
        let copying = async move {
            for extent in image.memory_chunks()?.filter(|extent| image.begins_at(*extent, from)) {
                image.arrived(extent).await?;
                image.copy_chunk(extent, &heap())?;
            }
            Ok(())
        };
        copying.boxed_local()
    }

    fn memory_chunks(&self) -> Result<impl Iterator<Item = Extent>> {
        let Some(part) = self.image.head().find_kind(PartKind::Memory) else {
            return Err(Error::new(Code::BadArchive, "The image has no memory in it."));
        };
        Ok(self.image.extents(part))
    }

    /// Whether all pages of a chunk are at an address or above.
    fn begins_at(&self, extent: Extent, address: u32) -> bool {
        self.image.head().chunk(extent).runs.first().is_none_or(|run| run.address() >= u64::from(address))
    }

    fn copy_chunk(&self, extent: Extent, heap: &Uint8Array) -> Result<()> {
        let chunk = self.image.head().chunk(extent);
        // What needs no checksum need not come into Rust's memory.
        if chunk.compression == Compression::None
            && self.source.is_compared()
            && let Some(bytes) = self.source.bytes(extent.file_offset, extent.stored_length)
        {
            for (begin, run) in chunk.copies() {
                heap.set(&bytes.subarray(begin as u32, (begin + run.bytes()) as u32), run.address() as u32);
            }
            return Ok(());
        }
        let mut buffer = self.buffer.borrow_mut();
        let contents = self.image.read_chunk(extent, &mut buffer).map_err(|error| not_usable(&error))?;
        for (begin, run) in chunk.copies() {
            let (address, end) = (run.address() as u32, begin + run.bytes());
            let pages = heap.subarray(address, address + run.bytes() as u32);
            pages.copy_from(&contents[begin as usize..end as usize]);
        }
        Ok(())
    }
}
