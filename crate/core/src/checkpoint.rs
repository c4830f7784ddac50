//! Linear memory at several moments, each page kept once: for checkpoints.
//!
//! [`Pages`] is what memory looked like: a fingerprint of every page. [`PageStore`] says in which slot the host keeps the
//! contents of which page, and what has to be copied where to go from one moment to another. The contents stay with the
//! host.

use std::collections::{BTreeSet, HashMap, HashSet};

use crate::image::{ImageError, PAGE_SIZE, PageHash, Run};
use crate::source::ByteSource;

/// Bytes that are read at once.
const WINDOW: usize = 1 << 20;

/// Linear memory at one moment.
#[derive(Debug)]
pub struct Pages {
    hashes: Vec<PageHash>,
}

impl Pages {
    /// Looks at a memory of whole pages.
    ///
    /// # Errors
    /// [`ImageError::Source`] if it cannot be read.
    pub fn of(memory: &dyn ByteSource) -> Result<Self, ImageError> {
        let length = memory.len();
        let mut hashes = Vec::with_capacity((length / PAGE_SIZE as u64) as usize);
        let mut window = vec![0; WINDOW.min(length as usize)];
        let mut address = 0;
        while address < length {
            let window = &mut window[..WINDOW.min((length - address) as usize)];
            memory.read_at(address, window)?;
            hashes.extend(window.chunks_exact(PAGE_SIZE).map(PageHash::of));
            address += window.len() as u64;
        }
        Ok(Self { hashes })
    }

    /// Bytes of the memory.
    pub fn memory_length(&self) -> u64 {
        (self.hashes.len() * PAGE_SIZE) as u64
    }

    /// Bytes of its contents where nothing else is kept: those that are zeros count for nothing, equal ones once.
    pub fn bytes(&self) -> u64 {
        let contents: HashSet<&PageHash> = self.contents().collect();
        (contents.len() * PAGE_SIZE) as u64
    }

    fn contents(&self) -> impl Iterator<Item = &PageHash> {
        self.hashes.iter().filter(|hash| **hash != PageHash::default())
    }

    fn get(&self, page: usize) -> PageHash {
        // Memory that was not there yet is zeros when one goes back.
        self.hashes.get(page).copied().unwrap_or_default()
    }
}

/// Pages one after the other, and the slots one after the other that they are copied from or to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageCopy {
    /// The first slot; the host keeps slot *n* where it likes.
    pub slot: u32,
    /// The pages.
    pub pages: Run,
}

/// How to get from one moment to another.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Difference {
    /// Pages to be copied out of slots.
    pub copies: Vec<PageCopy>,
    /// Pages to be filled with zeros.
    pub zeros: Vec<Run>,
}

/// Which contents are in which slot, and how many moments need them.
#[derive(Debug, Default)]
pub struct PageStore {
    kept: HashMap<PageHash, Kept>,
    free: BTreeSet<u32>,
    end: u32,
}

#[derive(Debug)]
struct Kept {
    slot: u32,
    holders: u32,
}

impl PageStore {
    /// Bytes that only a moment that is kept needs: releasing it frees them.
    pub fn own_bytes(&self, pages: &Pages) -> u64 {
        let mut uses: HashMap<&PageHash, u32> = HashMap::new();
        for hash in pages.contents() {
            *uses.entry(hash).or_default() += 1;
        }
        let own = uses.iter().filter(|(hash, uses)| self.kept.get(**hash).is_some_and(|kept| kept.holders == **uses));
        (own.count() * PAGE_SIZE) as u64
    }

    /// Bytes of all contents that are kept.
    pub fn bytes(&self) -> u64 {
        (self.kept.len() * PAGE_SIZE) as u64
    }

    /// Keeps a moment until [`PageStore::release`]. The host has to copy these pages into their slots.
    pub fn keep(&mut self, pages: &Pages) -> Vec<PageCopy> {
        let mut copies = Vec::new();
        for (page, hash) in (0..).zip(&pages.hashes).filter(|(_, hash)| **hash != PageHash::default()) {
            if let Some(kept) = self.kept.get_mut(hash) {
                kept.holders += 1;
                continue;
            }
            let slot = self.free.pop_first().unwrap_or_else(|| {
                self.end += 1;
                self.end - 1
            });
            self.kept.insert(*hash, Kept { slot, holders: 1 });
            push(&mut copies, slot, page);
        }
        copies
    }

    /// Lets go of a moment that was kept.
    pub fn release(&mut self, pages: &Pages) {
        for hash in &pages.hashes {
            let Some(kept) = self.kept.get_mut(hash) else { continue };
            kept.holders -= 1;
            if kept.holders == 0 {
                self.free.insert(kept.slot);
                self.kept.remove(hash);
            }
        }
    }

    /// Whether nobody needs any of these slots.
    pub fn are_free(&self, mut slots: std::ops::Range<u32>) -> bool {
        slots.all(|slot| slot >= self.end || self.free.contains(&slot))
    }

