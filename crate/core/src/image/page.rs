//! Pages of linear memory: which are zero, which have changed.

use xxhash_rust::xxh64::xxh64;

use super::ImageError;
use super::wire::{Input, Wire};

/// Bytes of a page.
pub const PAGE_SIZE: usize = 4096;

/// Pages of 32-bit linear memory.
const MAX_PAGES: u32 = 1 << 20;

/// Pages one after the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    /// The number of the first: its address divided by [`PAGE_SIZE`].
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl Run {
    /// The address of the first byte.
    pub const fn address(self) -> u64 {
        self.first as u64 * PAGE_SIZE as u64
    }

    /// How many bytes they have.
    pub const fn bytes(self) -> u64 {
        self.count as u64 * PAGE_SIZE as u64
    }

    /// The number of the page behind the last.
    pub const fn end(self) -> u32 {
        self.first + self.count
    }
}

/// Whether there is nothing but zeros.
pub fn is_zero(bytes: &[u8]) -> bool {
    // Wide enough for vector instructions, short enough to leave a page early that is not.
    let (blocks, rest) = bytes.as_chunks::<64>();
    blocks.iter().all(|block| block.iter().fold(0, |bits, byte| bits | byte) == 0) && rest.iter().all(|byte| *byte == 0)
}

/// A set of pages, in ascending order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageSet {
    words: Vec<u64>,
}

impl PageSet {
    /// Adds a page. False if it is there already, or beyond 32-bit memory.
    pub fn insert(&mut self, page: u32) -> bool {
        if page >= MAX_PAGES {
            return false;
        }
        let (word, bit) = (page as usize / 64, 1 << (page % 64));
        if word >= self.words.len() {
            self.words.resize(word + 1, 0);
        }
        let is_new = self.words[word] & bit == 0;
        self.words[word] |= bit;
        is_new
    }

    /// Adds pages. False if one of them was there already, or is beyond 32-bit memory.
    pub fn insert_run(&mut self, run: Run) -> bool {
        let fits = run.first.checked_add(run.count).is_some_and(|end| end <= MAX_PAGES);
        if !fits {
            return false;
        }
        let mut are_new = true;
        for page in run.first..run.end() {
            are_new &= self.insert(page);
        }
        are_new
    }

    /// Whether a page is in it.
    pub fn contains(&self, page: u32) -> bool {
        self.words.get(page as usize / 64).is_some_and(|word| word >> (page % 64) & 1 == 1)
    }

    /// How many pages there are.
    pub fn len(&self) -> u64 {
        self.words.iter().map(|word| u64::from(word.count_ones())).sum()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    /// The pages, as few runs as there can be.
    pub fn runs(&self) -> Vec<Run> {
        let mut runs = Vec::new();
        for page in (0..self.words.len() as u32 * 64).filter(|page| self.contains(*page)) {
            push_page(&mut runs, page);
        }
        runs
    }
}

/// Adds a page behind all that are there.
pub(super) fn push_page(runs: &mut Vec<Run>, page: u32) {
    match runs.last_mut() {
        Some(run) if run.end() == page => run.count += 1,
        _ => runs.push(Run { first: page, count: 1 }),
    }
}

/// A fingerprint of a page, to notice changes. Of two `XXH64`s with different seeds; all zeros for a page of zeros. It
/// does not withstand somebody who makes pages collide on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct PageHash([u64; 2]);

impl PageHash {
    /// The fingerprint of a page.
    pub fn of(page: &[u8]) -> Self {
        if is_zero(page) { Self::default() } else { Self([xxh64(page, 0), xxh64(page, 1)]) }
    }
}

/// The fingerprints of all pages of a memory. An empty one is that of a memory of zeros, of any length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageHashes {
    hashes: Vec<PageHash>,
}

impl PageHashes {
    /// Takes a window of memory in, and adds the pages that have changed to a set.
    ///
    /// # Errors
    /// [`ImageError::Order`] if the window is not of whole pages of 32-bit memory.
    pub fn update(&mut self, address: u64, bytes: &[u8], changed: &mut PageSet) -> Result<(), ImageError> {
        let first = pages_at(address, bytes)?;
        let end = first as usize + bytes.len() / PAGE_SIZE;
        if end > self.hashes.len() {
            self.hashes.resize(end, PageHash::default());
        }
        for ((page, known), bytes) in (first..).zip(&mut self.hashes[first as usize..end]).zip(bytes.chunks(PAGE_SIZE))
        {
            let hash = PageHash::of(bytes);
            if std::mem::replace(known, hash) != hash {
                changed.insert(page);
            }
        }
        Ok(())
    }
}

