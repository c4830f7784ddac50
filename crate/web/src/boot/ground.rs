//! What every start needs, whether from the beginning or from an image.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared};
use js_sys::Function;
use taipan_core::vfs::FileSystem;

use super::Face;
use crate::archives::Archives;
use crate::boundary::{BootOptions, CacheMode, EngineHost};
use crate::bytecode::Bytecode;
use crate::emscripten::bindings::Module;
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::handles::Handles;
use crate::emscripten::linker::Linker;
use crate::emscripten::package_manager;
use crate::emscripten::snapshot::Restore;
use crate::emscripten::start::{ModuleFuture, PopulateFuture, StartOptions, start};
use crate::error::Result;
use crate::fetch::{Fetcher, Network};
use crate::global::wall_clock;
use crate::image::AutomaticImage;
use crate::output::{Output, Stream};
use crate::packages::{Lock, PackageParts, Packages};
use crate::store::Store;
use crate::timeline::Timeline;

/// What every start needs, and what comes of it.
pub struct Ground {
    /// What the page asks for.
    pub options: BootOptions,
    /// What Python is started for.
    pub face: Rc<Face>,
    /// The worker that it runs in, or the page.
    pub host: EngineHost,
    /// What is kept from one visit to the next.
    pub store: OpeningStore,
    /// The image that is made by itself, where one may be.
    pub automatic: Option<AutomaticImage>,
    /// Timings and progress.
    pub timeline: Rc<Timeline>,
    /// The way out.
    pub network: Network,
    /// The way out as long as the start is not given up.
    pub fetcher: Fetcher,
    /// Takes what Python prints.
    pub output: Rc<Output>,
    /// The file system.
    pub files: SharedFileSystem,
    /// Bytes of archives held outside linear memory.
    pub held: Rc<Cell<u64>>,
    /// Links side modules.
    pub linker: Linker,
    /// Which source is which archive.
    pub archives: Rc<Archives>,
    /// What JavaScript holds of Python's.
    pub handles: Rc<Handles>,
}

/// What is kept from one visit to the next, on its way.
pub type OpeningStore = Shared<LocalBoxFuture<'static, Store>>;

/// Opens the store, whether or not somebody waits for it.
pub fn open_store(options: &BootOptions, host: &EngineHost) -> OpeningStore {
    let (is_wanted, host) = (options.cache == CacheMode::Persistent, host.clone());
    let limit = options.cache_limit.map(|limit| limit as u64);
    let opening = async move { Store::open(is_wanted, limit, &host).await }.boxed_local().shared();
    wasm_bindgen_futures::spawn_local(opening.clone().map(drop));
    opening
}

/// What differs between a start and a restoration.
pub struct StartParts {
    /// Makes the module: the function that the glue defines.
    pub factory: Function,
    /// CPython's module, when it is compiled.
    pub module: ModuleFuture,
    /// Puts the standard library, or the files of the image, in their place.
    pub populate: PopulateFuture,
    /// What is restored, where that is what the start is for.
    pub restore: Option<Rc<Restore>>,
}

impl Ground {
    /// An empty file system, and nothing linked.
    pub fn new(
        options: &BootOptions,
        face: &Rc<Face>,
        host: &EngineHost,
        store: &OpeningStore,
        network: &Network,
        fetcher: &Fetcher,
    ) -> Self {
        let timeline = fetcher.timeline();
        Self {
            options: options.clone(),
            face: Rc::clone(face),
            host: host.clone(),
            store: store.clone(),
            automatic: options.automatic_image.then(|| AutomaticImage::of(options)),
            network: network.clone(),
            fetcher: fetcher.clone(),
            output: Output::new(host.clone()),
            files: Rc::new(RefCell::new(FileSystem::new(wall_clock()))),
            held: Rc::new(Cell::new(0)),
            linker: Linker::new(Rc::clone(&timeline)),
            archives: Rc::default(),
            handles: Rc::default(),
            timeline,
        }
    }

    /// The packages and the bytecode of an interpreter that has none yet.
    pub fn packages(&self, lock: Lock, store: &Store) -> (Rc<Packages>, Rc<Bytecode>) {
        let (files, held) = (Rc::clone(&self.files), Rc::clone(&self.held));
        let bytecode = Rc::new(Bytecode::new(lock.abi, store.clone(), self.options.bytecode.clone(), files, held));
        let parts = PackageParts {
            files: Rc::clone(&self.files),
            linker: self.linker.clone(),
            store: store.clone(),
            bytecode: Rc::clone(&bytecode),
            archives: Rc::clone(&self.archives),
            timeline: Rc::clone(&self.timeline),
            network: self.network.clone(),
            held: Rc::clone(&self.held),
            host: self.host.clone(),
        };
        (Rc::new(Packages::new(lock, &self.options, parts)), bytecode)
    }

    /// Starts CPython, or the module that is to become one.
    pub async fn start(&self, packages: &Rc<Packages>, parts: StartParts) -> Result<Module> {
        let print = Rc::clone(&self.output);
        let options = StartOptions {
            abi: packages.lock().abi,
            index_url: self.options.index_url.clone(),
            package_base_url: packages.base_urls().first().cloned().unwrap_or_default(),
            environment: environment(&self.options, &self.face),
            lock_file: packages.lock().bytes().clone(),
            factory: parts.factory,
            module: parts.module,
            populate: parts.populate,
            files: Rc::clone(&self.files),
            linker: self.linker.clone(),
            restore: parts.restore,
            handles: self.face.configuration().is_none().then(|| Rc::clone(&self.handles)),
            poll_signals: self.host.signals().map(|signals| signals.poll()),
            configuration: self.face.configuration().cloned(),
            connect: Box::new({
                let packages = Rc::clone(packages);
                move |api| package_manager::connect(api, &packages)
            }),
            print: Rc::new(move |is_stderr, line| {
                print.write_line(if is_stderr { Stream::Stderr } else { Stream::Stdout }, line);
            }),
        };
        let module = start(options, &self.timeline).await?;
        packages.connect_files(module.fs());
        if self.face.configuration().is_none() {
            self.handles.watch_registrations(&module);
        }
        self.fetcher.check_aborted()?;
        Ok(module)
    }
}

/// The environment of the interpreter: what the caller set over what notebooks expect.
pub fn environment(options: &BootOptions, face: &Face) -> BTreeMap<String, String> {
    if matches!(face, Face::Pyodide(_)) {
        return options.env.clone();
    }
    let mut environment: BTreeMap<String, String> = [
        ("HOME", "/home/pyodide"),
        // As Pyodide does: CPython would exit at the end of `main` otherwise.
        ("PYTHONINSPECT", "1"),
        // Output reaches the page as it happens.
        ("PYTHONUNBUFFERED", "1"),
        ("MPLBACKEND", "module://_taipan.figures"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    environment.extend(options.env.clone());
    environment
}
