//! Packages that claim the same module.
//!
//! With pip the later one silently overwrites the files of the earlier. Here it is an error when two packages bring the
//! file by which one and the same top-level module is found, with different contents, unless the distribution's own lock
//! file has both. Namespace packages, and old ones whose `__init__.py` is the same in all parts, share their module;
//! other files that two packages bring go to the later one, as with pip.

use std::collections::BTreeMap;

use taipan_core::wheel::ModuleFile;

use crate::error::{Code, Error, Result};
use crate::packages::{Packages, PreparedPackage};

/// Checks packages that are about to be installed against each other and against what is there.
///
/// # Errors
/// [`Code::Resolution`] naming both packages and the module.
pub fn check(packages: &Packages, prepared: &[PreparedPackage]) -> Result<()> {
    let mut claims: BTreeMap<String, (&PreparedPackage, ModuleFile)> = BTreeMap::new();
    for package in prepared {
        for (module, file) in package.top_level_modules().into_iter().filter(|(_, file)| file.is_exclusive) {
            if let Some(owner) = packages.other_owner(&module, &file, package) {
                return Err(collision(&module, &owner, &package.info().name));
            }
            match claims.get(&module) {
                Some((other, theirs)) if theirs.contents != file.contents => {
                    if !(is_locked(other) && is_locked(package)) {
                        return Err(collision(&module, &other.info().name, &package.info().name));
                    }
                }
                Some(_) => {}
                None => drop(claims.insert(module, (package, file))),
            }
        }
    }
    Ok(())
}

fn is_locked(package: &PreparedPackage) -> bool {
    package.info().source == "lock"
}

fn collision(module: &str, one: &str, other: &str) -> Error {
    let message = format!("{one} and {other} both bring the module {module}, and not the same one.");
    Error::new(Code::Resolution, message)
        .hint("Install only one of them: such packages are often variants of one project.")
}
