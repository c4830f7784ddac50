//! Wheels that are to be deployed together, as whole files.

use std::collections::BTreeMap;
use std::rc::Rc;

use thiserror::Error;

use crate::archive::{Archive, ArchiveError, Limits};
use crate::source::SharedSource;
use crate::wheel::{
    InstallError, Metadata, ModuleFile, Record, RecordError, WheelFilename, WheelFilenameError, WheelLayout,
    check_identity, top_level_modules,
};

/// Wheels, checked one by one and against each other.
#[derive(Debug, Default)]
pub struct Wheels {
    claims: BTreeMap<String, Claim>,
}

/// Which package brings a module at top level.
#[derive(Debug)]
struct Claim {
    package: String,
    is_locked: bool,
    file: ModuleFile,
}

/// What a lock file says of a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelEntry {
    /// The name as the wheel writes it.
    pub name: String,
    /// PEP 440, as the wheel writes it.
    pub version: String,
    /// Modules at top level that it brings.
    pub imports: Vec<String>,
}

/// Why a wheel cannot be deployed.
#[derive(Debug, Error)]
pub enum WheelProblem {
    /// Its file name is none.
    #[error(transparent)]
    Filename(#[from] WheelFilenameError),
    /// It cannot be read.
    #[error("{filename} cannot be read: {error}")]
    Archive {
        /// The wheel.
        filename: String,
        /// Why.
        error: ArchiveError,
    },
    /// It is no wheel, or another than its name says.
    #[error("{filename} is not a proper wheel: {error}")]
    Layout {
        /// The wheel.
        filename: String,
        /// Why.
        error: InstallError,
    },
    /// It does not hold what it lists.
    #[error("{filename} does not hold what it says: {why}")]
    Record {
        /// The wheel.
        filename: String,
        /// What differs.
        why: String,
    },
    /// It requires other packages than the metadata that it was chosen by.
    #[error("{filename} is not what it was taken for: it requires other packages than the index says")]
    OtherRequirements {
        /// The wheel.
        filename: String,
    },
    /// Two wheels bring the file by which one module is found, with different contents.
    #[error("{one} and {other} both bring the module {module}, and not the same one")]
    Collision {
        /// The first package.
        one: String,
        /// The second.
        other: String,
        /// The module.
        module: String,
    },
}

impl Wheels {
    /// Adds a wheel. One that a lock file vouches for (`is_locked`) need not hold what it lists, and may share a module
    /// with others that it vouches for; namespace packages always may. `chosen_by` is the metadata that it was chosen by.
    ///
    /// # Errors
    /// [`WheelProblem`].
    pub fn add(
        &mut self,
        source: &SharedSource,
        filename: &str,
        is_locked: bool,
        chosen_by: Option<&str>,
    ) -> Result<WheelEntry, WheelProblem> {
        let parsed: WheelFilename = filename.parse()?;
        let in_layout = |error| WheelProblem::Layout { filename: filename.to_owned(), error };
        let archive = Archive::open(Rc::clone(source), &Limits::default())
            .map_err(|error| WheelProblem::Archive { filename: filename.to_owned(), error })?;
        let layout = WheelLayout::of(&archive, &parsed.name).map_err(in_layout)?;
        if !is_locked {
            check_identity(&layout.metadata, &parsed).map_err(in_layout)?;
            check_record(&archive, &layout.dist_info)
                .map_err(|why| WheelProblem::Record { filename: filename.to_owned(), why })?;
        }
        let expected = chosen_by.and_then(|text| Metadata::parse(text).ok());
        if expected.is_some_and(|expected| expected.requires_dist != layout.metadata.requires_dist) {
            return Err(WheelProblem::OtherRequirements { filename: filename.to_owned() });
        }
        let package = layout.metadata.name.clone();
        let modules = top_level_modules(&archive, &layout);
        let imports = modules.keys().cloned().collect();
        for (module, file) in modules.into_iter().filter(|(_, file)| file.is_exclusive) {
            match self.claims.get(&module) {
                Some(claim) if claim.file.contents != file.contents && !(claim.is_locked && is_locked) => {
                    return Err(WheelProblem::Collision { one: claim.package.clone(), other: package, module });
                }
                Some(_) => {}
                None => drop(self.claims.insert(module, Claim { package: package.clone(), is_locked, file })),
            }
        }
        let metadata = layout.metadata;
        Ok(WheelEntry { name: metadata.name, version: metadata.version, imports })
    }
}

fn check_record(archive: &Archive, dist_info: &str) -> Result<(), String> {
    let path = format!("{dist_info}/RECORD");
    let entry = archive.find(&path).ok_or_else(|| format!("{path} is missing"))?;
    let text = archive.read_text(entry).map_err(|error| error.to_string())?;
    let record = Record::parse(&text).map_err(|error: RecordError| error.to_string())?;
    let report = record.compare(archive);
    let differences = [
        (&report.missing, "is listed and missing"),
        (&report.unlisted, "is there and not listed"),
        (&report.wrong_size, "has another size than is listed"),
    ];
    match differences.iter().find_map(|(paths, what)| Some((paths.first()?, what))) {
        Some((path, what)) => Err(format!("{path} {what}")),
        None => Ok(()),
    }
}
