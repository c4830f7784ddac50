//! Reads versions in every spelling that appendix B of PEP 440 allows.

use std::str::FromStr;

use super::{LocalSegment, PreRelease, Version, VersionError};

const NUMBER_LIMIT: &str = "a number below 2⁶⁴";

/// Spellings of the pre-release phases, longer ones before their beginnings.
const PHASES: [(&str, PreRelease); 8] = [
    ("alpha", PreRelease::Alpha),
    ("a", PreRelease::Alpha),
    ("beta", PreRelease::Beta),
    ("b", PreRelease::Beta),
    ("preview", PreRelease::Candidate),
    ("pre", PreRelease::Candidate),
    ("rc", PreRelease::Candidate),
    ("c", PreRelease::Candidate),
];

const POST_RELEASE: [(&str, ()); 3] = [("post", ()), ("rev", ()), ("r", ())];
const DEV_RELEASE: [(&str, ()); 1] = [("dev", ())];

/// White space as Python's `\s` sees it.
pub(super) fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\x1c'..='\x1f').contains(&character)
}

impl FromStr for Version {
    type Err = VersionError;

    /// Reads a version; white space around it is ignored.
    fn from_str(input: &str) -> Result<Self, VersionError> {
        let text = input.trim_matches(is_space);
        let mut parser = Parser { rest: text.as_bytes() };
        let parsed = parser.version().and_then(|version| match parser.rest {
            [] => Ok(version),
            _ => Err("the end of the version"),
        });
        parsed.map_err(|expected| {
            let here = input.trim_end_matches(is_space).len() - parser.rest.len();
            // Only ASCII has been consumed after the white space.
            let position = input.get(..here).unwrap_or(input).chars().count();
            VersionError { input: input.to_owned(), position, expected }
        })
    }
}

struct Parser<'a> {
    rest: &'a [u8],
}

/// What was expected at the position that the parser has reached.
type Expected = &'static str;

impl Parser<'_> {
    fn version(&mut self) -> Result<Version, Expected> {
        self.take(b"vV");
        let mut first = self.number()?.ok_or("a digit")?;
        let mut epoch = 0;
        if self.take(b"!") {
            epoch = first;
            first = self.number()?.ok_or("a digit after the epoch")?;
        }
        let mut release = vec![first];
        while matches!(self.rest, [b'.', next, ..] if next.is_ascii_digit()) {
            self.take(b".");
            release.extend(self.number()?);
        }
        let pre = self.suffix(&PHASES)?;
        let post = if matches!(self.rest, [b'-', next, ..] if next.is_ascii_digit()) {
            self.take(b"-");
            self.number()?
        } else {
            self.suffix(&POST_RELEASE)?.map(|((), number)| number)
        };
        let dev = self.suffix(&DEV_RELEASE)?.map(|((), number)| number);
        let local = if self.take(b"+") { self.local()? } else { Vec::new() };
        Ok(Version { epoch, release, pre, post, dev, local })
    }

    /// A separator, one of `words`, a separator and a number, of which only the word has to be there.
    fn suffix<T: Copy>(&mut self, words: &[(&str, T)]) -> Result<Option<(T, u64)>, Expected> {
        let start = self.rest;
        self.take(b"-_.");
        for (word, meaning) in words {
            if self.rest.len() >= word.len() && self.rest[..word.len()].eq_ignore_ascii_case(word.as_bytes()) {
                self.rest = &self.rest[word.len()..];
                self.take(b"-_.");
                return Ok(Some((*meaning, self.number()?.unwrap_or(0))));
            }
        }
        self.rest = start;
        Ok(None)
    }

    fn local(&mut self) -> Result<Vec<LocalSegment>, Expected> {
        let mut segments = Vec::new();
        loop {
            let length = self.rest.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
            let (segment, rest) = self.rest.split_at(length);
            if segment.is_empty() {
                return Err("a letter or a digit of the local version");
            }
            if segment.iter().all(u8::is_ascii_digit) {
                segments.extend(self.number()?.map(LocalSegment::Number));
            } else {
                let text = segment.iter().map(|byte| char::from(byte.to_ascii_lowercase())).collect();
                segments.push(LocalSegment::Text(text));
                self.rest = rest;
            }
            if !self.take(b"-_.") {
                return Ok(segments);
            }
        }
    }

    fn number(&mut self) -> Result<Option<u64>, Expected> {
        let length = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return Ok(None);
        }
        let (digits, rest) = self.rest.split_at(length);
        let append = |number: u64, digit: &u8| number.checked_mul(10)?.checked_add(u64::from(digit - b'0'));
        let number = digits.iter().try_fold(0, append).ok_or(NUMBER_LIMIT)?;
        self.rest = rest;
        Ok(Some(number))
    }

    fn take(&mut self, any_of: &[u8]) -> bool {
        match self.rest {
            [first, rest @ ..] if any_of.contains(first) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }
}
