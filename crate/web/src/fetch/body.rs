//! The bytes of an answer as they come.

use std::cell::RefCell;

use futures::FutureExt as _;
use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, spawn_local};
use web_sys::{ReadableStreamDefaultReader, Response};

/// Reads a body, piece by piece. The rest of one that is dropped before its end does not come: it may be that of a request
/// which nobody else can end.
pub struct Body {
    /// Nothing at the end.
    reader: RefCell<Option<ReadableStreamDefaultReader>>,
}

impl Body {
    /// The body of an answer that nobody else reads.
    pub fn of(response: &Response) -> Self {
        Self { reader: RefCell::new(response.body().map(|body| body.get_reader().unchecked_into())) }
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// What the browser throws where the transfer breaks off.
    pub async fn next(&self) -> Result<Option<Uint8Array>, JsValue> {
        let Some(reader) = self.reader.borrow().clone() else { return Ok(None) };
        let step = match JsFuture::from(reader.read()).await {
            Ok(step) if Reflect::get(&step, &"done".into())?.is_falsy() => step,
            end => {
                self.reader.take();
                return end.map(|_| None);
            }
        };
        Ok(Some(Reflect::get(&step, &"value".into())?.unchecked_into()))
    }
}

impl Drop for Body {
    fn drop(&mut self) {
        if let Some(reader) = self.reader.take() {
            spawn_local(JsFuture::from(reader.cancel()).map(drop));
        }
    }
}