/// The number of the page at an address, where whole pages begin.
pub(super) fn pages_at(address: u64, bytes: &[u8]) -> Result<u32, ImageError> {
    const WRONG: ImageError = ImageError::Order("memory is handed in by whole pages, up to 4 GiB");
    let size = PAGE_SIZE as u64;
    let end = address.checked_add(bytes.len() as u64).ok_or(WRONG)?;
    if !address.is_multiple_of(size) || !end.is_multiple_of(size) || end > u64::from(MAX_PAGES) * size {
        return Err(WRONG);
    }
    Ok((address / size) as u32)
}

/// Runs: count, then for each the pages between the end of the one before (or page 0) and it, and its pages. In this
/// form they can neither overlap nor touch.
pub(super) enum Runs {}

impl Runs {
    pub(super) fn put(runs: &[Run], out: &mut Vec<u8>) {
        (runs.len() as u64).put(out);
        let mut end = 0;
        for run in runs {
            (run.first - end).put(out);
            run.count.put(out);
            end = run.end();
        }
    }

    pub(super) fn take(input: &mut Input<'_>) -> Result<Vec<Run>, ImageError> {
        let count = u64::take(input)?;
        let mut runs: Vec<Run> = Vec::new();
        for _ in 0..count {
            let (gap, count) = (u32::take(input)?, u32::take(input)?);
            let first = runs.last().map_or(0, |run| run.end()).checked_add(gap);
            let end = first.and_then(|first| first.checked_add(count)).filter(|end| *end <= MAX_PAGES);
            match (first, end) {
                (Some(first), Some(_)) if count > 0 && (gap > 0 || runs.is_empty()) => runs.push(Run { first, count }),
                _ => return Err(input.damaged()),
            }
        }
        Ok(runs)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_set_is_a_set(pages in prop::collection::vec(0..300_u32, 0..80)) {
            let mut set = PageSet::default();
            let mut model = BTreeSet::new();
            for page in pages {
                prop_assert_eq!(set.insert(page), model.insert(page));
            }
            prop_assert_eq!(set.len(), model.len() as u64);
            let listed: Vec<u32> = set.runs().iter().flat_map(|run| run.first..run.end()).collect();
            prop_assert_eq!(listed, model.into_iter().collect::<Vec<_>>());
            prop_assert!(set.runs().windows(2).all(|pair| pair[0].end() < pair[1].first));
            let mut out = Vec::new();
            Runs::put(&set.runs(), &mut out);
            prop_assert_eq!(Runs::take(&mut Input::new(&out, "test")).unwrap(), set.runs());
        }
    }

    #[test]
    fn zero_is_told_from_nearly_zero() {
        assert!(is_zero(&[0; PAGE_SIZE]) && is_zero(&[]));
        for at in [0, 63, 64, 100, PAGE_SIZE - 1] {
            let mut page = [0; PAGE_SIZE];
            page[at] = 1;
            assert!(!is_zero(&page), "{at}");
            assert_ne!(PageHash::of(&page), PageHash::default());
        }
    }

    #[test]
    fn changed_pages_are_found_in_any_windows() {
        let mut memory = vec![0; 5 * PAGE_SIZE];
        let mut hashes = PageHashes::default();
        let mut changed = PageSet::default();
        memory[PAGE_SIZE] = 7;
        hashes.update(0, &memory, &mut changed).unwrap();
        assert_eq!(changed.runs(), [Run { first: 1, count: 1 }]);

        changed = PageSet::default();
        memory[PAGE_SIZE] = 0;
        memory[4 * PAGE_SIZE + 9] = 1;
        hashes.update(3 * PAGE_SIZE as u64, &memory[3 * PAGE_SIZE..], &mut changed).unwrap();
        hashes.update(0, &memory[..3 * PAGE_SIZE], &mut changed).unwrap();
        assert_eq!(changed.runs(), [Run { first: 1, count: 1 }, Run { first: 4, count: 1 }]);

        for (address, length) in
            [(1, PAGE_SIZE), (0, PAGE_SIZE - 1), (u64::MAX - 4095, PAGE_SIZE), (1 << 32, PAGE_SIZE)]
        {
            assert!(matches!(hashes.update(address, &vec![0; length], &mut changed), Err(ImageError::Order(_))));
        }
    }
}
