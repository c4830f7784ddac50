//! What is kept from one visit to the next: content by its SHA-256, and names that refer to content.
//!
//! Nothing depends on it. Where the browser has no place for it, denies it or has no room, things are kept in memory and
//! the page is told once. What has been damaged or was only half written does not have the hash that it is filed under,
//! so it counts as absent. All bytes stay outside Rust's linear memory.
//!
//! Any number of tabs share a store. Content never changes, so reading needs no lock: at worst it has been removed
//! meanwhile. The index is changed, and content removed, by one tab at a time ([`change`]), and from what the index then
//! says. Where the browser has no locks, entries may get lost, and are found again as content without a name.

mod backend;
mod cache;
mod change;
mod idle;
mod keep;
mod lock;
mod memory;
mod navigator;
mod opfs;
mod place;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;

use futures::future::{Either, select};
use futures::lock::Mutex;
use js_sys::Uint8Array;
use taipan_core::source::SharedSource;
use taipan_core::store::{ContentHash, Entry, Index};
use wasm_bindgen::JsValue;

use self::backend::Backend;
use self::change::Change;
use self::memory::Memory;
use self::place::Place;
use crate::boundary::{EngineHost, Notice, NoticeCode, StoreUsage};
use crate::error::describe;
use crate::fetch::{sha256, sha256_now};
use crate::global;

/// What the names of things begin with that somebody has saved, and that cannot be had again.
pub const SAVED: &str = "image/";

/// Milliseconds that a start waits for storage. It is there within twenty, or something is wrong with it.
const PATIENCE: f64 = 3000.0;

/// The store of this origin, as one interpreter sees it.
#[derive(Clone)]
pub struct Store {
    shared: Rc<Shared>,
}

struct Shared {
    host: EngineHost,
    backend: RefCell<Backend>,
    /// As it was last read or written.
    index: RefCell<Index>,
    /// What this interpreter has read or put: never evicted by it.
    in_use: RefCell<Vec<ContentHash>>,
    /// What was read, to be noted when idle.
    touched: RefCell<Vec<ContentHash>>,
    /// What is to be kept when idle, and under which name.
    pending: RefCell<Vec<(Option<String>, ContentHash, Uint8Array)>>,
    asked_limit: Option<u64>,
    limit: Cell<Option<u64>>,
    /// One change at a time.
    turn: Arc<Mutex<()>>,
}

impl Store {
    /// Opens the store of this origin, if the caller wants one. `limit` is in bytes.
    pub async fn open(is_wanted: bool, limit: Option<u64>, host: &EngineHost) -> Self {
        let opening =
            async { if is_wanted { Backend::open_with_index(host).await } else { (Backend::None, Index::default()) } };
        let (backend, index) = match select(pin!(opening), global::sleep(PATIENCE)).await {
            Either::Left((opened, _)) => opened,
            Either::Right(_) => (Backend::Memory(Memory::default()), Index::default()),
        };
        let store = Self::with_backend(backend, limit, host);
        *store.shared.index.borrow_mut() = index;
        if store.backend_name() == "memory" {
            store.notify("The browser has no storage for this page, or denies it.");
        }
        store
    }

    fn with_backend(backend: Backend, asked_limit: Option<u64>, host: &EngineHost) -> Self {
        let shared = Shared {
            host: host.clone(),
            backend: RefCell::new(backend),
            index: RefCell::default(),
            in_use: RefCell::default(),
            touched: RefCell::default(),
            pending: RefCell::default(),
            asked_limit,
            limit: Cell::default(),
            turn: Arc::default(),
        };
        Self { shared: Rc::new(shared) }
    }

