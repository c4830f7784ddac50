//! `direct_url.json` (PEP 610).

use serde_json::json;

/// The text of `direct_url.json` for a wheel that was installed by its address. Credentials in the address are left out,
/// as PEP 610 asks.
pub fn direct_url(url: &str, sha256: &str) -> String {
    let archive_info = json!({ "hash": format!("sha256={sha256}"), "hashes": { "sha256": sha256 } });
    json!({ "url": without_credentials(url), "archive_info": archive_info }).to_string()
}

fn without_credentials(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_kept_without_credentials() {
        let text = direct_url("https://me:secret@example.org/a@b/c-1-py3-none-any.whl", "ab");
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            json!({"url": "https://example.org/a@b/c-1-py3-none-any.whl",
                   "archive_info": {"hash": "sha256=ab", "hashes": {"sha256": "ab"}}})
        );
        assert!(direct_url("emfs:/tmp/a@b.whl", "ab").contains("emfs:/tmp/a@b.whl"));
    }
}
