//! The total order of versions.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use super::{LocalSegment, PreRelease, Version};

/// A developmental release sorts before everything of the same kind, the absence of one after.
type Dev = (bool, u64);

impl Version {
    /// What remains to be compared when epoch and release are equal.
    fn suffix_key(&self) -> (Phase, Option<u64>, Dev, &[LocalSegment]) {
        let phase = match (self.pre, self.post, self.dev) {
            (Some((phase, number)), _, _) => Phase::PreRelease(phase, number),
            (None, None, Some(_)) => Phase::OnlyDev,
            _ => Phase::Final,
        };
        (phase, self.post, (self.dev.is_none(), self.dev.unwrap_or(0)), &self.local)
    }

    /// The release without the zeros at its end, which say nothing.
    fn significant_release(&self) -> &[u64] {
        let length = self.release.iter().rposition(|number| *number != 0).map_or(0, |last| last + 1);
        &self.release[..length]
    }
}

#[derive(PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Phase {
    /// `1.0.dev1` comes before `1.0a1`.
    OnlyDev,
    PreRelease(PreRelease, u64),
    /// Final and post-releases.
    Final,
}

impl Ord for Version {
    fn cmp(&self, other: &Self) -> Ordering {
        self.epoch
            .cmp(&other.epoch)
            .then_with(|| self.significant_release().cmp(other.significant_release()))
            .then_with(|| self.suffix_key().cmp(&other.suffix_key()))
    }
}

impl PartialOrd for Version {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Version {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Version {}

impl Hash for Version {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.epoch.hash(state);
        self.significant_release().hash(state);
        self.suffix_key().hash(state);
    }
}
