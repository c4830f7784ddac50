//! What the page asks for when it starts Python or installs packages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// `BootOptions` of `boundary.d.ts`.
#[derive(Debug, Clone, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "options are told apart by their names")]
pub struct BootOptions {
    /// Folder of the distribution, ending in `/`.
    #[serde(rename = "indexURL")]
    pub index_url: String,
    /// Where the lock file is, if not in `index_url`.
    #[serde(rename = "lockFileURL", default)]
    pub lock_file_url: Option<String>,
    /// The lock file itself.
    #[serde(rename = "lockFileContents", default)]
    pub lock_file_contents: Option<String>,
    /// Folders of the wheels, each ending in `/`, in the order in which they are asked.
    #[serde(rename = "packageBaseUrls", default)]
    pub package_base_urls: Option<Vec<String>>,
    /// Where the standard library is, if not in `index_url`.
    #[serde(rename = "stdLibURL", default)]
    pub standard_library_url: Option<String>,
    /// Roots of package indexes.
    #[serde(rename = "indexURLs", default)]
    pub index_urls: Option<Vec<String>>,
    /// Who may bring what code imports.
    #[serde(rename = "importsFrom", default)]
    pub imports_from: ImportsFrom,
    /// Milliseconds without a byte after which a transfer is taken up again.
    #[serde(rename = "stallTimeoutMs", default)]
    pub stall_timeout: Option<f64>,
    /// Whether anything may be kept for the next visit.
    #[serde(default)]
    pub cache: CacheMode,
    /// Bytecode that does not come with the distribution, by the SHA-256 of the archive it belongs to.
    #[serde(default)]
    pub bytecode: BTreeMap<String, ShippedBytecode>,
    /// Address of an image to restore, if it fits.
    #[serde(default)]
    pub image: Option<String>,
    /// Name of an image that is kept in this browser, to be restored if there is one and it fits.
    #[serde(rename = "imageName", default)]
    pub image_name: Option<String>,
    /// Whether the image that Taipan has made by itself may be restored, and another asked for.
    #[serde(rename = "automaticImage", default)]
    pub automatic_image: bool,
    /// Whether the image that Taipan has made by itself is to be forgotten first, and none restored.
    #[serde(rename = "forgetImage", default)]
    pub forget_image: bool,
    /// Whether the image that the lock file names may be restored.
    #[serde(rename = "distributionImage", default)]
    pub distribution_image: bool,
    /// The most that is kept, in bytes.
    #[serde(rename = "cacheLimit", default)]
    pub cache_limit: Option<f64>,
    /// The most bytes of memory that checkpoints hold.
    #[serde(rename = "checkpointLimit", default)]
    pub checkpoint_limit: Option<f64>,
    /// Nothing that this interpreter does is of account for the next visit's.
    #[serde(default)]
    pub is_rehearsal: bool,
    /// What an earlier visit has found the distribution's files to be.
    #[serde(default)]
    pub known: Option<KnownFiles>,
    /// Packages to have on the path when boot is done.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: BTreeMap<String, String>,
}

impl BootOptions {
    /// What says which distribution a start is of, and which lock file; empty where there is no such option.
    pub fn of_distribution(&self) -> [&str; 3] {
        let lock = [&self.lock_file_url, &self.lock_file_contents].map(|part| part.as_deref().unwrap_or_default());
        [&self.index_url, lock[0], lock[1]]
    }

    /// The folders of the wheels named in the lock file, each ending in `/`, in the order in which they are asked.
    pub fn base_urls(&self) -> Vec<String> {
        self.package_base_urls.clone().unwrap_or_else(|| match &self.lock_file_url {
            Some(url) => vec![folder(url).to_owned()],
            None => vec![self.index_url.clone()],
        })
    }
}

/// The folder that a URL's file is in.
fn folder(url: &str) -> &str {
    let path_end = url.find(['?', '#']).unwrap_or(url.len());
    url[..path_end].rfind('/').map_or(url, |slash| &url[..=slash])
}

/// `BootOptions.importsFrom` of `boundary.d.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImportsFrom {
    /// The lock file, then the indexes.
    #[default]
    Indexes,
    /// The lock file alone.
    Lock,
}

/// What may be kept from one visit to the next.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CacheMode {
    /// What spares work on the next visit.
    #[default]
    Persistent,
    /// Nothing beyond the browser's own HTTP cache.
    None,
}

/// `ShippedBytecode` of `boundary.d.ts`.
#[derive(Debug, Clone, Deserialize)]
pub struct ShippedBytecode {
    /// Where it is.
    pub url: String,
    /// SHA-256 of the file.
    pub sha256: String,
}

/// `KnownFiles` of `boundary.d.ts`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct KnownFiles {
    /// Emscripten's glue.
    pub glue: KnownFile,
    /// CPython's module.
    pub module: KnownFile,
}

/// `KnownFile` of `boundary.d.ts`.
#[derive(Debug, Clone, Deserialize, Serialize)]
pub struct KnownFile {
    /// What it is called in the folder of the distribution.
    pub name: String,
    /// Its SHA-256.
    pub sha256: String,
    /// What tells the answer in which it came from others. The page looks at it, nobody else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub answer: Option<String>,
}

/// `InstallOptions` of `boundary.d.ts`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct InstallOptions {
    /// Roots of package indexes, instead of those of the boot.
    #[serde(rename = "indexURLs", default)]
    pub index_urls: Option<Vec<String>>,
    /// Requirements that restrict versions of what is needed anyway.
    #[serde(default)]
    pub constraints: Vec<String>,
    /// Whether pre-releases are as good as releases.
    #[serde(default)]
    pub pre: bool,
}

#[cfg(test)]
mod tests {
    use js_sys::JSON;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::boundary::from_js;

    #[wasm_bindgen_test]
    fn boot_options_are_read_as_declared() {
        let object = JSON::parse(
            r#"{"indexURL": "https://example.org/", "packages": ["pandas"], "env": {"A": "b"}, "cache": "none"}"#,
        )
        .unwrap();
        let options: BootOptions = from_js("They", &object).unwrap();
        assert_eq!(options.index_url, "https://example.org/");
        assert_eq!((options.packages, options.cache), (vec!["pandas".to_owned()], CacheMode::None));
        assert_eq!(options.env["A"], "b");
        assert!(options.lock_file_url.is_none());

        let without_index = JSON::parse("{}").unwrap();
        assert!(from_js::<BootOptions>("They", &without_index).unwrap_err().message().contains("indexURL"));
        assert!(from_js::<BootOptions>("They", &wasm_bindgen::JsValue::UNDEFINED).is_err());
    }
}
