//! What is kept, under which names, and when it was used.

mod file;
#[cfg(test)]
mod tests;

use super::ContentHash;

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
