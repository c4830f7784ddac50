//! Requirements such as `pandas[excel]>=2.2,<3; python_version >= "3.11"`, as PEP 508 and the dependency specifiers
//! specification define them.

mod environment;
mod marker;
mod parse;

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use thiserror::Error;

pub use environment::{MarkerEnvironment, MarkerVariable};
pub use marker::{Marker, MarkerComparison, MarkerOperator, MarkerValue};

use crate::name::PackageName;
use crate::version::VersionSpecifiers;

/// What a project, or a person, asks for.
///
/// `Display` writes it so that `FromStr` reads the same requirement.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Requirement {
    /// The project's name, normalised.
    pub name: PackageName,
    /// Names of extras, normalised as PEP 685 says.
    pub extras: BTreeSet<String>,
    /// Which versions will do. Empty if there is a URL.
    pub specifiers: VersionSpecifiers,
    /// Where the one file is that will do (`name @ URL`), not checked to be a URL.
    pub url: Option<String>,
    /// When the requirement applies; always if there is none.
    pub marker: Option<Marker>,
}

impl Requirement {
    /// Whether the requirement applies in an environment, for a distribution of which these extras are wanted.
    pub fn applies<S: AsRef<str>>(&self, environment: &MarkerEnvironment, extras: &[S]) -> bool {
        self.marker.as_ref().is_none_or(|marker| marker.evaluate(environment, extras))
    }
}

/// A text that is not a requirement or a marker.
///
/// Displayed as a message, the text, and a caret under the place where it goes wrong:
/// ```text
/// expected `,`, `;` or the end after the version specifier
///     numpy >=1.2 <2
///                 ^
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}\n    {}", excerpt(input, *position))]
pub struct RequirementError {
    /// The whole text.
    pub input: String,
    /// Index in characters of the place.
    pub position: usize,
    /// What was expected there, or what is wrong with what is there.
    pub message: String,
}

/// The part of `input` around `position` in characters, and a line with a caret under it.
fn excerpt(input: &str, position: usize) -> String {
    const AROUND: usize = 60;
    let start = position.saturating_sub(AROUND);
    let line: String = input
        .chars()
        .map(|character| if character.is_control() { ' ' } else { character })
        .skip(start)
        .take(2 * AROUND)
        .collect();
    format!("{line}\n    {}^", " ".repeat(position - start))
}

impl FromStr for Requirement {
    type Err = RequirementError;

    fn from_str(input: &str) -> Result<Self, RequirementError> {
        parse::requirement(input)
    }
}

impl fmt::Display for Requirement {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.name)?;
        for (index, extra) in self.extras.iter().enumerate() {
            write!(formatter, "{}{extra}", if index == 0 { "[" } else { "," })?;
        }
        if !self.extras.is_empty() {
            formatter.write_str("]")?;
        }
        write!(formatter, "{}", self.specifiers)?;
        if let Some(url) = &self.url {
            write!(formatter, " @ {url}")?;
            if self.marker.is_some() {
                formatter.write_str(" ")?;
            }
        }
        match &self.marker {
            Some(marker) => write!(formatter, "; {marker}"),
            None => Ok(()),
        }
    }
}
