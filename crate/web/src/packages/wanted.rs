//! What is asked for: packages of the lock file, and wheels by address.

use taipan_core::lock::LockedPackage;

use super::Lock;
use crate::error::{Code, Error, Result};

/// A package to be loaded.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// From the lock file.
    Locked(LockedPackage),
}

impl Wanted {
    /// The name.
    pub fn name(&self) -> &str {
        match self {
            Self::Locked(locked) => &locked.name,
        }
    }
}

/// Reads what a caller asks for and adds what that needs.
pub fn parse(lock: &Lock, names: &[String]) -> Result<Vec<Wanted>> {
    let closure = lock.file().closure(names).map_err(|e| Error::new(Code::PackageNotFound, e.to_string()))?;
    Ok(closure.into_iter().cloned().map(Wanted::Locked).collect())
}
