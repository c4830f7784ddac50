//! Bytecode of an interpreter that was restored: an image has none, and nothing of it is needed to restore one.

use taipan_core::lock::LockFile;
use taipan_core::vfs::LayerId;
use wasm_bindgen::JsValue;

use super::Bytecode;
use crate::emscripten::bindings::PublicApi;
use crate::fetch::fetch_ahead;
use crate::global::saves_data;

impl Bytecode {
    /// Notes the archives of an image, and the layers that show them. What its memory has imported is not compiled again, those
    /// modules neither that were imported before bytecode was collected: it would be hundreds of them.
    pub fn note_restored<'a>(
        &self,
        layers: impl Iterator<Item = (LayerId, &'a str)>,
        lock: &LockFile,
        base_urls: &[String],
    ) {
        self.has_caught_up.set(true);
        for (layer, archive_hash) in layers {
            let sources = self.file(archive_hash, lock, base_urls).map(|(sources, _)| sources);
            self.archives.borrow_mut().insert(layer, archive_hash.to_owned());
            self.absent.borrow_mut().insert(archive_hash.to_owned(), sources);
        }
    }

    /// Mounts what is kept in this browser for the archives of an image, as long as nothing else goes on.
    pub(super) async fn mount_kept(&self, api: &PublicApi, activity: u64) {
        let absent: Vec<String> = self.absent.borrow().keys().cloned().collect();
        for archive_hash in absent {
            let Some(kept) = self.store.get(&self.key(&archive_hash)).await else { continue };
            self.absent.borrow_mut().remove(&archive_hash);
            self.mount_over(&archive_hash, kept);
            look_again(api);
            if self.activity.get() != activity {
                return;
            }
        }
    }

    /// Has the bytecode at hand that a start from the beginning would take for an archive if none were kept: what is put away
    /// for it is all that the next one gets. Says whether it is.
    pub(super) async fn complete(&self, archive_hash: &str, api: &PublicApi) -> bool {
        let sources = self.absent.borrow().get(archive_hash).cloned();
        let fetched = match sources {
            None | Some(None) => return true,
            Some(Some(_)) if saves_data() => None,
            Some(Some(sources)) => fetch_ahead(&sources).await,
        };
        let Some(bytes) = fetched else { return false };
        self.absent.borrow_mut().remove(archive_hash);
        self.mount_over(archive_hash, bytes);
        look_again(api);
        true
    }
}

/// Tells Python that there is bytecode where it may have looked for it in vain. If it cannot be told, it compiles.
fn look_again(api: &PublicApi) {
    let _: Result<JsValue, JsValue> = api.run_python("__import__('_taipan.bytecode').bytecode.look_again()");
}
