//! Starting Python.
//!
//! Everything that has to come over the network is asked for at once, before anything is waited for but the store, which
//! may keep an image: the glue, the interpreter's module (compiled while it streams), the standard library, the lock file,
//! and, as soon as the lock file says which they are, the packages wanted at start. Then, in the order in which each can go
//! on:
//!
//! 1. evaluate the glue,
//! 2. instantiate the module,
//! 3. mount the file system with the standard library in it,
//! 4. run CPython's `main`,
//! 5. finish Pyodide's bootstrap: the bridge between Python and JavaScript,
//! 6. put the packages on the path.

mod files;
mod glue;
mod image_source;
mod known;
mod module;
mod restored;
mod standard_library;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared, join};
use js_sys::{ArrayBuffer, WebAssembly};
use taipan_core::vfs::{FileSystem, LayerId};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use self::files::DistributionFiles;
use self::image_source::{ImageSource, may_start_from_kept};
use self::standard_library::StandardLibrary;
use crate::archives::Archives;
use crate::boundary::{BootOptions, CacheMode, EngineHost, KnownFiles, MemoryUse, Stage, TimingsObject};
use crate::bytecode::Bytecode;
use crate::checkpoint::Checkpoints;
use crate::distribution;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::handles::Handles;
use crate::emscripten::linker::Linker;
use crate::emscripten::package_manager;
use crate::emscripten::snapshot::{Restore, SideModules};
use crate::emscripten::start::{ModuleFuture, PopulateFuture, StartOptions, start};
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Network, settle, spawn};
use crate::global::wall_clock;
use crate::image::{AutomaticImage, OpenImage};
use crate::output::{Output, Stream};
use crate::packages::{Lock, PackageParts, Packages};
use crate::pyodide::{self, Configuration};
use crate::session::{Connection, Session};
use crate::store::Store;
use crate::timeline::Timeline;

/// What Python is started for.
pub enum Face {
    /// `python.run`, with streams, signals and displays of its own.
    Session,
    /// Programs written for Pyodide, which get Pyodide's own API.
    Pyodide(Configuration),
}

impl Face {
    /// Pyodide's configuration, where that is the face.
    fn configuration(&self) -> Option<&Configuration> {
        match self {
            Self::Session => None,
            Self::Pyodide(configuration) => Some(configuration),
        }
    }
}

/// A started Python.
pub struct Interpreter {
    /// Emscripten's module.
    pub module: Module,
    /// Pyodide's API object.
    pub api: PublicApi,
    /// CPython's compiled module.
    pub main: WebAssembly::Module,
    /// SHA-256 of the glue, of that module and of the standard library.
    pub hashes: [String; 3],
    /// What its glue and its module are, for the page of the next visit.
    pub known: KnownFiles,
    /// What Python imports as `_taipan_host`; `null` where there is no session.
    pub host_module: JsValue,
    /// Runs code, where that is what it was started for.
    pub session: Option<Session>,
    /// Brings packages.
    pub packages: Rc<Packages>,
    /// Names of the environment variables that the page gave.
    pub environment: Vec<String>,
    /// What is kept for the next visit.
    pub store: Store,
    /// The image that is made by itself, where one may be.
    pub automatic: Option<AutomaticImage>,
    /// Keeps bytecode.
    pub bytecode: Rc<Bytecode>,
    /// Timings and progress.
    pub timeline: Rc<Timeline>,
    /// The way out.
    pub network: Network,
    /// The file system.
    pub files: SharedFileSystem,
    /// Links side modules.
    pub linker: Linker,
    /// Bytes of archives and mounted files held outside linear memory.
    pub held: Rc<Cell<u64>>,
    /// What the page has mounted, by path.
    pub mounts: RefCell<HashMap<String, LayerId>>,
    /// Side modules of the image that it was restored from.
    pub side_modules: Option<Rc<SideModules>>,
    /// That image.
    pub image: Option<Rc<OpenImage>>,
    /// What JavaScript holds of Python's.
    pub handles: Rc<Handles>,
    /// Moments that one can go back to.
    pub checkpoints: Checkpoints,
}

impl Interpreter {
    /// Sizes in bytes.
    pub fn memory(&self) -> MemoryUse {
        let loader: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
        MemoryUse {
            interpreter: f64::from(self.module.heap8().length()),
            loader: f64::from(loader.buffer().unchecked_into::<ArrayBuffer>().byte_length()),
            archives: self.held.get() as f64,
            checkpoints: self.checkpoints.bytes() as f64,
        }
    }

    /// Lets others have the file of the image that it was restored from.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if what is still needed of it cannot be read.
    pub fn let_go_of_image(&self) -> Result<()> {
        self.image.as_ref().map_or(Ok(()), |image| image.let_go())
    }

    /// Waits until the image that it was restored from is whole.
    ///
    /// # Errors
    /// What keeps the files beside it from being had.
    pub async fn complete_image(&self) -> Result<()> {
        match self.image.clone() {
            Some(image) => image.complete().await,
            None => Ok(()),
        }
    }

