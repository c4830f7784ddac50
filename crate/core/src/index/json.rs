//! The Simple API as JSON (PEP 691).

use serde_json::Value;

use super::{CoreMetadata, IndexError, ProjectFile, ProjectPage, check_version, sha256};
use crate::name::PackageName;

pub(super) fn parse(project: &PackageName, text: &str) -> Result<ProjectPage, IndexError> {
    let format = |reason: String| IndexError::Json { reason };
    let document: Value = serde_json::from_str(text).map_err(|error| format(error.to_string()))?;
    let missing = |what: &str| format(format!("it has no {what}"));
    let version = document.pointer("/meta/api-version").and_then(Value::as_str);
    let name = document.get("name").and_then(Value::as_str).ok_or_else(|| missing("name"))?;
    let files = document.get("files").and_then(Value::as_array).ok_or_else(|| missing("files"))?;
    check_version(version.ok_or_else(|| missing("version of the Simple API"))?)?;
    if name.parse::<PackageName>().as_ref() != Ok(project) {
        return Err(IndexError::OtherProject { found: name.chars().take(80).collect() });
    }
    Ok(ProjectPage { base: None, files: files.iter().filter_map(read).collect() })
}

/// `None` for what is no file, and for one whose hash is not one: it could never be checked.
fn read(file: &Value) -> Option<ProjectFile> {
    let text = |name: &str| file.get(name).and_then(Value::as_str).map(str::to_owned);
    let hash = |hashes: &Value| hashes.get("sha256").and_then(Value::as_str).map(sha256);
    // PEP 714's name goes before PEP 658's.
    let metadata = file.get("core-metadata").or_else(|| file.get("dist-info-metadata"));
    let metadata = match metadata {
        Some(Value::Bool(true)) => CoreMetadata::Offered { sha256: None },
        Some(hashes @ Value::Object(_)) => CoreMetadata::Offered { sha256: hash(hashes).flatten() },
        _ => CoreMetadata::Absent,
    };
    let yanked = match file.get("yanked") {
        Some(Value::Bool(true)) => Some(String::new()),
        Some(Value::String(reason)) => Some(reason.clone()),
        _ => None,
    };
    let hashes = file.get("hashes").filter(|hashes| hashes.is_object())?;
    Some(ProjectFile {
        filename: text("filename")?,
        url: text("url")?.split('#').next()?.to_owned(),
        sha256: match hash(hashes) {
            Some(hash) => Some(hash?),
            None => None,
        },
        requires_python: text("requires-python").filter(|specifiers| !specifiers.trim().is_empty()),
        yanked,
        metadata,
        size: file.get("size").and_then(Value::as_u64),
        upload_time: text("upload-time"),
    })
}
