//! What a server says of keeping its answer: the header `Cache-Control` (RFC 9111, section 5.2.2).

/// Whether an answer with this header may be given again for some time without asking the server.
#[must_use]
pub fn may_be_reused(header: &str) -> bool {
    let mut is_fresh = false;
    for directive in header.split(',') {
        let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return false,
            "max-age" => is_fresh |= value.trim().trim_matches('"').parse::<u64>().is_ok_and(|seconds| seconds > 0),
            _ => {}
        }
    }
    is_fresh
}

#[cfg(test)]
mod tests {
    use super::may_be_reused;

    #[test]
    fn only_an_answer_that_stays_fresh_is_reused() {
        for header in ["max-age=60", "public, max-age=31536000, immutable", "Max-Age=\"5\"", "private , MAX-AGE = 1"] {
            assert!(may_be_reused(header), "{header}");
        }
        for header in
            ["", "public", "max-age=0", "max-age=-1", "max-age", "no-cache", "max-age=60, no-store", "s-maxage=60"]
        {
            assert!(!may_be_reused(header), "{header}");
        }
    }
}
