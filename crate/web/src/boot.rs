//! Starting Python.
//!
//! Everything that has to come over the network is asked for at once, before anything is waited for: the glue, the
//! interpreter's module (compiled while it streams), the standard library, the lock file, and, as soon as the lock
//! file says which they are, the packages wanted at start. Then, in the order in which each can go on:
//!
//! 1. evaluate the glue,
//! 2. instantiate the module,
//! 3. mount the file system with the standard library in it,
//! 4. run CPython's `main`,
//! 5. finish Pyodide's bootstrap: the bridge between Python and JavaScript,
//! 6. put the packages on the path.

mod files;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use futures::future::try_join;
use js_sys::{ArrayBuffer, WebAssembly};
use taipan_core::vfs::{FileSystem, LayerId};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::AbortSignal;

use self::files::DistributionFiles;
use crate::boundary::{BootOptions, CacheMode, EngineHost, MemoryUse, Stage, TimingsObject};
use crate::bytecode::Bytecode;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::linker::Linker;
use crate::emscripten::package_manager;
use crate::emscripten::start::{StartOptions, start};
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, settle, spawn};
use crate::global::wall_clock;
use crate::output::{Output, Stream};
use crate::packages::{PackageParts, Packages};
use crate::pyodide::{self, Configuration};
use crate::python_files;
use crate::session::Session;
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
    /// Runs code, where that is what it was started for.
    pub session: Option<Session>,
    /// Brings packages.
    pub packages: Rc<Packages>,
    /// Keeps bytecode.
    pub bytecode: Rc<Bytecode>,
    /// Timings and progress.
    pub timeline: Rc<Timeline>,
    /// The file system.
    pub files: SharedFileSystem,
    /// Bytes of archives and mounted files held outside linear memory.
    pub held: Rc<Cell<u64>>,
    /// What the page has mounted, by path.
    pub mounts: RefCell<HashMap<String, LayerId>>,
}

impl Interpreter {
    /// Sizes in bytes.
    pub fn memory(&self) -> MemoryUse {
        let loader: WebAssembly::Memory = wasm_bindgen::memory().unchecked_into();
        MemoryUse {
            interpreter: f64::from(self.module.heap8().length()),
            loader: f64::from(loader.buffer().unchecked_into::<ArrayBuffer>().byte_length()),
            archives: self.held.get() as f64,
        }
    }

    /// How long each stage took.
    pub fn timings(&self) -> TimingsObject {
        self.timeline.to_object(self.files.borrow().usage().files_inflated)
    }
}

/// Starts Python.
///
/// # Errors
/// Typed as in `boundary.d.ts`; every failure rejects within the time it takes to notice it.
pub async fn boot(
    options: BootOptions,
    face: &Face,
    host: EngineHost,
    signal: Option<AbortSignal>,
) -> Result<Interpreter> {
    let configuration = face.configuration();
    let timeline = Rc::new(Timeline::start(host.clone()));
    let fetcher = Fetcher::new(Rc::clone(&timeline), signal);
    let output = Rc::new(Output::new(host.clone()));
    let files = Rc::new(RefCell::new(FileSystem::new(wall_clock())));
    let held = Rc::new(Cell::new(0));
    let linker = Linker::new(Rc::clone(&timeline));

    let mut distribution = DistributionFiles::request(&options, &fetcher);
    // The glue can be evaluated before the lock file confirms that it is the right one.
    let guessed_abi = distribution.guessed_abi();
    let guessed_factory = spawn(distribution.factory(guessed_abi, &host));
    let store = Store::open(options.cache == CacheMode::Persistent).await;
    let lock = distribution.lock_file().await?;
    let abi = lock.abi;
    let bytecode = Rc::new(Bytecode::new(abi, store, Rc::clone(&files), Rc::clone(&held)));
    let parts = PackageParts {
        files: Rc::clone(&files),
        linker: linker.clone(),
        bytecode: Rc::clone(&bytecode),
        timeline: Rc::clone(&timeline),
        held: Rc::clone(&held),
    };
    let packages = Rc::new(Packages::new(lock, &options, parts));
    // The standard library's own hash is not known yet; what no package has is its.
    for hash in packages.lock().file().bytecode_of_no_package() {
        Bytecode::request(&bytecode, hash, packages.lock().file(), packages.base_url(), &fetcher);
    }
    let names = match face {
        Face::Session => options.packages.clone(),
        // They are installed when its package manager asks for them.
        Face::Pyodide(_) => Packages::request(&packages, &options.packages, &fetcher).map(|()| Vec::new())?,
    };
    let preload = spawn({
        let (packages, fetcher) = (Rc::clone(&packages), fetcher.clone());
        async move { packages.load(&names, &fetcher).await }
    });

    let factory = if abi == guessed_abi { guessed_factory } else { spawn(distribution.factory(abi, &host)) };
    let (factory, standard_library) = try_join(factory, distribution.standard_library()).await?;
    timeline.end(Stage::Glue);
    let (standard_library, hash) = standard_library;
    Bytecode::request(&bytecode, &hash, packages.lock().file(), packages.base_url(), &fetcher);
    let kept = bytecode.receive(&hash).await;
    let (print, shared_files, shared_held) = (Rc::clone(&output), Rc::clone(&files), Rc::clone(&held));
    let start_options = StartOptions {
        abi,
        index_url: options.index_url.clone(),
        package_base_url: packages.base_url().to_owned(),
        environment: environment(&options, face),
        lock_file: packages.lock().text().to_owned(),
        factory,
        module: distribution.module(),
        populate: Box::new({
            let bytecode = Rc::clone(&bytecode);
            move |files| {
                let layer = python_files::mount(files, abi, standard_library, &shared_held)?;
                bytecode.mount(layer, &hash, kept);
                Ok(())
            }
        }),
        files,
        linker,
        configuration: configuration.cloned(),
        connect: Box::new({
            let packages = Rc::clone(&packages);
            move |api| package_manager::connect(api, &packages)
        }),
        print: Rc::new(move |is_stderr, line| {
            print.write_line(if is_stderr { Stream::Stderr } else { Stream::Stdout }, line);
        }),
    };
    let module = start(start_options, &timeline).await?;
    fetcher.check_aborted()?;
    let api = finish_bootstrap(&module, configuration).await?;
    let session = match face {
        Face::Session => Some(Session::new(&module, &api, &host, output, &packages)?),
        Face::Pyodide(_) => pyodide::connect(&module, &api, &packages, &bytecode).map(|()| None)?,
    };
    timeline.end(Stage::Bootstrap);
    packages.connect(&api);
    preload.await?;
    packages.refresh_interpreter()?;
    timeline.end(Stage::Packages);
    fetcher.check_aborted()?;
    timeline.end(Stage::Ready);
    Bytecode::put_away_when_idle(&bytecode, &api);
    Ok(Interpreter {
        module,
        api,
        session,
        packages,
        bytecode,
        timeline,
        files: shared_files,
        held,
        mounts: RefCell::default(),
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
    // Before Pyodide imports its part of the standard library. `rawRun` gives no error that matters: without this module
    // nothing is kept, and that is all.
    api.raw_run("__import__('_taipan.bytecode')").map_err(failed)?;
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
