//! Bytecode that is kept: no module of an archive is compiled twice on one browser.
//!
//! Bytecode is kept per archive, under the archive's SHA-256 and the ABI, so it can never be used for another source.
//! It is a ZIP file of `.pyc` files that is mounted over the archive. They are bound to the source file's time and size
//! (PEP 552's timestamp form), so a file that the user changes is compiled anew.

mod late;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use js_sys::{Array, Function, Reflect, Uint8Array};
use taipan_core::archive::{Archive, ArchiveWriter, Limits};
use taipan_core::lock::LockFile;
use taipan_core::vfs::{LayerId, Overlap};
use wasm_bindgen::{JsCast, JsValue};

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared};

use crate::archive_bytes::ArchiveBytes;
use crate::boundary::{ShippedBytecode, Stage};
use crate::emscripten::abi::Abi;
use crate::emscripten::bindings::PublicApi;
use crate::emscripten::file_system::SharedFileSystem;
use crate::error::{Code, Error};
use crate::fetch::{Fetcher, Label, Sources, spawn};
use crate::global::{self, wall_clock};
use crate::packages::Lock;
use crate::store::Store;

/// How many modules are turned into bytes at a time: some milliseconds of work.
const AT_A_TIME: u32 = 24;

/// Milliseconds without a run before bytecode is put away.
const IDLE: f64 = 700.0;

type Coming = Shared<LocalBoxFuture<'static, Option<Uint8Array>>>;

/// The path of a `.pyc` and its bytes.
type CompiledFile = (String, Vec<u8>);

/// The bytecode of the archives that are mounted.
pub struct Bytecode {
    abi: Abi,
    store: Store,
    /// Bytecode that comes with Taipan.
    shipped: BTreeMap<String, ShippedBytecode>,
    /// Bytecode on its way from the server, by the archive's SHA-256.
    coming: RefCell<HashMap<String, Coming>>,
    files: SharedFileSystem,
    held: Rc<Cell<u64>>,
    /// The SHA-256 of the archive that a layer comes from.
    archives: RefCell<HashMap<LayerId, String>>,
    /// What has been collected and not been put away, by the archive's SHA-256.
    fresh: RefCell<HashMap<String, Vec<CompiledFile>>>,
    /// What was kept already.
    kept: RefCell<HashMap<String, Archive>>,
    /// The SHA-256 of archives of an image whose bytecode has not been mounted.
    absent: RefCell<BTreeSet<String>>,
    /// What says where that can be had, and the folders that it may be in.
    sources: RefCell<Option<(Lock, Vec<String>)>>,
    /// Whether bytecode has been mounted where Python may have looked for it in vain, and has not been told.
    is_unseen: Cell<bool>,
    /// Whether what was imported before bytecode was collected has been compiled again.
    has_caught_up: Cell<bool>,
    /// Grows with every run, so that putting away notices that it is not idle any more.
    activity: Cell<u64>,
}

impl Bytecode {
    /// No archive is mounted.
    pub fn new(
        abi: Abi,
        store: Store,
        shipped: BTreeMap<String, ShippedBytecode>,
        files: SharedFileSystem,
        held: Rc<Cell<u64>>,
    ) -> Self {
        Self {
            abi,
            store,
            shipped,
            coming: RefCell::default(),
            files,
            held,
            archives: RefCell::default(),
            fresh: RefCell::default(),
            kept: RefCell::default(),
            absent: RefCell::default(),
            sources: RefCell::default(),
            is_unseen: Cell::default(),
            has_caught_up: Cell::default(),
            activity: Cell::default(),
        }
    }

