//! Changes of the index, and of content with it: by one tab at a time, and from what the index then says.

use futures::lock::OwnedMutexGuard;
use js_sys::Uint8Array;
use taipan_core::store::{ContentHash, Index};
use wasm_bindgen::JsValue;

use super::backend::Backend;
use super::lock::Lock;
use super::place::Place;
use super::{SAVED, Store};

/// A change under way. Dropped without [`Change::commit`], the index stays as it was.
pub struct Change {
    /// The index, to be changed.
    pub index: Index,
    /// Where content is.
    pub backend: Backend,
    store: Store,
    /// Content that nothing refers to once the index is written.
    unwanted: Vec<ContentHash>,
    _turn: OwnedMutexGuard<()>,
    _lock: Lock,
}

impl Change {
    /// Waits for all changes that were begun before, in whichever tab.
    pub async fn begin(store: &Store) -> Self {
        // Where the browser has no locks, there is still one change at a time in this interpreter.
        let turn = store.shared.turn.clone().lock_owned().await;
        let lock = Lock::acquire().await;
        let backend = store.backend();
        let index = backend.index().await;
        Self { index, backend, store: store.clone(), unwanted: Vec::new(), _turn: turn, _lock: lock }
    }

    /// Removes content, and forgets it unless another tab has it open.
    pub async fn remove(&mut self, hash: &ContentHash) {
        if self.backend.remove(Place::Content(*hash)).await {
            self.index.remove(hash);
        }
    }

    /// Removes the least recently used until `needed` more bytes, under a name if there is one, fit under `limit`. Says whether
    /// they do. What this interpreter uses stays, and so does what cannot be had again. What the name refers to now stays
    /// until the index is written, and does not count.
    pub async fn make_room(&mut self, needed: u64, limit: u64, name: Option<&str>) -> bool {
        let mut spared = self.needed();
        let mut allowed = limit;
        if let Some(replaced) = name.and_then(|name| self.index.goes_with(name)) {
            spared.push(replaced.hash);
            allowed = allowed.saturating_add(replaced.size);
        }
        let is_full = |index: &Index| index.bytes().saturating_add(needed) > allowed;
        if needed <= limit && is_full(&self.index) {
            self.index.reconcile(&self.backend.content().await);
            let victims = self.index.victims(needed, allowed, &spared);
            for victim in victims.unwrap_or_default() {
                self.remove(&victim).await;
            }
        }
        needed <= limit && !is_full(&self.index)
    }

    /// What this interpreter uses, and what somebody has saved.
    fn needed(&self) -> Vec<ContentHash> {
        let saved = self.index.names(SAVED).filter_map(|name| self.index.find(name));
        self.store.shared.in_use.borrow().iter().copied().chain(saved).collect()
    }

    /// Removes whatever this interpreter does not use and can be had again.
    pub async fn remove_unused(&mut self) {
        let needed = self.needed();
        let unused: Vec<ContentHash> =
            self.index.entries().iter().map(|entry| entry.hash).filter(|hash| !needed.contains(hash)).collect();
        for hash in unused {
            self.remove(&hash).await;
        }
    }

    /// Has content removed when the index does not refer to it any more: a tab that is closed in between must not leave an
    /// index that refers to what is gone.
    pub fn remove_at_end(&mut self, hash: ContentHash) {
        self.unwanted.push(hash);
    }

    /// Writes the index, and removes what was to be removed then.
    ///
    /// # Errors
    /// What the browser threw.
    pub async fn commit(mut self) -> Result<(), JsValue> {
        let (number, bytes) = self.index.encode();
        self.backend.write(Place::Index(number), &Uint8Array::from(bytes.as_slice())).await?;
        *self.store.shared.index.borrow_mut() = self.index;
        for hash in self.unwanted {
            // What stays is found, and removed, when room is made.
            self.backend.remove(Place::Content(hash)).await;
        }
        Ok(())
    }
}
