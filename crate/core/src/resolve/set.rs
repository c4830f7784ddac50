//! Sets of small numbers.

/// A set of numbers below a fixed size.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    words: Vec<u64>,
    size: usize,
}

impl Set {
    pub(super) fn empty(size: usize) -> Self {
        Self { words: vec![0; size.div_ceil(64)], size }
    }

    pub(super) fn full(size: usize) -> Self {
        (0..size).fold(Self::empty(size), Self::with)
    }

    pub(super) fn of(size: usize, members: impl IntoIterator<Item = usize>) -> Self {
        members.into_iter().fold(Self::empty(size), Self::with)
    }

    fn with(mut self, member: usize) -> Self {
        if member < self.size {
            self.words[member / 64] |= 1 << (member % 64);
        }
        self
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    pub(super) fn contains(&self, member: usize) -> bool {
        member < self.size && self.words[member / 64] & (1 << (member % 64)) != 0
    }

    pub(super) fn is_empty(&self) -> bool {
        self.words.iter().all(|word| *word == 0)
    }

    pub(super) fn is_full(&self) -> bool {
        self.complement().is_empty()
    }

    pub(super) fn first(&self) -> Option<usize> {
        let index = self.words.iter().position(|word| *word != 0)?;
        Some(index * 64 + self.words[index].trailing_zeros() as usize)
    }

    pub(super) fn is_subset_of(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(left, right)| left & !right == 0)
    }

    pub(super) fn is_disjoint_from(&self, other: &Self) -> bool {
        self.words.iter().zip(&other.words).all(|(left, right)| left & right == 0)
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        self.combine(other, |left, right| left | right)
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.combine(other, |left, right| left & right)
    }

    pub(super) fn complement(&self) -> Self {
        let mut set = Self { words: self.words.iter().map(|word| !word).collect(), size: self.size };
        if let Some(last) = set.words.last_mut().filter(|_| !self.size.is_multiple_of(64)) {
            *last &= (1 << (self.size % 64)) - 1;
        }
        set
    }

    fn combine(&self, other: &Self, operation: impl Fn(u64, u64) -> u64) -> Self {
        let words = self.words.iter().zip(&other.words).map(|(left, right)| operation(*left, *right)).collect();
        Self { words, size: self.size }
    }
}
