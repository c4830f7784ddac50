//! The header `Content-Range`.

/// Which bytes of a file an answer holds.
///
/// Source: RFC 9110, section 14.4.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ContentRange {
    /// Offset of the first byte.
    pub first: u64,
    /// Offset of the last byte, which is part of the answer.
    pub last: u64,
    /// Bytes of the whole file, where the server knows it.
    pub total: Option<u64>,
}

impl ContentRange {
    /// Reads `bytes 7-12/7000` or `bytes 7-12/*`. Nothing else is a range: not another unit, not an unsatisfied range
    /// (`bytes */7000`), not one that ends before it starts or after the file.
    pub fn parse(header: &str) -> Option<Self> {
        let (unit, rest) = header.trim().split_once(' ')?;
        if !unit.eq_ignore_ascii_case("bytes") {
            return None;
        }
        let (range, total) = rest.trim().split_once('/')?;
        let (first, last) = range.split_once('-')?;
        let total = match total {
            "*" => None,
            digits => Some(number(digits)?),
        };
        let (first, last) = (number(first)?, number(last)?);
        let is_sound = first <= last && total.is_none_or(|total| last < total);
        is_sound.then_some(Self { first, last, total })
    }
}

/// Digits and nothing else: Rust's own parser takes a sign too.
pub(super) fn number(digits: &str) -> Option<u64> {
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    digits.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_read() {
        assert_eq!(
            ContentRange::parse("bytes 7-12/7000"),
            Some(ContentRange { first: 7, last: 12, total: Some(7000) })
        );
        assert_eq!(ContentRange::parse("Bytes 0-0/*"), Some(ContentRange { first: 0, last: 0, total: None }));
    }

    #[test]
    fn what_is_no_sound_range_is_none() {
        for header in [
            "",
            "bytes",
            "bytes */7000",
            "bytes 7-/7000",
            "bytes 12-7/7000",
            "bytes 7-7000/7000",
            "bytes +7-12/7000",
            "bytes 7-12",
            "bytes 7-12/",
            "lines 7-12/7000",
            "bytes 7-99999999999999999999/*",
        ] {
            assert_eq!(ContentRange::parse(header), None, "{header}");
        }
    }
}
