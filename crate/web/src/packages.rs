//! Packages: from names to modules that can be imported.
//!
//! The lock file says what a package needs. Everything that is missing is downloaded in parallel, checked against its
//! hash, and its side modules are compiled, all before anything is changed. Then the archives are mounted, all or none.

mod archive;
mod download;
mod frozen;
mod imports;
mod installed;
mod last_visit;
mod lock;
mod parts;
mod prefetch;
mod preparation;
mod saved;
mod side_modules;
mod single;
mod wanted;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::lock::{Mutex, MutexGuard};
use js_sys::Uint8Array;
use taipan_core::name::PackageName;

pub use self::archive::PreparedPackage;
pub use self::installed::InstalledWheel;
use self::last_visit::LastVisit;
pub use self::lock::Lock;
pub use self::parts::PackageParts;
use self::prefetch::Prefetch;
pub use self::saved::SavedPackages;
use self::single::Ahead;
pub use self::wanted::{Wanted, WheelFacts, bad_requirement, filename_in, is_wheel, wrong_abi};
use crate::archives::Archives;
use crate::boundary::{BootOptions, EngineHost, ImportsFrom, PackageInfo, Stage};
use crate::detached::Beside;
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Fs, PublicApi};
use crate::emscripten::file_system::forget_stale_nodes;
use crate::error::{Code, Error, Result};
use crate::fetch::Fetcher;

/// The root that micropip asks by default, in all versions that distributions have (`DEFAULT_INDEX_URLS`).
const DEFAULT_INDEX_URL: &str = "https://pypi.org/simple";

/// The packages of one interpreter.
pub struct Packages {
    lock: Lock,
    base_urls: Vec<String>,
    /// The folder of the distribution, ending in `/`.
    index_url: String,
    /// Roots of package indexes to ask where a call names none.
    index_urls: Vec<String>,
    parts: PackageParts,
    loaded: RefCell<BTreeMap<String, PackageInfo>>,
    /// One load at a time: two that need the same package must not both install it.
    loading: Mutex<()>,
    /// Who may bring what code imports.
    imports_from: ImportsFrom,
    /// Modules that no index brings, and why.
    absent: RefCell<BTreeMap<String, Error>>,
    /// Held while nothing may be mounted yet.
    placing: Mutex<()>,
    /// Packages that were asked for before Pyodide's package manager could ask.
    ahead: RefCell<Ahead>,
    interpreter: RefCell<Option<PublicApi>>,
    /// Who remembers files by name.
    file_names: RefCell<Option<Fs>>,
    /// Packages on their way before anybody has asked for them.
    prefetched: Prefetch,
    last_visit: LastVisit,
}

impl Packages {
    /// No package is loaded.
    pub fn new(lock: Lock, options: &BootOptions, parts: PackageParts) -> Self {
        Self {
            lock,
            base_urls: options.base_urls(),
            index_url: options.index_url.clone(),
            index_urls: options.index_urls.clone().unwrap_or_else(|| vec![DEFAULT_INDEX_URL.to_owned()]),
            imports_from: options.imports_from,
            absent: RefCell::default(),
            parts,
            loaded: RefCell::default(),
            loading: Mutex::new(()),
            placing: Mutex::new(()),
            ahead: RefCell::default(),
            interpreter: RefCell::default(),
            file_names: RefCell::default(),
            prefetched: Prefetch::default(),
            last_visit: LastVisit::of(options),
        }
    }

    /// The folders of the wheels named in the lock file, each ending in `/`, in the order in which they are asked.
    pub fn base_urls(&self) -> &[String] {
        &self.base_urls
    }

    /// The archives that files are slices of.
    pub fn archives(&self) -> Rc<Archives> {
        Rc::clone(&self.parts.archives)
    }

    /// Notes packages that are on the path without having been loaded by us.
    pub fn note_loaded(&self, packages: &[PackageInfo]) {
        self.loaded.borrow_mut().extend(packages.iter().map(|info| (info.name.clone(), info.clone())));
    }

    /// Roots of package indexes, in the order in which they are asked.
    pub fn index_urls(&self) -> &[String] {
        &self.index_urls
    }

    /// Who brings parts of Taipan.
    pub fn host(&self) -> &EngineHost {
        &self.parts.host
    }

    /// The lock file.
    pub fn lock(&self) -> &Lock {
        &self.lock
    }

    /// What is loaded, by name.
    pub fn loaded(&self) -> Vec<PackageInfo> {
        self.look();
        self.loaded.borrow().values().cloned().collect()
    }

