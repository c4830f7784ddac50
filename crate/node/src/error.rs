//! Errors on their way to JavaScript: `Error` objects with a `code` that `docs/api.md` lists.

use js_sys::Reflect;
use wasm_bindgen::JsValue;

/// An `Error` with a stable code.
pub fn error(code: &str, message: &str) -> JsValue {
    let error = js_sys::Error::new(message);
    // Setting a property of a fresh object cannot fail.
    let _ = Reflect::set(&error, &"code".into(), &code.into());
    error.into()
}
