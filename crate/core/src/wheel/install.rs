//! Where the files of a wheel go.

use thiserror::Error;

use super::metadata::{MAX_BYTES, Metadata, MetadataError};
use crate::archive::{Archive, ArchiveError, Entry, EntryKind};
use crate::name::PackageName;

/// What was found in a wheel that can be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelLayout {
    /// The directory of its metadata, such as `pandas-2.3.1.dist-info`.
    pub dist_info: String,
    /// The directory of files that go elsewhere, such as `pandas-2.3.1.data`, if there is one.
    pub data: Option<String>,
    /// What it says of itself.
    pub metadata: Metadata,
}

/// Why a wheel cannot be installed.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum InstallError {
    /// Its archive cannot be read.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// Its metadata cannot be used.
    #[error(transparent)]
    Metadata(#[from] MetadataError),
    /// There is not exactly one directory of metadata.
    #[error("it has {count} .dist-info directories, a wheel has one")]
    DistInfo {
        /// How many there are.
        count: usize,
    },
    /// A file that a wheel must have is missing.
    #[error("{path} is missing")]
    Missing {
        /// Path in the archive.
        path: String,
    },
    /// It is another package than its file name says.
    #[error("its metadata names {found}, its file name {expected}")]
    OtherPackage {
        /// As the metadata says.
        found: String,
        /// As the file name says.
        expected: PackageName,
    },
    /// It is another version than its file name says.
    #[error("its metadata names version {found}, its file name {expected}")]
    OtherVersion {
        /// As the metadata says.
        found: String,
        /// As the file name says.
        expected: String,
    },
}

impl WheelLayout {
    /// Looks into the archive of a wheel that should hold a package.
    ///
    /// # Errors
    /// [`InstallError`].
    pub fn of(archive: &Archive, expected: &PackageName) -> Result<Self, InstallError> {
        let dist_info = only_directory(archive, ".dist-info")?;
        let stem = dist_info.trim_end_matches(".dist-info");
        let belongs = |data: &String| data.trim_end_matches(".data").eq_ignore_ascii_case(stem);
        let data = top_level(archive, ".data").into_iter().find(belongs);
        for file in ["METADATA", "WHEEL", "RECORD"] {
            let path = format!("{dist_info}/{file}");
            if archive.find(&path).is_none() {
                return Err(InstallError::Missing { path });
            }
        }
        let path = format!("{dist_info}/METADATA");
        let entry = archive.find(&path).ok_or(InstallError::Missing { path })?;
        if entry.size > MAX_BYTES as u64 {
            let actual = usize::try_from(entry.size).unwrap_or(usize::MAX);
            return Err(MetadataError::TooLarge { actual, limit: MAX_BYTES }.into());
        }
        let metadata = Metadata::parse(&archive.read_text(entry)?)?;
        if metadata.name.parse::<PackageName>().as_ref() != Ok(expected) {
            return Err(InstallError::OtherPackage { found: metadata.name, expected: expected.clone() });
        }
        Ok(Self { dist_info, data, metadata })
    }

    /// Where an entry goes, from `site-packages`; `None` for what has no place here.
    ///
    /// Of the `.data` directory, `purelib` and `platlib` go to `site-packages` and `data` to the prefix, as the
    /// specification says; `scripts` and `headers` are left out: nobody can start or compile them.
    pub fn place(&self, entry: &Entry) -> Option<Place> {
        let path = &entry.path;
        let inside = self.data.as_ref().and_then(|data| path.strip_prefix(data.as_str())?.strip_prefix('/'));
        let Some(inside) = inside else {
            let is_data = self.data.as_ref() == Some(path);
            return (!is_data).then(|| Place::SitePackages(path.clone()));
        };
        let (scheme, rest) = inside.split_once('/')?;
        match scheme {
            "purelib" | "platlib" => Some(Place::SitePackages(rest.to_owned())),
            "data" => Some(Place::Prefix(rest.to_owned())),
            _ => None,
        }
    }
}

/// Where a file of a wheel goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    /// Below `site-packages`.
    SitePackages(String),
    /// Below `sys.prefix`.
    Prefix(String),
}

/// Whether an entry is a side module, by its name.
pub fn is_side_module(entry: &Entry) -> bool {
    entry.kind == EntryKind::File && is_library(&entry.path)
}

/// Whether a path is that of a library, by its name: `.so`, or `.so.1` and the like.
pub fn is_library(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_versioned = || {
        name.split_once(".so.").is_some_and(|(_, version)| {
            !version.is_empty() && version.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        })
    };
    std::path::Path::new(name).extension().is_some_and(|extension| extension == "so") || is_versioned()
}

pub(super) fn only_directory(archive: &Archive, suffix: &str) -> Result<String, InstallError> {
    let mut found = top_level(archive, suffix);
    match (found.pop(), found.len()) {
        (Some(only), 0) => Ok(only),
        (None, _) => Err(InstallError::DistInfo { count: 0 }),
        (Some(_), others) => Err(InstallError::DistInfo { count: others + 1 }),
    }
}

/// Directories at the top of the archive whose names end in a suffix.
fn top_level(archive: &Archive, suffix: &str) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for entry in archive.entries() {
        let first = entry.path.split('/').next().unwrap_or_default();
        if first.ends_with(suffix) && !found.iter().any(|known| known == first) {
            found.push(first.to_owned());
        }
    }
    found
}
