//! Packages: from names to modules that can be imported.
//!
//! The lock file says what a package needs. Everything that is missing is downloaded in parallel, checked against its
//! hash, and its side modules are compiled, all before anything is changed. Then the archives are mounted, all or none.

mod archive;
mod download;
mod frozen;
mod installed;
mod last_visit;
mod lock;
mod prefetch;
mod saved;
mod side_modules;
mod single;
mod wanted;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::future::{join_all, try_join, try_join_all};
use futures::lock::{Mutex, MutexGuard};
use js_sys::{Array, Object, Reflect, Uint8Array};
use taipan_core::imports::top_level_modules;
use taipan_core::name::PackageName;
use wasm_bindgen::JsValue;

pub use self::archive::PreparedPackage;
pub use self::installed::InstalledWheel;
use self::last_visit::LastVisit;
pub use self::lock::Lock;
use self::prefetch::Prefetch;
pub use self::saved::SavedPackages;
use self::single::Ahead;
pub use self::wanted::{Wanted, WheelFacts, bad_requirement, filename_in, is_wheel, wrong_abi};
use crate::archives::Archives;
use crate::boundary::{BootOptions, EngineHost, ImportsFrom, PackageInfo, Stage};
use crate::bytecode::Bytecode;
use crate::detached::Beside;
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Fs, PublicApi};
use crate::emscripten::file_system::{SharedFileSystem, forget_stale_nodes};
use crate::emscripten::linker::Linker;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Network};
use crate::store::Store;
use crate::timeline::Timeline;

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

/// What installing a package touches.
pub struct PackageParts {
    /// Where its files are mounted.
    pub files: SharedFileSystem,
    /// Where its side modules are found.
    pub linker: Linker,
    /// Where its archive is kept.
    pub store: Store,
    /// Where its bytecode is kept.
    pub bytecode: Rc<Bytecode>,
    /// Which source is which archive.
    pub archives: Rc<Archives>,
    /// Who is told of progress.
    pub timeline: Rc<Timeline>,
    /// What an `import` statement downloads with.
    pub network: Network,
    /// Bytes of archives held outside Rust's memory.
    pub held: Rc<Cell<u64>>,
    /// Brings parts of Taipan.
    pub host: EngineHost,
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
        let wanted = wanted::parse(&self.lock, names)?;
        if wanted.is_empty() {
            return Ok(Vec::new());
        }
        let _one_at_a_time = self.loading.lock().await;
        let missing = self.missing(wanted);
        self.parts.timeline.report(Stage::Resolve, "", missing.len() as f64, Some(missing.len() as f64));
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

