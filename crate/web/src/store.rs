//! What is kept from one visit to the next: content by its SHA-256, and names that refer to content.
//!
//! Nothing depends on it. Where the browser has no place for it, denies it or has no room, things are kept in memory and
//! the page is told once. What has been damaged or was only half written does not have the hash that it is filed under,
//! so it counts as absent. All bytes stay outside Rust's linear memory.
//!
//! Any number of tabs share a store. Content never changes, so reading needs no lock: at worst it has been removed
//! meanwhile. The index is changed, and content removed, by one tab at a time ([`lock`]), and from what the index then
//! says. Where the browser has no locks, entries may get lost, and are found again as content without a name.

mod backend;
mod cache;
mod idle;
mod lock;
mod memory;
mod navigator;
mod opfs;
mod place;
#[cfg(test)]
mod tests;

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};
use futures::lock::Mutex;
use js_sys::Uint8Array;
use taipan_core::store::{ContentHash, Index, limit};
use wasm_bindgen::JsValue;

use self::backend::Backend;
use self::memory::Memory;
use self::opfs::is_named;
use self::place::Place;
use crate::boundary::{EngineHost, Notice, NoticeCode, StoreUsage};
use crate::error::describe;
use crate::fetch::{sha256, sha256_now};
use crate::global::{self, wall_clock};

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
    in_use: RefCell<HashSet<ContentHash>>,
    /// What was read, to be noted when idle.
    touched: RefCell<HashSet<ContentHash>>,
    /// What is to be kept when idle.
    pending: RefCell<Vec<(ContentHash, Uint8Array)>>,
    asked_limit: Option<u64>,
    limit: Cell<Option<u64>>,
    /// One change at a time, where the browser has no locks too.
    turn: Mutex<()>,
}

/// What came of keeping something.
enum Kept {
    Yes,
    /// There is no room for it under the limit.
    No,
    /// The browser does not let anything be written.
    Failed(JsValue),
}