    /// How long each stage took.
    pub fn timings(&self) -> TimingsObject {
        self.timeline.to_object(self.files.borrow().usage().files_inflated)
    }
}

/// What every start needs, and what comes of it.
struct Ground {
    options: BootOptions,
    face: Rc<Face>,
    host: EngineHost,
    store: OpeningStore,
    automatic: Option<AutomaticImage>,
    timeline: Rc<Timeline>,
    network: Network,
    fetcher: Fetcher,
    output: Rc<Output>,
    files: SharedFileSystem,
    held: Rc<Cell<u64>>,
    linker: Linker,
    archives: Rc<Archives>,
    handles: Rc<Handles>,
}

/// What is kept from one visit to the next, on its way.
type OpeningStore = Shared<LocalBoxFuture<'static, Store>>;

fn open_store(options: &BootOptions, host: &EngineHost) -> OpeningStore {
    let (is_wanted, host) = (options.cache == CacheMode::Persistent, host.clone());
    let limit = options.cache_limit.map(|limit| limit as u64);
    let opening = async move { Store::open(is_wanted, limit, &host).await }.boxed_local().shared();
    wasm_bindgen_futures::spawn_local(opening.clone().map(drop));
    opening
}

impl Ground {
    fn new(
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
            output: Rc::new(Output::new(host.clone())),
            files: Rc::new(RefCell::new(FileSystem::new(wall_clock()))),
            held: Rc::new(Cell::new(0)),
            linker: Linker::new(Rc::clone(&timeline)),
            archives: Rc::default(),
            handles: Rc::default(),
            timeline,
        }
    }

    /// The packages and the bytecode of an interpreter that has none yet.
    fn packages(&self, lock: Lock, store: &Store) -> (Rc<Packages>, Rc<Bytecode>) {
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
    async fn start(&self, packages: &Rc<Packages>, parts: StartParts) -> Result<Module> {
        let print = Rc::clone(&self.output);
        let options = StartOptions {
            abi: packages.lock().abi,
            index_url: self.options.index_url.clone(),
            package_base_url: packages.base_urls().first().cloned().unwrap_or_default(),
            environment: environment(&self.options, &self.face),
            lock_file: packages.lock().text().to_owned(),
            factory: parts.factory,
            module: parts.module,
            populate: parts.populate,
            files: Rc::clone(&self.files),
            linker: self.linker.clone(),
            restore: parts.restore,
            handles: self.face.configuration().is_none().then(|| Rc::clone(&self.handles)),
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

/// What differs between a start and a restoration.
struct StartParts {
    factory: js_sys::Function,
    module: ModuleFuture,
    populate: PopulateFuture,
    restore: Option<Rc<Restore>>,
}

/// Starts Python: from an image where there is one that fits, else from the beginning.
///
/// # Errors
/// Typed as in `boundary.d.ts`; every failure rejects within the time it takes to notice it.
pub async fn boot(
    options: BootOptions,
    face: Face,
    host: EngineHost,
    signal: Option<AbortSignal>,
) -> Result<Interpreter> {
    let timeline = Rc::new(Timeline::start(host.clone()));
    let network = Network::new(Rc::clone(&timeline), options.stall_timeout);
    let fetcher = network.fetcher(signal);
    let mut distribution = DistributionFiles::request(&options, &fetcher, &host);
    let face = Rc::new(face);
    let store = open_store(&options, &host);
    let ground = || Ground::new(&options, &face, &host, &store, &network, &fetcher);
    let sources = ImageSource::all(&options);
    if !may_start_from_kept(&sources, &options, &distribution, &store).await {
        distribution.request_core();
    }
    for source in sources {
        if options.forget_image {
            source.forget(&store.clone().await).await;
            continue;
        }
        match restored::restore(&ground, &mut distribution, &source).await {
            Ok(Some(interpreter)) => return Ok(interpreter),
            Ok(None) => {}
            Err(error) => {
                fetcher.check_aborted()?;
                timeline.note_refusal(&error);
                source.refuse(&error, &store.clone().await).await;
            }
        }
    }
    from_beginning(ground(), distribution).await
}

/// Starts Python from the beginning.
async fn from_beginning(ground: Ground, mut distribution: DistributionFiles) -> Result<Interpreter> {
    let Ground { options, host, timeline, fetcher, .. } = &ground;
    let face = &*ground.face;
    distribution.request_core();
    // It is awaited further down; asking is what counts here.
    drop(distribution.request_library());
    // The glue can be evaluated before the lock file confirms that it is the right one.
    let guessed_abi = distribution.guessed_abi();
    let guessed_factory = spawn(distribution.factory(guessed_abi));
    let (store, lock) = join(ground.store.clone(), distribution.lock_file()).await;
    let lock = lock?;
    let abi = lock.abi;
    let (packages, bytecode) = ground.packages(lock, &store);
    // The standard library's own hash is not known yet; where the release is a known one, or the lock file has bytecode of
    // what is no package, it can be told.
    let file = packages.lock().file();
    let known = distribution::standard_library_of(&file.info().version);
    let prepared = file.manifest().file(distribution::STANDARD_LIBRARY_FILE);
    let known = known.filter(|known| prepared.is_none_or(|facts| facts.sha256 == *known));
    for hash in file.bytecode_of_no_package().chain(known) {
        Bytecode::request(&bytecode, hash, file, packages.base_urls(), fetcher);
    }
    let names = match face {
        Face::Session => options.packages.clone(),
        // They are installed when its package manager asks for them.
        Face::Pyodide(_) => Packages::request(&packages, &options.packages, fetcher).map(|()| Vec::new())?,
    };
    let held = packages.hold().await;
    let preload = spawn({
        let (packages, fetcher) = (Rc::clone(&packages), fetcher.clone());
        async move { packages.load(&names, &fetcher).await }
    });

    Packages::prefetch(&packages, fetcher);
    Packages::read_ahead(&packages, &options.packages, fetcher);

    let factory = if abi == guessed_abi { guessed_factory } else { spawn(distribution.factory(abi)) };
    let library = StandardLibrary { bytecode: Rc::clone(&bytecode), held: Rc::clone(&ground.held) };
    let populate = library.populate(distribution.standard_library(), Rc::clone(&packages), fetcher.clone());
    let factory = factory.await?;
    timeline.end(Stage::Glue);
    let main = distribution.module().shared();
    let parts = StartParts { factory, module: main.clone().boxed_local(), populate, restore: None };
    let module = ground.start(&packages, parts).await?;
    drop(held);
    let api = finish_bootstrap(&module, face.configuration()).await?;
    let (session, host_module) = match face {
        Face::Session => {
            let connection = Connection::new(&module, host, Rc::clone(&ground.output), &packages, &ground.handles);
            let host_module = connection.module.clone();
            (Some(Session::new(&api, connection)?), host_module.into())
        }
        Face::Pyodide(_) => {
            pyodide::connect(&module, &api, &packages, &bytecode)?;
            (None, JsValue::NULL)
        }
    };
    timeline.end(Stage::Bootstrap);
    packages.connect(&api);
    preload.await?;
    packages.refresh_interpreter()?;
    timeline.end(Stage::Packages);
    fetcher.check_aborted()?;
    timeline.end(Stage::Ready);
    Bytecode::put_away_when_idle(&bytecode, &api);
    let hashes = distribution.hashes().await?;
    Ok(Interpreter {
        main: main.await?,
        known: distribution.known_files(&hashes),
        hashes,
        module,
        api,
        host_module,
        session,
        packages,
        environment: ground.options.env.into_keys().collect(),
        store,
        automatic: ground.automatic,
        bytecode,
        timeline: ground.timeline,
        network: ground.network,
        files: ground.files,
        linker: ground.linker,
        held: ground.held,
        mounts: RefCell::default(),
        side_modules: None,
        image: None,
        handles: ground.handles,
        checkpoints: Checkpoints::new(ground.options.checkpoint_limit),
    })
}

/// Pyodide's own last steps, as in `loadPyodide` of `src/js/pyodide.ts`.
async fn finish_bootstrap(module: &Module, configuration: Option<&Configuration>) -> Result<PublicApi> {
    let failed = |thrown| {
        Error::from_js(Code::Fatal, "Pyodide's bridge cannot be started", thrown)
            .hint("The standard library may be damaged or belong to another release.")
    };
    let api = module.api();
    if let Some(configuration) = configuration {
        configuration.set_switches(module);
    }
    // Before Pyodide imports its part of the standard library. `rawRun` gives no error that matters: without these modules
    // nothing is kept and modules are found more slowly, and that is all.
    api.raw_run("__import__('_taipan.modules'); __import__('_taipan.bytecode')").map_err(failed)?;
    let public = api.finalize_bootstrap().map_err(failed)?;
    let last_steps = "__import__('sys').path.insert(0, '')\n__import__('_pyodide').set_excepthook()";
    public.run_python(last_steps).map_err(failed)?;
    if let Some(ready) = api.package_index_ready() {
        settle(Code::BadLockFile, "Pyodide's package index cannot be started", ready).await?;
    }
    let stream = |name: &str| configuration.map_or(JsValue::UNDEFINED, |configuration| configuration.get(name));
    api.initialize_streams(&stream("stdin"), &stream("stdout"), &stream("stderr")).map_err(failed)?;
    Ok(public)
}

/// The environment of the interpreter: what the caller set over what notebooks expect.
fn environment(options: &BootOptions, face: &Face) -> std::collections::BTreeMap<String, String> {
    if matches!(face, Face::Pyodide(_)) {
        return options.env.clone();
    }
    let mut environment: std::collections::BTreeMap<String, String> = [
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
