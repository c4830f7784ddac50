//! Version specifiers: `>=1.2,<2`, `==1.*`, `~=1.4.2`.
//!
//! They follow the living version specifiers specification, as `packaging` 26 does: `<1.0` leaves out all pre-releases
//! of 1.0, `>1.0` all its post-releases and local versions.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::parse::is_space;
use super::{Version, VersionError};

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operator {
    /// `~=`
    Compatible,
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<=`
    LessEqual,
    /// `>=`
    GreaterEqual,
    /// `<`
    Less,
    /// `>`
    Greater,
    /// `===`
    Arbitrary,
}

impl Operator {
    /// All operators, each after those that it is the beginning of.
    pub(crate) const ALL: [Self; 8] = [
        Self::Arbitrary,
        Self::Compatible,
        Self::Equal,
        Self::NotEqual,
        Self::LessEqual,
        Self::GreaterEqual,
        Self::Less,
        Self::Greater,
    ];

    /// As written.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Compatible => "~=",
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::LessEqual => "<=",
            Self::GreaterEqual => ">=",
            Self::Less => "<",
            Self::Greater => ">",
            Self::Arbitrary => "===",
        }
    }

    /// The operator that `text` starts with, and what follows it.
    pub(crate) fn strip(text: &str) -> Option<(Self, &str)> {
        Self::ALL.into_iter().find_map(|operator| Some((operator, text.strip_prefix(operator.as_str())?)))
    }
}

impl fmt::Display for Operator {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// One clause: an operator and what versions are compared with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct VersionSpecifier {
    operator: Operator,
    operand: Operand,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Operand {
    Version(Version),
    /// `1.2.*`, without the `.*`.
    Prefix(Version),
    /// The text after `===`.
    Arbitrary(String),
}

/// Why a text is not a version specifier.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SpecifierError {
    /// No operator at the start.
    #[error(
        "`{specifier}` is not a version specifier: it must start with one of ~=, ==, !=, <=, >=, <, >, === ({})",
        hint(specifier)
    )]
    NoOperator {
        /// The clause.
        specifier: String,
    },
    /// What follows the operator is not a version.
    #[error("`{specifier}` is not a version specifier: {source}")]
    Version {
        /// The clause.
        specifier: String,
        /// What is wrong with the version.
        source: VersionError,
    },
    /// `.*` after an operator that takes none, or after more than a release.
    #[error(
        "`{specifier}` is not a version specifier: `.*` may only follow the release segment after `==` or `!=`; \
         write `>=1.2` for `>=1.2.*`"
    )]
    Wildcard {
        /// The clause.
        specifier: String,
    },
    /// A local version after an operator that takes none.
    #[error("`{specifier}` is not a version specifier: a local version (`+…`) may only follow `==` or `!=`")]
    Local {
        /// The clause.
        specifier: String,
    },
    /// `~=1`.
    #[error("`{specifier}` is not a version specifier: `~=` needs at least two numbers, as in `~=1.4`")]
    CompatibleTooShort {
        /// The clause.
        specifier: String,
    },
    /// `===` followed by nothing or by more than one word.
    #[error("`{specifier}` is not a version specifier: `===` takes one word")]
    Arbitrary {
        /// The clause.
        specifier: String,
    },
}

fn hint(specifier: &str) -> String {
    let bare = specifier.trim_matches(is_space).trim_start_matches(['=', ' ']);
    format!("to ask for exactly one version write `=={bare}`")
}

impl VersionSpecifier {
    /// `==version`.
    pub fn exactly(version: Version) -> Self {
        Self { operator: Operator::Equal, operand: Operand::Version(version) }
    }

    /// The operator.
    pub fn operator(&self) -> Operator {
        self.operator
    }

    /// Whether the clause is about all versions with a prefix, as `==1.2.*`.
    pub fn is_prefix(&self) -> bool {
        matches!(self.operand, Operand::Prefix(_))
    }

    /// Whether `version` satisfies this clause. Pre-releases are treated like all others; see
    /// [`VersionSpecifiers::filter`].
    pub fn contains(&self, version: &Version) -> bool {
        match &self.operand {
            Operand::Arbitrary(text) => version.to_string().eq_ignore_ascii_case(text),
            Operand::Prefix(prefix) => {
                starts_with(version, prefix.epoch, &prefix.release) == (self.operator == Operator::Equal)
            }
            Operand::Version(operand) => self.compare(version, operand),
        }
    }

    fn compare(&self, version: &Version, operand: &Version) -> bool {
        let equal = || if operand.local.is_empty() { version.public() == *operand } else { version == operand };
        match self.operator {
            Operator::Equal => equal(),
            Operator::NotEqual => !equal(),
            Operator::LessEqual => version.public() <= *operand,
            Operator::GreaterEqual => version.public() >= *operand,
            Operator::Compatible => {
                let prefix = &operand.release[..operand.release.len() - 1];
                version.public() >= *operand && starts_with(version, operand.epoch, prefix)
            }
            Operator::Less => {
                let earliest = Version { dev: Some(0), ..operand.public() };
                let own_pre_release = version.is_pre_release() && !operand.is_pre_release() && *version >= earliest;
                version < operand && !own_pre_release
            }
            Operator::Greater => {
                let base = Version { post: None, dev: None, ..version.public() };
                let own_post_release = version.is_post_release() && !operand.is_post_release() && base == *operand;
                version > operand && !own_post_release && version.public() != *operand
            }
            Operator::Arbitrary => false,
        }
    }

    /// Whether the clause itself names a pre-release, which allows all pre-releases.
    pub fn names_pre_release(&self) -> bool {
        match &self.operand {
            Operand::Prefix(_) => false,
            Operand::Version(version) => self.operator != Operator::NotEqual && version.is_pre_release(),
            Operand::Arbitrary(text) => text.parse().is_ok_and(|version: Version| version.is_pre_release()),
        }
    }
}

/// Whether `version` has this epoch and its release, filled up with zeros, starts with `release`.
fn starts_with(version: &Version, epoch: u64, release: &[u64]) -> bool {
    let padded = version.release.iter().chain(std::iter::repeat(&0));
    version.epoch == epoch && padded.zip(release).all(|(left, right)| left == right)
}

impl FromStr for VersionSpecifier {
    type Err = SpecifierError;

    fn from_str(input: &str) -> Result<Self, SpecifierError> {
        let specifier = || input.trim_matches(is_space).to_owned();
        let Some((operator, rest)) = Operator::strip(input.trim_matches(is_space)) else {
            return Err(SpecifierError::NoOperator { specifier: specifier() });
        };
        let text = rest.trim_matches(is_space);
        if operator == Operator::Arbitrary {
            if text.is_empty() || text.contains(|character| is_space(character) || matches!(character, ';' | ')')) {
                return Err(SpecifierError::Arbitrary { specifier: specifier() });
            }
            return Ok(Self { operator, operand: Operand::Arbitrary(text.to_owned()) });
        }
        let takes_all = matches!(operator, Operator::Equal | Operator::NotEqual);
        let (number, wildcard) = text.strip_suffix(".*").map_or((text, false), |number| (number, true));
        let version: Version =
            number.parse().map_err(|source| SpecifierError::Version { specifier: specifier(), source })?;
        // White space between the version and `.*` was trimmed off above.
        let spaced = number.ends_with(is_space);
        let only_release = !version.is_pre_release() && version.post.is_none() && version.local.is_empty();
        if wildcard && (!takes_all || !only_release || spaced) {
            return Err(SpecifierError::Wildcard { specifier: specifier() });
        }
        if !takes_all && !version.local.is_empty() {
            return Err(SpecifierError::Local { specifier: specifier() });
        }
        if operator == Operator::Compatible && version.release.len() < 2 {
            return Err(SpecifierError::CompatibleTooShort { specifier: specifier() });
        }
        let operand = if wildcard { Operand::Prefix(version) } else { Operand::Version(version) };
        Ok(Self { operator, operand })
    }
}

impl fmt::Display for VersionSpecifier {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.operand {
            Operand::Version(version) => write!(formatter, "{}{version}", self.operator),
            Operand::Prefix(version) => write!(formatter, "{}{version}.*", self.operator),
            Operand::Arbitrary(text) => write!(formatter, "{}{text}", self.operator),
        }
    }
}

/// Clauses that all have to be satisfied, separated by commas when written. None at all is satisfied by every version.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct VersionSpecifiers(Vec<VersionSpecifier>);

impl VersionSpecifiers {
    /// Whether there is no clause.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The clauses, in the order written.
    pub fn iter(&self) -> std::slice::Iter<'_, VersionSpecifier> {
        self.0.iter()
    }

    /// Whether `version` satisfies all clauses. Pre-releases are treated like all others.
    pub fn contains(&self, version: &Version) -> bool {
        self.0.iter().all(|specifier| specifier.contains(version))
    }

    /// Whether a clause names a pre-release, which allows all pre-releases.
    pub fn names_pre_release(&self) -> bool {
        self.0.iter().any(VersionSpecifier::names_pre_release)
    }

    /// Those of `versions` that satisfy all clauses, in their order. Without an answer in `pre_releases`, pre-releases
    /// are among them if a clause names one, or if nothing else satisfies the clauses (PEP 440, "Handling of
    /// pre-releases").
    pub fn filter<'a>(
        &self,
        versions: impl IntoIterator<Item = &'a Version>,
        pre_releases: Option<bool>,
    ) -> Vec<&'a Version> {
        let mut matching: Vec<_> = versions.into_iter().filter(|version| self.contains(version)).collect();
        let allowed = match pre_releases {
            Some(allowed) => allowed,
            None => self.names_pre_release() || matching.iter().all(|version| version.is_pre_release()),
        };
        matching.retain(|version| allowed || !version.is_pre_release());
        matching
    }
}

impl FromIterator<VersionSpecifier> for VersionSpecifiers {
    fn from_iter<I: IntoIterator<Item = VersionSpecifier>>(specifiers: I) -> Self {
        Self(specifiers.into_iter().collect())
    }
}

impl<'a> IntoIterator for &'a VersionSpecifiers {
    type Item = &'a VersionSpecifier;
    type IntoIter = std::slice::Iter<'a, VersionSpecifier>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl FromStr for VersionSpecifiers {
    type Err = SpecifierError;

    /// Reads clauses separated by commas; empty ones are ignored.
    fn from_str(input: &str) -> Result<Self, SpecifierError> {
        input.split(',').filter(|clause| !clause.trim_matches(is_space).is_empty()).map(str::parse).collect()
    }
}

impl fmt::Display for VersionSpecifiers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, specifier) in self.0.iter().enumerate() {
            write!(formatter, "{}{specifier}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}
