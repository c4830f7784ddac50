//! Taking up a transfer where it broke off.

use thiserror::Error;

use super::content_range::ContentRange;

/// What tells one version of a file from another. Without it, a transfer cannot be taken up again: nothing says that
/// the rest belongs to what is there already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validator {
    etag: Option<String>,
    last_modified: Option<String>,
}

impl Validator {
    /// Of the headers of an answer. A weak entity tag says that two versions mean the same, not that they have the same
    /// bytes (RFC 9110, section 8.8.1), so it does not count.
    pub fn of(etag: Option<&str>, last_modified: Option<&str>) -> Option<Self> {
        let etag = etag.filter(|tag| tag.starts_with('"')).map(str::to_owned);
        let last_modified = last_modified.map(str::to_owned);
        (etag.is_some() || last_modified.is_some()).then_some(Self { etag, last_modified })
    }

    /// The value of `If-Range` (RFC 9110, section 13.1.5).
    pub fn if_range(&self) -> &str {
        self.etag.as_deref().or(self.last_modified.as_deref()).unwrap_or_default()
    }

    /// Whether an answer with that validator holds bytes of the same version, as far as the two can be compared;
    /// `unknown` where they cannot.
    pub fn is_same(&self, other: Option<&Self>, unknown: bool) -> bool {
        let Some(other) = other else { return unknown };
        match (&self.etag, &other.etag, &self.last_modified, &other.last_modified) {
            (Some(mine), Some(theirs), ..) | (_, _, Some(mine), Some(theirs)) => mine == theirs,
            _ => unknown,
        }
    }
}

/// What an answer to `Range: bytes=N-` is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resumed {
    /// It holds the rest.
    Rest {
        /// Bytes of the whole file, where the server knows it.
        total: Option<u64>,
    },
    /// It is no partial answer: what it holds, or what is wrong, is as without a range.
    Whole,
    /// It holds nothing that can be used. Ask without a range.
    Nothing,
}

impl Resumed {
    /// Reads an answer to a request for the bytes from `offset` on of a file of which `total` bytes are known.
    /// `is_same`: it is of the version that the first bytes are of. `is_encoded`: its bytes are not the file's own.
    pub fn read(
        status: u16,
        content_range: Option<&str>,
        (offset, total): (u64, Option<u64>),
        is_same: bool,
        is_encoded: bool,
    ) -> Self {
        match (status, content_range.and_then(ContentRange::parse)) {
            (206, Some(range)) => {
                let fits = range.first == offset
                    && range.total.zip(total).is_none_or(|(theirs, ours)| theirs == ours)
                    && range.total.is_none_or(|total| range.last + 1 == total);
                if fits && is_same && !is_encoded { Self::Rest { total: range.total } } else { Self::Nothing }
            }
            (206 | 416, _) => Self::Nothing,
            _ => Self::Whole,
        }
    }
}

/// A file that is shorter or longer than it has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("{actual} bytes came, {expected} should have")]
pub struct WrongLength {
    /// Bytes that came.
    pub actual: u64,
    /// Bytes that should have come.
    pub expected: u64,
}

/// Checks the length of what has come against what is known of it: what the server declared, and what the caller
/// expects.
///
/// # Errors
/// [`WrongLength`] with the first that differs.
pub fn check_length(actual: u64, known: &[Option<u64>]) -> Result<(), WrongLength> {
    match known.iter().flatten().find(|expected| **expected != actual) {
        Some(expected) => Err(WrongLength { actual, expected: *expected }),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_tells_bytes_apart_is_a_validator() {
        assert_eq!(Validator::of(None, None), None);
        assert_eq!(Validator::of(Some("W/\"a\""), None), None);
        let weak = Validator::of(Some("W/\"a\""), Some("yesterday")).unwrap();
        assert_eq!(weak.if_range(), "yesterday");
        assert_eq!(Validator::of(Some("\"a\""), Some("yesterday")).unwrap().if_range(), "\"a\"");
    }

    #[test]
    fn versions_are_compared_by_what_both_answers_have() {
        let both = Validator::of(Some("\"a\""), Some("yesterday")).unwrap();
        let tag = Validator::of(Some("\"b\""), None).unwrap();
        let date = Validator::of(None, Some("yesterday")).unwrap();
        assert!(both.is_same(Some(&both), false));
        assert!(!both.is_same(Some(&tag), true));
        assert!(both.is_same(Some(&date), false));
        assert!(!tag.is_same(Some(&date), false));
        assert!(tag.is_same(None, true));
    }

    #[test]
    fn answers_to_a_resumed_request() {
        let read = |status, range, is_same| Resumed::read(status, range, (10, Some(100)), is_same, false);
        assert_eq!(read(206, Some("bytes 10-99/100"), true), Resumed::Rest { total: Some(100) });
        assert_eq!(read(206, Some("bytes 10-99/*"), true), Resumed::Rest { total: None });
        for range in ["bytes 9-99/100", "bytes 10-99/101", "bytes 10-50/100", "bytes 10-100/101", "bytes */100"] {
            assert_eq!(read(206, Some(range), true), Resumed::Nothing, "{range}");
        }
        assert_eq!(read(206, Some("bytes 10-99/100"), false), Resumed::Nothing);
        assert_eq!(read(206, None, true), Resumed::Nothing);
        assert_eq!(read(416, Some("bytes */100"), true), Resumed::Nothing);
        assert_eq!(read(200, None, true), Resumed::Whole);
        assert_eq!(read(503, None, true), Resumed::Whole);
        assert_eq!(Resumed::read(206, Some("bytes 10-99/100"), (10, None), true, true), Resumed::Nothing);
    }

    #[test]
    fn lengths() {
        assert_eq!(check_length(5, &[None, Some(5)]), Ok(()));
        assert_eq!(check_length(5, &[Some(5), Some(6)]).unwrap_err().to_string(), "5 bytes came, 6 should have");
    }
}
