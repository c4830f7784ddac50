//! The linear memory of an image, on its way to where it belongs.

use std::ops::Range;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use js_sys::Uint8Array;
use taipan_core::image::{Compression, Extent, PAGE_SIZE, PartKind, Run};

use super::{OpenImage, not_usable};
use crate::error::{Code, Error, Result};

impl OpenImage {
    /// Copies the pages of linear memory that lie in a range of addresses to where they belong: all that have to be there.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it is damaged.
    pub fn copy_memory(&self, heap: &Uint8Array, addresses: Range<u32>) -> Result<()> {
        self.chunks(&addresses)?.into_iter().try_for_each(|chunk| self.copy_chunk(chunk, heap, &addresses))
    }

    /// As [`OpenImage::copy_memory`], each chunk when it has come. What they hold may turn out not to be what was baked:
    /// nothing is to run with it before [`OpenImage::verify`] says so. `heap` is asked for each time, memory may have grown.
    pub fn copy_arriving_memory(
        self: &Rc<Self>,
        heap: impl Fn() -> Uint8Array + 'static,
        addresses: Range<u32>,
    ) -> LocalBoxFuture<'static, Result<()>> {
        let image = Rc::clone(self);
        let copying = async move {
            for chunk in image.chunks(&addresses)? {
                image.arrived(chunk).await?;
                image.copy_chunk(chunk, &heap(), &addresses)?;
            }
            Ok(())
        };
        copying.boxed_local()
    }

    /// The chunks that have pages in a range of addresses.
    fn chunks(&self, addresses: &Range<u32>) -> Result<Vec<Extent>> {
        let Some(part) = self.image.head().find_kind(PartKind::Memory) else {
            return Err(Error::new(Code::BadArchive, "The image has no memory in it."));
        };
        let pages = pages(addresses);
        let has_some = |extent: &Extent| self.image.head().chunk(*extent).runs.iter().any(|run| is_in(*run, &pages));
        Ok(self.image.extents(part).filter(has_some).collect())
    }

    fn copy_chunk(&self, extent: Extent, heap: &Uint8Array, addresses: &Range<u32>) -> Result<()> {
        let (chunk, pages) = (self.image.head().chunk(extent), pages(addresses));
        // What is in JavaScript's memory need not come into Rust's: its SHA-256 is compared in any case.
        let bytes = match chunk.compression {
            Compression::None => self.source.bytes(extent.file_offset, extent.stored_length),
            Compression::Deflate => None,
        };
        let contents = match &bytes {
            Some(_) => Vec::new(),
            None => self.image.chunk(extent).map_err(|error| not_usable(&error))?,
        };
        for (offset, run) in chunk.copies().filter(|(_, run)| is_in(*run, &pages)) {
            let first = run.first.max(pages.start);
            let length = (run.end().min(pages.end) - first) * PAGE_SIZE as u32;
            let begin = offset as u32 + (first - run.first) * PAGE_SIZE as u32;
            let end = begin + length;
            let address = first * PAGE_SIZE as u32;
            match &bytes {
                Some(bytes) => heap.set(&bytes.subarray(begin, end), address),
                None => heap.subarray(address, address + length).copy_from(&contents[begin as usize..end as usize]),
            }
        }
        Ok(())
    }
}

/// The pages that a range of addresses has a part in.
fn pages(addresses: &Range<u32>) -> Range<u32> {
    addresses.start / PAGE_SIZE as u32..addresses.end.div_ceil(PAGE_SIZE as u32)
}

fn is_in(run: Run, pages: &Range<u32>) -> bool {
    run.first < pages.end && run.end() > pages.start
}
