//! The types that cross into JavaScript, as `boundary.d.ts` declares them.
//!
//! Plain data is converted by serde-wasm-bindgen; what the host hands in as an object with methods is an `extern` type.

mod host;

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

pub use self::host::EngineHost;

#[wasm_bindgen(typescript_custom_section)]
const DECLARATIONS: &str = include_str!("boundary.d.ts");

#[wasm_bindgen]
extern "C" {
    /// `BootOptions` before it is read.
    #[wasm_bindgen(typescript_type = "BootOptions")]
    pub type BootOptionsObject;

    /// `RunRequest` before it is read.
    #[wasm_bindgen(typescript_type = "RunRequest")]
    pub type RunRequestObject;

    /// `InstallOptions` before it is read.
    #[wasm_bindgen(typescript_type = "InstallOptions")]
    pub type InstallOptionsObject;

    /// `Promise<RunEnd>`.
    #[wasm_bindgen(typescript_type = "RunEnd")]
    pub type RunEndObject;

    /// `PackageInfo[]`.
    #[wasm_bindgen(typescript_type = "PackageInfo[]")]
    pub type PackageInfoArray;

    /// `FileStat`.
    #[wasm_bindgen(typescript_type = "FileStat")]
    pub type FileStatObject;

    /// `Timings`.
    #[wasm_bindgen(typescript_type = "Timings")]
    pub type TimingsObject;

    /// `MemoryUse`.
    #[wasm_bindgen(typescript_type = "MemoryUse")]
    pub type MemoryUseObject;

    /// `KeptImage[]`.
    #[wasm_bindgen(typescript_type = "KeptImage[]")]
    pub type KeptImageArray;

    /// `CheckpointInfo`.
    #[wasm_bindgen(typescript_type = "CheckpointInfo")]
    pub type CheckpointInfoObject;

    /// `StoreUsage`.
    #[wasm_bindgen(typescript_type = "StoreUsage")]
    pub type StoreUsageObject;

    /// `ImageRequest`.
    #[wasm_bindgen(extends = js_sys::Object, typescript_type = "ImageRequest")]
    pub type WantedImage;

    /// `KnownFiles`.
    #[wasm_bindgen(typescript_type = "KnownFiles")]
    pub type KnownFilesObject;

    /// `StoreBackend`.
    #[wasm_bindgen(typescript_type = "StoreBackend")]
    pub type StoreBackendName;

    /// What `Engine.mount` takes.
    #[wasm_bindgen(typescript_type = "File | Blob | Uint8Array | FileSystemDirectoryHandle")]
    pub type MountSource;
}

/// A stage of starting Python or of bringing packages in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Every file of the distribution has arrived.
    Fetch,
    /// The interpreter's module is compiled.
    Compile,
    /// Emscripten's glue script has been evaluated.
    Glue,
    /// The interpreter's module is instantiated.
    Instantiate,
    /// The file system is mounted.
    Mount,
    /// CPython's `main` has run.
    Interpreter,
    /// Pyodide's bridge between Python and JavaScript works.
    Bootstrap,
    /// The packages asked for at start are on the path.
    Packages,
    /// Python is ready.
    Ready,
    /// Finding out which packages are needed.
    Resolve,
    /// Packages are coming.
    Download,
    /// Python is importing.
    Import,
    /// An image is coming.
    Image,
}

impl Stage {
    /// The string in `Timings.stages`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Compile => "compile",
            Self::Glue => "glue",
            Self::Instantiate => "instantiate",
            Self::Mount => "mount",
            Self::Interpreter => "interpreter",
            Self::Bootstrap => "bootstrap",
            Self::Packages => "packages",
            Self::Ready => "ready",
            Self::Resolve => "resolve",
            Self::Download => "download",
            Self::Import => "import",
            Self::Image => "image",
        }
    }
}

/// `Progress` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
pub struct Progress<'a> {
    /// What is being done.
    pub stage: Stage,
    /// What it is done to.
    pub name: &'a str,
    /// Bytes or steps done.
    pub loaded: f64,
    /// Bytes or steps in all, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// All downloads together, where this is one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overall: Option<OverallProgress>,
}

/// `Progress.overall` of `boundary.d.ts`, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct OverallProgress {
    /// Done.
    pub loaded: f64,
    /// In all, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
}

/// `BootOptions` of `boundary.d.ts`.
#[derive(Debug, Clone, Deserialize)]
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
    pub bytecode: std::collections::BTreeMap<String, ShippedBytecode>,
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
    /// What an earlier visit has found the distribution's files to be.
    #[serde(default)]
    pub known: Option<KnownFiles>,
    /// Packages to have on the path when boot is done.
    #[serde(default)]
    pub packages: Vec<String>,
    /// Environment variables.
    #[serde(default)]
    pub env: std::collections::BTreeMap<String, String>,
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

