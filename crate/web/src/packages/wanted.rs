//! What is asked for: packages of the lock file, and wheels by address.

use taipan_core::lock::{LockedPackage, UnknownPackage};
use taipan_core::name::PackageName;
use taipan_core::wheel::WheelFilename;

use super::Lock;
use crate::error::{Code, Error, Result};

/// A package to be loaded.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// From the lock file.
    Locked(LockedPackage),
    /// A wheel by its address; what it needs is not looked for, as with Pyodide's `loadPackage`.
    Wheel {
        /// Where it is.
        url: String,
        /// What its file name says.
        filename: WheelFilename,
    },
}

impl Wanted {
    /// The name, as `loadedPackages` has it.
    pub fn name(&self) -> &str {
        match self {
            Self::Locked(locked) => &locked.name,
            Self::Wheel { filename, .. } => filename.name.as_str(),
        }
    }

    /// The name of the file.
    pub fn file_name(&self) -> String {
        match self {
            Self::Locked(locked) => locked.file_name.rsplit('/').next().unwrap_or_default().to_owned(),
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
    let locked = closure.into_iter().cloned().map(Wanted::Locked);
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
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = path.rsplit('/').next().unwrap_or(path);
    let filename: WheelFilename = decode(file).parse().map_err(|error| bad_requirement(&error))?;
    filename.check(&lock.abi.tags()).map_err(|error| {
        Error::new(Code::WrongAbi, error.to_string())
            .hint("Look for a wheel with one of these platform tags, or one for any platform (-py3-none-any.whl).")
    })?;
    Ok(Wanted::Wheel { url: url.to_owned(), filename })
}

/// File names in addresses are percent-encoded: a `+` in a version is.
fn decode(file: &str) -> String {
    js_sys::decode_uri_component(file).map_or_else(|_| file.to_owned(), String::from)
}

fn bad_requirement(error: &dyn std::error::Error) -> Error {
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
