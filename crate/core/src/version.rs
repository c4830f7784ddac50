//! Versions and version specifiers, as PEP 440 and the version specifiers specification define them.

mod order;
mod parse;
mod specifier;

use std::fmt;

use thiserror::Error;

pub use specifier::{Operator, SpecifierError, VersionSpecifier, VersionSpecifiers};

/// A version such as `1!2.0rc1.post2.dev3+ubuntu.1`.
///
/// `FromStr` takes every spelling of PEP 440's appendix B (`v1.0-ALPHA`, `1.0-1`), `Display` gives the normalised one,
/// and the two round-trip. The order is PEP 440's, in which `1.0` and `1.0.0` are equal: they compare, hash and match
/// alike but display as written. Each number must be below 2⁶⁴.
#[derive(Debug, Clone)]
pub struct Version {
    epoch: u64,
    /// Never empty.
    release: Vec<u64>,
    pre: Option<(PreRelease, u64)>,
    post: Option<u64>,
    dev: Option<u64>,
    /// Empty if there is no local version.
    local: Vec<LocalSegment>,
}

/// The phase of a pre-release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PreRelease {
    /// `a`, also spelt `alpha`.
    Alpha,
    /// `b`, also spelt `beta`.
    Beta,
    /// `rc`, also spelt `c`, `pre` or `preview`.
    Candidate,
}

/// A part of a local version, between the dots. Text sorts before numbers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LocalSegment {
    /// Letters and digits, in lower case.
    Text(String),
    /// Digits alone.
    Number(u64),
}

/// A text that is not a version.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("`{input}` is not a version: expected {expected} at character {}", position + 1)]
pub struct VersionError {
    /// The whole text.
    pub input: String,
    /// Index in characters of where the text stops being a version.
    pub position: usize,
    /// What should have come there.
    pub expected: &'static str,
}

impl Version {
    /// A final release such as `3.13.2`. An empty release is read as `0`.
    pub fn from_release(release: &[u64]) -> Self {
        let release = if release.is_empty() { vec![0] } else { release.to_vec() };
        Self { epoch: 0, release, pre: None, post: None, dev: None, local: Vec::new() }
    }

    /// The epoch, 0 unless written.
    pub fn epoch(&self) -> u64 {
        self.epoch
    }

    /// The numbers of the release segment, at least one.
    pub fn release(&self) -> &[u64] {
        &self.release
    }

    /// The pre-release's phase and number.
    pub fn pre(&self) -> Option<(PreRelease, u64)> {
        self.pre
    }

    /// The number of the post-release.
    pub fn post(&self) -> Option<u64> {
        self.post
    }

    /// The number of the developmental release.
    pub fn dev(&self) -> Option<u64> {
        self.dev
    }

    /// The segments of the local version.
    pub fn local(&self) -> &[LocalSegment] {
        &self.local
    }

    /// Whether this is a pre-release or a developmental release.
    pub fn is_pre_release(&self) -> bool {
        self.pre.is_some() || self.dev.is_some()
    }

    /// Whether this is a post-release.
    pub fn is_post_release(&self) -> bool {
        self.post.is_some()
    }

    /// The version without its local part.
    #[must_use]
    pub fn public(&self) -> Self {
        Self { local: Vec::new(), ..self.clone() }
    }
}

impl fmt::Display for Version {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.epoch != 0 {
            write!(formatter, "{}!", self.epoch)?;
        }
        for (index, number) in self.release.iter().enumerate() {
            write!(formatter, "{}{number}", if index == 0 { "" } else { "." })?;
        }
        if let Some((phase, number)) = self.pre {
            write!(formatter, "{phase}{number}")?;
        }
        if let Some(number) = self.post {
            write!(formatter, ".post{number}")?;
        }
        if let Some(number) = self.dev {
            write!(formatter, ".dev{number}")?;
        }
        for (index, segment) in self.local.iter().enumerate() {
            write!(formatter, "{}{segment}", if index == 0 { "+" } else { "." })?;
        }
        Ok(())
    }
}

impl fmt::Display for PreRelease {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Alpha => "a",
            Self::Beta => "b",
            Self::Candidate => "rc",
        })
    }
}

impl fmt::Display for LocalSegment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => formatter.write_str(text),
            Self::Number(number) => write!(formatter, "{number}"),
        }
    }
}