impl BootOptions {
    /// What says which distribution a start is of, and which lock file; empty where there is no such option.
    pub fn of_distribution(&self) -> [&str; 3] {
        let lock = [&self.lock_file_url, &self.lock_file_contents].map(|part| part.as_deref().unwrap_or_default());
        [&self.index_url, lock[0], lock[1]]
    }
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

/// Where a restored image came from: `Timings.image` of `boundary.d.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageOrigin {
    /// The page gave its address.
    Address,
    /// The page gave the name under which it is kept.
    Name,
    /// Taipan had made it by itself.
    Automatic,
    /// The lock file names it.
    Distribution,
}

impl ImageOrigin {
    /// The string in `Timings.image`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Address => "address",
            Self::Name => "name",
            Self::Automatic => "automatic",
            Self::Distribution => "distribution",
        }
    }
}

/// `ShippedBytecode` of `boundary.d.ts`.
#[derive(Debug, Clone, Deserialize)]
pub struct ShippedBytecode {
    /// Where it is.
    pub url: String,
    /// SHA-256 of the file.
    pub sha256: String,
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

/// `PackageInfo` of `boundary.d.ts`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PackageInfo {
    /// Name as in the lock file.
    pub name: String,
    /// PEP 440.
    pub version: String,
    /// File name of the wheel or archive.
    pub file_name: String,
    /// `"lock"` or a URL.
    pub source: String,
}

/// `FileStat` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
pub struct FileStat {
    /// `"file"`, `"directory"`, `"symlink"` or `"device"`.
    pub kind: &'static str,
    /// Bytes.
    pub size: f64,
    /// Permission bits.
    pub mode: u32,
    /// Milliseconds since 1970.
    pub accessed: f64,
    /// Milliseconds since 1970.
    pub modified: f64,
    /// Milliseconds since 1970.
    pub changed: f64,
    /// Inode number.
    pub inode: u32,
}

/// `StoreUsage` of `boundary.d.ts`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct StoreUsage {
    /// Bytes of content.
    pub bytes: f64,
    /// The most that is kept, in bytes.
    pub limit: f64,
    /// Pieces of content.
    pub entries: u32,
    /// `StoreBackend`.
    pub backend: &'static str,
}

/// `Notice` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    /// What it is about.
    pub code: NoticeCode,
    /// Sentences.
    pub message: String,
    /// What can be done about it.
    pub hint: &'static str,
}

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum NoticeCode {
    /// Nothing more is kept for the next visit.
    StoreInMemory,
}

/// `MemoryUse` of `boundary.d.ts`, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct MemoryUse {
    /// Linear memory of CPython.
    pub interpreter: f64,
    /// Linear memory of Taipan.
    pub loader: f64,
    /// Archives held outside both.
    pub archives: f64,
    /// Pages of CPython's memory that checkpoints hold.
    pub checkpoints: f64,
}

/// `KeptImage` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeptImage {
    /// Its name.
    pub name: String,
    /// Its size.
    pub bytes: f64,
    /// Milliseconds since 1970.
    pub last_used: f64,
}

/// `CheckpointInfo` of `boundary.d.ts`.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct CheckpointInfo {
    /// Its number.
    pub id: u32,
    /// Bytes of memory that it has added.
    pub bytes: f64,
}

/// Converts plain data to a JavaScript object; maps become objects.
pub fn to_js(value: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    // Our own structs have string keys and finite numbers: nothing that could fail to convert.
    value.serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}

#[cfg(test)]
mod tests {
    use js_sys::{JSON, Reflect};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn boot_options_are_read_as_declared() {
        let object = JSON::parse(
            r#"{"indexURL": "https://example.org/", "packages": ["pandas"], "env": {"A": "b"}, "cache": "none"}"#,
        )
        .unwrap();
        let options: BootOptions = serde_wasm_bindgen::from_value(object).unwrap();
        assert_eq!(options.index_url, "https://example.org/");
        assert_eq!((options.packages, options.cache), (vec!["pandas".to_owned()], CacheMode::None));
        assert_eq!(options.env["A"], "b");
        assert!(options.lock_file_url.is_none());

        let without_index = JSON::parse("{}").unwrap();
        assert!(serde_wasm_bindgen::from_value::<BootOptions>(without_index).is_err());
    }

    #[wasm_bindgen_test]
    fn progress_is_a_plain_object_that_leaves_out_what_is_unknown() {
        let progress =
            to_js(&Progress { stage: Stage::Download, name: "pandas", loaded: 5.0, total: None, overall: None });
        assert_eq!(Reflect::get(&progress, &"stage".into()).unwrap(), "download");
        assert_eq!(Reflect::get(&progress, &"loaded".into()).unwrap(), 5.0);
        assert!(!Reflect::has(&progress, &"total".into()).unwrap());
        assert!(!Reflect::has(&progress, &"overall".into()).unwrap());
    }
}