    /// `"opfs"`, `"cache"`, `"memory"` or `"none"`.
    pub fn backend_name(&self) -> &'static str {
        self.shared.backend.borrow().as_str()
    }

    /// Whether anything put into it will be found again.
    pub fn is_persistent(&self) -> bool {
        self.shared.backend.borrow().is_persistent()
    }

    /// The bytes that a name refers to, if they are there and whole.
    pub async fn get(&self, name: &str) -> Option<Uint8Array> {
        let hash = self.find(name)?;
        self.get_content(&hash).await
    }

    /// The bytes that a name refers to, if they are there, to be read piece by piece. They are not compared with their hash:
    /// that is left to a reader who looks at every byte anyway. Until it is dropped nobody else may be able to remove them.
    pub async fn open_unchecked(&self, name: &str) -> Option<SharedSource> {
        if let Some(hash) = self.find(name)
            && let Some(source) = self.open_content_unchecked(hash).await
        {
            return Some(source);
        }
        // Another tab may have replaced it since the index was read, and removed what it was.
        self.refresh().await;
        self.open_content_unchecked(self.find(name)?).await
    }

    fn find(&self, name: &str) -> Option<ContentHash> {
        self.shared.index.borrow().find(name)
    }

    /// Content, if it is there, as [`Store::open_unchecked`] gives it.
    pub async fn open_content_unchecked(&self, hash: ContentHash) -> Option<SharedSource> {
        self.shared.index.borrow().entry(&hash)?;
        let source = self.backend().open_content(hash).await?;
        self.note_use(hash);
        Some(source)
    }

    /// Whether a name refers to something, as far as is known.
    pub fn contains(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    /// What has been remarked on what a name refers to, as far as is known.
    pub fn remark(&self, name: &str) -> Option<String> {
        let index = self.shared.index.borrow();
        index.remark(&index.find(name)?).map(str::to_owned)
    }

    /// Remarks on what a name refers to, in one line, in the place of what has been remarked on it.
    pub async fn set_remark(&self, name: &str, text: &str) {
        let mut change = Change::begin(self).await;
        if let Some(hash) = change.index.find(name) {
            change.index.set_remark(hash, text);
            self.commit(change).await;
        }
    }

    /// How many bytes content has, if it is there, as far as is known.
    pub fn size_of(&self, hash: &ContentHash) -> Option<u64> {
        self.shared.index.borrow().entry(hash).map(|entry| entry.size)
    }

    /// Content, if it is there and whole. Content that the index does not list is not looked for: that it is missing
    /// costs nothing.
    pub async fn get_content(&self, hash: &ContentHash) -> Option<Uint8Array> {
        self.shared.index.borrow().entry(hash)?;
        let Some(bytes) = self.backend().read(Place::Content(*hash)).await else {
            // Another tab has removed it.
            self.shared.index.borrow_mut().remove(hash);
            return None;
        };
        if is_whole(&bytes, hash).await {
            self.note_use(*hash);
            return Some(bytes);
        }
        self.drop_damaged(hash).await;
        None
    }

    /// As [`Store::get`], while everything else waits. Finds only what [`Store::tidy`] has laid out.
    pub fn get_now(&self, name: &str) -> Option<Uint8Array> {
        let hash = self.find(name)?;
        self.get_content_now(&hash)
    }

    /// As [`Store::get_content`], while everything else waits. Finds only what [`Store::tidy`] has laid out.
    pub fn get_content_now(&self, hash: &ContentHash) -> Option<Uint8Array> {
        let bytes = self.shared.backend.borrow().read_now(hash)?;
        if sha256_now(&bytes) != hash.to_string() {
            return None;
        }
        self.note_use(*hash);
        Some(bytes)
    }

    /// Forgets a name, and its content unless something else refers to that.
    pub async fn remove(&self, name: &str) {
        let mut change = Change::begin(self).await;
        if let Some(unwanted) = change.index.remove_name(name) {
            change.remove_at_end(unwanted);
        }
        self.commit(change).await;
    }

    /// The names that begin with `prefix`, those of other tabs included, with what is known of their content.
    pub async fn list(&self, prefix: &str) -> Vec<(String, Entry)> {
        self.refresh().await;
        let index = self.shared.index.borrow();
        let entry = |name: &str| index.find(name).and_then(|hash| index.entry(&hash).copied());
        index.names(prefix).filter_map(|name| Some((name.to_owned(), entry(name)?))).collect()
    }

    /// The names that begin with `prefix`.
    #[cfg(test)]
    pub async fn names(&self, prefix: &str) -> Vec<String> {
        self.list(prefix).await.into_iter().map(|(name, _)| name).collect()
    }

    /// Reads the index again, to see what other tabs have kept.
    pub async fn refresh(&self) {
        let index = self.backend().index().await;
        *self.shared.index.borrow_mut() = index;
    }

    /// What there is, by the files themselves.
    pub async fn usage(&self) -> StoreUsage {
        let content = self.backend().content().await;
        StoreUsage {
            bytes: content.iter().map(|(_, size)| *size).sum::<u64>() as f64,
            limit: if self.backend_name() == "none" { 0.0 } else { self.limit().await as f64 },
            entries: content.len() as u32,
            backend: self.backend_name(),
        }
    }

    /// Forgets everything. What another tab is reading at the moment, it has; the file goes when room is made.
    pub async fn clear(&self) {
        self.shared.pending.borrow_mut().clear();
        self.shared.touched.borrow_mut().clear();
        let mut change = Change::begin(self).await;
        for (hash, _) in change.backend.content().await {
            change.backend.remove(Place::Content(hash)).await;
        }
        change.index.reconcile(&[]);
        self.commit(change).await;
    }

    fn backend(&self) -> Backend {
        self.shared.backend.borrow().clone()
    }

    fn note_use(&self, hash: ContentHash) {
        let mut in_use = self.shared.in_use.borrow_mut();
        if !in_use.contains(&hash) {
            in_use.push(hash);
            self.shared.touched.borrow_mut().push(hash);
        }
    }

    async fn drop_damaged(&self, hash: &ContentHash) {
        let mut change = Change::begin(self).await;
        // Another tab may have been in the middle of writing it.
        let is_repaired = match change.backend.read(Place::Content(*hash)).await {
            Some(bytes) => is_whole(&bytes, hash).await,
            None => false,
        };
        if !is_repaired {
            change.remove(hash).await;
            self.commit(change).await;
        }
    }

    /// Writes a changed index; where that cannot be, the store is in memory from now on.
    async fn commit(&self, change: Change) {
        if let Err(thrown) = change.commit().await {
            self.degrade(&thrown);
        }
    }

    /// Goes on in memory.
    fn degrade(&self, thrown: &JsValue) {
        if self.is_persistent() {
            *self.shared.backend.borrow_mut() = Backend::Memory(Memory::default());
            *self.shared.index.borrow_mut() = Index::default();
            self.shared.pending.borrow_mut().clear();
            self.notify(&format!("The browser does not let this page store more: {}.", describe(thrown)));
        }
    }

    fn notify(&self, why: &str) {
        self.shared.host.notify(&Notice {
            code: NoticeCode::StoreInMemory,
            message: format!("{why} Packages and bytecode are not kept for the next visit."),
            hint: "Serve the page over HTTPS and let it store data; a private window may not let it.",
        });
    }
}

async fn is_whole(bytes: &Uint8Array, hash: &ContentHash) -> bool {
    sha256(bytes).await == hash.to_string()
}
