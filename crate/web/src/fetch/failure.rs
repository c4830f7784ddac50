//! What can go wrong with a request, as typed errors.

use taipan_core::transfer::WrongLength;
use wasm_bindgen::JsValue;

use crate::error::{Code, Error};

/// A server answered with a web page.
pub fn page_error(url: &str) -> Error {
    Error::new(Code::LoadHttp, format!("{url} answered with a web page instead of a file."))
        .hint("Check the address: the server seems to answer unknown addresses with a page.")
        .field("url", url)
}

/// A server answered with a status that is no success.
pub fn http_error(url: &str, status: u16, text: &str) -> Error {
    let answer = format!("{url} answered with status {status} {text}");
    Error::new(Code::LoadHttp, format!("{}.", answer.trim_end()))
        .hint(http_hint(status))
        .with_status(status)
        .field("url", url)
}

/// There was no answer, or it broke off.
pub fn network_error(url: &str, thrown: JsValue) -> Error {
    let error = Error::from_js(Code::LoadNetwork, &format!("{url} could not be loaded"), thrown);
    match error.code() {
        Code::LoadNetwork => error
            .hint("Check the connection and the address; across origins the server must allow it (CORS).")
            .field("url", url),
        _ => error,
    }
}

/// Nothing came for so many milliseconds.
pub fn stall_error(url: &str, limit: f64) -> Error {
    Error::new(Code::LoadNetwork, format!("{url} stopped: not a byte came for {} s.", limit / 1000.0))
        .hint("Check the connection; `stallTimeoutMs` says how long to wait for a server that is slow to answer.")
        .field("url", url)
}

/// The file is shorter or longer than it has to be.
pub fn length_error(url: &str, code: Code, wrong: WrongLength) -> Error {
    Error::new(code, format!("{url} does not have its proper length: {wrong}."))
        .hint("Check what the server sends, and whether something on the way changes it.")
        .field("url", url)
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
