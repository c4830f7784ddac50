//! Pages of Python package indexes: the Simple API in JSON (PEP 691, 700, 714) and in HTML (PEP 503, 592, 658).
//!
//! A page lists the files of one project. What an index sends is not trusted: sizes have limits, and what is not a page
//! of the project that was asked for is an [`IndexError`]. A file of which the index says something that cannot be
//! understood is left out, so that one bad upload does not hide a project.

mod candidates;
mod html;
mod json;

use thiserror::Error;

use crate::name::PackageName;

pub use candidates::{IndexedFile, candidates};

/// What to ask an index for, best first: the value of an `Accept` header that browsers send to other origins without
/// asking them first (it is shorter than 128 bytes).
pub const ACCEPT: &str =
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1";

/// The most bytes that a page may have: 32 MiB. The largest projects of the Python Package Index have a tenth of it.
pub const MAX_BYTES: usize = 32 << 20;

/// The most files that a page may list.
const MAX_FILES: usize = 200_000;

/// The files of one project.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectPage {
    /// What URLs of files are relative to, where the page itself says so (`<base href>`), else the page's address.
    pub base: Option<String>,
    /// The files, in the page's order.
    pub files: Vec<ProjectFile>,
}

/// A file that an index offers.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ProjectFile {
    /// Its name.
    pub filename: String,
    /// Where it is, as the page says: perhaps relative. Without its fragment.
    pub url: String,
    /// SHA-256, lower-case hexadecimal. Other hashes are not read.
    pub sha256: Option<String>,
    /// `Requires-Python` as it is written.
    pub requires_python: Option<String>,
    /// Why it was yanked (PEP 592), perhaps empty.
    pub yanked: Option<String>,
    /// Whether `METADATA` is at the file's URL with `.metadata` after it (PEP 658).
    pub metadata: CoreMetadata,
    /// Bytes (PEP 700).
    pub size: Option<u64>,
    /// When it was uploaded (PEP 700): ISO 8601, as it is written.
    pub upload_time: Option<String>,
}

/// Whether an index has the metadata of a file beside it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum CoreMetadata {
    /// It does not say so.
    #[default]
    Absent,
    /// It has.
    Offered {
        /// SHA-256 of the metadata, lower-case hexadecimal, where it is given.
        sha256: Option<String>,
    },
}

/// Why an answer is not the page of a project.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum IndexError {
    /// It is too large.
    #[error("it has {actual} {what}, more than the {limit} that are allowed")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How many there are.
        actual: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// It is not text.
    #[error("it is not text in UTF-8")]
    NotText,
    /// It is not JSON, or not that of a project.
    #[error("it is not the JSON of a project: {reason}")]
    Json {
        /// What the parser says.
        reason: String,
    },
    /// It is a web page that lists no files and does not say that it is a page of an index.
    #[error("it is a web page, and not one of a package index")]
    NotAnIndex,
    /// It is of another kind.
    #[error("it is of the type {content_type:?}, which is neither JSON nor HTML")]
    ContentType {
        /// As the server says.
        content_type: String,
    },
    /// It is of a version of the protocol that is not known.
    #[error("it is of version {version:?} of the Simple API; version 1 is understood")]
    Version {
        /// As the page says.
        version: String,
    },
    /// It is the page of another project.
    #[error("it is the page of {found:?}")]
    OtherProject {
        /// As the page says.
        found: String,
    },
}

impl ProjectPage {
    /// Reads what an index answered. `content_type` is the header of that name; where it says nothing, the contents
    /// are looked at.
    ///
    /// # Errors
    /// [`IndexError`].
    pub fn parse(project: &PackageName, content_type: &str, bytes: &[u8]) -> Result<Self, IndexError> {
        over("bytes", bytes.len(), MAX_BYTES)?;
        let text = std::str::from_utf8(bytes).map_err(|_| IndexError::NotText)?;
        let text = text.strip_prefix('\u{feff}').unwrap_or(text);
        let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let page = if essence.ends_with("json") {
            json::parse(project, text)?
        } else if essence.ends_with("html") || essence.ends_with("xml") {
            html::parse(text)?
        } else if !matches!(essence.as_str(), "" | "text/plain" | "application/octet-stream") {
            return Err(IndexError::ContentType { content_type: content_type.chars().take(80).collect() });
        } else if text.trim_start().starts_with('{') {
            json::parse(project, text)?
        } else {
            html::parse(text)?
        };
        over("files", page.files.len(), MAX_FILES)?;
        Ok(page)
    }
}

fn over(what: &'static str, actual: usize, limit: usize) -> Result<(), IndexError> {
    if actual > limit { Err(IndexError::TooMuch { what, actual, limit }) } else { Ok(()) }
}

/// Whether a version of the Simple API (`1.3`) is one that is understood: the first number decides (PEP 629).
fn check_version(version: &str) -> Result<(), IndexError> {
    if version.split('.').next() == Some("1") {
        return Ok(());
    }
    Err(IndexError::Version { version: version.chars().take(40).collect() })
}

/// A SHA-256 in lower case; `None` for what is none.
fn sha256(text: &str) -> Option<String> {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    is_hash.then(|| text.to_ascii_lowercase())
}
