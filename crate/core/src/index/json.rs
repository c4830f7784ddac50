//! The Simple API as JSON (PEP 691).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::{CoreMetadata, IndexError, ProjectFile, ProjectPage, check_version, sha256};
use crate::name::PackageName;

#[derive(Deserialize)]
struct Document {
    meta: Meta,
    name: String,
    files: Vec<Value>,
}

#[derive(Deserialize)]
struct Meta {
    #[serde(rename = "api-version")]
    api_version: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
struct File {
    filename: String,
    url: String,
    hashes: BTreeMap<String, String>,
    requires_python: Option<String>,
    yanked: Option<Flag<String>>,
    /// PEP 714's name, which goes before PEP 658's.
    core_metadata: Option<Flag<BTreeMap<String, String>>>,
    dist_info_metadata: Option<Flag<BTreeMap<String, String>>>,
    size: Option<u64>,
    upload_time: Option<String>,
}

/// `true`, `false`, or something that says more than `true`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Flag<T> {
    Plain(bool),
    Detailed(T),
}

pub(super) fn parse(project: &PackageName, text: &str) -> Result<ProjectPage, IndexError> {
    let format = |error: serde_json::Error| IndexError::Json { reason: error.to_string() };
    let document: Document = serde_json::from_str(text).map_err(format)?;
    check_version(&document.meta.api_version)?;
    if document.name.parse::<PackageName>().as_ref() != Ok(project) {
        return Err(IndexError::OtherProject { found: document.name.chars().take(80).collect() });
    }
    let files = document.files.into_iter().filter_map(|file| Some(read(serde_json::from_value(file).ok()?)));
    Ok(ProjectPage { base: None, files: files.flatten().collect() })
}

/// `None` for a file whose hash is not one: it could never be checked.
fn read(file: File) -> Option<ProjectFile> {
    let url = file.url.split('#').next().unwrap_or_default().to_owned();
    let sha256 = match file.hashes.get("sha256") {
        Some(hash) => Some(sha256(hash)?),
        None => None,
    };
    let metadata = match file.core_metadata.or(file.dist_info_metadata) {
        None | Some(Flag::Plain(false)) => CoreMetadata::Absent,
        Some(Flag::Plain(true)) => CoreMetadata::Offered { sha256: None },
        Some(Flag::Detailed(hashes)) => {
            CoreMetadata::Offered { sha256: hashes.get("sha256").and_then(|hash| super::sha256(hash)) }
        }
    };
    let yanked = match file.yanked {
        None | Some(Flag::Plain(false)) => None,
        Some(Flag::Plain(true)) => Some(String::new()),
        Some(Flag::Detailed(reason)) => Some(reason),
    };
    Some(ProjectFile {
        filename: file.filename,
        url,
        sha256,
        requires_python: file.requires_python.filter(|specifiers| !specifiers.trim().is_empty()),
        yanked,
        metadata,
        size: file.size,
        upload_time: file.upload_time,
    })
}