    /// Puts packages, and what they need, on the path. Gives those that were not there before.
    ///
    /// # Errors
    /// [`Code::PackageNotFound`], [`Code::BadRequirement`], or [`Code::PackagesFailed`] naming every package that
    /// failed and why; then nothing has changed.
    pub async fn load(&self, names: &[String], fetcher: &Fetcher) -> Result<Vec<PackageInfo>> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let wanted = wanted::parse(&self.lock, names)?;
        let _one_at_a_time = self.loading.lock().await;
        let missing = self.missing(wanted);
        self.parts.timeline.report(Stage::Resolve, "", missing.len() as f64, Some(missing.len() as f64));
        if missing.is_empty() {
            // As most runs do that import something. Python need not look for what is new.
            return Ok(Vec::new());
        }
        let mut prepared = self.prepare_all(&missing, fetcher).await?;
        let _place = self.placing.lock().await;
        // An `import` statement waits for nobody: it may have brought some of them meanwhile.
        let is_loaded = self.is_loaded();
        prepared.retain(|package| !is_loaded(&package.info().name));
        self.install(prepared)
    }

    /// Has loads wait with mounting until the guard is dropped: what the glue itself makes in the file system has the same
    /// numbers in every interpreter, so that an image's files can take its place.
    pub async fn hold(&self) -> MutexGuard<'_, ()> {
        self.placing.lock().await
    }

    /// Begins to fetch the packages that the lock file says pages will want, before anybody has asked for them. What goes
    /// wrong is noticed by who asks.
    pub fn prefetch(this: &Rc<Self>, fetcher: &Fetcher) {
        for name in this.lock.file().manifest().prefetch() {
            let Some(locked) = this.lock.file().get(name) else { continue };
            let (packages, fetcher, wanted) = (Rc::clone(this), fetcher.clone(), Wanted::from(locked.clone()));
            this.prefetched.add(&locked.name, async move { packages.fetch(&wanted, &fetcher).await });
        }
    }

    /// The archive of a package, checked; nothing else happens meanwhile if it `is_waited_for`.
    ///
    /// # Errors
    /// Those of [`Fetcher::download_from`].
    pub async fn archive(&self, package: &Wanted, fetcher: &Fetcher, is_waited_for: bool) -> Result<Uint8Array> {
        let (base_urls, store) = (&self.base_urls, &self.parts.store);
        let (bytes, _) = if is_waited_for {
            download::download_now(package, base_urls, fetcher, store)?
        } else {
            download::download(package, base_urls, fetcher, store).await?
        };
        Ok(bytes)
    }

    /// Tells the interpreter of packages from now on.
    pub fn connect(&self, api: &PublicApi) {
        *self.interpreter.borrow_mut() = Some(api.clone());
    }

    /// Lets the interpreter see what is loaded: Pyodide's `loadedPackages`, and importlib's memory of directories.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the interpreter cannot run.
    pub fn refresh_interpreter(&self) -> Result<()> {
        self.announce(&self.loaded())
    }

    fn announce(&self, new: &[PackageInfo]) -> Result<()> {
        let Some(api) = self.interpreter.borrow().clone() else { return Ok(()) };
        let loaded_packages = api.loaded_packages();
        for info in new {
            let channel = if info.source == "lock" { "default channel" } else { &info.source };
            set(&loaded_packages, &info.name, &channel.into());
        }
        api.run_python("__import__('importlib').invalidate_caches()")
            .map(drop)
            .map_err(|thrown| Error::from_js(Code::Fatal, "The interpreter cannot see new packages", thrown))
    }

    fn missing(&self, mut wanted: Vec<Wanted>) -> Vec<Wanted> {
        let is_loaded = self.is_loaded();
        wanted.retain(|package| !is_loaded(package.name()));
        wanted
    }

    /// Says of a name whether its package is loaded now.
    fn is_loaded(&self) -> impl Fn(&str) -> bool + use<> {
        self.look();
        // An index may write a name in another way than the lock file does.
        let loaded: Vec<(String, Option<PackageName>)> =
            self.loaded.borrow().keys().map(|name| (name.clone(), name.parse().ok())).collect();
        move |name| {
            let parsed = name.parse().ok();
            loaded.iter().any(|(known, parsed_known)| known == name || (parsed.is_some() && *parsed_known == parsed))
        }
    }

    /// Mounts packages, all or none.
    ///
    /// # Errors
    /// [`Code::BadWheel`] if the files of one cannot be placed; then none is mounted.
    pub fn install(&self, prepared: Vec<PreparedPackage>) -> Result<Vec<PackageInfo>> {
        let infos: Vec<PackageInfo> = prepared.iter().map(|package| package.info().clone()).collect();
        self.mount(prepared)?;
        self.loaded.borrow_mut().extend(infos.iter().map(|info| (info.name.clone(), info.clone())));
        self.note_visit(&infos);
        self.announce(&infos)?;
        Ok(infos)
    }

    /// Mounts archives, and has the glue look again for files whose places they have taken.
    fn mount(&self, prepared: Vec<PreparedPackage>) -> Result<()> {
        let replaced = || self.parts.files.borrow().files_replaced();
        let before = replaced();
        archive::install(prepared, &self.parts)?;
        if let Some(fs) = &*self.file_names.borrow()
            && replaced() > before
        {
            forget_stale_nodes(fs, &self.parts.files);
        }
        Ok(())
    }

    /// Tells where the glue remembers files by name.
    pub fn connect_files(&self, fs: Fs) {
        *self.file_names.borrow_mut() = Some(fs);
    }

    /// Where files are that are served beside their archives.
    pub fn beside(&self) -> Beside {
        let (held, archives) = (Rc::clone(&self.parts.held), self.archives());
        Beside { base_urls: self.base_urls.clone(), held, network: self.parts.network.clone(), archives }
    }
}
