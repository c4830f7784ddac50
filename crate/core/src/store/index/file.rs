//! The index as bytes, in two files that are written in turn.

use std::fmt::Write as _;

use super::{Entry, Index};
use crate::store::ContentHash;

/// How many files the index is written to in turn.
const INDEX_FILES: u64 = 2;

/// The second line begins with it. Another version reads as no index: content is found again without it, names are not.
const FORMAT: &str = "taipan-store 1 ";

/// The length of the first line: a SHA-256 in hexadecimal and a line feed.
const HEADER: usize = 65;

impl Index {
    /// Reads an index. Nothing where anything is wrong with it.
    ///
    /// The first line is the SHA-256 of all that follows. The second has the format and the generation; then there is a
    /// line for each piece of content (hash, size, last use, 1 if it is kept for its hash, else 0), for each name (hash, `=`,
    /// name) and for each remark (hash, `#`, text), all separated by spaces.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(bytes).ok()?;
        let (header, body) = text.split_at_checked(HEADER)?;
        if header.strip_suffix('\n')? != ContentHash::of(body.as_bytes()).to_string() {
            return None;
        }
        let mut lines = body.lines();
        let mut index = Self { generation: lines.next()?.strip_prefix(FORMAT)?.parse().ok()?, ..Self::default() };
        for line in lines {
            let (hash, rest) = line.split_once(' ')?;
            let hash = hash.parse().ok()?;
            if let Some(name) = rest.strip_prefix("= ") {
                index.entry(&hash)?;
                index.names.push((name.to_owned(), hash));
                continue;
            }
            if let Some(text) = rest.strip_prefix("# ") {
                index.entry(&hash)?;
                index.remarks.push((hash, text.to_owned()));
                continue;
            }
            let mut numbers = rest.split(' ').map(|number| number.parse::<u64>().ok());
            let mut next = || numbers.next()?;
            index.entries.push(Entry { hash, size: next()?, last_used: next()?, is_direct: next()? != 0 });
        }
        Some(index)
    }

    /// The newer of what the files hold.
    pub fn newest(found: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        found.into_iter().flatten().max_by_key(|index| index.generation)
    }

    /// The index for the file that does not hold the last one, and that file's number, 0 or 1.
    pub fn encode(&mut self) -> (u64, Vec<u8>) {
        self.generation += 1;
        let mut body = format!("{FORMAT}{}\n", self.generation);
        for Entry { hash, size, last_used, is_direct } in &self.entries {
            // Writing to a String cannot fail.
            let _ = writeln!(body, "{hash} {size} {last_used} {}", u8::from(*is_direct));
        }
        for (name, hash) in &self.names {
            let _ = writeln!(body, "{hash} = {name}");
        }
        for (hash, text) in &self.remarks {
            let _ = writeln!(body, "{hash} # {text}");
        }
        let text = format!("{}\n{body}", ContentHash::of(body.as_bytes()));
        (self.generation % INDEX_FILES, text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::tests::{apply, change, hash};
    use super::*;

    proptest! {
        #[test]
        fn an_index_survives_being_written_and_no_damage_does(
            changes in vec(change(), 0..40), place: prop::sample::Index, flipped in 1..=255_u8,
        ) {
            let mut index = apply(&changes);
            let (_, bytes) = index.encode();
            prop_assert_eq!(Index::decode(&bytes), Some(index));
            let at = place.index(bytes.len());
            prop_assert_eq!(Index::decode(&bytes[..at]), None);
            let mut damaged = bytes;
            damaged[at] ^= flipped;
            prop_assert_eq!(Index::decode(&damaged), None);
        }

        #[test]
        fn bytes_of_any_kind_are_no_index(bytes in vec(any::<u8>(), 0..200)) {
            prop_assert_eq!(Index::decode(&bytes), None);
        }
    }

    #[test]
    fn a_writer_that_dies_leaves_the_index_before() {
        let mut files = [None, None];
        let mut index = Index::default();
        for number in 0..5 {
            index.add(hash(number), 1, 1);
            let (file, bytes) = index.encode();
            files[file as usize] = Some(bytes);
        }
        let read = |files: &[Option<Vec<u8>>; 2]| {
            Index::newest(files.iter().map(|file| file.as_deref().and_then(Index::decode)))
        };
        assert_eq!(read(&files), Some(index.clone()));
        let before = index.clone();
        let (file, bytes) = index.encode();
        files[file as usize] = Some(bytes[..bytes.len() / 2].to_vec());
        assert_eq!(read(&files), Some(before));
        assert_eq!(read(&[None, None]), None);
    }

    #[test]
    fn another_version_is_no_index() {
        for body in ["taipan-store 2 1\n", "", "taipan-store 1\n"] {
            let text = format!("{}\n{body}", ContentHash::of(body.as_bytes()));
            assert_eq!(Index::decode(text.as_bytes()), None);
        }
    }

    #[test]
    fn a_name_of_nothing_is_no_index() {
        let body = format!("taipan-store 1 1\n{} = a\n", hash(1));
        let text = format!("{}\n{body}", ContentHash::of(body.as_bytes()));
        assert_eq!(Index::decode(text.as_bytes()), None);
    }
}
