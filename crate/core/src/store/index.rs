//! What is kept, under which names, and when it was used.

use std::fmt::Write as _;

use super::ContentHash;

/// How many files the index is written to in turn.
const INDEX_FILES: u64 = 2;

/// The second line begins with it. Another version reads as no index: content is found again without it, names are not.
const FORMAT: &str = "taipan-store 1 ";

/// The length of the first line: a SHA-256 in hexadecimal and a line feed.
const HEADER: usize = 65;

/// A piece of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// What it is addressed by.
    pub hash: ContentHash,
    /// Bytes.
    pub size: u64,
    /// Milliseconds since 1970, as of when that was last written down.
    pub last_used: u64,
    /// Whether it is kept for its hash alone. Otherwise it goes with the last name that refers to it.
    pub is_direct: bool,
}

/// The books of one store. There are hundreds of entries at most, so lists will do: they are small in the module too.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    generation: u64,
    entries: Vec<Entry>,
    names: Vec<(String, ContentHash)>,
    remarks: Vec<(ContentHash, String)>,
}

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

    /// What is known of content.
    pub fn entry(&self, hash: &ContentHash) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.hash == *hash)
    }

    /// All content.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// What a name refers to.
    pub fn find(&self, name: &str) -> Option<ContentHash> {
        self.names.iter().find(|(known, _)| known == name).map(|(_, hash)| *hash)
    }

    /// What has been remarked on content.
    pub fn remark(&self, hash: &ContentHash) -> Option<&str> {
        self.remarks.iter().find(|(known, _)| known == hash).map(|(_, text)| text.as_str())
    }

    /// Remarks on content, in one line, in the place of what has been remarked on it. It is there as long as the content is.
    pub fn set_remark(&mut self, hash: ContentHash, text: &str) {
        self.remarks.retain(|(known, _)| *known != hash);
        if self.entry(&hash).is_some() {
            self.remarks.push((hash, text.to_owned()));
        }
    }

    /// The names that begin with `prefix`.
    pub fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        self.names.iter().map(|(name, _)| name.as_str()).filter(move |name| name.starts_with(prefix))
    }

    /// Bytes of content in all.
    pub fn bytes(&self) -> u64 {
        self.entries.iter().map(|entry| entry.size).fold(0, u64::saturating_add)
    }

    /// Notes content that is kept for its hash.
    pub fn add(&mut self, hash: ContentHash, size: u64, now: u64) {
        self.note(hash, size, now).is_direct = true;
    }

    /// Notes content that is kept under a name, which is one line, and gives what nothing refers to any more.
    pub fn add_named(&mut self, name: &str, hash: ContentHash, size: u64, now: u64) -> Option<ContentHash> {
        self.note(hash, size, now);
        let old = self.find(name);
        self.names.retain(|(known, _)| known != name);
        self.names.push((name.to_owned(), hash));
        self.drop_unless_wanted(old?)
    }

    /// What nothing would refer to any more if a name referred to something else.
    pub fn goes_with(&self, name: &str) -> Option<Entry> {
        let entry = *self.entry(&self.find(name)?)?;
        (!self.is_wanted(&entry, Some(name))).then_some(entry)
    }

    /// Forgets a name, and gives what nothing refers to any more.
    pub fn remove_name(&mut self, name: &str) -> Option<ContentHash> {
        let old = self.find(name)?;
        self.names.retain(|(known, _)| known != name);
        self.drop_unless_wanted(old)
    }

    /// Forgets content and its names.
    pub fn remove(&mut self, hash: &ContentHash) {
        self.entries.retain(|entry| entry.hash != *hash);
        self.names.retain(|(_, named)| named != hash);
        self.remarks.retain(|(known, _)| known != hash);
    }

    /// Notes a use; content that is not known stays so.
    pub fn touch(&mut self, hash: &ContentHash, now: u64) {
        if let Some(entry) = self.entries.iter_mut().find(|entry| entry.hash == *hash) {
            entry.last_used = entry.last_used.max(now);
        }
    }

    /// Brings the books in line with the content that is there, and its sizes. What was not known is kept for its hash,
    /// and first to go.
    pub fn reconcile(&mut self, present: &[(ContentHash, u64)]) {
        let is_there = |hash: &ContentHash| present.iter().any(|(found, _)| found == hash);
        self.entries.retain(|entry| is_there(&entry.hash));
        self.names.retain(|(_, hash)| is_there(hash));
        self.remarks.retain(|(hash, _)| is_there(hash));
        for (hash, size) in present {
            match self.entries.iter_mut().find(|entry| entry.hash == *hash) {
                Some(entry) => entry.size = *size,
                None => self.entries.push(Entry { hash: *hash, size: *size, last_used: 0, is_direct: true }),
            }
        }
    }

    /// What has to go so that `needed` more bytes fit under `limit`: the least recently used first, never what is in
    /// use. Nothing where that does not make enough room.
    pub fn victims(&self, needed: u64, limit: u64, in_use: &[ContentHash]) -> Option<Vec<ContentHash>> {
        let mut bytes = self.bytes().saturating_add(needed);
        let mut victims = Vec::new();
        while bytes > limit {
            let candidates =
                self.entries.iter().filter(|entry| !in_use.contains(&entry.hash) && !victims.contains(&entry.hash));
            let victim = candidates.min_by_key(|entry| entry.last_used)?;
            bytes = bytes.saturating_sub(victim.size);
            victims.push(victim.hash);
        }
        Some(victims)
    }

    fn note(&mut self, hash: ContentHash, size: u64, now: u64) -> &mut Entry {
        let place = self.entries.iter().position(|entry| entry.hash == hash).unwrap_or_else(|| {
            self.entries.push(Entry { hash, size, last_used: now, is_direct: false });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[place];
        (entry.size, entry.last_used) = (size, now);
        entry
    }

    fn drop_unless_wanted(&mut self, hash: ContentHash) -> Option<ContentHash> {
        let is_wanted = self.is_wanted(self.entry(&hash)?, None);
        (!is_wanted).then(|| self.remove(&hash))?;
        Some(hash)
    }

    /// Whether content is kept for its hash, or a name refers to it, one perhaps left out.
    fn is_wanted(&self, entry: &Entry, left_out: Option<&str>) -> bool {
        let refers = |(name, hash): &(String, ContentHash)| *hash == entry.hash && Some(name.as_str()) != left_out;
        entry.is_direct || self.names.iter().any(refers)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::collection::{hash_set, vec};
    use proptest::prelude::*;

    use super::*;

    /// One of a few hashes, so that they meet.
    fn hash(number: u8) -> ContentHash {
        ContentHash::of(&[number])
    }

    #[derive(Debug, Clone)]
    enum Change {
        Add(u8, u64),
        AddNamed(String, u8, u64),
        RemoveName(String),
        Remove(u8),
        Touch(u8),
        Remark(u8, String),
    }

    fn change() -> impl Strategy<Value = Change> {
        let (number, size, name) = (0..12_u8, 0..1000_u64, "(bytecode|image)/[ab\"= \\\\é]{1,2}");
        prop_oneof![
            (number.clone(), size.clone()).prop_map(|(number, size)| Change::Add(number, size)),
            (name, number.clone(), size).prop_map(|(name, number, size)| Change::AddNamed(name, number, size)),
            name.prop_map(Change::RemoveName),
            number.clone().prop_map(Change::Remove),
            number.clone().prop_map(Change::Touch),
            (number, "[ab# ]{0,3}").prop_map(|(number, text)| Change::Remark(number, text)),
        ]
    }

    fn apply(changes: &[Change]) -> Index {
        let mut index = Index::default();
        for (now, change) in (1..).zip(changes) {
            match change {
                Change::Add(number, size) => index.add(hash(*number), *size, now),
                Change::AddNamed(name, number, size) => drop(index.add_named(name, hash(*number), *size, now)),
                Change::RemoveName(name) => drop(index.remove_name(name)),
                Change::Remove(number) => index.remove(&hash(*number)),
                Change::Touch(number) => index.touch(&hash(*number), now),
                Change::Remark(number, text) => index.set_remark(hash(*number), text),
            }
        }
        index
    }

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

        #[test]
        fn names_always_refer_to_content_and_content_to_a_reason(changes in vec(change(), 0..40)) {
            let index = apply(&changes);
            for name in index.names("") {
                prop_assert!(index.entry(&index.find(name).unwrap()).is_some());
            }
            for (hash, text) in &index.remarks {
                prop_assert!(index.entry(hash).is_some());
                prop_assert_eq!(index.remark(hash), Some(text.as_str()), "there is one of each");
            }
            for entry in index.entries() {
                let is_named = index.names("").any(|name| index.find(name) == Some(entry.hash));
                prop_assert!(is_named || entry.is_direct);
                prop_assert_eq!(index.entry(&entry.hash), Some(entry), "it is there once");
            }
            let with_prefix: Vec<&str> = index.names("").filter(|name| name.starts_with("image/")).collect();
            prop_assert_eq!(index.names("image/").collect::<Vec<_>>(), with_prefix);
        }

        #[test]
        fn the_least_recently_used_goes_and_no_more_than_needed(
            changes in vec(change(), 0..40), needed in 0..2000_u64, limit in 0..4000_u64,
            in_use in hash_set(0..12_u8, 0..6),
        ) {
            let index = apply(&changes);
            let in_use: Vec<ContentHash> = in_use.into_iter().map(hash).collect();
            let size = |hash: &ContentHash| index.entry(hash).unwrap().size;
            let used = |hash: &ContentHash| index.entry(hash).unwrap().last_used;
            if let Some(victims) = index.victims(needed, limit, &in_use) {
                prop_assert!(victims.iter().all(|victim| !in_use.contains(victim)));
                let rest = index.bytes() + needed - victims.iter().map(size).sum::<u64>();
                prop_assert!(rest <= limit);
                if let Some(last) = victims.last() {
                    prop_assert!(rest + size(last) > limit, "the last one need not go");
                    let mut spared =
                        index.entries().iter().filter(|entry| ![&in_use, &victims].iter().any(|hashes| hashes.contains(&entry.hash)));
                    prop_assert!(spared.all(|spared| spared.last_used >= used(last)));
                }
            } else {
                let held: u64 =
                    index.entries().iter().filter(|entry| in_use.contains(&entry.hash)).map(|entry| entry.size).sum();
                prop_assert!(held + needed > limit, "there would have been room");
            }
        }

        #[test]
        fn reconciled_books_say_what_is_there(
            changes in vec(change(), 0..40), present in prop::collection::hash_map(0..16_u8, 0..1000_u64, 0..16),
        ) {
            let mut index = apply(&changes);
            let before = index.clone();
            let present: BTreeMap<ContentHash, u64> =
                present.into_iter().map(|(number, size)| (hash(number), size)).collect();
            index.reconcile(&present.clone().into_iter().collect::<Vec<_>>());
            prop_assert_eq!(index.entries().len(), present.len());
            prop_assert_eq!(index.bytes(), present.values().sum::<u64>());
            for (hash, size) in present {
                let new = Entry { hash, size, last_used: 0, is_direct: true };
                let known = before.entry(&hash).copied().unwrap_or(new);
                prop_assert_eq!(index.entry(&hash), Some(&Entry { size, ..known }));
            }
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
    fn content_goes_with_its_last_name_unless_it_is_kept_for_its_hash() {
        let mut index = Index::default();
        assert_eq!(index.add_named("a", hash(1), 1, 1), None);
        assert_eq!(index.goes_with("a").map(|entry| entry.hash), Some(hash(1)));
        assert_eq!(index.add_named("b", hash(1), 1, 1), None);
        assert_eq!((index.goes_with("a"), index.goes_with("c")), (None, None));
        assert_eq!(index.add_named("a", hash(2), 1, 1), None, "b still refers to it");
        assert_eq!(index.add_named("b", hash(2), 1, 1), Some(hash(1)));
        index.add(hash(2), 1, 1);
        assert_eq!(index.goes_with("b"), None, "it is kept for its hash");
        assert_eq!((index.remove_name("a"), index.remove_name("b")), (None, None));
        assert_eq!(index.entries().len(), 1);
        assert_eq!(index.remove_name("b"), None);
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
