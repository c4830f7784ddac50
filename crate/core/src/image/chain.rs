//! Images of changes: which image has which page.

use super::page::push_page;
use super::{Head, ImageError, PAGE_SIZE, PageSet, PartKind, Run};

/// Pages, and the chunk that has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Piece {
    /// The image's number in the chain.
    pub image: usize,
    /// The chunk's number in the memory part.
    pub chunk: usize,
    /// Where the pages begin in the chunk's contents.
    pub offset: u64,
    /// The pages.
    pub run: Run,
}

/// The memory of the last image of a chain, each page from the latest image that has it, in the order in which they are
/// in the images. All other pages are zeros: what an image on the way has no memory for is not seen through it. A chain
/// begins with an image without a parent.
///
/// # Errors
/// [`ImageError::Parent`] if an image is not for the one before it, [`ImageError::Inconsistent`] if it is of another
/// distribution.
pub fn resolve(chain: &[&Head]) -> Result<Vec<Piece>, ImageError> {
    let mut before: Option<&Head> = None;
    for head in chain {
        if head.parent != before.map(|before| before.id) {
            let name = |id: Option<super::ContentHash>| id.map_or("none".to_owned(), |id| id.to_string());
            let (expected, actual) = (name(head.parent), name(before.map(|before| before.id)));
            return Err(ImageError::Parent { expected, actual });
        }
        if before.is_some_and(|before| before.identity.distribution != head.identity.distribution) {
            let reason = "it is of another distribution than its parent";
            return Err(ImageError::Inconsistent { what: "identity", reason });
        }
        before = Some(head);
    }
    let mut page_count = u32::MAX;
    let mut settled = PageSet::default();
    let mut pieces = Vec::new();
    for (image, head) in chain.iter().enumerate().rev() {
        page_count = page_count.min((head.memory.length / PAGE_SIZE as u64) as u32);
        let memory = head.find_kind(PartKind::Memory).map(|part| head.parts[part].chunks.as_slice());
        for (chunk, contents) in memory.unwrap_or_default().iter().enumerate() {
            for (offset, run) in contents.copies() {
                let mut wanted = Vec::new();
                for page in (run.first..run.end()).take_while(|page| *page < page_count) {
                    if settled.insert(page) {
                        push_page(&mut wanted, page);
                    }
                }
                let offset_of = |wanted: &Run| offset + u64::from(wanted.first - run.first) * PAGE_SIZE as u64;
                pieces.extend(wanted.iter().map(|run| Piece { image, chunk, offset: offset_of(run), run: *run }));
            }
        }
        for run in &head.memory.zeroed {
            settled.insert_run(*run);
        }
    }
    pieces.sort_by_key(|piece| (piece.image, piece.chunk));
    Ok(pieces)
}
