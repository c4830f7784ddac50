//! Linear memory made small: what is free is zero, so that an image need not hold it.

use super::glue::Glue;
use crate::emscripten::bindings::Module;
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
pub fn scrub(module: &Module) -> Result<u64> {
    let glue = Glue::new(module);
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