    /// Downloads packages, checks them, and compiles their side modules.
    ///
    /// # Errors
    /// As [`Packages::load`].
    pub async fn prepare_all(&self, missing: &[Wanted], fetcher: &Fetcher) -> Result<Vec<PreparedPackage>> {
        let preparing = missing.iter().map(|package| self.prepare(package, fetcher));
        let outcomes = join_all(preparing).await;
        let mut prepared = Vec::with_capacity(outcomes.len());
        let mut failures = Vec::new();
        for (package, outcome) in missing.iter().zip(outcomes) {
            match outcome {
                Ok(package) => prepared.push(package),
                Err(error) => failures.push((package.name().to_owned(), error)),
            }
        }
        fetcher.check_aborted()?;
        if !failures.is_empty() {
            return Err(packages_failed(failures));
        }
        Ok(prepared)
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

    /// Loads the packages of the lock file that provide the modules which code imports and which are not there yet.
    ///
    /// # Errors
    /// As [`Packages::load`].
    pub async fn load_for_imports(&self, code: &str, fetcher: &Fetcher) -> Result<Vec<PackageInfo>> {
        let names: Vec<String> =
            top_level_modules(code).iter().filter_map(|module| self.lock.package_for_import(module)).collect();
        self.load(&names, fetcher).await
    }

    /// Whether the lock file knows who provides a module, and not all of that is there.
    pub fn would_bring(&self, module: &str) -> bool {
        let wanted = |name| wanted::parse(&self.lock, &[name]).is_ok_and(|wanted| !self.missing(wanted).is_empty());
        self.lock.package_for_import(module).is_some_and(wanted)
    }

    /// Loads the package that provides a module, while Python waits in an `import` statement. Says whether there is
    /// something new to be found. Only a worker can wait like this; elsewhere the answer is an error.
    ///
    /// # Errors
    /// As [`Packages::load`], and [`Code::NotSupported`] on the page's own thread.
    pub fn load_for_import(&self, module: &str) -> Result<bool> {
        let Some(name) = self.lock.package_for_import(module) else { return Ok(false) };
        let missing = self.missing(wanted::parse(&self.lock, &[name])?);
        if missing.is_empty() {
            return Ok(false);
        }
        self.install(self.prepare_all_now(&missing)?)?;
        Ok(true)
    }

    /// As [`Packages::prepare_all`], while Python waits in an `import` statement.
    ///
    /// # Errors
    /// As [`Packages::load_for_import`].
    pub fn prepare_all_now(&self, missing: &[Wanted]) -> Result<Vec<PreparedPackage>> {
        let mut prepared = Vec::with_capacity(missing.len());
        let mut failures = Vec::new();
        for package in missing {
            match self.prepare_now(package) {
                Ok(package) => prepared.push(package),
                Err(error) => failures.push((package.name().to_owned(), error)),
            }
        }
        if failures.is_empty() { Ok(prepared) } else { Err(packages_failed(failures)) }
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

    /// Whether indexes are asked for what code imports.
    pub fn asks_indexes(&self) -> bool {
        self.imports_from == ImportsFrom::Indexes && !self.index_urls.is_empty()
    }

    /// Modules that no index brings, and why: they are not looked for again.
    pub fn absent(&self) -> &RefCell<BTreeMap<String, Error>> {
        &self.absent
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

    /// Downloads a package and checks it, while everything else waits. Its side modules are compiled when they are
    /// linked.
    fn prepare_now(&self, package: &Wanted) -> Result<PreparedPackage> {
        if let Some(prepared) = self.prefetched.take_finished(package.name()) {
            return Ok(prepared);
        }
        let PackageParts { network, store, bytecode, .. } = &self.parts;
        let (bytes, hash) = download::download_now(package, &self.base_urls, &network.fetcher(None), store)?;
        let kept = bytecode.receive_now(&hash);
        Ok(self.read(package, bytes, hash)?.with_bytecode(kept))
    }

    /// Reads an archive that is here, and what it says of files beside it: those of the lock file may have some.
    fn read(&self, package: &Wanted, bytes: Uint8Array, hash: String) -> Result<PreparedPackage> {
        let prepared = archive::read(package, bytes, hash, self.lock.abi, &self.parts.held)?;
        match package {
            Wanted::Locked { .. } => prepared.with_detached(&self.beside()),
            Wanted::Wheel { .. } => Ok(prepared),
        }
    }

    /// Where files are that are served beside their archives.
    pub fn beside(&self) -> Beside {
        let (held, archives) = (Rc::clone(&self.parts.held), self.archives());
        Beside { base_urls: self.base_urls.clone(), held, network: self.parts.network.clone(), archives }
    }

    /// Downloads a package, checks it, and compiles its side modules.
    async fn prepare(&self, package: &Wanted, fetcher: &Fetcher) -> Result<PreparedPackage> {
        // It was begun on nobody's behalf, so it does not hear this caller's signal.
        let prefetched = async { Ok(self.prefetched.take(package.name()).await) };
        if let Some(prepared) = fetcher.unless_aborted(prefetched).await? {
            return Ok(prepared);
        }
        self.fetch(package, fetcher).await
    }

    async fn fetch(&self, package: &Wanted, fetcher: &Fetcher) -> Result<PreparedPackage> {
        self.make_ready(package, fetcher, download::download(package, &self.base_urls, fetcher, &self.parts.store))
            .await
    }

    /// Checks a package whose archive is on its way, with its SHA-256, and compiles its side modules.
    async fn make_ready(
        &self,
        package: &Wanted,
        fetcher: &Fetcher,
        archive: impl Future<Output = Result<(Uint8Array, String)>>,
    ) -> Result<PreparedPackage> {
        let directory = archive::directory(package, self.lock.abi);
        let mut modules = Vec::new();
        if let Some(hash) = package.sha256() {
            Bytecode::request(&self.parts.bytecode, hash, self.lock.file(), &self.base_urls, fetcher);
        }
        if let Wanted::Locked { locked, bytes } = package {
            let manifest = self.lock.file().manifest();
            if let (Some(facts), None) = (manifest.file(&locked.file_name), bytes) {
                self.parts.timeline.expect(package.name(), facts.size);
            }
            for file in manifest.side_modules(&locked.sha256) {
                modules.push(side_modules::compile(file, &directory, &self.base_urls, fetcher, &self.parts));
            }
        }
        let ((bytes, hash), modules) = try_join(archive, try_join_all(modules)).await?;
        // Of a wheel that is asked for by its address, the hash is known only now.
        Bytecode::request(&self.parts.bytecode, &hash, self.lock.file(), &self.base_urls, fetcher);
        let package = self.read(package, bytes, hash)?;
        let kept = self.parts.bytecode.receive(package.hash()).await;
        Ok(package.with_bytecode(kept).compile(&self.parts.linker).await?.with_modules(modules.concat()))
    }
}

/// One error for all packages that failed. A single failure keeps its own code.
fn packages_failed(failures: Vec<(String, Error)>) -> Error {
    let names: Vec<&str> = failures.iter().map(|(name, _)| name.as_str()).collect();
    let reasons: Vec<String> = failures.iter().map(|(name, error)| format!("{name}: {error}")).collect();
    let list = Array::new();
    for (name, error) in &failures {
        let item = Object::new();
        set(&item, "name", &name.into());
        set(&item, "message", &error.message().into());
        set(&item, "code", &error.code().as_str().into());
        list.push(&item);
    }
    let message = format!("{} could not be loaded, so nothing was installed. {}", names.join(", "), reasons.join(" "));
    let code = match failures.as_slice() {
        [(_, error)] => error.code(),
        _ => Code::PackagesFailed,
    };
    let cause = failures.into_iter().next().map_or(JsValue::UNDEFINED, |(_, error)| error.into());
    let hint = Reflect::get(&cause, &"hint".into()).ok().and_then(|hint| hint.as_string());
    let error = Error::new(code, message).cause(cause).field("packages", list);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
