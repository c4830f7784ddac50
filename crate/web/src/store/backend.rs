//! The places that a store can be in, best first.

use std::rc::Rc;

use futures::future::join;
use js_sys::Uint8Array;
use taipan_core::source::SharedSource;
use taipan_core::store::{ContentHash, Index};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::cache::CacheStore;
use super::memory::Memory;
use super::opfs::{EarlyStore, Opfs};
use super::place::Place;
use crate::archive_bytes::ArchiveBytes;
use crate::boundary::EngineHost;

/// Where bytes are kept. A file that is being written may read as less than the whole: whoever reads checks hashes.
#[derive(Clone)]
pub enum Backend {
    /// Nowhere: the caller wants nothing kept.
    None,
    /// The origin private file system.
    Opfs(Opfs),
    /// The Cache API.
    Cache(CacheStore),
    /// This interpreter's memory.
    Memory(Memory),
}

impl Backend {
    /// The best that this browser has and allows, and its index. What the host has found already is taken from it.
    pub async fn open_with_index(host: &EngineHost) -> (Self, Index) {
        if let Some(early) = early_store(host).await {
            let files = early.index();
            let found = newest(files.iter().map(|file| file.dyn_into().ok()));
            let is_new = files.length() == 0;
            if let Some(index) = found.or_else(|| is_new.then(Index::default)) {
                return (Self::Opfs(Opfs::of(&early)), index);
            }
        }
        let backend = Self::open().await;
        let index = backend.index().await;
        (backend, index)
    }

    /// The best that this browser has and allows.
    async fn open() -> Self {
        if let Ok(opfs) = Opfs::open().await {
            return Self::Opfs(opfs);
        }
        match CacheStore::open().await {
            Ok(cache) => Self::Cache(cache),
            Err(_) => Self::Memory(Memory::default()),
        }
    }

    /// `StoreBackend` of `boundary.d.ts`.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Opfs(_) => "opfs",
            Self::Cache(_) => "cache",
            Self::Memory(_) => "memory",
        }
    }

    /// Whether what is put here outlives the interpreter.
    pub const fn is_persistent(&self) -> bool {
        matches!(self, Self::Opfs(_) | Self::Cache(_))
    }

    /// The bytes at a place; nothing where they cannot be read.
    pub async fn read(&self, place: Place) -> Option<Uint8Array> {
        match self {
            Self::None => None,
            Self::Opfs(opfs) => opfs.read(place).await,
            Self::Cache(cache) => cache.read(place).await,
            Self::Memory(memory) => memory.read(place),
        }
    }

    /// Content that is read piece by piece, where that is possible: from an access handle, else from memory.
    pub async fn open_content(&self, hash: ContentHash) -> Option<SharedSource> {
        if let Self::Opfs(opfs) = self
            && let Some(open) = opfs.open_content(hash).await
        {
            return Some(Rc::new(open));
        }
        let bytes = self.read(Place::Content(hash)).await?;
        Some(Rc::new(ArchiveBytes::new(bytes, &Rc::default())))
    }

    /// How many bytes are at a place.
    pub async fn size(&self, place: Place) -> Option<u64> {
        match self {
            Self::None => None,
            Self::Opfs(opfs) => opfs.size(place).await,
            Self::Cache(cache) => cache.size(place).await,
            Self::Memory(memory) => memory.read(place).map(|bytes| u64::from(bytes.length())),
        }
    }

    /// Writes bytes over what was there.
    ///
    /// # Errors
    /// What the browser threw, such as a `QuotaExceededError`.
    pub async fn write(&self, place: Place, bytes: &Uint8Array) -> Result<(), JsValue> {
        match self {
            Self::None => {}
            Self::Opfs(opfs) => opfs.write(place, bytes).await?,
            Self::Cache(cache) => cache.write(place, bytes).await?,
            Self::Memory(memory) => memory.write(place, bytes),
        }
        Ok(())
    }

    /// Removes what is at a place. Says whether it is gone: another tab may have it open.
    pub async fn remove(&self, place: Place) -> bool {
        match self {
            Self::None => true,
            Self::Opfs(opfs) => opfs.remove(place).await.is_ok(),
            Self::Cache(cache) => cache.remove(place).await.is_ok(),
            Self::Memory(memory) => {
                memory.remove(place);
                true
            }
        }
    }

    /// All content that is there, and its sizes, whatever the index says.
    pub async fn content(&self) -> Vec<(ContentHash, u64)> {
        match self {
            Self::None => Vec::new(),
            // Where it cannot be listed, nothing can be read either.
            Self::Opfs(opfs) => opfs.content().await.unwrap_or_default(),
            Self::Cache(cache) => cache.content().await.unwrap_or_default(),
            Self::Memory(memory) => memory.content(),
        }
    }

    /// The index; without one, of the content that is there.
    pub async fn index(&self) -> Index {
        let (even, odd) = join(self.read(Place::Index(0)), self.read(Place::Index(1))).await;
        if let Some(index) = newest([even, odd].into_iter()) {
            return index;
        }
        let mut index = Index::default();
        index.reconcile(&self.content().await);
        index
    }

    /// Gets content ready to be read by [`Backend::read_now`], where that is possible.
    pub async fn have_at_hand(&self, hash: ContentHash) {
        if let Self::Opfs(opfs) = self {
            opfs.have_at_hand(hash).await;
        }
    }

    /// Reads content that is at hand, while everything else waits.
    pub fn read_now(&self, hash: &ContentHash) -> Option<Uint8Array> {
        match self {
            Self::Opfs(opfs) => opfs.read_now(hash),
            Self::Memory(memory) => memory.read(Place::Content(*hash)),
            Self::None | Self::Cache(_) => None,
        }
    }
}

async fn early_store(host: &EngineHost) -> Option<EarlyStore> {
    let found = JsFuture::from(host.early_store()?).await.ok()?;
    found.is_object().then(|| found.unchecked_into())
}

/// The newest of the index's files that are whole.
fn newest(files: impl Iterator<Item = Option<Uint8Array>>) -> Option<Index> {
    Index::newest(files.map(|file| Index::decode(&file?.to_vec())))
}
