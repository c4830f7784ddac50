//! Files that nobody waits for.

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

use super::{Sources, compare_sha256, sha256};
use crate::global;

/// A file, without anybody hearing of it: one attempt at each mirror, which gives way to other requests.
pub async fn fetch_ahead(sources: &Sources) -> Option<Uint8Array> {
    for url in &sources.mirrors {
        let Some(bytes) = attempt(url).await else { continue };
        match &sources.sha256 {
            Some(expected) if compare_sha256(url, &sha256(&bytes).await, expected).is_err() => {}
            _ => return Some(bytes),
        }
    }
    None
}

/// The body of an answer, if there is one that is a success.
async fn attempt(url: &str) -> Option<Uint8Array> {
    let init = RequestInit::new();
    // Browsers that do not know it take no notice.
    let _ = Reflect::set(&init, &"priority".into(), &"low".into());
    let response: Response = JsFuture::from(global::fetch(url, &init).ok()?).await.ok()?.unchecked_into();
    if !response.ok() {
        return None;
    }
    let body: ArrayBuffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?.unchecked_into();
    Some(Uint8Array::new(&body))
}
