//! The files of a distribution, and the releases whose hashes are known.
//!
//! A distribution that a user brings works as it is. If one of its files is that of a known release, all of its files
//! must be: then a damaged or exchanged file is noticed before it runs.

use std::fmt;

/// A file that every distribution has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CoreFile {
    /// Emscripten's glue.
    Glue,
    /// CPython's module.
    Wasm,
    /// The standard library.
    StandardLibrary,
}

/// A release with the SHA-256 of each file.
#[derive(Debug)]
struct Release {
    version: &'static str,
    glue: &'static str,
    wasm: &'static str,
    standard_library: &'static str,
}

/// The releases that Taipan is tested with.
const RELEASES: [Release; 2] = [
    Release {
        version: "0.28.3",
        glue: "b22e5831eade9ff10e6fe2c811c68688cd91f10154377b4f80debcf5bafa1e56",
        wasm: "5effb6a1a6cc4a1a85bec4622701aa797c031e1de923cbbaf2ad47abdc4ab325",
        standard_library: "71fee17f88a6260ec8c9c7c063533ee59c021fdc88a1ce76247378d3c4a35f4c",
    },
    Release {
        version: "314.0.7",
        glue: "f7cdc8ece80678ceb712f8e65ebe6d3a83203a180c399865f49612a051693635",
        wasm: "cc36e3cab04fdfc9a63ff13eb52eae2b911bf46c025cc7b281f394bd3de1d5e6",
        standard_library: "fa1957e5777068fc4f7437f96d860ae2fbe9c19732ba06c84e004ec16dd7dd7a",
    },
];

/// The file name of CPython's module, the same in all distributions.
pub const WASM_FILE: &str = "pyodide.asm.wasm";

/// The file name of the standard library, the same in all distributions.
pub const STANDARD_LIBRARY_FILE: &str = "python_stdlib.zip";

/// The file name of the lock file, the same in all distributions.
pub const LOCK_FILE: &str = "pyodide-lock.json";

impl Release {
    const fn hash(&self, file: CoreFile) -> &'static str {
        match file {
            CoreFile::Glue => self.glue,
            CoreFile::Wasm => self.wasm,
            CoreFile::StandardLibrary => self.standard_library,
        }
    }
}

impl CoreFile {
    /// What it is, for messages.
    const fn description(self) -> &'static str {
        match self {
            Self::Glue => "Emscripten's glue (pyodide.asm)",
            Self::Wasm => WASM_FILE,
            Self::StandardLibrary => STANDARD_LIBRARY_FILE,
        }
    }
}

/// A file that does not belong to the release that the others belong to.
#[derive(Debug, PartialEq, Eq)]
pub struct Mismatch {
    /// The file.
    pub file: CoreFile,
    /// The release that the other files are of.
    pub release: &'static str,
    /// The SHA-256 that it should have.
    pub expected: &'static str,
    /// The SHA-256 that it has.
    pub actual: String,
}

impl fmt::Display for Mismatch {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, release, expected, actual } = self;
        let file = file.description();
        write!(formatter, "{file} is not that of Pyodide {release}: its SHA-256 is {actual}, it should be {expected}.")
    }
}

/// Whether a SHA-256 is that of a file of a known release.
pub fn is_known(hash: &str) -> bool {
    RELEASES.iter().any(|release| [release.glue, release.wasm, release.standard_library].contains(&hash))
}

/// The SHA-256 of the standard library of a release, if it is a known one.
pub fn standard_library_of(version: &str) -> Option<&'static str> {
    RELEASES.iter().find(|release| release.version == version).map(|release| release.standard_library)
}

/// Checks the SHA-256 of every core file against the known releases.
///
/// # Errors
/// The first file that is not of the release that another file is of.
pub fn check(hashes: &[(CoreFile, String)]) -> Result<(), Mismatch> {
    for release in &RELEASES {
        let is_of_release = |(file, hash): &(CoreFile, String)| release.hash(*file) == hash;
        if !hashes.iter().any(is_of_release) {
            continue;
        }
        if let Some((file, actual)) = hashes.iter().find(|pair| !is_of_release(pair)) {
            return Err(Mismatch {
                file: *file,
                release: release.version,
                expected: release.hash(*file),
                actual: actual.clone(),
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hashes(of: &Release) -> Vec<(CoreFile, String)> {
        [CoreFile::Glue, CoreFile::Wasm, CoreFile::StandardLibrary]
            .map(|file| (file, of.hash(file).to_owned()))
            .to_vec()
    }

    #[test]
    fn whole_releases_and_unknown_distributions_pass() {
        for release in &RELEASES {
            assert_eq!(check(&hashes(release)), Ok(()));
        }
        let unknown = [CoreFile::Glue, CoreFile::Wasm, CoreFile::StandardLibrary].map(|file| (file, "0".repeat(64)));
        assert_eq!(check(&unknown), Ok(()));
    }

    #[test]
    fn a_damaged_file_of_a_known_release_is_noticed() {
        let mut damaged = hashes(&RELEASES[0]);
        damaged[2].1 = "0".repeat(64);
        let mismatch = check(&damaged).unwrap_err();
        assert_eq!((mismatch.file, mismatch.release), (CoreFile::StandardLibrary, "0.28.3"));
    }
}
