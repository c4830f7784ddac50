//! Small requests: pages of package indexes, metadata, parts of wheels.
//!
//! Redirects are followed as browsers follow them, to other origins too where those allow it (CORS). What is found there
//! is relative to where the redirect led, and hashes hold wherever a file comes from.

use std::cell::Cell;

use js_sys::Uint8Array;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestInit, Response, Url, XmlHttpRequest, XmlHttpRequestResponseType};

use crate::error::{Code, Error, Result};
use crate::fetch::{Body, Fetcher, Leash};
use crate::global;

/// How often a request is made that fails for a reason that may pass.
const ATTEMPTS: u32 = 3;

/// Milliseconds before the second attempt; twice as long before each further one.
const PAUSE: f64 = 300.0;

/// The most milliseconds that an `import` statement waits for one answer.
const LONGEST: u32 = 30_000;

/// Asks servers on behalf of one call.
#[derive(Clone)]
pub struct IndexClient {
    fetcher: Fetcher,
    /// Whether everything waits for it: for an `import` statement, in a worker.
    pub is_blocking: bool,
}

/// What a server answered.
pub struct Answer {
    /// The status, a success.
    pub status: u16,
    /// Where redirects led.
    pub url: String,
    /// The header `Content-Type`, or nothing.
    pub content_type: String,
    /// The header `Content-Length`, if the server lets it be seen.
    pub length: Option<u64>,
    /// The body.
    pub bytes: Uint8Array,
}

/// A request's header of one line.
type Header<'a> = (&'a str, &'a str);

impl IndexClient {
    /// A client whose requests end when the call that `fetcher` is for is given up, or nothing comes any more.
    pub fn new(fetcher: &Fetcher) -> Self {
        Self { fetcher: fetcher.clone(), is_blocking: false }
    }

    /// A client whose futures are ready at once: nothing else can happen meanwhile. For workers.
    pub fn blocking(fetcher: &Fetcher) -> Self {
        Self { fetcher: fetcher.clone(), is_blocking: true }
    }

    /// Gets what is at an address, at most `limit` bytes.
    ///
    /// # Errors
    /// [`Code::LoadNetwork`], [`Code::LoadHttp`] with the status, [`Code::BadIndex`] for a longer answer,
    /// [`Code::Aborted`].
    pub async fn get(&self, url: &str, header: Option<Header<'_>>, limit: usize) -> Result<Answer> {
        if self.is_blocking {
            let request = open_now("GET", url, header)?;
            return answer_now(url, &request, limit);
        }
        let mut attempt = 1;
        loop {
            match self.attempt("GET", url, header, limit).await {
                Err(error) if attempt < ATTEMPTS && may_pass(&error) => {
                    let jitter = 0.5 + js_sys::Math::random();
                    let pause = PAUSE * f64::from(1 << (attempt - 1)) * jitter;
                    let paused = async {
                        global::sleep(pause).await;
                        Ok(())
                    };
                    self.fetcher.unless_aborted(paused).await?;
                    attempt += 1;
                }
                outcome => return outcome,
            }
        }
    }

    async fn attempt(&self, method: &str, url: &str, header: Option<Header<'_>>, limit: usize) -> Result<Answer> {
        let activity = Cell::new(0);
        let request = async {
            let mut leash = Leash::new();
            let response = send(method, url, header, leash.signal()).await?;
            let answer = read(url, &response, limit, &activity).await?;
            leash.let_go();
            Ok(answer)
        };
        self.fetcher.unless_stalled(url, &activity, request).await
    }

    /// The number of bytes of what is at an address, if the server says it.
    pub async fn size(&self, url: &str) -> Option<u64> {
        let answer = if self.is_blocking {
            open_now("HEAD", url, None).and_then(|request| answer_now(url, &request, 0))
        } else {
            self.attempt("HEAD", url, None, 0).await
        };
        answer.ok()?.length
    }
}

