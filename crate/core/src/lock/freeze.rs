//! Lock files for what was installed.

use serde_json::{Value, json};

use super::LockError;
use crate::name::PackageName;

/// A package as it is to stand in a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FrozenPackage {
    /// The name as it is written.
    pub name: String,
    /// PEP 440.
    pub version: String,
    /// Where it is: an absolute URL.
    pub file_name: String,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
    /// Modules at top level that it provides.
    pub imports: Vec<String>,
    /// Packages that it needs.
    pub depends: Vec<String>,
}

/// The lock file `original` with packages added or put in the place of those of the same name. Everything else stays
/// as it is; `base_url` is put before the names of its files, if there is one, so that the result may be kept elsewhere.
///
/// # Errors
/// [`LockError::Format`] if `original` is not a lock file.
pub fn freeze(original: &[u8], packages: Vec<FrozenPackage>, base_url: Option<&str>) -> Result<String, LockError> {
    let format = |reason: String| LockError::Format { reason };
    let mut document: Value = serde_json::from_slice(original).map_err(|error| format(error.to_string()))?;
    let listed = document.get_mut("packages").and_then(Value::as_object_mut);
    let listed = listed.ok_or_else(|| format("it has no packages".to_owned()))?;
    if let Some(base_url) = base_url {
        for file_name in listed.values_mut().filter_map(|package| package.get_mut("file_name")) {
            if let Some(name) = file_name.as_str().filter(|name| !name.contains("://")) {
                *file_name = format!("{base_url}{name}").into();
            }
        }
    }
    for package in packages {
        let name: PackageName = package.name.parse().map_err(|error| format(format!("{error}")))?;
        listed.retain(|key, _| key.parse().as_ref() != Ok(&name));
        let entry = json!({
            "name": package.name, "version": package.version, "file_name": package.file_name, "sha256": package.sha256,
            "imports": package.imports, "depends": package.depends, "install_dir": "site", "package_type": "package",
            "unvendored_tests": false,
        });
        listed.insert(name.to_string(), entry);
    }
    Ok(document.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lock::LockFile;

    #[test]
    fn what_was_installed_takes_the_place_of_what_was_locked() {
        let hash = "0".repeat(64);
        let locked = |name: &str| {
            format!(
                r#"{{"name":"{name}","version":"1","file_name":"{name}-1-py3-none-any.whl","install_dir":"site","sha256":"{hash}","imports":["{name}"],"depends":[]}}"#
            )
        };
        let original = format!(
            r#"{{"info":{{"abi_version":"2025_0","arch":"wasm32"}},"packages":{{"a_b":{},"c":{}}},"taipan":{{}}}}"#,
            locked("a_b"),
            locked("c")
        );
        let package = FrozenPackage {
            name: "A.b".to_owned(),
            version: "2".to_owned(),
            file_name: "https://example.org/A.b-2-py3-none-any.whl".to_owned(),
            sha256: "1".repeat(64),
            imports: vec!["ab".to_owned()],
            depends: vec!["c".to_owned()],
        };
        let text = freeze(original.as_bytes(), vec![package], Some("https://example.com/w/")).unwrap();
        let lock = LockFile::parse(text.as_bytes()).unwrap();
        let closure = lock.closure(&["a-b".parse().unwrap()]).unwrap();
        let files: Vec<&str> = closure.iter().map(|package| package.file_name.as_str()).collect();
        assert_eq!(files, ["https://example.com/w/c-1-py3-none-any.whl", "https://example.org/A.b-2-py3-none-any.whl"]);
        assert_eq!(lock.package_for_import("ab").unwrap().version, "2");
        assert!(text.contains(r#""arch":"wasm32""#));
        assert_eq!(freeze(original.as_bytes(), Vec::new(), None).unwrap().len(), original.len());
    }

    #[test]
    fn what_is_not_a_lock_file_cannot_be_frozen() {
        for text in ["", "[]", "{}", r#"{"packages":[]}"#] {
            assert!(matches!(freeze(text.as_bytes(), Vec::new(), None), Err(LockError::Format { .. })), "{text}");
        }
    }
}
