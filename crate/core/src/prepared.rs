//! Distributions that were prepared for serving (`taipan prepare`): what their lock file and their archives say of files.
//!
//! The lock file has sizes and hashes of what is asked for by name, under the key `taipan`. Files of an archive that are
//! not needed at once, and side modules, are served beside it; which they are stands in the archive, in a file called
//! [`LISTING`]. So every byte is vouched for by the lock file, directly or through an archive.

use std::collections::{BTreeMap, HashSet};

use serde::Deserialize;
use thiserror::Error;

use crate::archive::parse_path;
use crate::name::PackageName;
use crate::source::SharedSource;
use crate::vfs::{Content, LayerEntry};

/// The name of the file in an archive that says what is served beside it. It is not mounted.
pub const LISTING: &str = "taipan-detached.json";

/// The largest listing, in bytes.
const MAX_LISTING: usize = 16 << 20;

/// The most files that a manifest or a listing may name.
const MAX_FILES: usize = 100_000;

/// The largest file that is served, in bytes.
const MAX_SIZE: u64 = 1 << 31;

/// The longest address, in bytes.
const MAX_ADDRESS: usize = 2048;

/// What a lock file says of the files of a prepared distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Manifest {
    /// Files by their address from the lock file's folder: glue, module, standard library, archives.
    pub(crate) files: BTreeMap<String, FileFacts>,
    /// Files of the side modules that importing a package links, in that order, by the SHA-256 of the archive they belong to.
    pub(crate) side_modules: BTreeMap<String, Vec<Detached>>,
    /// Packages to be fetched before anybody asks for them, what they need first.
    pub(crate) prefetch: Vec<PackageName>,
    /// An image of the distribution with packages imported.
    pub(crate) image: Option<ServedFile>,
}

/// What is known of a file before it comes.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct FileFacts {
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// A file that is served, by its address.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct ServedFile {
    /// Address from the folder of the packages.
    pub file_name: String,
    /// Bytes.
    pub size: u64,
    /// SHA-256, hexadecimal.
    pub sha256: String,
}

/// A file that holds files of an archive, one after the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detached {
    /// Where it is.
    pub file: ServedFile,
    contents: Vec<DetachedFile>,
}

/// As it is written in a lock file and in a listing.
#[derive(Deserialize)]
pub(crate) struct Listed {
    file_name: String,
    size: u64,
    sha256: String,
    contents: Vec<(String, u64, u32, u32)>,
}

/// A file of an archive whose content is elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
struct DetachedFile {
    path: String,
    size: u64,
    /// Seconds since 1970.
    modified: u32,
    permissions: u32,
}

/// Why a manifest or a listing cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ManifestError {
    /// It is not JSON, or does not have the fields.
    #[error("it cannot be read: {reason}")]
    Format {
        /// What the parser says.
        reason: String,
    },
    /// An address leads out of the folder, or is none.
    #[error("{address:?} is no address inside the folder")]
    Address {
        /// What stands there.
        address: String,
    },
    /// A hash is not one.
    #[error("the SHA-256 of {address} is not 64 hexadecimal digits: {sha256:?}")]
    Hash {
        /// Which file.
        address: String,
        /// What stands there.
        sha256: String,
    },
    /// A path cannot be a file's, or is there twice.
    #[error("{path:?} cannot be the path of a file: {reason}")]
    Path {
        /// What stands there.
        path: String,
        /// Why.
        reason: String,
    },
    /// A file is larger than may be, or there are too many.
    #[error("{what}: {actual}, at most {limit} are allowed")]
    TooMuch {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        actual: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// The contents of a file do not fill it exactly.
    #[error("what is listed in {address} has {listed} bytes, the file has {size}")]
    Contents {
        /// Which file.
        address: String,
        /// Bytes of what is listed.
        listed: u64,
        /// Bytes of the file.
        size: u64,
    },
}

impl ServedFile {
    /// Its name, without a folder.
    pub fn name(&self) -> &str {
        self.file_name.rsplit('/').next().unwrap_or_default()
    }
}

impl Manifest {
    /// What is known of a file, by its address from the lock file's folder.
    pub fn file(&self, file_name: &str) -> Option<&FileFacts> {
        self.files.get(file_name)
    }

    /// All files that the lock file itself vouches for.
    pub fn files(&self) -> impl Iterator<Item = (&str, &FileFacts)> {
        self.files.iter().map(|(name, facts)| (name.as_str(), facts))
    }

    /// The files of the side modules that importing from an archive links, in that order.
    pub fn side_modules(&self, archive_sha256: &str) -> &[Detached] {
        self.side_modules.get(archive_sha256).map_or(&[], Vec::as_slice)
    }

