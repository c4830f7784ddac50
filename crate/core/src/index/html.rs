//! The Simple API as HTML (PEP 503): the `<a>` tags of a page, however it is written otherwise.

use std::borrow::Cow;

use super::{CoreMetadata, IndexError, ProjectFile, ProjectPage, check_version, sha256};

/// Endings of files that indexes offer. A page without the name of the protocol's version must link to at least one.
const ARCHIVES: [&str; 6] = [".whl", ".tar.gz", ".zip", ".tar.bz2", ".egg", ".tgz"];

/// Bytes of the longest character reference that is read, its `;` included.
const LONGEST_REFERENCE: usize = 11;

pub(super) fn parse(text: &str) -> Result<ProjectPage, IndexError> {
    let mut page = ProjectPage::default();
    let mut is_index = false;
    for tag in (Tags { rest: text }) {
        match tag.name.to_ascii_lowercase().as_str() {
            "a" => page.files.extend(file(&tag)),
            "base" if page.base.is_none() => page.base = tag.attribute("href").map(Cow::into_owned),
            "meta" if tag.attribute("name").is_some_and(|name| name == "pypi:repository-version") => {
                check_version(&tag.attribute("content").unwrap_or_default())?;
                is_index = true;
            }
            _ => {}
        }
    }
    if is_index || !page.files.is_empty() { Ok(page) } else { Err(IndexError::NotAnIndex) }
}

/// The file that a link is to, if it is to one.
fn file(tag: &Tag<'_>) -> Option<ProjectFile> {
    let href = tag.attribute("href")?;
    let (url, fragment) = href.split_once('#').unwrap_or((&href, ""));
    let url = url.trim();
    let path = url.split('?').next().unwrap_or_default();
    let filename = percent_decode(path.rsplit('/').next().unwrap_or_default())?;
    if !ARCHIVES.iter().any(|ending| filename.ends_with(ending)) {
        return None;
    }
    let metadata = match tag.attribute("data-core-metadata").or_else(|| tag.attribute("data-dist-info-metadata")) {
        None => CoreMetadata::Absent,
        Some(value) if value == "false" => CoreMetadata::Absent,
        Some(value) => CoreMetadata::Offered { sha256: value.strip_prefix("sha256=").and_then(sha256) },
    };
    let hash = fragment.split('&').find_map(|pair| pair.strip_prefix("sha256="));
    let sha256 = match hash {
        Some(hash) => Some(sha256(hash)?),
        None => None,
    };
    Some(ProjectFile {
        filename,
        url: url.to_owned(),
        sha256,
        requires_python: tag
            .attribute("data-requires-python")
            .map(Cow::into_owned)
            .filter(|specifiers| !specifiers.trim().is_empty()),
        yanked: tag.attribute("data-yanked").map(Cow::into_owned),
        metadata,
        size: None,
        upload_time: None,
    })
}

/// The opening tags of a page, outside comments, scripts and styles.
struct Tags<'a> {
    rest: &'a str,
}

struct Tag<'a> {
    name: &'a str,
    attributes: &'a str,
}

impl<'a> Iterator for Tags<'a> {
    type Item = Tag<'a>;

    fn next(&mut self) -> Option<Tag<'a>> {
        loop {
            let (_, after) = self.rest.split_once('<')?;
            if let Some(comment) = after.strip_prefix("!--") {
                self.rest = comment.split_once("-->")?.1;
                continue;
            }
            let is_name = |character: char| character.is_ascii_alphanumeric() || character == '-';
            let end = after.find(|character| !is_name(character)).unwrap_or(after.len());
            let (name, inside) = after.split_at(end);
            if !name.starts_with(|first: char| first.is_ascii_alphabetic()) {
                self.rest = after;
                continue;
            }
            let (attributes, after) = inside.split_at(end_of_tag(inside));
            self.rest = after;
            if ["script", "style"].iter().any(|raw| name.eq_ignore_ascii_case(raw)) {
                self.rest = after_raw_text(after, name);
            }
            return Some(Tag { name, attributes });
        }
    }
}

/// Where a tag ends: at the first `>` outside quotes.
fn end_of_tag(inside: &str) -> usize {
    let mut quote = None;
    for (index, byte) in inside.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return index,
            (None, b'"' | b'\'') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            _ => {}
        }
    }
    inside.len()
}

/// What follows the end tag of an element whose contents are not markup.
fn after_raw_text<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        if after.get(..name.len()).is_some_and(|found| found.eq_ignore_ascii_case(name)) {
            return after;
        }
        rest = after;
    }
    ""
}

impl<'a> Tag<'a> {
    /// The value of an attribute, its character references read; the first of that name counts.
    fn attribute(&self, wanted: &str) -> Option<Cow<'a, str>> {
        let mut rest = self.attributes;
        loop {
            rest = rest.trim_start_matches(|character: char| character.is_ascii_whitespace() || character == '/');
            if rest.is_empty() {
                return None;
            }
            let ends = |character: char| character.is_ascii_whitespace() || matches!(character, '=' | '/');
            // A stray `=` at the beginning belongs to the name.
            let end =
                rest.char_indices().skip(1).find(|(_, character)| ends(*character)).map_or(rest.len(), |(at, _)| at);
            let (name, after) = rest.split_at(end);
            let (value, after) = match after.trim_start().strip_prefix('=') {
                Some(value) => read_value(value.trim_start()),
                None => ("", after),
            };
            if name.eq_ignore_ascii_case(wanted) {
                return Some(unescape(value));
            }
            rest = after;
        }
    }
}

fn read_value(text: &str) -> (&str, &str) {
    for quote in ['"', '\''] {
        if let Some(inside) = text.strip_prefix(quote) {
            return inside.split_once(quote).unwrap_or((inside, ""));
        }
    }
    text.split_at(text.find(|character: char| character.is_ascii_whitespace()).unwrap_or(text.len()))
}

/// Reads the character references that occur in links and specifiers; others stay as they are.
fn unescape(text: &str) -> Cow<'_, str> {
    if !text.contains('&') {
        return Cow::Borrowed(text);
    }
    let mut result = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        result.push_str(before);
        // Only near by: a page may have millions of `&` and no `;`.
        let near = &after[..after.floor_char_boundary(LONGEST_REFERENCE)];
        let read = near.find(';').and_then(|end| Some((character(&after[..end])?, &after[end + 1..])));
        let (character, after) = read.unwrap_or(('&', after));
        result.push(character);
        rest = after;
    }
    result.push_str(rest);
    Cow::Owned(result)
}

fn character(name: &str) -> Option<char> {
    let code = match name.strip_prefix('#') {
        Some(digits) => match digits.strip_prefix(['x', 'X']) {
            Some(digits) => u32::from_str_radix(digits, 16).ok()?,
            None => digits.parse().ok()?,
        },
        None => {
            return match name {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "quot" => Some('"'),
                "apos" => Some('\''),
                _ => None,
            };
        }
    };
    char::from_u32(code)
}

/// `None` if what is encoded is not UTF-8.
fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        let read = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()).map(|byte| (byte, &after[2..]));
        let (byte, after) = read.unwrap_or((*first, after));
        bytes.push(byte);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