impl Store {
    /// Opens the store of this origin, if the caller wants one. `limit` is in bytes.
    pub async fn open(is_wanted: bool, limit: Option<u64>, host: &EngineHost) -> Self {
        let opening = async {
            let backend = if is_wanted { Backend::open().await } else { Backend::None };
            let index = backend.index().await;
            (backend, index)
        };
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
            turn: Mutex::default(),
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
        let hash = self.shared.index.borrow().find(name)?;
        self.get_content(&hash).await
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
        let hash = self.shared.index.borrow().find(name)?;
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

    /// Keeps bytes under a name, in the place of what it referred to. Says whether they are kept: they may be too many.
    pub async fn put(&self, name: &str, bytes: &Uint8Array) -> bool {
        match sha256(bytes).await.parse() {
            Ok(hash) => self.keep(Some(name), hash, bytes).await,
            Err(_) => false,
        }
    }

    /// Keeps bytes under their SHA-256, which the caller has checked. Says whether they are kept.
    pub async fn put_content(&self, hash: ContentHash, bytes: &Uint8Array) -> bool {
        self.keep(None, hash, bytes).await
    }

    /// Forgets a name, and its content unless something else refers to that.
    #[cfg_attr(not(test), expect(dead_code, reason = "for images, which are replaced"))]
    pub async fn remove(&self, name: &str) {
        self.change(async |backend, index| {
            if let Some(unwanted) = index.remove_name(name) {
                backend.remove(Place::Content(unwanted)).await;
            }
        })
        .await;
    }

    /// The names that begin with `prefix`, sorted, those of other tabs included.
    #[cfg_attr(not(test), expect(dead_code, reason = "for images, which are replaced"))]
    pub async fn names(&self, prefix: &str) -> Vec<String> {
        self.refresh().await;
        self.shared.index.borrow().names(prefix).map(str::to_owned).collect()
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
        self.change(async |backend, index| {
            for (hash, _) in backend.content().await {
                backend.remove(Place::Content(hash)).await;
            }
            index.reconcile([]);
        })
        .await;
    }

    fn backend(&self) -> Backend {
        self.shared.backend.borrow().clone()
    }

    fn note_use(&self, hash: ContentHash) {
        if self.shared.in_use.borrow_mut().insert(hash) {
            self.shared.touched.borrow_mut().insert(hash);
        }
    }

    async fn limit(&self) -> u64 {
        if let Some(known) = self.shared.limit.get() {
            return known;
        }
        let quota = if self.is_persistent() { navigator::quota().await } else { None };
        let limit = limit(self.shared.asked_limit, quota);
        self.shared.limit.set(Some(limit));
        limit
    }

    async fn keep(&self, name: Option<&str>, hash: ContentHash, bytes: &Uint8Array) -> bool {
        if self.backend_name() == "none" {
            return false;
        }
        let limit = self.limit().await;
        self.shared.in_use.borrow_mut().insert(hash);
        loop {
            let kept = self.change(async |backend, index| self.write(backend, index, limit, name, hash, bytes).await);
            match kept.await {
                Some(Kept::Yes) => return true,
                Some(Kept::No) => return false,
                // Then there is only memory, which takes everything.
                Some(Kept::Failed(thrown)) => self.degrade(&thrown),
                None => {}
            }
        }
    }

    async fn write(
        &self,
        backend: &Backend,
        index: &mut Index,
        limit: u64,
        name: Option<&str>,
        hash: ContentHash,
        bytes: &Uint8Array,
    ) -> Kept {
        let (place, size) = (Place::Content(hash), u64::from(bytes.length()));
        let is_there = index.entry(&hash).is_some() && backend.size(place).await == Some(size);
        if !is_there {
            if !self.make_room(backend, index, size, limit).await {
                return Kept::No;
            }
            let mut written = backend.write(place, bytes).await;
            if written.as_ref().is_err_and(|thrown| is_named(thrown, "QuotaExceededError")) {
                // The browser gives less than it said: nothing is kept that is not needed now.
                self.remove_unused(backend, index).await;
                written = backend.write(place, bytes).await;
            }
            if let Err(thrown) = written {
                backend.remove(place).await;
                return Kept::Failed(thrown);
            }
        }
        let now = wall_clock() as u64;
        match name {
            None => index.add(hash, size, now),
            Some(name) => {
                if let Some(unwanted) = index.add_named(name, hash, size, now) {
                    backend.remove(Place::Content(unwanted)).await;
                }
            }
        }
        Kept::Yes
    }

    async fn make_room(&self, backend: &Backend, index: &mut Index, needed: u64, limit: u64) -> bool {
        let has_room = |index: &Index| index.bytes().saturating_add(needed) <= limit;
        if needed > limit {
            return false;
        }
        if !has_room(index) {
            index.reconcile(backend.content().await);
            let victims = index.victims(needed, limit, &self.shared.in_use.borrow());
            for victim in victims.unwrap_or_default() {
                if backend.remove(Place::Content(victim)).await {
                    index.remove(&victim);
                }
            }
        }
        has_room(index)
    }

    async fn remove_unused(&self, backend: &Backend, index: &mut Index) {
        let in_use = self.shared.in_use.borrow().clone();
        let unused: Vec<ContentHash> = index.hashes().filter(|hash| !in_use.contains(hash)).collect();
        for hash in unused {
            if backend.remove(Place::Content(hash)).await {
                index.remove(&hash);
            }
        }
    }

    async fn drop_damaged(&self, hash: &ContentHash) {
        self.change(async |backend, index| {
            // Another tab may have been in the middle of writing it.
            let found = backend.read(Place::Content(*hash)).await;
            let is_damaged = match found {
                Some(bytes) => !is_whole(&bytes, hash).await,
                None => true,
            };
            if is_damaged {
                backend.remove(Place::Content(*hash)).await;
                index.remove(hash);
            }
        })
        .await;
    }

    /// Changes the index, and content with it, while nobody else does. Nothing if the index could not be written: then
    /// the store is in memory from now on.
    async fn change<T>(&self, work: impl AsyncFnOnce(&Backend, &mut Index) -> T) -> Option<T> {
        let _turn = self.shared.turn.lock().await;
        let outcome = lock::exclusive(async {
            let backend = self.backend();
            let mut index = backend.index().await;
            let before = index.clone();
            let result = work(&backend, &mut index).await;
            if index != before {
                let (number, bytes) = index.encode();
                backend.write(Place::Index(number), &Uint8Array::from(bytes.as_slice())).await?;
            }
            *self.shared.index.borrow_mut() = index;
            Ok(result)
        });
        match outcome.await {
            Ok(result) => Some(result),
            Err(thrown) => {
                self.degrade(&thrown);
                None
            }
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
