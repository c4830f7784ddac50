//! One request and its headers.

use js_sys::Promise;
use taipan_core::transfer::may_be_reused;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{AbortSignal, Headers, RequestCache, RequestInit, Response, ResponseType};

use super::failure::network_error;
use super::resume::Resumption;
use crate::error::Result;
use crate::global;

/// Asks for a file, or for the rest of one, and waits for the headers of the answer, whatever it is.
///
/// # Errors
/// [`crate::error::Code::LoadNetwork`] where there is no answer.
pub async fn request(
    url: &str,
    signal: Option<&AbortSignal>,
    reload: bool,
    resumption: Option<Resumption<'_>>,
) -> Result<Response> {
    let asking = ask(url, signal, reload, resumption).map_err(|thrown| network_error(url, thrown))?;
    answer(url, asking).await
}

/// Waits for the headers of an answer.
///
/// # Errors
/// [`crate::error::Code::LoadNetwork`] where there is none.
pub async fn answer(url: &str, asking: Promise) -> Result<Response> {
    Ok(JsFuture::from(asking).await.map_err(|thrown| network_error(url, thrown))?.unchecked_into())
}

fn ask(
    url: &str,
    signal: Option<&AbortSignal>,
    reload: bool,
    resumption: Option<Resumption<'_>>,
) -> std::result::Result<Promise, JsValue> {
    let init = RequestInit::new();
    init.set_signal(signal);
    if reload {
        init.set_cache(RequestCache::Reload);
    }
    if let Some(resumption) = resumption {
        // A cache would give the rest from what it kept of the transfer that broke off.
        init.set_cache(RequestCache::NoStore);
        let headers = Headers::new()?;
        headers.set("Range", &format!("bytes={}-", resumption.offset))?;
        if let Some(if_range) = resumption.if_range {
            headers.set("If-Range", if_range)?;
        }
        init.set_headers(&headers);
    }
    global::fetch(url, &init)
}

/// A header of an answer. Across origins most cannot be seen, unless the server exposes them.
pub fn header(response: &Response, name: &str) -> Option<String> {
    response.headers().get(name).ok().flatten()
}

/// What tells an answer that the browser gives again from others, as `early_files.ts` does it: an empty text where too little
/// can be seen of it, nothing where the browser has to ask the server.
pub fn answer_of(response: &Response) -> Option<String> {
    header(response, "cache-control").filter(|header| may_be_reused(header))?;
    let [date, tag, modified, length] =
        ["Date", "ETag", "Last-Modified", "Content-Length"].map(|name| header(response, name).unwrap_or_default());
    let can_be_told = !date.is_empty() && !tag.is_empty();
    Some(if can_be_told { [date, tag, modified, length].join("\n") } else { String::new() })
}

/// Whether the answer is a web page. None of our files is: a server that answers every address with its start page
/// does so here.
pub fn is_page(response: &Response) -> bool {
    header(response, "content-type").is_some_and(|kind| kind.starts_with("text/html"))
}

/// Whether the answer comes from another origin.
pub fn is_foreign(response: &Response) -> bool {
    response.type_() == ResponseType::Cors
}

/// Whether its bytes are seen to be coded for the way.
pub fn is_encoded(response: &Response) -> bool {
    header(response, "content-encoding").is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity"))
}

/// Whether the browser may give the same answer again without asking the server (RFC 9111, section 4.2), for this origin's
/// own files.
pub fn is_reused(response: &Response) -> bool {
    !is_foreign(response) && header(response, "cache-control").is_some_and(|header| may_be_reused(&header))
}

/// The length of the body, where the server says it and it is that of the decoded bytes. Across origins
/// `Content-Length` can be seen even where `Content-Encoding` cannot; a server that exposes `Date`, which every server
/// sends, exposes all headers.
pub fn declared_length(response: &Response) -> Option<u64> {
    if is_encoded(response) || (is_foreign(response) && header(response, "date").is_none()) {
        return None;
    }
    header(response, "content-length")?.parse().ok()
}
