//! What the store does when nothing else is going on.

use js_sys::Uint8Array;
use taipan_core::store::ContentHash;

use super::Store;
use super::change::Change;
use crate::global::wall_clock;

impl Store {
    /// Keeps bytes under their SHA-256, which the caller has checked, when there is time, unless they are there. Under a name
    /// too, if there is one.
    pub fn put_content_later(&self, name: Option<String>, hash: ContentHash, bytes: &Uint8Array) {
        if self.is_persistent() && self.shared.index.borrow().entry(&hash).is_none() {
            self.shared.pending.borrow_mut().push((name, hash, bytes.clone()));
        }
    }

    /// Keeps a few bytes under a name when there is time, in the place of what waits for it by that name, unless it is what
    /// the name refers to already.
    pub fn put_later(&self, name: &str, bytes: &[u8]) {
        let hash = ContentHash::of(bytes);
        let mut pending = self.shared.pending.borrow_mut();
        pending.retain(|(other, ..)| other.as_deref() != Some(name));
        if self.is_persistent() && self.find(name) != Some(hash) {
            pending.push((Some(name.to_owned()), hash, Uint8Array::from(bytes)));
        }
    }

    /// Keeps what waits for it, notes what was used, and lays content out for imports, which cannot wait for a
    /// promise; as long as it `is_idle`.
    pub async fn tidy(&self, is_idle: impl Fn() -> bool) {
        while is_idle() {
            let Some((name, hash, bytes)) = self.shared.pending.borrow_mut().pop() else { break };
            self.keep(name.as_deref(), hash, &bytes).await;
        }
        if !is_idle() {
            return;
        }
        let touched = self.shared.touched.take();
        if !touched.is_empty() {
            let mut change = Change::begin(self).await;
            let now = wall_clock() as u64;
            for hash in &touched {
                change.index.touch(hash, now);
            }
            self.commit(change).await;
        }
        let unread: Vec<ContentHash> = {
            let (index, in_use) = (self.shared.index.borrow(), self.shared.in_use.borrow());
            index.entries().iter().map(|entry| entry.hash).filter(|hash| !in_use.contains(hash)).collect()
        };
        let backend = self.backend();
        for hash in unread {
            if !is_idle() {
                return;
            }
            backend.have_at_hand(hash).await;
        }
    }
}
