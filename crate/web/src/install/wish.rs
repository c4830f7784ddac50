//! What a caller asks to be installed.

use taipan_core::install::{self, WishError};
use taipan_core::requirement::Requirement;

use crate::error::{Code, Error, Result};
use crate::packages::{Lock, bad_requirement, wrong_abi};

/// Where wheels may be: on the network, and in Python's file system (`emfs:/x.whl`).
const SCHEMES: [&str; 3] = ["https:/", "http:/", "emfs:"];

/// Reads a requirement (PEP 508), the address of a wheel, or the path of one in Python's file system.
///
/// # Errors
/// [`Code::BadRequirement`], [`Code::WrongAbi`] for a wheel of another interpreter.
pub fn wish(lock: &Lock, text: &str) -> Result<Requirement> {
    install::wish(text, &SCHEMES, &lock.abi.tags()).map_err(|problem| error(&problem))
}

/// Reads a constraint.
///
/// # Errors
/// [`Code::BadRequirement`].
pub fn constraint(text: &str) -> Result<Requirement> {
    install::constraint(text, &SCHEMES).map_err(|problem| error(&problem))
}

/// The error for what cannot be asked for.
pub fn error(problem: &WishError) -> Error {
    let hint = match problem {
        WishError::OtherInterpreter(message) => return wrong_abi(message),
        WishError::Requirement(error) => return bad_requirement(error),
        WishError::Filename(error) => return bad_requirement(error),
        WishError::OtherPackage { .. } => "The name before the @ must be that of the wheel.",
        WishError::Address { .. } => "Addresses begin with https://, http:// or emfs:/.",
    };
    Error::new(Code::BadRequirement, format!("{problem}.")).hint(hint)
}
