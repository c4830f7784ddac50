//! Core metadata: `METADATA` in a wheel's `.dist-info` directory.

use thiserror::Error;

/// The largest file of metadata that is read, in bytes.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// What a distribution says of itself, as far as installing needs it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Metadata {
    /// `Name`
    pub name: String,
    /// `Version`
    pub version: String,
    /// `Requires-Dist`: requirements as they are written (PEP 508).
    pub requires_dist: Vec<String>,
    /// `Requires-Python`: specifiers as they are written (PEP 440).
    pub requires_python: Option<String>,
    /// `Provides-Extra`
    pub provides_extra: Vec<String>,
}

/// Why metadata cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum MetadataError {
    /// It is too large.
    #[error("METADATA has {actual} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// Bytes it has.
        actual: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// A line is neither a field nor the continuation of one.
    #[error("line {line} of METADATA is not a field: {text:?}")]
    Line {
        /// One-based.
        line: usize,
        /// Its beginning.
        text: String,
    },
    /// A field that must be there is missing.
    #[error("METADATA has no {field}")]
    Missing {
        /// Which.
        field: &'static str,
    },
}

impl Metadata {
    /// Reads metadata: header fields as in e-mail (RFC 5322), up to the first empty line.
    ///
    /// # Errors
    /// [`MetadataError`].
    pub fn parse(text: &str) -> Result<Self, MetadataError> {
        if text.len() > MAX_BYTES {
            return Err(MetadataError::TooLarge { actual: text.len(), limit: MAX_BYTES });
        }
        let mut metadata = Self::default();
        let mut field: Option<(String, String)> = None;
        for (index, line) in text.lines().enumerate() {
            if line.is_empty() {
                break;
            }
            if line.starts_with([' ', '\t'])
                && let Some((_, value)) = &mut field
            {
                value.push('\n');
                value.push_str(line);
                continue;
            }
            if let Some((name, value)) = field.take() {
                metadata.add(&name, &value);
            }
            let (name, value) = line
                .split_once(':')
                .filter(|(name, _)| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic()))
                .ok_or_else(|| MetadataError::Line { line: index + 1, text: line.chars().take(80).collect() })?;
            field = Some((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        if let Some((name, value)) = field {
            metadata.add(&name, &value);
        }
        for (field, value) in [("Name", &metadata.name), ("Version", &metadata.version)] {
            if value.is_empty() {
                return Err(MetadataError::Missing { field });
            }
        }
        Ok(metadata)
    }

    fn add(&mut self, name: &str, value: &str) {
        match name {
            "name" => value.clone_into(&mut self.name),
            "version" => value.clone_into(&mut self.version),
            "requires-dist" => self.requires_dist.push(value.to_owned()),
            "requires-python" => self.requires_python = Some(value.to_owned()),
            "provides-extra" => self.provides_extra.push(value.to_owned()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_read_and_the_body_is_not() {
        let text = "Metadata-Version: 2.1\nName: pandas\nversion: 2.3.1\nSummary: a\n  continued\nRequires-Dist: numpy>=1.26; python_version < '3.13'\nRequires-Dist: pytz\nRequires-Python: >=3.9\nProvides-Extra: test\n\nName: other\n";
        let metadata = Metadata::parse(text).unwrap();
        assert_eq!((metadata.name.as_str(), metadata.version.as_str()), ("pandas", "2.3.1"));
        assert_eq!(metadata.requires_dist, ["numpy>=1.26; python_version < '3.13'", "pytz"]);
        assert_eq!(metadata.requires_python.as_deref(), Some(">=3.9"));
    }

    #[test]
    fn what_is_not_metadata_is_refused() {
        assert_eq!(Metadata::parse("Name: a\n"), Err(MetadataError::Missing { field: "Version" }));
        assert!(matches!(Metadata::parse("Name: a\nnonsense\n"), Err(MetadataError::Line { line: 2, .. })));
        assert!(matches!(Metadata::parse(" continued\n"), Err(MetadataError::Line { line: 1, .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_text_never_panics(text in any::<String>()) {
            let _ = Metadata::parse(&text);
        }
    }
}
