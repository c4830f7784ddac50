//! `RECORD`: what a wheel says it holds (recording installed projects specification, PEP 376 and 427).

use std::collections::HashSet;

use sha2::{Digest, Sha256};
use thiserror::Error;

use crate::archive::{Archive, EntryKind};

/// The largest `RECORD` that is read, in bytes.
const MAX_BYTES: usize = 32 << 20;

/// The list of a wheel's files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// One for each file, in the order of the list.
    pub files: Vec<RecordedFile>,
}

/// A file in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedFile {
    /// Path in the wheel, with `/` between names.
    pub path: String,
    /// SHA-256 of its contents. `RECORD` itself has none.
    pub sha256: Option<[u8; 32]>,
    /// Bytes of its contents.
    pub size: Option<u64>,
}

/// Where a list and an archive differ. Paths are in the order in which they were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordReport {
    /// Files that are listed and are not in the archive.
    pub missing: Vec<String>,
    /// Files that are in the archive and are not listed; signatures of the list need not be.
    pub unlisted: Vec<String>,
    /// Files that have another size than is listed.
    pub wrong_size: Vec<String>,
}

/// Why a list cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum RecordError {
    /// It is too large.
    #[error("RECORD has {actual} bytes, more than the {limit} that are allowed")]
    TooLarge {
        /// Bytes it has.
        actual: usize,
        /// Bytes that are allowed.
        limit: usize,
    },
    /// A row does not have a path, a hash and a size, or its quotes are wrong.
    #[error("row {row} of RECORD is not `path,hash,size`")]
    Row {
        /// One-based.
        row: usize,
    },
    /// A hash is neither absent nor SHA-256 in URL-safe base64 without padding.
    #[error("row {row} of RECORD has the hash {hash:?}; it must be `sha256=` and 43 characters of URL-safe base64")]
    Hash {
        /// One-based.
        row: usize,
        /// What stands there, cut off.
        hash: String,
    },
    /// A size is not a number.
    #[error("row {row} of RECORD has the size {size:?}")]
    Size {
        /// One-based.
        row: usize,
        /// What stands there, cut off.
        size: String,
    },
}

impl Record {
    /// Reads a list. Empty rows are passed over.
    ///
    /// # Errors
    /// [`RecordError`].
    pub fn parse(text: &str) -> Result<Self, RecordError> {
        if text.len() > MAX_BYTES {
            return Err(RecordError::TooLarge { actual: text.len(), limit: MAX_BYTES });
        }
        let mut files = Vec::new();
        let mut rest = text;
        let mut row = 0;
        while !rest.is_empty() {
            row += 1;
            let (fields, after) = read_row(rest).ok_or(RecordError::Row { row })?;
            rest = after;
            match fields.as_slice() {
                [only] if only.is_empty() => {}
                [path, hash, size] if !path.is_empty() => files.push(RecordedFile {
                    path: path.clone(),
                    sha256: parse_hash(hash).ok_or_else(|| RecordError::Hash { row, hash: cut(hash) })?,
                    size: parse_size(size).ok_or_else(|| RecordError::Size { row, size: cut(size) })?,
                }),
                _ => return Err(RecordError::Row { row }),
            }
        }
        Ok(Self { files })
    }

    /// Compares the list with the files of an archive by path and size; contents are not read.
    pub fn compare(&self, archive: &Archive) -> RecordReport {
        let mut report = RecordReport::default();
        let mut listed = HashSet::with_capacity(self.files.len());
        for file in &self.files {
            listed.insert(file.path.as_str());
            match archive.find(&file.path).filter(|entry| entry.kind != EntryKind::Directory) {
                None => report.missing.push(file.path.clone()),
                Some(entry) if file.size.is_some_and(|size| size != entry.size) => {
                    report.wrong_size.push(file.path.clone());
                }
                Some(_) => {}
            }
        }
        let is_signature =
            |path: &str| path.ends_with(".dist-info/RECORD.jws") || path.ends_with(".dist-info/RECORD.p7s");
        report.unlisted = archive
            .entries()
            .iter()
            .filter(|entry| entry.kind != EntryKind::Directory)
            .map(|entry| entry.path.as_str())
            .filter(|path| !listed.contains(path) && !is_signature(path))
            .map(str::to_owned)
            .collect();
        report
    }
}

