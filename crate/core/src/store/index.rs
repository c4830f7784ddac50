//! What is kept, under which names, and when it was used.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::{Deserialize, Serialize};

use super::ContentHash;

/// How many files the index is written to in turn.
pub const INDEX_FILES: u64 = 2;

/// Of the format below. Another version reads as no index: content is found again without it, names are not.
const VERSION: u32 = 1;

/// The length of the first line: a SHA-256 in hexadecimal and a line feed.
const HEADER: usize = 65;

/// A piece of content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Entry {
    /// Bytes.
    pub size: u64,
    /// Milliseconds since 1970, as of when that was last written down.
    pub last_used: u64,
    /// Whether it is kept for its hash alone. Otherwise it goes with the last name that refers to it.
    pub is_direct: bool,
}

/// The books of one store.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Index {
    generation: u64,
    entries: BTreeMap<ContentHash, Entry>,
    names: BTreeMap<String, ContentHash>,
}

/// The index as JSON.
#[derive(Serialize, Deserialize)]
struct Written {
    version: u32,
    generation: u64,
    /// By hash: size, last use, whether it is kept for its hash alone.
    content: BTreeMap<String, (u64, u64, bool)>,
    /// Hashes by name.
    names: BTreeMap<String, String>,
}

impl Index {
    /// Reads an index: the SHA-256 of everything after the first line, which it is, then JSON. Nothing where anything is
    /// wrong with it.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let (header, body) = bytes.split_at_checked(HEADER)?;
        let header = std::str::from_utf8(header).ok()?.strip_suffix('\n')?;
        if header != ContentHash::of(body).to_string() {
            return None;
        }
        let written: Written = serde_json::from_slice(body).ok()?;
        if written.version != VERSION {
            return None;
        }
        let mut index = Self { generation: written.generation, ..Self::default() };
        for (hash, (size, last_used, is_direct)) in written.content {
            index.entries.insert(hash.parse().ok()?, Entry { size, last_used, is_direct });
        }
        for (name, hash) in written.names {
            let hash = hash.parse().ok()?;
            index.entries.contains_key(&hash).then(|| index.names.insert(name, hash))?;
        }
        Some(index)
    }

    /// The newer of what the two files hold.
    pub fn newest(found: impl IntoIterator<Item = Option<Self>>) -> Option<Self> {
        found.into_iter().flatten().max_by_key(|index| index.generation)
    }

    /// The index for the file that does not hold the last one, and that file's number, from 0 to [`INDEX_FILES`].
    pub fn encode(&mut self) -> (u64, Vec<u8>) {
        self.generation += 1;
        let content = self.entries.iter().map(|(hash, entry)| {
            let Entry { size, last_used, is_direct } = *entry;
            (hash.to_string(), (size, last_used, is_direct))
        });
        let names = self.names.iter().map(|(name, hash)| (name.clone(), hash.to_string()));
        let written = Written {
            version: VERSION,
            generation: self.generation,
            content: content.collect(),
            names: names.collect(),
        };
        // Maps with keys of text, numbers and truth values: nothing that could fail to become JSON.
        let body = serde_json::to_vec(&written).unwrap_or_default();
        let mut bytes = format!("{}\n", ContentHash::of(&body)).into_bytes();
        bytes.extend(body);
        (self.generation % INDEX_FILES, bytes)
    }

    /// What is known of content.
    pub fn entry(&self, hash: &ContentHash) -> Option<&Entry> {
        self.entries.get(hash)
    }

    /// All content.
    pub fn hashes(&self) -> impl Iterator<Item = ContentHash> + '_ {
        self.entries.keys().copied()
    }

    /// What a name refers to.
    pub fn find(&self, name: &str) -> Option<ContentHash> {
        self.names.get(name).copied()
    }

    /// The names that begin with `prefix`, sorted.
    pub fn names<'a>(&'a self, prefix: &'a str) -> impl Iterator<Item = &'a str> {
        let from = self.names.range::<str, _>((std::ops::Bound::Included(prefix), std::ops::Bound::Unbounded));
        from.map(|(name, _)| name.as_str()).take_while(move |name| name.starts_with(prefix))
    }

    /// Bytes of content in all.
    pub fn bytes(&self) -> u64 {
        self.entries.values().map(|entry| entry.size).fold(0, u64::saturating_add)
    }

    /// How many pieces of content there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Notes content that is kept for its hash.
    pub fn add(&mut self, hash: ContentHash, size: u64, now: u64) {
        self.entries.insert(hash, Entry { size, last_used: now, is_direct: true });
    }

    /// Notes content that is kept under a name, and gives what nothing refers to any more.
    pub fn add_named(&mut self, name: &str, hash: ContentHash, size: u64, now: u64) -> Option<ContentHash> {
        let is_direct = self.entries.get(&hash).is_some_and(|entry| entry.is_direct);
        self.entries.insert(hash, Entry { size, last_used: now, is_direct });
        let old = self.names.insert(name.to_owned(), hash)?;
        self.drop_unless_wanted(old)
    }

    /// Forgets a name, and gives what nothing refers to any more.
    pub fn remove_name(&mut self, name: &str) -> Option<ContentHash> {
        let old = self.names.remove(name)?;
        self.drop_unless_wanted(old)
    }

    /// Forgets content and its names.
    pub fn remove(&mut self, hash: &ContentHash) {
        self.entries.remove(hash);
        self.names.retain(|_, named| named != hash);
    }

    /// Notes a use; content that is not known stays so.
    pub fn touch(&mut self, hash: &ContentHash, now: u64) {
        if let Some(entry) = self.entries.get_mut(hash) {
            entry.last_used = entry.last_used.max(now);
        }
    }

    /// Brings the books in line with the content that is there, and its sizes. What was not known is kept for its hash,
    /// and first to go.
    pub fn reconcile(&mut self, present: impl IntoIterator<Item = (ContentHash, u64)>) {
        let present: HashMap<ContentHash, u64> = present.into_iter().collect();
        self.entries.retain(|hash, _| present.contains_key(hash));
        self.names.retain(|_, hash| present.contains_key(hash));
        for (hash, size) in present {
            self.entries.entry(hash).or_insert(Entry { size, last_used: 0, is_direct: true }).size = size;
        }
    }

    /// What has to go so that `needed` more bytes fit under `limit`: the least recently used first, never what is in
    /// use. Nothing where that does not make enough room.
    pub fn victims(&self, needed: u64, limit: u64, in_use: &HashSet<ContentHash>) -> Option<Vec<ContentHash>> {
        let mut bytes = self.bytes().saturating_add(needed);
        let mut candidates: Vec<_> = self.entries.iter().filter(|(hash, _)| !in_use.contains(hash)).collect();
        candidates.sort_by_key(|(_, entry)| entry.last_used);
        let mut victims = Vec::new();
        for (hash, entry) in candidates {
            if bytes <= limit {
                break;
            }
            bytes = bytes.saturating_sub(entry.size);
            victims.push(*hash);
        }
        (bytes <= limit).then_some(victims)
    }

    fn drop_unless_wanted(&mut self, hash: ContentHash) -> Option<ContentHash> {
        let is_wanted = self.entries.get(&hash)?.is_direct || self.names.values().any(|referred| *referred == hash);
        (!is_wanted).then(|| self.entries.remove(&hash))?;
        Some(hash)
    }
}