    /// Starts to get the bytecode of an archive: what is kept in this browser, what the distribution has, or what comes
    /// with Taipan. Bytecode that cannot be had costs time and nothing else, so failures are no errors.
    pub fn request(this: &Rc<Self>, archive_hash: &str, lock: &LockFile, base_urls: &[String], fetcher: &Fetcher) {
        if this.coming.borrow().contains_key(archive_hash) {
            return;
        }
        let file = this.file(archive_hash, lock, base_urls);
        let (this_too, hash, fetcher) = (Rc::clone(this), archive_hash.to_owned(), fetcher.clone());
        let coming = spawn(async move {
            if let Some(kept) = this_too.store.get(&this_too.key(&hash)).await {
                return Ok(kept);
            }
            let missing = || Error::new(Code::LoadHttp, "There is no bytecode.");
            let file = file.ok_or_else(missing)?;
            let (sources, name) = file;
            let label = Label { stage: Stage::Download, name: &name, size: None };
            Ok(fetcher.download_from(sources, label).await?.0)
        });
        let coming = async move { coming.await.ok() }.boxed_local().shared();
        this.coming.borrow_mut().insert(archive_hash.to_owned(), coming);
    }

    /// Where the bytecode of an archive is that the distribution has, or that comes with Taipan, and its name.
    fn file(&self, archive_hash: &str, lock: &LockFile, base_urls: &[String]) -> Option<(Sources, String)> {
        if let Some(file) = lock.bytecode().get(archive_hash) {
            let sources = Sources::in_folders(base_urls, &file.file_name).with_sha256(&file.sha256);
            return Some((sources, file.file_name.clone()));
        }
        let file = self.shipped.get(archive_hash)?;
        let name = file.url.rsplit('/').next().unwrap_or_default().to_owned();
        Some((Sources::at(&file.url).with_sha256(&file.sha256), name))
    }

    /// The bytecode of an archive that was requested, when it is there.
    pub async fn receive(&self, archive_hash: &str) -> Option<Uint8Array> {
        let coming = self.coming.borrow_mut().remove(archive_hash)?;
        coming.await
    }

    /// The bytecode of an archive that an import waits for.
    pub fn receive_now(&self, archive_hash: &str) -> Option<Uint8Array> {
        self.store.get_now(&self.key(archive_hash))
    }

    /// Notes which archive a layer comes from, and mounts the bytecode that is kept for it.
    pub fn mount(&self, layer: LayerId, archive_hash: &str, kept: Option<Uint8Array>) {
        self.archives.borrow_mut().insert(layer, archive_hash.to_owned());
        if let Some(bytes) = kept {
            self.mount_over(archive_hash, bytes);
        }
    }

    fn mount_over(&self, archive_hash: &str, bytes: Uint8Array) {
        // What does not open is as good as not kept.
        let Some(archive) = self.open(bytes) else { return };
        let mut layer = archive.layer(|entry| Some(entry.path.clone()));
        layer.overlap = Overlap::Keep;
        let mut files = self.files.borrow_mut();
        let root = files.root();
        if files.mount_layer(root, &layer, wall_clock()).is_ok() {
            self.kept.borrow_mut().insert(archive_hash.to_owned(), archive);
        }
    }

    /// The layers whose modules may be compiled, and the SHA-256 of the archive that each shows.
    pub fn layers(&self) -> Vec<(LayerId, String)> {
        self.archives.borrow().iter().map(|(layer, hash)| (*layer, hash.clone())).collect()
    }

    /// A run has begun or ended: putting away waits.
    pub fn note_activity(&self) {
        self.activity.set(self.activity.get() + 1);
    }

    /// Puts fresh bytecode away, and lets the store do what it has to, as soon as nothing has been going on for a while.
    pub fn put_away_when_idle(this: &Rc<Self>, api: &PublicApi) {
        if !this.store.is_persistent() {
            return;
        }
        let (this, api) = (Rc::clone(this), api.clone());
        this.note_activity();
        let activity = this.activity.get();
        wasm_bindgen_futures::spawn_local(async move {
            global::sleep(IDLE).await;
            if this.activity.get() == activity {
                this.mount_kept(&api, activity).await;
                // Bytecode that cannot be kept costs time on the next visit, nothing else.
                let _ = this.put_away(&api, activity).await;
                this.look_again(&api, activity);
                this.store.tidy(|| this.activity.get() == activity).await;
            }
        });
    }

