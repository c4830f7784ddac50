//! Metadata of a wheel that is not here as a whole.

use super::install::only_directory;
use super::metadata::MAX_BYTES;
use super::{InstallError, Metadata, MetadataError, WheelFilename};
use crate::archive::{Archive, Limits};
use crate::source::SharedSource;

/// `METADATA` of a wheel, as text. With a [`crate::source::SparseSource`] only the end of the wheel, its central
/// directory and the file itself have to be here; when something is missing, the source says what.
///
/// # Errors
/// [`InstallError`], also where bytes are missing.
pub fn read_metadata(source: SharedSource) -> Result<String, InstallError> {
    let is_metadata =
        |path: &str| path.split_once('/').is_some_and(|(top, file)| top.ends_with(".dist-info") && file == "METADATA");
    let archive = Archive::open_some(source, &Limits::default(), is_metadata)?;
    let path = format!("{}/METADATA", only_directory(&archive, ".dist-info")?);
    let entry = archive.find(&path).ok_or(InstallError::Missing { path })?;
    if entry.size > MAX_BYTES as u64 {
        let actual = usize::try_from(entry.size).unwrap_or(usize::MAX);
        return Err(MetadataError::TooLarge { actual, limit: MAX_BYTES }.into());
    }
    Ok(archive.read_text(entry)?)
}

/// Whether metadata is that of the wheel with a file name: its distribution and its version.
///
/// # Errors
/// [`InstallError::OtherPackage`], [`InstallError::OtherVersion`].
pub fn check_identity(metadata: &Metadata, filename: &WheelFilename) -> Result<(), InstallError> {
    if metadata.name.parse().as_ref() != Ok(&filename.name) {
        let (found, expected) = (metadata.name.clone(), filename.name.clone());
        return Err(InstallError::OtherPackage { found, expected });
    }
    let same = match (metadata.version.parse::<crate::version::Version>(), filename.version.parse()) {
        (Ok(found), Ok(expected)) => found == expected,
        _ => metadata.version == filename.version,
    };
    if same {
        return Ok(());
    }
    let (found, expected) = (metadata.version.clone(), filename.version.clone());
    Err(InstallError::OtherVersion { found, expected })
}