/// Sends a request and waits for the head of its answer.
async fn send(method: &str, url: &str, header: Option<Header<'_>>, signal: Option<AbortSignal>) -> Result<Response> {
    let failed = |thrown| unreachable(url, thrown);
    let init = RequestInit::new();
    init.set_method(method);
    init.set_signal(signal.as_ref());
    if let Some((name, value)) = header {
        let headers = Headers::new().map_err(failed)?;
        headers.set(name, value).map_err(failed)?;
        init.set_headers(&headers);
    }
    let asking = global::fetch(url, &init).map_err(failed)?;
    let response: Response = JsFuture::from(asking).await.map_err(failed)?.unchecked_into();
    if response.ok() {
        return Ok(response);
    }
    Err(refused(url, response.status(), &response.status_text()))
}

/// Sends a request and waits for its end.
fn open_now(method: &str, url: &str, header: Option<Header<'_>>) -> Result<XmlHttpRequest> {
    let failed = |thrown| unreachable(url, thrown);
    let request = XmlHttpRequest::new().map_err(failed)?;
    request.open_with_async(method, url, false).map_err(failed)?;
    request.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    request.set_timeout(LONGEST);
    if let Some((name, value)) = header {
        request.set_request_header(name, value).map_err(failed)?;
    }
    request.send().map_err(failed)?;
    let status = request.status().unwrap_or_default();
    if (200..300).contains(&status) {
        return Ok(request);
    }
    Err(refused(url, status, &request.status_text().unwrap_or_default()))
}

fn answer_now(url: &str, request: &XmlHttpRequest, limit: usize) -> Result<Answer> {
    let bytes = Uint8Array::new(&request.response().map_err(|thrown| unreachable(url, thrown))?);
    if bytes.length() as usize > limit {
        return Err(too_long(url, limit));
    }
    let header = |name: &str| request.get_response_header(name).ok().flatten();
    Ok(Answer {
        status: request.status().unwrap_or_default(),
        url: request.response_url(),
        content_type: header("content-type").unwrap_or_default(),
        length: header("content-length").and_then(|length| length.parse().ok()),
        bytes,
    })
}

fn unreachable(url: &str, thrown: JsValue) -> Error {
    let error = Error::from_js(Code::LoadNetwork, &format!("{url} could not be loaded"), thrown);
    if error.code() != Code::LoadNetwork {
        return error;
    }
    error.hint("Check the connection and the address; across origins the server must allow it (CORS).")
}

fn refused(url: &str, status: u16, text: &str) -> Error {
    let message = format!("{url} answered with status {status} {text}.");
    Error::new(Code::LoadHttp, message).with_status(status).field("url", url)
}

fn too_long(url: &str, limit: usize) -> Error {
    Error::new(Code::BadIndex, format!("{url} answered with more than {limit} bytes."))
        .hint("Check the address: no page of a package index is that long.")
}

fn may_pass(error: &Error) -> bool {
    match error.code() {
        Code::LoadNetwork => true,
        Code::LoadHttp => error.status().is_some_and(|status| matches!(status, 408 | 425 | 429 | 500..=599)),
        _ => false,
    }
}

async fn read(url: &str, response: &Response, limit: usize, activity: &Cell<u64>) -> Result<Answer> {
    let failed = |thrown: JsValue| Error::from_js(Code::LoadNetwork, &format!("{url} could not be read"), thrown);
    let mut chunks = Vec::new();
    let mut length = 0;
    let body = Body::of(response);
    while let Some(chunk) = body.next().await.map_err(failed)? {
        activity.set(activity.get() + 1);
        length += chunk.length();
        if length as usize > limit {
            return Err(too_long(url, limit));
        }
        chunks.push(chunk);
    }
    // Outside linear memory, which never shrinks: it may be a whole wheel.
    let bytes = Uint8Array::new_with_length(length);
    let mut offset = 0;
    for chunk in chunks {
        bytes.set(&chunk, offset);
        offset += chunk.length();
    }
    let header = |name: &str| response.headers().get(name).ok().flatten();
    Ok(Answer {
        status: response.status(),
        url: response.url(),
        content_type: header("content-type").unwrap_or_default(),
        length: header("content-length").and_then(|length| length.parse().ok()),
        bytes,
    })
}

/// An address that may be relative to another, without its fragment; `None` if it is none, or none of a server.
pub fn join(base: &str, url: &str) -> Option<String> {
    let url = Url::new_with_base(url, base).ok()?;
    url.set_hash("");
    matches!(url.protocol().as_str(), "http:" | "https:").then(|| url.href())
}
