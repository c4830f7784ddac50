//! Work that goes on while something else is waited for.

use futures::channel::oneshot;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::error::{Code, Error, Result, describe};

/// Runs a future from now on, and gives its result to whoever awaits what is returned. Rust's futures do nothing until
/// they are polled; a boot wants its downloads to run while it does other things.
pub fn spawn<T: 'static>(future: impl Future<Output = Result<T>> + 'static) -> impl Future<Output = Result<T>> {
    let (sender, receiver) = oneshot::channel();
    wasm_bindgen_futures::spawn_local(async move {
        // Nobody listens any more when another part of the boot has failed.
        let _ = sender.send(future.await);
    });
    async move {
        match receiver.await {
            Ok(result) => result,
            Err(_) => Err(Error::new(Code::Fatal, "A background task ended without a result.")),
        }
    }
}

/// What a promise came to, or what it was rejected with, as an error.
///
/// # Errors
/// The rejection, with `context` before it.
pub async fn settle(code: Code, context: &str, promise: js_sys::Promise) -> Result<JsValue> {
    JsFuture::from(promise).await.map_err(|thrown| Error::from_js(code, context, thrown))
}

/// `describe`, for values that were rejected with something that may be absent.
pub fn reason(value: &JsValue) -> String {
    if value.is_undefined() { "no reason was given".to_owned() } else { describe(value) }
}
