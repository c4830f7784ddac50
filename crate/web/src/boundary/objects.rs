//! JavaScript objects, with the types that `boundary.d.ts` declares for them.

use wasm_bindgen::prelude::*;

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
