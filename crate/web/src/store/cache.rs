//! A store in the Cache API (Service Workers), for browsers whose origin private file system is missing or cannot be
//! written.

use js_sys::{Array, Object, Promise, Reflect, Uint8Array};
use taipan_core::store::ContentHash;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::place::{CONTENT_FOLDER, Place};
use crate::emscripten::abi::set;

/// The name of the cache.
const CACHE_NAME: &str = "taipan-store";

/// The Cache API's keys are addresses; nothing is ever fetched from this one (RFC 2606).
const KEY_PREFIX: &str = "https://taipan.invalid/";

/// The header that holds the number of bytes.
const SIZE_HEADER: &str = "x-taipan-size";

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type CacheStorage;

    #[wasm_bindgen(method, catch)]
    fn open(this: &CacheStorage, name: &str) -> Result<Promise, JsValue>;

    #[derive(Clone)]
    type Cache;

    #[wasm_bindgen(method, catch, js_name = match)]
    fn find(this: &Cache, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn put(this: &Cache, key: &str, response: &web_sys::Response) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = delete)]
    fn delete(this: &Cache, key: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn keys(this: &Cache) -> Result<Promise, JsValue>;
}

/// The origin's cache for us.
#[derive(Clone)]
pub struct CacheStore {
    cache: Cache,
}

impl CacheStore {
    /// Opens it.
    pub async fn open() -> Result<Self, JsValue> {
        // Where a page may keep nothing, to look for it throws.
        let storage = Reflect::get(&js_sys::global(), &"caches".into())?;
        if storage.is_undefined() {
            return Err(storage);
        }
        let storage: CacheStorage = storage.unchecked_into();
        let cache = JsFuture::from(storage.open(CACHE_NAME)?).await?;
        Ok(Self { cache: cache.unchecked_into() })
    }

    pub async fn read(&self, place: Place) -> Option<Uint8Array> {
        let response = self.find(&place.to_string()).await?;
        let buffer = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
        Some(Uint8Array::new(&buffer))
    }

    pub async fn size(&self, place: Place) -> Option<u64> {
        self.size_at(&place.to_string()).await
    }

    pub async fn write(&self, place: Place, bytes: &Uint8Array) -> Result<(), JsValue> {
        let headers = Object::new();
        set(&headers, SIZE_HEADER, &bytes.length().to_string().into());
        let init = web_sys::ResponseInit::new();
        init.set_headers(&headers);
        let response = web_sys::Response::new_with_opt_js_u8_array_and_init(Some(bytes), &init)?;
        JsFuture::from(self.cache.put(&format!("{KEY_PREFIX}{place}"), &response)?).await?;
        Ok(())
    }

    pub async fn remove(&self, place: Place) -> Result<(), JsValue> {
        JsFuture::from(self.cache.delete(&format!("{KEY_PREFIX}{place}"))?).await?;
        Ok(())
    }

    pub async fn content(&self) -> Result<Vec<(ContentHash, u64)>, JsValue> {
        let requests: Array = JsFuture::from(self.cache.keys()?).await?.unchecked_into();
        let mut content = Vec::new();
        for request in requests.iter() {
            let url = Reflect::get(&request, &"url".into())?.as_string().unwrap_or_default();
            let Some(path) = url.strip_prefix(KEY_PREFIX) else { continue };
            let hash = path.strip_prefix(CONTENT_FOLDER).and_then(|path| path.strip_prefix('/')?.parse().ok());
            if let Some(hash) = hash {
                content.push((hash, self.size_at(path).await.unwrap_or(0)));
            }
        }
        Ok(content)
    }

    async fn find(&self, path: &str) -> Option<web_sys::Response> {
        let found = self.cache.find(&format!("{KEY_PREFIX}{path}")).ok()?;
        JsFuture::from(found).await.ok()?.dyn_into().ok()
    }

    async fn size_at(&self, path: &str) -> Option<u64> {
        self.find(path).await?.headers().get(SIZE_HEADER).ok()??.parse().ok()
    }
}
