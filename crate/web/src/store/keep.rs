//! Keeping content, as far as there is room for it.

use js_sys::Uint8Array;
use taipan_core::store::{ContentHash, limit};
use wasm_bindgen::JsValue;

use super::change::Change;
use super::opfs::{IN_USE, is_named};
use super::place::Place;
use super::{Store, navigator};
use crate::fetch::sha256;
use crate::global::wall_clock;

impl Store {
    /// Keeps bytes under a name (without control characters), in the place of what it referred to. Says whether they are kept:
    /// they may be too many.
    pub async fn put(&self, name: &str, bytes: &Uint8Array) -> bool {
        match sha256(bytes).await.parse() {
            Ok(hash) if !name.contains(char::is_control) => self.keep(Some(name), hash, bytes).await,
            _ => false,
        }
    }

    /// Keeps bytes under their SHA-256, which the caller has checked. Says whether they are kept.
    #[cfg(test)]
    pub async fn put_content(&self, hash: ContentHash, bytes: &Uint8Array) -> bool {
        self.keep(None, hash, bytes).await
    }

    /// Keeps bytes under their SHA-256, and under a name if there is one. Says whether they are kept.
    pub(super) async fn keep(&self, name: Option<&str>, hash: ContentHash, bytes: &Uint8Array) -> bool {
        if self.backend_name() == "none" {
            return false;
        }
        let limit = self.limit().await;
        self.shared.in_use.borrow_mut().push(hash);
        loop {
            match self.try_keep(limit, name, hash, bytes).await {
                Ok(is_kept) => return is_kept,
                // Then there is only memory, which takes everything.
                Err(thrown) => self.degrade(&thrown),
            }
        }
    }

    async fn try_keep(
        &self,
        limit: u64,
        name: Option<&str>,
        hash: ContentHash,
        bytes: &Uint8Array,
    ) -> Result<bool, JsValue> {
        let (place, size) = (Place::Content(hash), u64::from(bytes.length()));
        let mut change = Change::begin(self).await;
        let is_there = change.index.entry(&hash).is_some() && change.backend.size(place).await == Some(size);
        if !is_there {
            if !change.make_room(size, limit, name).await {
                return Ok(false);
            }
            let mut written = change.backend.write(place, bytes).await;
            if written.as_ref().is_err_and(|thrown| is_named(thrown, "QuotaExceededError")) {
                // The browser gives less than it said: nothing is kept that is not needed now.
                change.remove_unused().await;
                written = change.backend.write(place, bytes).await;
            }
            if let Err(thrown) = written {
                // Another tab reads what was there, and is not done with it.
                if is_named(&thrown, IN_USE) {
                    return Ok(false);
                }
                change.backend.remove(place).await;
                return Err(thrown);
            }
        }
        let now = wall_clock() as u64;
        match name {
            None => change.index.add(hash, size, now),
            Some(name) => {
                if let Some(unwanted) = change.index.add_named(name, hash, size, now) {
                    change.remove_at_end(unwanted);
                }
            }
        }
        change.commit().await?;
        Ok(true)
    }

    /// Whether so many bytes leave at least as much room for everything else.
    pub async fn can_spare(&self, bytes: u32) -> bool {
        u64::from(bytes) <= self.limit().await / 2
    }

    /// The most that is kept, in bytes.
    pub(super) async fn limit(&self) -> u64 {
        if let Some(known) = self.shared.limit.get() {
            return known;
        }
        let quota = if self.is_persistent() { navigator::quota().await } else { None };
        let limit = limit(self.shared.asked_limit, quota);
        self.shared.limit.set(Some(limit));
        limit
    }
}
