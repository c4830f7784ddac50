//! The lock file of a distribution, `pyodide-lock.json`.
//!
//! Source: `pyodide_lock/spec.py` of the `pyodide-lock` package. Fields that are not used are not read.

mod freeze;
mod interpreter;

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Deserialize;
use thiserror::Error;

pub use self::freeze::{FrozenPackage, freeze};
use crate::name::{PackageName, near};
use crate::prepared::{Detached, FileFacts, Listed, Manifest, ManifestError, ServedFile};

/// The largest lock file that is read, in bytes.
const MAX_BYTES: usize = 32 << 20;

/// What a distribution holds.
#[derive(Debug, Clone, Default)]
pub struct LockFile {
    info: LockInfo,
    packages: BTreeMap<PackageName, LockedPackage>,
    imports: HashMap<String, PackageName>,
    bytecode: BTreeMap<String, BytecodeFile>,
    manifest: Manifest,
}

/// Bytecode that a prepared distribution has beside an archive.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct BytecodeFile {
    /// A ZIP file of `.pyc` files, relative to the lock file.
    pub file_name: String,
    /// SHA-256 of that file, lower-case hexadecimal.
    pub sha256: String,
}

/// Which interpreter the packages are for.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
pub struct LockInfo {
    /// Version of the binary interface, such as `2025_0`.
    pub abi_version: String,
    /// Version of CPython, such as `3.13.2`.
    #[serde(default)]
    pub python: String,
    /// What CPython was compiled for, such as `emscripten_4_0_9`.
    #[serde(default)]
    pub platform: String,
    /// Version of the distribution.
    #[serde(default)]
    pub version: String,
}

/// Where a package's files go.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InstallDir {
    /// `site-packages`.
    Site,
    /// The directory of the standard library.
    Stdlib,
    /// The directory of shared libraries.
    Dynlib,
    /// `lib-dynload`, older name of a place beside the standard library.
    Lib,
}

/// A package of a lock file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LockedPackage {
    /// The name as it is written.
    pub name: String,
    /// PEP 440.
    pub version: String,
    /// A name in the folder of the wheels, or a URL.
    pub file_name: String,
    /// Where its files go.
    pub install_dir: InstallDir,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Modules that it provides, dotted where they are below another package's.
    #[serde(default)]
    pub imports: Vec<String>,
    /// Packages that it needs.
    #[serde(default)]
    pub depends: Vec<PackageName>,
}

/// Why a lock file cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LockError {
    /// It is too large.
    #[error("it has {actual} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// Bytes it has.
        actual: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// It is not JSON, or does not have the fields of a lock file.
    #[error("it is not a lock file: {reason}")]
    Format {
        /// What the parser says.
        reason: String,
    },
    /// A hash is not one.
    #[error("the SHA-256 of {package} is not 64 hexadecimal digits: {sha256:?}")]
    Hash {
        /// Which package.
        package: String,
        /// What stands there.
        sha256: String,
    },
    /// What a prepared distribution says of its files cannot be.
    #[error("its part for prepared distributions cannot be used: {0}")]
    Manifest(#[from] ManifestError),
}

/// A package that a lock file does not have.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("no package is called {name}{}", wanted_by(.needed_by.as_deref()))]
pub struct UnknownPackage {
    /// The name.
    pub name: String,
    /// The package that needs it, if it was not asked for itself.
    pub needed_by: Option<String>,
    /// Names that are near.
    pub near: Vec<String>,
}

fn wanted_by(package: Option<&str>) -> String {
    package.map_or_else(String::new, |package| format!(", which {package} needs"))
}

#[derive(Deserialize)]
struct Document {
    info: LockInfo,
    packages: BTreeMap<String, LockedPackage>,
    #[serde(default)]
    taipan: Extension,
}

/// What a distribution prepared for Taipan adds to its lock file; other readers pass it over.
#[derive(Default, Deserialize)]
struct Extension {
    #[serde(default)]
    bytecode: BTreeMap<String, BytecodeFile>,
    #[serde(default)]
    files: BTreeMap<String, FileFacts>,
    #[serde(default)]
    side_modules: BTreeMap<String, Vec<Listed>>,
    #[serde(default)]
    prefetch: Vec<PackageName>,
    #[serde(default)]
    image: Option<ServedFile>,
}