impl RecordedFile {
    /// Whether contents are those that were listed, as far as the list says.
    pub fn matches(&self, contents: &[u8]) -> bool {
        self.size.is_none_or(|size| size == contents.len() as u64)
            && self.sha256.is_none_or(|expected| Sha256::digest(contents)[..] == expected)
    }
}

impl RecordReport {
    /// Whether nothing differs.
    pub const fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.unlisted.is_empty() && self.wrong_size.is_empty()
    }
}

fn cut(text: &str) -> String {
    text.chars().take(80).collect()
}

/// The fields of the first row and what comes after it, as Python's `csv` module reads them (RFC 4180).
fn read_row(text: &str) -> Option<(Vec<String>, &str)> {
    let mut fields = Vec::new();
    let mut rest = text;
    loop {
        let field;
        (field, rest) = if let Some(quoted) = rest.strip_prefix('"') { read_quoted(quoted)? } else { read_plain(rest) };
        fields.push(field);
        if let Some(after) = rest.strip_prefix(',') {
            rest = after;
        } else {
            let after = rest.strip_prefix("\r\n").or_else(|| rest.strip_prefix(['\n', '\r']));
            return match after {
                Some(after) => Some((fields, after)),
                None if rest.is_empty() => Some((fields, "")),
                None => None,
            };
        }
    }
}

fn read_plain(text: &str) -> (String, &str) {
    let (field, rest) = text.split_at(text.find([',', '\n', '\r']).unwrap_or(text.len()));
    (field.to_owned(), rest)
}

/// A field after its opening quote. Two quotes stand for one.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let mut field = String::new();
    let mut rest = text;
    loop {
        let (part, after) = rest.split_once('"')?;
        field.push_str(part);
        match after.strip_prefix('"') {
            Some(after) => {
                field.push('"');
                rest = after;
            }
            None => return Some((field, after)),
        }
    }
}

/// `Some(None)` if there is no hash.
#[expect(clippy::option_option, reason = "wrong, absent and present are three things")]
fn parse_hash(text: &str) -> Option<Option<[u8; 32]>> {
    if text.is_empty() {
        return Some(None);
    }
    let digits = text.strip_prefix("sha256=")?;
    let digits = digits.strip_suffix('=').unwrap_or(digits);
    if digits.len() != 43 {
        return None;
    }
    let mut hash = [0; 32];
    let mut written = 0;
    let (mut bits, mut count) = (0_u32, 0);
    for digit in digits.bytes() {
        bits = bits << 6 | u32::from(base64_value(digit)?);
        count += 6;
        if count >= 8 {
            count -= 8;
            hash[written] = (bits >> count) as u8;
            written += 1;
            bits &= (1 << count) - 1;
        }
    }
    // The last digit has two bits that stand for nothing.
    (bits == 0).then_some(Some(hash))
}

const fn base64_value(digit: u8) -> Option<u8> {
    match digit {
        b'A'..=b'Z' => Some(digit - b'A'),
        b'a'..=b'z' => Some(digit - b'a' + 26),
        b'0'..=b'9' => Some(digit - b'0' + 52),
        b'-' => Some(62),
        b'_' => Some(63),
        _ => None,
    }
}

/// `Some(None)` if there is no size.
#[expect(clippy::option_option, reason = "wrong, absent and present are three things")]
fn parse_size(text: &str) -> Option<Option<u64>> {
    if text.is_empty() {
        return Some(None);
    }
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok().map(Some) } else { None }
}
