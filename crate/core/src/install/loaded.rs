//! What is loaded already.

use crate::name::PackageName;
use crate::resolve::Candidate;

/// What the resolver calls the file of a package that is loaded.
pub(super) const LOADED: &str = "loaded";

/// A package that is loaded and stays.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoadedPackage {
    /// Its name.
    pub name: PackageName,
    /// The name as it is written.
    pub written_name: String,
    /// Its version as it is written.
    pub version: String,
    /// The address that it came from; nothing for the lock file's.
    pub source: Option<String>,
}

/// All of them.
pub(super) struct Loaded(Vec<LoadedPackage>);

impl Loaded {
    pub(super) fn new(packages: Vec<LoadedPackage>) -> Self {
        Self(packages)
    }

    pub(super) fn get(&self, name: &PackageName) -> Option<&LoadedPackage> {
        self.0.iter().find(|package| package.name == *name)
    }
}

impl LoadedPackage {
    /// The only file that there can be of the package.
    pub(super) fn candidate(&self) -> Result<Candidate, String> {
        let version = self.version.parse().map_err(|_| format!("{} is not a version", self.version))?;
        Ok(Candidate { version, file: LOADED.to_owned(), rank: Some(0), requires_python: None, yanked: false })
    }

    /// The file at an address.
    pub(super) fn at(&self, url: &str) -> Result<Candidate, String> {
        let address = url.split('#').next().unwrap_or_default();
        let is_same = self.source.as_deref() == Some(address);
        self.candidate().ok().filter(|_| is_same).ok_or_else(|| {
            let from = self.source.as_deref().unwrap_or("the lock file");
            format!("{} {} of {from} is loaded, and it takes a restart to replace it", self.written_name, self.version)
        })
    }
}