impl LockFile {
    /// Reads a lock file.
    ///
    /// # Errors
    /// [`LockError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, LockError> {
        if bytes.len() > MAX_BYTES {
            return Err(LockError::TooLarge { actual: bytes.len(), limit: MAX_BYTES });
        }
        let format = |reason: String| LockError::Format { reason };
        let document: Document = serde_json::from_slice(bytes).map_err(|error| format(error.to_string()))?;
        let mut packages = BTreeMap::new();
        let mut imports = HashMap::new();
        for (key, mut package) in document.packages {
            check_hash(&package.name, &package.sha256)?;
            let name: PackageName = key.parse().map_err(|error| format(format!("{error}")))?;
            for module in &package.imports {
                // Where two packages claim a module, the first by name has it.
                imports.entry(module.clone()).or_insert_with(|| name.clone());
            }
            package.sha256.make_ascii_lowercase();
            if packages.insert(name, package).is_some() {
                return Err(format(format!("two packages are called {key}, in different spellings")));
            }
        }
        for file in document.taipan.bytecode.values() {
            check_hash(&file.file_name, &file.sha256)?;
        }
        let Extension { bytecode, files, side_modules, prefetch, image } = document.taipan;
        let side_modules = side_modules.into_iter().map(|(archive, files)| Ok((archive, Detached::check(files)?)));
        let side_modules = side_modules.collect::<Result<_, ManifestError>>()?;
        let manifest = Manifest { files, side_modules, prefetch, image };
        manifest.check()?;
        Ok(Self { info: document.info, packages, imports, bytecode, manifest })
    }

    /// Which interpreter it is for.
    pub const fn info(&self) -> &LockInfo {
        &self.info
    }

    /// Bytecode that comes with the distribution, by the SHA-256 of the archive that it was made from.
    pub fn bytecode(&self) -> &BTreeMap<String, BytecodeFile> {
        &self.bytecode
    }

    /// What a prepared distribution says of its files; empty for others.
    pub const fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// The hashes of archives with bytecode that are no package's: the standard library's.
    pub fn bytecode_of_no_package(&self) -> impl Iterator<Item = &str> {
        let is_package = |hash: &str| self.packages.values().any(|package| package.sha256 == hash);
        self.bytecode.keys().map(String::as_str).filter(move |hash| !is_package(hash))
    }

    /// All packages, by name.
    pub fn packages(&self) -> impl Iterator<Item = (&PackageName, &LockedPackage)> {
        self.packages.iter()
    }

    /// The package of a name.
    pub fn get(&self, name: &PackageName) -> Option<&LockedPackage> {
        self.packages.get(name)
    }

    /// The package that provides a module, by the module's full name or that of a package it is in.
    pub fn package_for_import(&self, module: &str) -> Option<&LockedPackage> {
        let mut module = module;
        loop {
            if let Some(name) = self.imports.get(module) {
                return self.packages.get(name);
            }
            module = module.rsplit_once('.')?.0;
        }
    }

    /// Packages and everything they need, each after what it needs. Where packages need each other, the one asked for
    /// comes last.
    ///
    /// # Errors
    /// [`UnknownPackage`] with names that are near.
    pub fn closure(&self, names: &[PackageName]) -> Result<Vec<&LockedPackage>, UnknownPackage> {
        enum Step<'a, 'b> {
            Enter(&'b PackageName, Option<&'b str>),
            Leave(&'a LockedPackage),
        }
        let mut seen = HashSet::new();
        let mut closure = Vec::new();
        let mut steps: Vec<Step<'_, '_>> = names.iter().rev().map(|name| Step::Enter(name, None)).collect();
        while let Some(step) = steps.pop() {
            match step {
                Step::Leave(package) => closure.push(package),
                Step::Enter(name, needed_by) => {
                    if !seen.insert(name) {
                        continue;
                    }
                    let package = self.packages.get(name).ok_or_else(|| self.unknown(name, needed_by))?;
                    steps.push(Step::Leave(package));
                    steps.extend(package.depends.iter().rev().map(|needed| Step::Enter(needed, Some(&package.name))));
                }
            }
        }
        Ok(closure)
    }

    fn unknown(&self, name: &PackageName, needed_by: Option<&str>) -> UnknownPackage {
        UnknownPackage {
            name: name.to_string(),
            needed_by: needed_by.map(str::to_owned),
            near: near(self.packages.keys().map(PackageName::as_str), name.as_str()),
        }
    }
}

