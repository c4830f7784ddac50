//! Downloads: typed failures, byte progress, hashes, cancellation.

use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::{Array, ArrayBuffer, Reflect, Uint8Array};
use sha2::{Digest, Sha256};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{
    AbortSignal, ReadableStreamDefaultReader, RequestInit, Response, XmlHttpRequest, XmlHttpRequestResponseType,
};

use crate::boundary::Stage;
use crate::error::{Code, Error, Result, describe};
use crate::global;
use crate::timeline::Timeline;

/// How often a download is tried.
pub const ATTEMPTS: u32 = 4;

/// Fetches on behalf of one boot or one call, so that its `AbortSignal` reaches every request.
#[derive(Clone)]
pub struct Fetcher {
    timeline: Rc<Timeline>,
    signal: Option<AbortSignal>,
}

/// What to say while bytes come.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// Reported as `Progress.stage`.
    pub stage: Stage,
    /// Reported as `Progress.name`.
    pub name: &'a str,
    /// Size where it is known beforehand, in bytes.
    pub size: Option<f64>,
}

impl Fetcher {
    /// A fetcher whose requests end when `signal` is aborted.
    pub fn new(timeline: Rc<Timeline>, signal: Option<AbortSignal>) -> Self {
        Self { timeline, signal }
    }

    /// Who is told of progress.
    pub fn timeline(&self) -> Rc<Timeline> {
        Rc::clone(&self.timeline)
    }

    /// Fails if the caller has given up.
    ///
    /// # Errors
    /// [`Code::Aborted`].
    pub fn check_aborted(&self) -> Result<()> {
        match &self.signal {
            Some(signal) if signal.aborted() => {
                Err(Error::new(Code::Aborted, "The caller aborted this.").cause(signal.reason()))
            }
            _ => Ok(()),
        }
    }

