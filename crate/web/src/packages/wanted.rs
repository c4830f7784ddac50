//! What is asked for: packages of the lock file, and wheels by address.

use js_sys::Uint8Array;
use taipan_core::lock::{LockedPackage, UnknownPackage};
use taipan_core::name::PackageName;
use taipan_core::wheel::{Metadata, WheelFilename};

use super::Lock;
use crate::error::{Code, Error, Result};

/// A package to be loaded.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// From the lock file.
    Locked {
        /// What that says of it.
        locked: LockedPackage,
        /// Its archive, if that is here already.
        bytes: Option<Uint8Array>,
    },
    /// A wheel by its address; what it needs is not looked for, as with Pyodide's `loadPackage`.
    Wheel {
        /// Where it is.
        url: String,
        /// What its file name says.
        filename: WheelFilename,
        /// What else is known of it.
        facts: Box<WheelFacts>,
    },
}

/// What is known of a wheel besides its address.
#[derive(Debug, Clone, Default)]
pub struct WheelFacts {
    /// The name as the lock file writes it, if it has the package: Pyodide knows it by that.
    pub name: Option<String>,
    /// The SHA-256 that it must have, lower-case hexadecimal.
    pub sha256: Option<String>,
    /// Its bytes, if they are here already.
    pub bytes: Option<Uint8Array>,
    /// Whether an index offers it, so that nobody gave its address (PEP 610).
    pub is_indexed: bool,
    /// The metadata that it was chosen by: its own must require the same.
    pub metadata: Option<Metadata>,
}

impl From<LockedPackage> for Wanted {
    fn from(locked: LockedPackage) -> Self {
        Self::Locked { locked, bytes: None }
    }
}

impl Wanted {
    /// The name, as `loadedPackages` has it.
    pub fn name(&self) -> &str {
        match self {
            Self::Locked { locked, .. } => &locked.name,
            Self::Wheel { filename, facts, .. } => facts.name.as_deref().unwrap_or(filename.name.as_str()),
        }
    }

    /// The SHA-256 that the archive must have, if that is known.
    pub fn sha256(&self) -> Option<&str> {
        match self {
            Self::Locked { locked, .. } => Some(&locked.sha256),
            Self::Wheel { facts, .. } => facts.sha256.as_deref(),
        }
    }

    /// Its archive, if that is here already.
    pub fn bytes(&self) -> Option<&Uint8Array> {
        match self {
            Self::Locked { bytes, .. } => bytes.as_ref(),
            Self::Wheel { facts, .. } => facts.bytes.as_ref(),
        }
    }

    /// The name of the file.
    pub fn file_name(&self) -> String {
        match self {
            Self::Locked { locked, .. } => locked.file_name.rsplit('/').next().unwrap_or_default().to_owned(),
            Self::Wheel { filename, .. } => filename.to_string(),
        }
    }
}

/// Reads what a caller asks for, and adds what packages of the lock file need: dependencies first.
///
/// # Errors
/// [`Code::BadRequirement`] for what is neither a name nor the address of a wheel, [`Code::PackageNotFound`] with names
/// that are near, [`Code::WrongAbi`] for a wheel of another interpreter.
pub fn parse(lock: &Lock, asked: &[String]) -> Result<Vec<Wanted>> {
    let mut names = Vec::new();
    let mut wheels = Vec::new();
    for asked in asked {
        if asked.contains("://") || asked.to_ascii_lowercase().ends_with(".whl") {
            wheels.push(parse_wheel(lock, asked)?);
        } else {
            names.push(asked.parse::<PackageName>().map_err(|error| bad_requirement(&error))?);
        }
    }
    let closure = lock.file().closure(&names).map_err(|error| not_found(&error))?;
    let locked = closure.into_iter().cloned().map(Wanted::from);
    // A wheel that is asked for by its address takes the place of the lock file's.
    let is_replaced = |package: &Wanted| {
        let name = package.name().parse::<PackageName>().ok();
        wheels
            .iter()
            .any(|wheel| matches!(wheel, Wanted::Wheel { filename, .. } if Some(&filename.name) == name.as_ref()))
    };
    Ok(locked.filter(|package| !is_replaced(package)).chain(wheels.iter().cloned()).collect())
}

fn parse_wheel(lock: &Lock, url: &str) -> Result<Wanted> {
    let filename = filename_in(lock, url)?;
    Ok(Wanted::Wheel { url: url.to_owned(), filename, facts: Box::default() })
}

/// What the last part of a wheel's address says, if this interpreter takes the wheel.
///
/// # Errors
/// [`Code::BadRequirement`], [`Code::WrongAbi`].
pub fn filename_in(lock: &Lock, url: &str) -> Result<WheelFilename> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or(path);
    let filename: WheelFilename = decode(file).parse().map_err(|error| bad_requirement(&error))?;
    filename.check(&lock.abi.tags()).map_err(|error| wrong_abi(&error.to_string()))?;
    Ok(filename)
}

/// The error for a wheel of another interpreter.
pub fn wrong_abi(message: &str) -> Error {
    Error::new(Code::WrongAbi, message)
        .hint("Look for a wheel with one of these platform tags, or one for any platform (-py3-none-any.whl).")
}

/// File names in addresses are percent-encoded: a `+` in a version is.
fn decode(file: &str) -> String {
    js_sys::decode_uri_component(file).map_or_else(|_| file.to_owned(), String::from)
}

/// Whether a file is a wheel, by its name.
pub fn is_wheel(file_name: &str) -> bool {
    file_name.to_ascii_lowercase().ends_with(".whl")
}

/// The error for what is neither a requirement nor the address of a wheel.
pub fn bad_requirement(error: &dyn std::error::Error) -> Error {
    Error::new(Code::BadRequirement, format!("{error}."))
        .hint("Ask for a package by its name, such as \"pandas\", or by the address of a wheel.")
}

fn not_found(error: &UnknownPackage) -> Error {
    let hint = match error.near.as_slice() {
        [] => "Check the spelling; a package that the distribution does not have can be loaded by the address of its wheel.".to_owned(),
        near => format!("Did you mean {}?", near.join(" or ")),
    };
    let suggestions: js_sys::Array = error.near.iter().map(|name| wasm_bindgen::JsValue::from(name.as_str())).collect();
    Error::new(Code::PackageNotFound, format!("In the lock file, {error}."))
        .hint(hint)
        .field("suggestions", suggestions)
}
