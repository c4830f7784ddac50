//! Whether a wheel that no lock file vouches for is what it is taken for.

use taipan_core::archive::Archive;
use taipan_core::wheel::{Metadata, Record, WheelFilename, WheelLayout, check_identity};

use crate::error::{Code, Error, Result};
use crate::packages::wanted::WheelFacts;

/// Checks that a wheel is what its file name says and requires what it was chosen for.
///
/// # Errors
/// [`Code::BadWheel`].
pub fn check_metadata(layout: &WheelLayout, filename: &WheelFilename, facts: &WheelFacts) -> Result<()> {
    let wrong = |why: String| {
        Error::new(Code::BadWheel, format!("{filename} is not what it was taken for: {why}."))
            .hint("The wheel or the index is at fault: use another version of the package, and tell who publishes it.")
    };
    check_identity(&layout.metadata, filename).map_err(|error| wrong(error.to_string()))?;
    let differs = |expected: &Metadata| expected.requires_dist != layout.metadata.requires_dist;
    if facts.metadata.as_ref().is_some_and(differs) {
        return Err(wrong("it requires other packages than the index says".to_owned()));
    }
    Ok(())
}

/// Checks that a wheel holds what it says. The lock file's wheels have a hash as a whole, which says more.
///
/// # Errors
/// [`Code::BadWheel`].
pub fn check_record(archive: &Archive, layout: &WheelLayout, file_name: &str) -> Result<()> {
    let broken = |why: String| {
        Error::new(Code::BadWheel, format!("{file_name} does not hold what it says: {why}."))
            .hint("The file was changed after it was built: get it again from where it was published.")
    };
    let path = format!("{}/RECORD", layout.dist_info);
    let entry = archive.find(&path).ok_or_else(|| broken(format!("{path} is missing")))?;
    let text = archive.read_text(entry).map_err(|error| broken(error.to_string()))?;
    let report = Record::parse(&text).map_err(|error| broken(error.to_string()))?.compare(archive);
    let differences = [
        (&report.missing, "is listed and missing"),
        (&report.unlisted, "is there and not listed"),
        (&report.wrong_size, "has another size than is listed"),
    ];
    match differences.iter().find_map(|(paths, what)| Some((paths.first()?, what))) {
        Some((path, what)) => Err(broken(format!("{path} {what}"))),
        None => Ok(()),
    }
}
