//! How much may be kept.

/// The most that is kept unless the caller says otherwise, in bytes.
pub const DEFAULT_LIMIT: u64 = 512 * 1024 * 1024;

/// The limit in bytes: what the caller asked for, else [`DEFAULT_LIMIT`], else half of what the browser gives the whole
/// site (`StorageEstimate.quota` of the Storage Standard) where that is less: the other half is the site's own.
pub fn limit(asked: Option<u64>, quota: Option<u64>) -> u64 {
    asked.unwrap_or_else(|| quota.map_or(DEFAULT_LIMIT, |quota| DEFAULT_LIMIT.min(quota / 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caller_has_the_last_word_and_the_site_keeps_its_half() {
        assert_eq!(limit(Some(7), Some(100)), 7);
        assert_eq!(limit(None, Some(100)), 50);
        assert_eq!(limit(None, Some(u64::MAX)), DEFAULT_LIMIT);
        assert_eq!(limit(None, None), DEFAULT_LIMIT);
    }
}
