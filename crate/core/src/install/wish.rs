//! What a caller asks to be installed.

use std::collections::BTreeSet;

use thiserror::Error;

use super::filename_in;
use crate::name::PackageName;
use crate::requirement::{Requirement, RequirementError};
use crate::version::VersionSpecifiers;
use crate::wheel::{InterpreterTags, WheelFilenameError};

/// Why something cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum WishError {
    /// It is no requirement.
    #[error(transparent)]
    Requirement(#[from] RequirementError),
    /// What is at the address is no wheel, by its name.
    #[error(transparent)]
    Filename(#[from] WheelFilenameError),
    /// The wheel is for another interpreter.
    #[error("{0}")]
    OtherInterpreter(String),
    /// The wheel is of another package than the one before the `@`.
    #[error("{text}: the wheel at that address is one of {found}")]
    OtherPackage {
        /// What was asked for.
        text: String,
        /// The package of the wheel.
        found: PackageName,
    },
    /// What follows the `@` is no address.
    #[error("{text}: {url} is not the address of a wheel")]
    Address {
        /// What was asked for.
        text: String,
        /// What stands there.
        url: String,
    },
}

/// Reads a requirement (PEP 508), or the address of a wheel with one of `schemes` (such as `https:`).
///
/// # Errors
/// [`WishError`].
pub fn wish(text: &str, schemes: &[&str], tags: &InterpreterTags) -> Result<Requirement, WishError> {
    let text = text.trim();
    if is_address(text, schemes) && !text.contains(char::is_whitespace) {
        let name = filename_in(text, tags)?.name;
        let (url, specifiers) = (Some(text.to_owned()), VersionSpecifiers::default());
        return Ok(Requirement { name, extras: BTreeSet::new(), specifiers, url, marker: None });
    }
    let requirement = constraint(text, schemes)?;
    if let Some(url) = &requirement.url {
        let found = filename_in(url, tags)?.name;
        if found != requirement.name {
            return Err(WishError::OtherPackage { text: text.to_owned(), found });
        }
    }
    Ok(requirement)
}

/// Reads a requirement that only restricts.
///
/// # Errors
/// [`WishError`].
pub fn constraint(text: &str, schemes: &[&str]) -> Result<Requirement, WishError> {
    let requirement: Requirement = text.parse()?;
    match &requirement.url {
        Some(url) if !is_address(url, schemes) => {
            Err(WishError::Address { text: text.trim().to_owned(), url: url.clone() })
        }
        _ => Ok(requirement),
    }
}

fn is_address(text: &str, schemes: &[&str]) -> bool {
    schemes.iter().any(|scheme| text.strip_prefix(scheme).is_some_and(|rest| rest.starts_with('/')))
}
