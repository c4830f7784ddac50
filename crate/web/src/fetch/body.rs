//! The bytes of an answer as they come.

use js_sys::{Reflect, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Response};

/// Reads a body, piece by piece.
pub struct Body(Option<ReadableStreamDefaultReader>);

impl Body {
    /// The body of an answer that nobody else reads.
    pub fn of(response: &Response) -> Self {
        Self(response.body().map(|body| body.get_reader().unchecked_into()))
    }

    /// The next piece; `None` at the end.
    ///
    /// # Errors
    /// What the browser throws where the transfer breaks off.
    pub async fn next(&self) -> Result<Option<Uint8Array>, JsValue> {
        let Some(reader) = &self.0 else { return Ok(None) };
        let step = JsFuture::from(reader.read()).await?;
        if Reflect::get(&step, &"done".into())?.is_truthy() {
            return Ok(None);
        }
        Ok(Some(Reflect::get(&step, &"value".into())?.unchecked_into()))
    }
}
