//! What is kept from one visit to the next: bytes by key, in the browser's Cache API.
//!
//! Nothing depends on it: where it does not exist (private windows, insecure pages), is full or has been tampered with,
//! there is nothing in it. Every value is kept with its SHA-256 and checked when it is read.

use js_sys::{Object, Promise, Reflect, Uint8Array};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::emscripten::abi::set;
use crate::fetch::sha256;

/// The name of the cache. Its number changes with the format of what is in it.
const CACHE_NAME: &str = "taipan-1";

/// The Cache API's keys are addresses; nothing is ever fetched from this one (RFC 2606).
const KEY_PREFIX: &str = "https://taipan.invalid/";

/// The header that holds a value's SHA-256.
const HASH_HEADER: &str = "x-taipan-sha256";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = caches)]
    static CACHES: Option<CacheStorage>;

    #[derive(Clone)]
    type CacheStorage;

    #[wasm_bindgen(method, catch)]
    fn open(this: &CacheStorage, name: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = delete)]
    fn delete_cache(this: &CacheStorage, name: &str) -> Result<Promise, JsValue>;

    #[derive(Clone)]
    type Cache;

    #[wasm_bindgen(method, catch, js_name = match)]
    fn find(this: &Cache, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &Cache, key: &str, response: &web_sys::Response) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = delete)]
    fn remove(this: &Cache, key: &str) -> Result<Promise, JsValue>;
}

/// A store, or the lack of one.
#[derive(Clone)]
pub struct Store {
    cache: Option<Cache>,
}

impl Store {
    /// Opens the store of this origin, if the caller wants one and the browser has it.
    pub async fn open(is_wanted: bool) -> Self {
        let cache = if is_wanted { open_cache().await.ok().flatten() } else { None };
        Self { cache }
    }

    /// Whether anything put into it will be found again.
    pub fn is_persistent(&self) -> bool {
        self.cache.is_some()
    }

    /// The bytes kept under a key, if they are there and whole.
    pub async fn get(&self, key: &str) -> Option<Uint8Array> {
        let cache = self.cache.as_ref()?;
        let key = format!("{KEY_PREFIX}{key}");
        let response = JsFuture::from(cache.find(&key).ok()?).await.ok()?;
        let response: web_sys::Response = response.dyn_into().ok()?;
        let expected = response.headers().get(HASH_HEADER).ok()??;
        let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
        let bytes = Uint8Array::new(&buffer);
        if sha256(&bytes).await == expected {
            return Some(bytes);
        }
        if let Ok(removed) = cache.remove(&key) {
            // What is damaged is of no use whether or not it can be removed.
            let _ = JsFuture::from(removed).await;
        }
        None
    }

    /// Keeps bytes under a key, over what was there. Says whether they are kept: the browser may have no room.
    pub async fn put(&self, key: &str, bytes: &Uint8Array) -> bool {
        self.try_put(key, bytes).await.is_ok()
    }

    async fn try_put(&self, key: &str, bytes: &Uint8Array) -> Result<(), JsValue> {
        let Some(cache) = self.cache.as_ref() else { return Err(JsValue::UNDEFINED) };
        let headers = Object::new();
        set(&headers, HASH_HEADER, &sha256(bytes).await.into());
        let init = web_sys::ResponseInit::new();
        init.set_headers(&headers);
        let response = web_sys::Response::new_with_opt_js_u8_array_and_init(Some(bytes), &init)?;
        JsFuture::from(cache.put(&format!("{KEY_PREFIX}{key}"), &response)?).await?;
        Ok(())
    }
}

/// Forgets everything that is kept for this origin.
pub async fn clear() {
    let storage = CACHES.with(Clone::clone);
    if let Some(Ok(deleted)) = storage.map(|storage| storage.delete_cache(CACHE_NAME)) {
        // Where there is no store there is nothing to forget.
        let _ = JsFuture::from(deleted).await;
    }
}

async fn open_cache() -> Result<Option<Cache>, JsValue> {
    let Some(storage) = CACHES.with(Clone::clone) else { return Ok(None) };
    let has_open = Reflect::get(&storage, &"open".into())?.is_function();
    if !has_open {
        return Ok(None);
    }
    let cache = JsFuture::from(storage.open(CACHE_NAME)?).await?;
    Ok(Some(cache.unchecked_into()))
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn what_is_put_is_found_again_until_it_is_damaged() {
        let store = Store::open(true).await;
        assert!(store.is_persistent());
        let bytes = Uint8Array::from(&b"kept"[..]);
        assert!(store.put("test/a", &bytes).await);
        assert_eq!(store.get("test/a").await.map(|found| found.to_vec()), Some(b"kept".to_vec()));
        assert!(store.get("test/b").await.is_none());

        let damaged = web_sys::Response::new_with_opt_str(Some("damaged")).unwrap();
        damaged.headers().set(HASH_HEADER, &sha256(&bytes).await).unwrap();
        let cache = store.cache.as_ref().unwrap();
        JsFuture::from(cache.put(&format!("{KEY_PREFIX}test/a"), &damaged).unwrap()).await.unwrap();
        assert!(store.get("test/a").await.is_none());
        clear().await;
    }

    #[wasm_bindgen_test]
    async fn nothing_is_kept_where_nobody_wants_it() {
        let store = Store::open(false).await;
        assert!(!store.is_persistent());
        assert!(!store.put("test/c", &Uint8Array::new_with_length(1)).await);
        assert!(store.get("test/c").await.is_none());
    }
}
