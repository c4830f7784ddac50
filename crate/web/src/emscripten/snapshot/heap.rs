//! Linear memory made small: what is free is zero, so that an image need not hold it.

use js_sys::Uint8Array;

use super::glue::Glue;
use crate::error::Result;

/// The part of a free chunk that `malloc` uses itself: sizes, and links to other chunks (dlmalloc's `malloc_tree_chunk`).
const BOOKKEEPING: u32 = 32;

/// Bits of a chunk's size that are flags; the second says that the chunk is in use.
const FLAGS: u32 = 7;
const IN_USE: u32 = 2;

/// The smallest chunk.
const SMALLEST: u32 = 16;

/// Fills what `malloc` has free with zeros, as far as its chunks can be followed. Gives the number of bytes.
///
/// Emscripten's `malloc` is dlmalloc with boundary tags: the chunks lie one behind the other from the first address of
/// the heap on, each with its size in its second word.
///
/// # Errors
/// If the glue cannot tell where the heap is.
pub fn scrub(glue: &Glue) -> Result<u64> {
    let end = glue.call_export("sbrk", 0)?;
    let Some(start) = glue.number("___heap_base") else { return Ok(0) };
    let (heap, words) = (glue.heap(), glue.words());
    let mut chunk = (start + FLAGS) & !FLAGS;
    let mut zeroed = 0;
    while chunk < end {
        let header = words.get_index((chunk + 4) >> 2);
        let size = header & !FLAGS;
        let Some(next) = chunk.checked_add(size).filter(|next| size >= SMALLEST && *next <= end) else { break };
        if header & IN_USE == 0 && size > BOOKKEEPING {
            heap.fill(0, chunk + BOOKKEEPING, next);
            zeroed += u64::from(size - BOOKKEEPING);
        }
        chunk = next;
    }
    Ok(zeroed)
}

/// The pages of memory that are not zero, as runs: first page and number of pages.
pub fn runs(heap: &Uint8Array, page_size: u32) -> Vec<(u32, u32)> {
    /// Bytes that are looked at together.
    const WINDOW: u32 = 1 << 20;
    let mut runs: Vec<(u32, u32)> = Vec::new();
    let mut window = vec![0; WINDOW as usize];
    let length = heap.length();
    for start in (0..length).step_by(WINDOW as usize) {
        let size = WINDOW.min(length - start);
        let bytes = &mut window[..size as usize];
        heap.subarray(start, start + size).copy_to(bytes);
        for (index, page) in bytes.chunks(page_size as usize).enumerate() {
            // Most pages are zero from the first byte on or differ early.
            if page.iter().all(|byte| *byte == 0) {
                continue;
            }
            let number = start / page_size + index as u32;
            match runs.last_mut() {
                Some((first, count)) if *first + *count == number => *count += 1,
                _ => runs.push((number, 1)),
            }
        }
    }
    runs
}
