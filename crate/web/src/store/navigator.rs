//! What the browser has for keeping things, on a page and in a worker alike. Any of it may be missing.

use js_sys::{Function, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = navigator)]
    static NAVIGATOR: Option<Navigator>;

    #[derive(Clone)]
    type Navigator;

    #[wasm_bindgen(method, getter)]
    fn storage(this: &Navigator) -> Option<StorageManager>;

    #[wasm_bindgen(method, getter)]
    fn locks(this: &Navigator) -> Option<LockManager>;

    /// `StorageManager` of the Storage Standard.
    pub type StorageManager;

    /// The root of the origin private file system (File System Standard).
    #[wasm_bindgen(method, catch, js_name = getDirectory)]
    pub fn get_directory(this: &StorageManager) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn estimate(this: &StorageManager) -> Result<Promise, JsValue>;

    /// `LockManager` of Web Locks.
    pub type LockManager;

    /// Asks for an exclusive lock, held until the promise that `hold` returns is settled.
    #[wasm_bindgen(method, catch)]
    pub fn request(this: &LockManager, name: &str, hold: &Function) -> Result<Promise, JsValue>;
}

/// `navigator.storage`.
pub fn storage() -> Option<StorageManager> {
    NAVIGATOR.with(Clone::clone)?.storage()
}

/// `navigator.locks`.
pub fn locks() -> Option<LockManager> {
    NAVIGATOR.with(Clone::clone)?.locks()
}

/// The bytes that the browser gives the whole site.
pub async fn quota() -> Option<u64> {
    let estimate = JsFuture::from(storage()?.estimate().ok()?).await.ok()?;
    Reflect::get(&estimate, &"quota".into()).ok()?.as_f64().map(|quota| quota as u64)
}