fn check_hash(name: &str, sha256: &str) -> Result<(), LockError> {
    if sha256.len() == 64 && sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(());
    }
    Err(LockError::Hash { package: name.to_owned(), sha256: sha256.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lock(packages: &[(&str, &[&str], &[&str])]) -> LockFile {
        let packages: serde_json::Map<String, serde_json::Value> = packages
            .iter()
            .map(|(name, depends, imports)| {
                let package = serde_json::json!({
                    "name": name, "version": "1.0", "file_name": format!("{name}-1.0-py3-none-any.whl"),
                    "install_dir": "site", "sha256": "0".repeat(64), "package_type": "package",
                    "imports": imports, "depends": depends, "something_new": true,
                });
                ((*name).to_owned(), package)
            })
            .collect();
        let document =
            serde_json::json!({ "info": { "abi_version": "2025_0", "python": "3.13.2" }, "packages": packages });
        LockFile::parse(document.to_string().as_bytes()).unwrap()
    }

    fn names(lock: &LockFile, wanted: &[&str]) -> Vec<String> {
        let wanted: Vec<PackageName> = wanted.iter().map(|name| name.parse().unwrap()).collect();
        lock.closure(&wanted).unwrap().iter().map(|package| package.name.clone()).collect()
    }

    #[test]
    fn what_a_package_needs_comes_before_it() {
        let lock = lock(&[
            ("pandas", &["numpy", "python-dateutil"], &[]),
            ("numpy", &[], &[]),
            ("python-dateutil", &["six"], &[]),
            ("six", &[], &[]),
        ]);
        assert_eq!(names(&lock, &["pandas"]), ["numpy", "six", "python-dateutil", "pandas"]);
        assert_eq!(names(&lock, &["six", "Python_Dateutil"]), ["six", "python-dateutil"]);
    }

    #[test]
    fn packages_that_need_each_other_do_not_hang() {
        let lock = lock(&[("a", &["b"], &[]), ("b", &["a"], &[])]);
        assert_eq!(names(&lock, &["a"]), ["b", "a"]);
    }

    #[test]
    fn unknown_packages_are_named_with_who_needs_them_and_what_is_near() {
        let lock = lock(&[("pandas", &["numpi"], &[]), ("numpy", &[], &[])]);
        let error = lock.closure(&["pandas".parse().unwrap()]).unwrap_err();
        assert_eq!(error.to_string(), "no package is called numpi, which pandas needs");
        assert_eq!(error.near, ["numpy"]);
    }

    #[test]
    fn modules_lead_to_packages() {
        let lock = lock(&[("protobuf", &[], &["google.protobuf"]), ("pandas", &[], &["pandas"])]);
        let package = |module| lock.package_for_import(module).map(|package| package.name.as_str());
        assert_eq!(package("pandas.core.frame"), Some("pandas"));
        assert_eq!(package("google.protobuf.message"), Some("protobuf"));
        assert_eq!(package("google"), None);
    }

    #[test]
    fn bytecode_of_a_prepared_distribution_is_found() {
        let hash = "a".repeat(64);
        let text = format!(
            r#"{{"info":{{"abi_version":"2025_0"}},"packages":{{}},
            "taipan":{{"bytecode":{{"{hash}":{{"file_name":"bytecode/x.zip","sha256":"{hash}"}}}}}}}}"#
        );
        let lock = LockFile::parse(text.as_bytes()).unwrap();
        assert_eq!(lock.bytecode()[&hash].file_name, "bytecode/x.zip");
        assert!(LockFile::parse(text.replace(&hash, "no hash").as_bytes()).is_err());
    }

    #[test]
    fn what_is_not_a_lock_file_is_refused() {
        for text in ["", "[]", "{}", r#"{"info": {"abi_version": "x"}}"#, r#"{"packages": {}}"#] {
            assert!(matches!(LockFile::parse(text.as_bytes()), Err(LockError::Format { .. })), "{text}");
        }
        let bad = r#"{"info":{"abi_version":"x"},"packages":{"a":{"name":"a","version":"1","file_name":"a","install_dir":"site","sha256":"12"}}}"#;
        assert!(matches!(LockFile::parse(bad.as_bytes()), Err(LockError::Hash { .. })));
    }
}
