//! The few globals that exist on a page and in a worker alike.

use js_sys::Promise;
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance)]
    /// Milliseconds on a clock that never goes back.
    pub fn now() -> f64;

    #[wasm_bindgen(catch, js_name = fetch)]
    /// `fetch(url, init)`.
    pub fn fetch(url: &str, init: &web_sys::RequestInit) -> Result<Promise, JsValue>;

    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    /// `crypto`, absent only in very old browsers.
    pub static CRYPTO: Option<web_sys::Crypto>;
}

/// Whether WebAssembly can wait for a promise (JSPI): CPython is set up for it when it starts.
pub fn has_stack_switching() -> bool {
    let wasm = js_sys::Reflect::get(&js_sys::global(), &"WebAssembly".into()).unwrap_or(JsValue::UNDEFINED);
    js_sys::Reflect::has(&wasm, &"Suspending".into()).unwrap_or(false)
}

/// Milliseconds since 1970, for file times.
pub fn wall_clock() -> f64 {
    js_sys::Date::now()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &js_sys::Function, milliseconds: f64) -> JsValue;
}

/// Waits, while other tasks go on.
pub fn sleep(milliseconds: f64) -> impl Future<Output = ()> + Unpin {
    use futures::FutureExt as _;
    let promise = Promise::new(&mut |resolve, _| {
        set_timeout(&resolve, milliseconds.max(0.0));
    });
    // The promise is never rejected.
    wasm_bindgen_futures::JsFuture::from(promise).map(drop)
}
