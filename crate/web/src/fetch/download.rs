//! A file, whole: its bytes as they come, and what is tried when they do not.

use js_sys::{Array, Reflect, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{ReadableStreamDefaultReader, Response};

use super::failure::network_error;
use super::{Fetcher, Label};
use crate::error::{Code, Error, Result};
use crate::global;

/// How often a download is tried.
const ATTEMPTS: u32 = 4;

impl Fetcher {
    /// Starts a download at once; the returned future gives all its bytes, outside Rust's memory. A failure that may
    /// pass (no answer, a transfer that breaks off, a busy server) is tried again, [`ATTEMPTS`] times in all.
    ///
    /// # Errors
    /// As [`Fetcher::request`], and [`Code::LoadNetwork`] where the transfer breaks off.
    pub fn download(&self, url: &str, label: Label<'_>) -> impl Future<Output = Result<Uint8Array>> + use<> {
        let first = self.request(url);
        let (this, url, name) = (self.clone(), url.to_owned(), label.name.to_owned());
        let (stage, size) = (label.stage, label.size);
        async move {
            let label = Label { stage, name: &name, size };
            let mut outcome = this.finish(&url, first.await, label).await;
            for attempt in 1..ATTEMPTS {
                match &outcome {
                    Err(error) if is_passing(error) => {}
                    _ => break,
                }
                global::sleep(back_off(attempt, js_sys::Math::random())).await;
                let response = this.request(&url).await;
                outcome = this.finish(&url, response, label).await;
            }
            outcome
        }
    }

    async fn finish(&self, url: &str, response: Result<Response>, label: Label<'_>) -> Result<Uint8Array> {
        self.read_body(url, &response?, label).await
    }

    /// Reads a response to its end, reporting bytes as they come.
    ///
    /// # Errors
    /// [`Code::LoadNetwork`] where the transfer breaks off, [`Code::Aborted`].
    pub async fn read_body(&self, url: &str, response: &Response, label: Label<'_>) -> Result<Uint8Array> {
        let total = label.size.or_else(|| content_length(response));
        let Some(body) = response.body() else {
            return Ok(Uint8Array::new_with_length(0));
        };
        let reader: ReadableStreamDefaultReader = body.get_reader().unchecked_into();
        let chunks = Array::new();
        let mut loaded = 0.0;
        loop {
            let step = JsFuture::from(reader.read()).await.map_err(|thrown| network_error(url, thrown))?;
            if Reflect::get(&step, &"done".into()).is_ok_and(|done| done.is_truthy()) {
                break;
            }
            let chunk: Uint8Array =
                Reflect::get(&step, &"value".into()).map_err(|thrown| network_error(url, thrown))?.unchecked_into();
            loaded += f64::from(chunk.length());
            chunks.push(&chunk);
            self.timeline.add_bytes(f64::from(chunk.length()));
            self.timeline.report(label.stage, label.name, loaded, total.map(|total| total.max(loaded)));
        }
        Ok(concatenate(&chunks, loaded as u32))
    }
}

/// Whether a failure may be gone when the request is made again.
fn is_passing(error: &Error) -> bool {
    match error.code() {
        Code::LoadNetwork => true,
        Code::LoadHttp => {
            error.status().is_some_and(|status| matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504))
        }
        _ => false,
    }
}

/// Milliseconds to wait before an attempt: twice as long each time, and not the same for everybody, lest all come back
/// at once. `random` is from [0, 1).
fn back_off(attempt: u32, random: f64) -> f64 {
    const FIRST: f64 = 250.0;
    FIRST * f64::from(1 << (attempt - 1)) * (0.5 + random)
}

/// The number of bytes to come, where the server says it and nothing is encoded on the way.
fn content_length(response: &Response) -> Option<f64> {
    let headers = response.headers();
    if headers.get("content-encoding").ok().flatten().is_some_and(|encoding| encoding != "identity") {
        return None;
    }
    headers.get("content-length").ok().flatten()?.parse().ok()
}

fn concatenate(chunks: &Array, length: u32) -> Uint8Array {
    if chunks.length() == 1 {
        return chunks.get(0).unchecked_into();
    }
    let bytes = Uint8Array::new_with_length(length);
    let mut offset = 0;
    for chunk in chunks.iter() {
        let chunk: Uint8Array = chunk.unchecked_into();
        bytes.set(&chunk, offset);
        offset += chunk.length();
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_differ() {
        assert!((back_off(1, 0.0) - 125.0).abs() < 1e-9);
        assert!((back_off(3, 0.5) - 1000.0).abs() < 1e-9);
    }

    #[test]
    fn only_failures_that_may_pass_are_tried_again() {
        assert!(is_passing(&Error::new(Code::LoadNetwork, "")));
        assert!(is_passing(&Error::new(Code::LoadHttp, "").with_status(503)));
        assert!(!is_passing(&Error::new(Code::LoadHttp, "").with_status(404)));
        assert!(!is_passing(&Error::new(Code::Aborted, "")));
        assert!(!is_passing(&Error::new(Code::Integrity, "")));
    }
}
