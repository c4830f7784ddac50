//! Names of distributions (packages as indexes know them).

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// A distribution's name, normalised as PEP 503 says: lower case, runs of `-`, `_` and `.` as a single `-`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PackageName(String);

/// A name that no distribution can have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error(
    "{input:?} is not a package name: names are made of ASCII letters, digits, `-`, `_` and `.`, and begin and end with a letter or digit"
)]
pub struct InvalidName {
    /// What was given.
    pub input: String,
}

impl PackageName {
    /// The normalised name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for PackageName {
    type Err = InvalidName;

    fn from_str(input: &str) -> Result<Self, InvalidName> {
        let is_valid = input.bytes().all(|byte| byte.is_ascii_alphanumeric() || is_separator(byte))
            && input.bytes().next().is_some_and(|byte| byte.is_ascii_alphanumeric())
            && input.bytes().last().is_some_and(|byte| byte.is_ascii_alphanumeric());
        if !is_valid {
            return Err(InvalidName { input: input.to_owned() });
        }
        let mut name = String::with_capacity(input.len());
        for byte in input.bytes() {
            if !is_separator(byte) {
                name.push(char::from(byte.to_ascii_lowercase()));
            } else if !name.ends_with('-') {
                name.push('-');
            }
        }
        Ok(Self(name))
    }
}

const fn is_separator(byte: u8) -> bool {
    matches!(byte, b'-' | b'_' | b'.')
}

impl fmt::Display for PackageName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for PackageName {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// Names that somebody may have meant who wrote another: at most five, the nearest first.
pub fn near<'a>(names: impl IntoIterator<Item = &'a str>, wanted: &str) -> Vec<String> {
    const MOST: usize = 5;
    let limit = (wanted.len() / 3).clamp(1, 3);
    let mut found: Vec<(usize, &str)> = names
        .into_iter()
        .filter_map(|name| {
            // At least as many letters have to be added: very long names are not compared letter by letter.
            let lengths = name.len().abs_diff(wanted.len());
            let distance = if lengths > 4 * limit { lengths } else { distance(name, wanted) };
            let continues =
                wanted.len() >= 3 && (name.starts_with(wanted) || wanted.starts_with(name) && name.len() >= 3);
            if distance <= limit { Some((distance, name)) } else { continues.then_some((limit + 1, name)) }
        })
        .collect();
    found.sort_unstable();
    found.into_iter().take(MOST).map(|(_, name)| name.to_owned()).collect()
}

/// Edits that turn one text into another, swapped neighbours counting as one (optimal string alignment).
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=right.len()).collect();
    for (row, left_char) in left.iter().enumerate() {
        let mut current = vec![row + 1];
        for (column, right_char) in right.iter().enumerate() {
            let substituted = last[column] + usize::from(left_char != right_char);
            let mut best = substituted.min(last[column + 1] + 1).min(current[column] + 1);
            let is_swap = row > 0 && column > 0 && left[row - 1] == *right_char && *left_char == right[column - 1];
            if is_swap {
                best = best.min(before_last[column - 1] + 1);
            }
            current.push(best);
        }
        before_last = std::mem::replace(&mut last, current);
    }
    last[right.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_normalised() {
        for name in
            ["friendly-bard", "Friendly-Bard", "FRIENDLY-BARD", "friendly.bard", "friendly_bard", "FrIeNdLy-._.-bArD"]
        {
            assert_eq!(name.parse::<PackageName>().unwrap().as_str(), "friendly-bard");
        }
        for name in ["", "-a", "a-", "a b", "ä", "a/b", "."] {
            assert_eq!(name.parse::<PackageName>(), Err(InvalidName { input: name.to_owned() }));
        }
    }

    #[test]
    fn near_names_are_found() {
        let names = ["pandas", "numpy", "scikit-learn", "scipy", "pillow", "pandas-stubs"];
        assert_eq!(near(names, "panda"), ["pandas", "pandas-stubs"]);
        assert_eq!(near(names, "nupmy"), ["numpy"]);
        assert_eq!(near(names, "scikit"), ["scikit-learn"]);
        assert!(near(names, "requests").is_empty());
    }
}
