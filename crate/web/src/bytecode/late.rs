//! Bytecode of an interpreter that was restored: an image has none, and nothing of it is needed to restore one.

use js_sys::Uint8Array;
use taipan_core::vfs::LayerId;
use wasm_bindgen::JsValue;

use super::Bytecode;
use crate::emscripten::bindings::PublicApi;
use crate::fetch::{Sources, fetch_ahead};
use crate::global::saves_data;
use crate::packages::Lock;

impl Bytecode {
    /// Notes the archives of an image, and the layers that show them. What its memory has imported is not compiled again, those
    /// modules neither that were imported before bytecode was collected: it would be hundreds of them.
    pub fn note_restored<'a>(
        &self,
        layers: impl Iterator<Item = (LayerId, &'a str)>,
        lock: &Lock,
        base_urls: &[String],
    ) {
        self.has_caught_up.set(true);
        *self.sources.borrow_mut() = Some((lock.clone(), base_urls.to_vec()));
        for (layer, archive_hash) in layers {
            self.archives.borrow_mut().insert(layer, archive_hash.to_owned());
            self.absent.borrow_mut().insert(archive_hash.to_owned());
        }
    }

    /// Mounts what is kept in this browser for the archives of an image, as long as nothing else goes on.
    pub(super) async fn mount_kept(&self, api: &PublicApi, activity: u64) {
        let absent: Vec<String> = self.absent.borrow().iter().cloned().collect();
        for archive_hash in absent {
            let Some(kept) = self.store.get(&self.key(&archive_hash)).await else { continue };
            if self.activity.get() != activity {
                return;
            }
            self.mount_late(&archive_hash, kept);
        }
        self.look_again(api, activity);
    }

    /// Has the bytecode at hand that a start from the beginning would take for an archive if none were kept: what is put away
    /// for it is all that the next one gets. Says whether it is.
    pub(super) async fn complete(&self, archive_hash: &str) -> bool {
        let fetched = match self.absent_from(archive_hash) {
            None => return true,
            Some(_) if saves_data() => None,
            Some(sources) => fetch_ahead(&sources).await,
        };
        let Some(bytes) = fetched else { return false };
        self.mount_late(archive_hash, bytes);
        true
    }

    /// Where the bytecode of an archive can be had, if it has not been mounted and is somewhere.
    fn absent_from(&self, archive_hash: &str) -> Option<Sources> {
        let sources = self.sources.borrow();
        let (lock, base_urls) = sources.as_ref().filter(|_| self.absent.borrow().contains(archive_hash))?;
        self.file(archive_hash, lock.file(), base_urls).map(|(sources, _)| sources)
    }

    fn mount_late(&self, archive_hash: &str, bytes: Uint8Array) {
        self.absent.borrow_mut().remove(archive_hash);
        self.mount_over(archive_hash, bytes);
        self.is_unseen.set(true);
    }

    /// Tells Python, unless it has something to do by now, that there is bytecode where it may have looked for it in vain.
    pub(super) fn look_again(&self, api: &PublicApi, activity: u64) {
        if self.is_unseen.get() && self.activity.get() == activity {
            self.is_unseen.set(false);
            // If it cannot be told, it compiles.
            let _: Result<JsValue, JsValue> = api.run_python("__import__('_taipan.bytecode').bytecode.look_again()");
        }
    }
}