#[cfg(test)]
mod tests {
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
    }

    fn change() -> impl Strategy<Value = Change> {
        let (number, size, name) = (0..12_u8, 0..1000_u64, "(bytecode|image)/[ab\"\\\\é]{1,2}");
        prop_oneof![
            (number.clone(), size.clone()).prop_map(|(number, size)| Change::Add(number, size)),
            (name, number.clone(), size).prop_map(|(name, number, size)| Change::AddNamed(name, number, size)),
            name.prop_map(Change::RemoveName),
            number.clone().prop_map(Change::Remove),
            number.prop_map(Change::Touch),
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
            for hash in index.hashes() {
                let is_named = index.names("").any(|name| index.find(name) == Some(hash));
                prop_assert!(is_named || index.entry(&hash).unwrap().is_direct);
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
            let in_use: HashSet<ContentHash> = in_use.into_iter().map(hash).collect();
            let size = |hash: &ContentHash| index.entry(hash).unwrap().size;
            let used = |hash: &ContentHash| index.entry(hash).unwrap().last_used;
            if let Some(victims) = index.victims(needed, limit, &in_use) {
                prop_assert!(victims.iter().all(|victim| !in_use.contains(victim)));
                let rest = index.bytes() + needed - victims.iter().map(size).sum::<u64>();
                prop_assert!(rest <= limit);
                if let Some(last) = victims.last() {
                    prop_assert!(rest + size(last) > limit, "the last one need not go");
                    let spared = index.hashes().filter(|hash| !in_use.contains(hash) && !victims.contains(hash));
                    prop_assert!(spared.into_iter().all(|spared| used(&spared) >= used(last)));
                }
            } else {
                let held: u64 = index.hashes().filter(|hash| in_use.contains(hash)).map(|hash| size(&hash)).sum();
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
            index.reconcile(present.clone());
            prop_assert_eq!(index.hashes().collect::<Vec<_>>(), present.keys().copied().collect::<Vec<_>>());
            prop_assert_eq!(index.bytes(), present.values().sum::<u64>());
            for (hash, size) in present {
                let entry = *index.entry(&hash).unwrap();
                let known = before.entry(&hash).copied().unwrap_or(Entry { size, last_used: 0, is_direct: true });
                prop_assert_eq!(entry, Entry { size, ..known });
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
        assert_eq!(index.add_named("b", hash(1), 1, 1), None);
        assert_eq!(index.add_named("a", hash(2), 1, 1), None, "b still refers to it");
        assert_eq!(index.add_named("b", hash(2), 1, 1), Some(hash(1)));
        index.add(hash(2), 1, 1);
        assert_eq!((index.remove_name("a"), index.remove_name("b")), (None, None));
        assert_eq!(index.len(), 1);
        assert_eq!(index.remove_name("b"), None);
    }

    #[test]
    fn another_version_is_no_index() {
        let body = br#"{"version":2,"generation":1,"content":{},"names":{}}"#;
        let bytes = [format!("{}\n", ContentHash::of(body)).as_bytes(), body].concat();
        assert_eq!(Index::decode(&bytes), None);
    }
}