    /// Starts a request at once; the returned future waits for its headers.
    ///
    /// # Errors
    /// [`Code::LoadNetwork`] where there is no answer, [`Code::LoadHttp`] where the answer is not a success.
    pub fn request(&self, url: &str) -> impl Future<Output = Result<Response>> + use<> {
        let init = RequestInit::new();
        if let Some(signal) = &self.signal {
            init.set_signal(Some(signal));
        }
        let started =
            self.check_aborted().and_then(|()| global::fetch(url, &init).map_err(|thrown| network_error(url, thrown)));
        let url = url.to_owned();
        async move {
            let response: Response =
                JsFuture::from(started?).await.map_err(|thrown| network_error(&url, thrown))?.unchecked_into();
            if response.ok() {
                return if is_page(&response) { Err(page_error(&url)) } else { Ok(response) };
            }
            Err(http_error(&url, response.status(), &response.status_text()))
        }
    }

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

/// Whether the answer is a web page. None of our files is: a server that answers every address with its start page
/// does so here.
fn is_page(response: &Response) -> bool {
    response.headers().get("content-type").ok().flatten().is_some_and(|kind| kind.starts_with("text/html"))
}

fn page_error(url: &str) -> Error {
    Error::new(Code::LoadHttp, format!("{url} answered with a web page instead of a file."))
        .hint("Check the address: the server seems to answer unknown addresses with a page.")
        .field("url", url)
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

/// Downloads while everything else waits. Browsers allow that in workers only.
///
/// # Errors
/// As [`Fetcher::download`], and [`Code::NotSupported`] outside a worker.
pub fn fetch_now(url: &str) -> Result<Uint8Array> {
    let request = XmlHttpRequest::new().map_err(|thrown| network_error(url, thrown))?;
    request.open_with_async("GET", url, false).map_err(|thrown| network_error(url, thrown))?;
    request.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    if request.response_type() != XmlHttpRequestResponseType::Arraybuffer {
        return Err(Error::new(Code::NotSupported, format!("{url} cannot be waited for on this thread."))
            .hint("Load the package before the code runs, or run Python in a worker."));
    }
    request.send().map_err(|thrown| network_error(url, thrown))?;
    let status = request.status().unwrap_or_default();
    if !(200..300).contains(&status) {
        return Err(http_error(url, status, &request.status_text().unwrap_or_default()));
    }
    let body = request.response().map_err(|thrown| network_error(url, thrown))?;
    Ok(Uint8Array::new(&body))
}

fn http_error(url: &str, status: u16, text: &str) -> Error {
    Error::new(Code::LoadHttp, format!("{url} answered with status {status} {text}."))
        .hint(http_hint(status))
        .with_status(status)
        .field("url", url)
}

/// Checks that a SHA-256 is the one it must be (hexadecimal).
///
/// # Errors
/// [`Code::Integrity`] naming what was fetched.
pub fn compare_sha256(name: &str, actual: &str, expected: &str) -> Result<()> {
    if actual.eq_ignore_ascii_case(expected) {
        return Ok(());
    }
    Err(Error::new(
        Code::Integrity,
        format!("{name} is not what was expected: its SHA-256 is {actual}, it should be {expected}."),
    )
    .hint(
        "The file was changed on the way or the lock file belongs to another release. Reload; if it stays, check what \
         the server sends.",
    )
    .field("name", name))
}

/// The SHA-256 of bytes, in lower-case hexadecimal: by the browser off this thread, or by Rust where the page is not
/// a secure context and has no `crypto.subtle`.
pub async fn sha256(bytes: &Uint8Array) -> String {
    let subtle = global::CRYPTO.with(|crypto| {
        let crypto = crypto.as_ref()?;
        let subtle = Reflect::get(crypto, &"subtle".into()).ok()?;
        subtle.is_object().then(|| crypto.subtle())
    });
    if let Some(subtle) = subtle
        && let Ok(promise) = subtle.digest_with_str_and_js_u8_array("SHA-256", bytes)
        && let Ok(digest) = JsFuture::from(promise).await
    {
        return hexadecimal(&Uint8Array::new(&digest.unchecked_into::<ArrayBuffer>()).to_vec());
    }
    sha256_now(bytes)
}

/// As [`sha256`], on this thread. Few bytes at a time are copied into Rust's memory, which never shrinks.
pub fn sha256_now(bytes: &Uint8Array) -> String {
    const CHUNK: u32 = 64 * 1024;
    let mut hasher = Sha256::new();
    let mut start = 0;
    while start < bytes.length() {
        let end = bytes.length().min(start.saturating_add(CHUNK));
        hasher.update(bytes.subarray(start, end).to_vec());
        start = end;
    }
    hexadecimal(&hasher.finalize())
}

fn hexadecimal(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn network_error(url: &str, thrown: JsValue) -> Error {
    let error = Error::from_js(Code::LoadNetwork, &format!("{url} could not be loaded"), thrown);
    match error.code() {
        Code::LoadNetwork => error
            .hint("Check the connection and the address; across origins the server must allow it (CORS).")
            .field("url", url),
        _ => error,
    }
}

fn http_hint(status: u16) -> &'static str {
    match status {
        404 | 410 => "Check the address: `indexURL` must be the folder that holds the distribution's files.",
        401 | 403 => "The server does not let this page have the file.",
        429 | 503 => "The server is busy: try again in a while.",
        500..=599 => "The server failed: try again later.",
        _ => "Check the address and what the server says of it.",
    }
}

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

    #[wasm_bindgen_test::wasm_bindgen_test]
    async fn both_ways_of_hashing_agree_with_the_standard() {
        // FIPS 180-4, the example "abc".
        let expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let bytes = Uint8Array::from(&b"abc"[..]);
        assert_eq!(sha256(&bytes).await, expected);
        assert_eq!(sha256_now(&bytes), expected);
        assert!(compare_sha256("abc", expected, &expected.to_uppercase()).is_ok());
        assert_eq!(compare_sha256("abc", expected, &"0".repeat(64)).unwrap_err().code(), Code::Integrity);
    }
}
