//! Files whose hash the browser checks itself (Subresource Integrity), before anybody sees a byte of them.

use std::pin::pin;

use futures::future::{Either, select};
use js_sys::Promise;
use wasm_bindgen::JsValue;
use web_sys::{RequestCache, RequestInit, Response};

use super::Fetcher;
use super::request::{answer, declared_length};
use crate::global;

/// What the `integrity` option wants: the SHA-256 of a file, given as 64 hexadecimal digits. `early_files.ts` writes the same
/// before this module is there.
fn integrity(sha256: &str) -> String {
    format!("sha256-{}", base64(sha256))
}

impl Fetcher {
    /// What is at an address if it has this SHA-256. The bytes are there as a whole. With [`RequestCache::ForceCache`] it comes
    /// from the HTTP cache where that has it, however old it is. Nothing where it is another file or does not come in the time
    /// that a transfer may stall: asked for in another way it comes, or an error says what is wrong.
    pub async fn known(&self, url: &str, sha256: &str, cache: RequestCache) -> Option<Response> {
        let asking = self.ask(url, sha256, cache).ok()?;
        let asking = pin!(answer(url, asking));
        match select(asking, pin!(global::sleep(self.network.stall()))).await {
            Either::Left((Ok(response), _)) if response.ok() => {
                let length = declared_length(&response).unwrap_or_default();
                self.network.timeline().add_bytes(length as f64);
                Some(response)
            }
            _ => None,
        }
    }

    fn ask(&self, url: &str, sha256: &str, cache: RequestCache) -> Result<Promise, JsValue> {
        let init = RequestInit::new();
        init.set_integrity(&integrity(sha256));
        init.set_cache(cache);
        init.set_signal(self.signal.as_ref());
        global::fetch(url, &init)
    }
}

/// A hash of 64 hexadecimal digits as the `integrity` option wants it (RFC 4648, section 4).
fn base64(hexadecimal: &str) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let digits: Vec<u32> = hexadecimal.chars().filter_map(|digit| digit.to_digit(16)).collect();
    let mut text = String::with_capacity(44);
    // Three digits are twelve bits, two letters. 64 digits leave one over: four bits, and two that are zero.
    for group in digits.chunks(3) {
        let bits = group.iter().fold(0, |bits, digit| bits << 4 | digit) << (4 * (3 - group.len()));
        let letters = [bits >> 6, bits & 63];
        let used = (group.len() * 4).div_ceil(6);
        text.extend(letters.iter().take(used).map(|letter| LETTERS[*letter as usize & 63] as char));
    }
    while !text.len().is_multiple_of(4) {
        text.push('=');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn hashes_are_written_as_the_integrity_option_wants_them() {
        // FIPS 180-4, the example "abc", and the same in base64 by `openssl dgst -sha256 -binary | base64`.
        assert_eq!(
            base64("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
            "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0="
        );
    }
}
