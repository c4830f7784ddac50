//! What a caller asks to be installed.

use std::collections::BTreeSet;

use taipan_core::requirement::Requirement;
use taipan_core::version::VersionSpecifiers;

use crate::error::{Code, Error, Result};
use crate::packages::{Lock, bad_requirement, filename_in};

/// Something to be installed.
pub struct Wish {
    /// As the resolver takes it.
    pub requirement: Requirement,
}

impl Wish {
    /// Reads a requirement (PEP 508), the address of a wheel, or the path of one in Python's file system (`emfs:/x.whl`).
    ///
    /// # Errors
    /// [`Code::BadRequirement`], [`Code::WrongAbi`] for a wheel of another interpreter.
    pub fn parse(lock: &Lock, text: &str) -> Result<Self> {
        let text = text.trim();
        let is_address = is_address(text) && !text.contains(char::is_whitespace);
        if is_address {
            let name = filename_in(lock, text)?.name;
            let (url, specifiers) = (Some(text.to_owned()), VersionSpecifiers::default());
            let requirement = Requirement { name, extras: BTreeSet::new(), specifiers, url, marker: None };
            return Ok(Self { requirement });
        }
        let requirement = read(text)?;
        if let Some(url) = &requirement.url {
            let filename = filename_in(lock, url)?;
            if filename.name != requirement.name {
                let message = format!("{text}: the wheel at that address is one of {}.", filename.name);
                return Err(
                    Error::new(Code::BadRequirement, message).hint("The name before the @ must be that of the wheel.")
                );
            }
        }
        Ok(Self { requirement })
    }
}

/// Reads a constraint.
///
/// # Errors
/// [`Code::BadRequirement`].
pub fn constraint(text: &str) -> Result<Requirement> {
    read(text)
}

fn read(text: &str) -> Result<Requirement> {
    let requirement: Requirement = text.parse().map_err(|error| bad_requirement(&error))?;
    match &requirement.url {
        Some(url) if !is_address(url) => {
            Err(Error::new(Code::BadRequirement, format!("{text}: {url} is not the address of a wheel."))
                .hint("Addresses begin with https://, http:// or emfs:/."))
        }
        _ => Ok(requirement),
    }
}

fn is_address(text: &str) -> bool {
    ["https://", "http://", "emfs:/"].iter().any(|scheme| text.starts_with(scheme))
}
