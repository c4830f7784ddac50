//! SHA-256 of what has come.

use js_sys::{ArrayBuffer, Reflect, Uint8Array};
use sha2::{Digest, Sha256};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use crate::error::{Code, Error, Result};
use crate::global;

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

/// The SHA-256 of bytes, in lower-case hexadecimal: by the browser (Chromium does that on this thread, 10 MB in some
/// 15 ms), or by Rust where the page is not a secure context and has no `crypto.subtle`.
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

#[cfg(test)]
mod tests {
    use super::*;

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
