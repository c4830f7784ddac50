//! The types that cross into JavaScript, as `boundary.d.ts` declares them.
//!
//! Plain data goes out by way of serde-wasm-bindgen and comes in as JSON; what the host hands in as an object with
//! methods is an `extern` type.

mod host;
mod objects;
mod options;
mod progress;
mod reports;

use serde::Serialize;
use serde::de::DeserializeOwned;
use wasm_bindgen::prelude::*;

pub use self::host::{EngineHost, WaitingText};
pub use self::objects::{
    BootOptionsObject, CheckpointInfoObject, FileStatObject, InstallOptionsObject, KeptImageArray, KnownFilesObject,
    MemoryUseObject, MountSource, PackageInfoArray, RunEndObject, RunRequestObject, StoreBackendName, StoreUsageObject,
    TimingsObject, WantedImage,
};
pub use self::options::{BootOptions, CacheMode, ImportsFrom, InstallOptions, KnownFile, KnownFiles, ShippedBytecode};
pub use self::progress::{OverallProgress, Progress, Stage};
pub use self::reports::{
    CheckpointInfo, FileStat, ImageOrigin, KeptImage, MemoryUse, Notice, NoticeCode, PackageInfo, StoreUsage,
};

use crate::error::{Code, Error, Result};

#[wasm_bindgen(typescript_custom_section)]
const DECLARATIONS: &str = include_str!("boundary.d.ts");

/// Reads plain data of JavaScript's, as JSON. Property by property takes longer, in functions that nothing else of a start
/// calls.
///
/// # Errors
/// [`Code::BadArgument`], saying `what` is wrong.
pub fn from_js<T: DeserializeOwned>(what: &str, value: &JsValue) -> Result<T> {
    let wrong = |reason: &str| Error::new(Code::BadArgument, format!("{what} are wrong: {reason}"));
    let text = js_sys::JSON::stringify(value).ok().and_then(|text| text.as_string());
    let text = text.ok_or_else(|| wrong("they are no plain data"))?;
    serde_json::from_str(&text).map_err(|error| wrong(&error.to_string()))
}

/// Converts plain data to a JavaScript object; maps become objects.
pub fn to_js(value: &impl Serialize) -> JsValue {
    let serializer = serde_wasm_bindgen::Serializer::json_compatible();
    // Our own structs have string keys and finite numbers: nothing that could fail to convert.
    value.serialize(&serializer).unwrap_or(JsValue::UNDEFINED)
}