    /// Packages to be fetched before anybody asks for them.
    pub fn prefetch(&self) -> &[PackageName] {
        &self.prefetch
    }

    /// An image of the distribution with packages imported, to start from.
    pub const fn image(&self) -> Option<&ServedFile> {
        self.image.as_ref()
    }

    /// # Errors
    /// [`ManifestError`].
    pub(crate) fn check(&self) -> Result<(), ManifestError> {
        not_over("files", self.files.len() as u64, MAX_FILES as u64)?;
        for (name, facts) in &self.files {
            check_file(name, facts.size, &facts.sha256)?;
        }
        if let Some(image) = &self.image {
            check_file(&image.file_name, image.size, &image.sha256)?;
        }
        Ok(())
    }
}

impl Detached {
    /// Reads a listing.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub fn parse(listing: &[u8]) -> Result<Vec<Self>, ManifestError> {
        #[derive(Deserialize)]
        struct Listing {
            files: Vec<Listed>,
        }
        not_over("bytes in a listing", listing.len() as u64, MAX_LISTING as u64)?;
        let listing: Listing =
            serde_json::from_slice(listing).map_err(|error| ManifestError::Format { reason: error.to_string() })?;
        Self::check(listing.files)
    }

    /// What is listed, if it can be.
    ///
    /// # Errors
    /// [`ManifestError`].
    pub(crate) fn check(listed: Vec<Listed>) -> Result<Vec<Self>, ManifestError> {
        let count = listed.iter().map(|file| file.contents.len() + 1).sum::<usize>();
        not_over("files in a listing", count as u64, MAX_FILES as u64)?;
        let mut seen = HashSet::new();
        let mut detached = Vec::with_capacity(listed.len());
        for Listed { file_name, size: all, sha256, contents } in listed {
            check_file(&file_name, all, &sha256)?;
            let mut files = Vec::with_capacity(contents.len());
            let mut total = 0_u64;
            for (path, size, modified, permissions) in contents {
                check_path(&path)?;
                if !seen.insert(path.clone()) {
                    return Err(ManifestError::Path { path, reason: "it is there twice".to_owned() });
                }
                total = total.saturating_add(size);
                // Who mounts an archive must be able to read it; set-id bits mean nothing here.
                let permissions = permissions & 0o777 | 0o400;
                files.push(DetachedFile { path, size, modified, permissions });
            }
            if total != all {
                return Err(ManifestError::Contents { address: file_name, listed: total, size: all });
            }
            detached.push(Self { file: ServedFile { file_name, size: all, sha256 }, contents: files });
        }
        Ok(detached)
    }

    /// The paths of its files in the archive, and their sizes in bytes, in order.
    pub fn contents(&self) -> impl ExactSizeIterator<Item = (&str, u64)> {
        self.contents.iter().map(|file| (file.path.as_str(), file.size))
    }

    /// Its files as entries of a layer, below `directory`, which is empty or ends in `/`. Nothing is read from `source`
    /// before a file is.
    pub fn entries(&self, directory: &str, source: &SharedSource) -> Vec<LayerEntry> {
        let mut offset = 0;
        let entry = |file: &DetachedFile| {
            let content = Content::Stored { source: SharedSource::clone(source), offset, length: file.size };
            offset += file.size;
            let mtime = f64::from(file.modified) * 1000.0;
            LayerEntry::file(format!("{directory}{}", file.path), file.permissions, mtime, content)
        };
        self.contents.iter().map(entry).collect()
    }
}

fn check_file(address: &str, size: u64, sha256: &str) -> Result<(), ManifestError> {
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && !part.contains([':', '\\', '?', '#', '%', '\0']);
    if address.len() > MAX_ADDRESS || !address.split('/').all(is_part) {
        return Err(ManifestError::Address { address: address.to_owned() });
    }
    if sha256.len() != 64 || !sha256.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(ManifestError::Hash { address: address.to_owned(), sha256: sha256.to_owned() });
    }
    not_over("bytes in a file", size, MAX_SIZE)
}

fn check_path(path: &str) -> Result<(), ManifestError> {
    let refuse = |reason: String| Err(ManifestError::Path { path: path.to_owned(), reason });
    match parse_path(path.as_bytes()) {
        Ok((_, false)) => Ok(()),
        Ok((_, true)) => refuse("it is that of a directory".to_owned()),
        Err(error) => refuse(error.to_string()),
    }
}

fn not_over(what: &'static str, actual: u64, limit: u64) -> Result<(), ManifestError> {
    if actual > limit { Err(ManifestError::TooMuch { what, actual, limit }) } else { Ok(()) }
}