    /// What turns memory as it is into what it was at a moment that is kept. Memory that has grown since becomes zeros.
    pub fn difference(&self, now: &Pages, then: &Pages) -> Difference {
        let mut difference = Difference::default();
        for page in 0..now.hashes.len() {
            let (hash, wanted) = (now.get(page), then.get(page));
            if hash == wanted {
                continue;
            }
            let page = page as u32;
            match self.kept.get(&wanted) {
                Some(kept) => push(&mut difference.copies, kept.slot, page),
                None => match difference.zeros.last_mut() {
                    Some(run) if run.end() == page => run.count += 1,
                    _ => difference.zeros.push(Run { first: page, count: 1 }),
                },
            }
        }
        difference
    }
}

fn push(copies: &mut Vec<PageCopy>, slot: u32, page: u32) {
    match copies.last_mut() {
        Some(copy) if copy.pages.end() == page && copy.slot + copy.pages.count == slot => copy.pages.count += 1,
        _ => copies.push(PageCopy { slot, pages: Run { first: page, count: 1 } }),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A host: memory, and slots.
    #[derive(Default)]
    struct Host {
        memory: Vec<u8>,
        slots: Vec<u8>,
        store: PageStore,
    }

    impl Host {
        fn pages(&self) -> Pages {
            Pages::of(&self.memory).unwrap()
        }

        fn keep(&mut self) -> Pages {
            let pages = self.pages();
            let before = self.store.bytes();
            for copy in self.store.keep(&pages) {
                let (from, to) = (copy.pages.address() as usize, copy.slot as usize * PAGE_SIZE);
                let bytes = copy.pages.bytes() as usize;
                self.slots.resize(self.slots.len().max(to + bytes), 0);
                assert!(self.store.are_free(self.slots.len() as u32..self.slots.len() as u32 + 9));
                self.slots[to..to + bytes].copy_from_slice(&self.memory[from..from + bytes]);
            }
            assert_eq!(self.store.bytes(), before + self.store.own_bytes(&pages));
            pages
        }

        fn go_back(&mut self, then: &Pages) {
            let difference = self.store.difference(&self.pages(), then);
            for copy in difference.copies {
                let (to, from) = (copy.pages.address() as usize, copy.slot as usize * PAGE_SIZE);
                let bytes = copy.pages.bytes() as usize;
                self.memory[to..to + bytes].copy_from_slice(&self.slots[from..from + bytes]);
            }
            for run in difference.zeros {
                self.memory[run.address() as usize..][..run.bytes() as usize].fill(0);
            }
        }
    }

    #[derive(Debug, Clone)]
    enum Step {
        Write { page: usize, byte: u8 },
        Grow,
        Keep,
        GoBack(usize),
        Release(usize),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            6 => (0..12_usize, 0..4_u8).prop_map(|(page, byte)| Step::Write { page, byte }),
            1 => Just(Step::Grow),
            3 => Just(Step::Keep),
            3 => any::<usize>().prop_map(Step::GoBack),
            2 => any::<usize>().prop_map(Step::Release),
        ]
    }

    proptest! {
        #[test]
        fn one_can_go_back_to_any_moment_that_is_kept(steps in prop::collection::vec(step(), 1..60)) {
            let mut host = Host { memory: vec![0; 4 * PAGE_SIZE], ..Host::default() };
            let mut kept: Vec<(Pages, Vec<u8>)> = Vec::new();
            for step in steps {
                match step {
                    Step::Write { page, byte } => {
                        let page = page % (host.memory.len() / PAGE_SIZE);
                        host.memory[page * PAGE_SIZE..][..PAGE_SIZE].fill(byte);
                    }
                    Step::Grow => host.memory.resize(host.memory.len() + PAGE_SIZE, 0),
                    Step::Keep => {
                        let memory = host.memory.clone();
                        kept.push((host.keep(), memory));
                    }
                    Step::GoBack(which) if !kept.is_empty() => {
                        let (pages, memory) = &kept[which % kept.len()];
                        host.go_back(pages);
                        prop_assert_eq!(&host.memory[..memory.len()], &memory[..]);
                        prop_assert!(host.memory[memory.len()..].iter().all(|byte| *byte == 0));
                    }
                    Step::Release(which) if !kept.is_empty() => {
                        let (pages, _) = kept.swap_remove(which % kept.len());
                        let (before, own) = (host.store.bytes(), host.store.own_bytes(&pages));
                        host.store.release(&pages);
                        prop_assert_eq!(host.store.bytes(), before - own);
                    }
                    Step::GoBack(_) | Step::Release(_) => {}
                }
            }
            for (pages, _) in kept {
                host.store.release(&pages);
            }
            prop_assert_eq!(host.store.bytes(), 0);
            prop_assert!(host.store.are_free(0..1000));
        }
    }

    #[test]
    fn pages_that_are_next_to_each_other_are_copied_together() {
        let mut host =
            Host { memory: (0..4 * PAGE_SIZE).map(|at| (at / PAGE_SIZE) as u8).collect(), ..Host::default() };
        let pages = host.pages();
        assert_eq!(host.store.keep(&pages), [PageCopy { slot: 0, pages: Run { first: 1, count: 3 } }]);
        assert_eq!(host.store.bytes(), 3 * PAGE_SIZE as u64);
        assert_eq!((pages.bytes(), host.store.own_bytes(&pages)), (host.store.bytes(), host.store.bytes()));
        host.keep();
        assert_eq!(host.store.own_bytes(&pages), 0, "the other needs them too");
    }
}