    async fn put_away(&self, api: &PublicApi, activity: u64) -> Result<(), JsValue> {
        let module = api.pyimport("_taipan.bytecode")?;
        let function = |name: &str| Reflect::get(&module, &name.into()).map(JsCast::unchecked_into::<Function>);
        if !self.has_caught_up.replace(true) {
            function("compile_what_came_before")?.call0(&JsValue::UNDEFINED)?;
        }
        let take = function("take")?;
        loop {
            let taken: Array = take.call1(&JsValue::UNDEFINED, &AT_A_TIME.into())?.unchecked_into();
            if taken.length() == 0 {
                break;
            }
            self.collect(&taken);
            global::sleep(0.0).await;
            if self.activity.get() != activity {
                return Ok(());
            }
        }
        let fresh = self.fresh.take();
        if !fresh.is_empty() {
            // Another tab may have kept more meanwhile; an import that could not wait did not see what was kept.
            self.store.refresh().await;
        }
        for (archive_hash, files) in fresh {
            let key = self.key(&archive_hash);
            let stored = self.store.get(&key).await.and_then(|bytes| self.open(bytes));
            if stored.is_none() && !self.complete(&archive_hash).await {
                continue;
            }
            if let Some(bytes) = self.pack(&archive_hash, stored.as_ref(), files) {
                self.store.put(&key, &Uint8Array::from(bytes.as_slice())).await;
            }
        }
        Ok(())
    }

    /// Sorts triples of source path, path of the `.pyc` and its bytes by the archive that the source comes from: the file
    /// is the one that was compiled.
    fn collect(&self, taken: &Array) {
        let files = self.files.borrow();
        let archives = self.archives.borrow();
        for triple in taken.iter() {
            let triple: Array = triple.unchecked_into();
            let (Some(source), Some(cached)) = (triple.get(0).as_string(), triple.get(1).as_string()) else { continue };
            let layer = files.resolve(&source, true).ok().and_then(|inode| files.layer_of(inode));
            let Some(archive_hash) = layer.and_then(|layer| archives.get(&layer)) else { continue };
            let bytes = triple.get(2).unchecked_into::<Uint8Array>().to_vec();
            let path = cached.trim_start_matches('/').to_owned();
            self.fresh.borrow_mut().entry(archive_hash.clone()).or_default().push((path, bytes));
        }
    }

    fn open(&self, bytes: Uint8Array) -> Option<Archive> {
        Archive::open(Rc::new(ArchiveBytes::new(bytes, &self.held)), &Limits::default()).ok()
    }

    /// One ZIP file of what is fresh, what the store has and what this start began with; the first of these counts.
    fn pack(&self, archive_hash: &str, stored: Option<&Archive>, mut fresh: Vec<CompiledFile>) -> Option<Vec<u8>> {
        fresh.sort();
        fresh.dedup_by(|later, earlier| later.0 == earlier.0);
        let kept = self.kept.borrow();
        for archive in stored.into_iter().chain(kept.get(archive_hash)) {
            let known = fresh.len();
            for entry in archive.entries() {
                if fresh[..known].binary_search_by(|(path, _)| path.cmp(&entry.path)).is_err()
                    && let Ok(bytes) = archive.read(entry)
                {
                    fresh.push((entry.path.clone(), bytes.to_vec()));
                }
            }
            fresh.sort();
        }
        let mut writer = ArchiveWriter::default();
        for (path, bytes) in &fresh {
            writer.add(path, bytes).ok()?;
        }
        Some(writer.finish())
    }

    fn key(&self, archive_hash: &str) -> String {
        format!("bytecode/{}/{archive_hash}", self.abi.version())
    }
}
