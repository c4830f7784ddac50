//! A Python that has been started.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::{ArrayBuffer, WebAssembly};
use taipan_core::vfs::LayerId;
use wasm_bindgen::{JsCast, JsValue};

use super::ground::Ground;
use crate::boundary::{KnownFiles, MemoryUse, TimingsObject};
use crate::bytecode::Bytecode;
use crate::checkpoint::Checkpoints;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::handles::Handles;
use crate::emscripten::linker::Linker;
use crate::emscripten::snapshot::SideModules;
use crate::error::Result;
use crate::fetch::Network;
use crate::image::{AutomaticImage, OpenImage};
use crate::packages::Packages;
use crate::session::Session;
use crate::store::Store;
use crate::timeline::Timeline;

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

/// What a start, of either kind, adds to the ground it stands on.
pub struct Started {
    /// Emscripten's module.
    pub module: Module,
    /// Pyodide's API object.
    pub api: PublicApi,
    /// CPython's compiled module.
    pub main: WebAssembly::Module,
    /// SHA-256 of the glue, of that module and of the standard library.
    pub hashes: [String; 3],
    /// What its glue and its module are.
    pub known: KnownFiles,
    /// What Python imports as `_taipan_host`; `null` where there is no session.
    pub host_module: JsValue,
    /// Runs code, where that is what it was started for.
    pub session: Option<Session>,
    /// Brings packages.
    pub packages: Rc<Packages>,
    /// What is kept for the next visit.
    pub store: Store,
    /// Keeps bytecode.
    pub bytecode: Rc<Bytecode>,
    /// The image that it was restored from, and its side modules.
    pub restored: Option<(Rc<OpenImage>, Rc<SideModules>)>,
}

impl Interpreter {
    /// No checkpoint has been taken, nothing is mounted.
    pub fn new(ground: Ground, started: Started) -> Self {
        let Started { module, api, main, hashes, known, host_module, session, packages, store, bytecode, restored } =
            started;
        let (image, side_modules) = restored.unzip();
        Self {
            module,
            api,
            main,
            hashes,
            known,
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
            side_modules,
            image,
            handles: ground.handles,
            checkpoints: Checkpoints::new(ground.options.checkpoint_limit),
        }
    }

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

    /// Notes which side modules there are at the end of a run, so that it can be told later which have been at work since.
    pub fn note_modules(&self) {
        // What a restored one links has been called.
        if self.side_modules.is_none() {
            self.linker.note_data(&self.module);
        }
    }

    /// Where the files are of side modules that will be called soon after the next start, as far as that can be known: those
    /// that have been called since this one started, or since the run that linked them.
    pub fn at_work(&self) -> Vec<String> {
        self.linker.at_work(&self.module)
    }

    /// Links the side modules of the image that it was restored from, as far as they are not linked.
    ///
    /// # Errors
    /// What one cannot be had for.
    pub fn link_all(&self) -> Result<()> {
        self.side_modules.as_ref().map_or(Ok(()), |modules| modules.link_all())
    }

    /// How long each stage took.
    pub fn timings(&self) -> TimingsObject {
        self.timeline.to_object(self.files.borrow().usage().files_inflated)
    }
}
