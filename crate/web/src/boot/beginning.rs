//! Starting Python from the beginning: CPython's `main` runs, then Pyodide's bootstrap.
//!
//! 1. Evaluate the glue,
//! 2. instantiate the module,
//! 3. mount the file system with the standard library in it,
//! 4. run CPython's `main`,
//! 5. finish Pyodide's bootstrap: the bridge between Python and JavaScript,
//! 6. put the packages on the path.

use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::join;
use wasm_bindgen::JsValue;

use super::Face;
use super::files::DistributionFiles;
use super::ground::{Ground, StartParts};
use super::interpreter::{Interpreter, Started};
use super::standard_library::StandardLibrary;
use crate::boundary::Stage;
use crate::bytecode::Bytecode;
use crate::distribution;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, settle, spawn};
use crate::packages::Packages;
use crate::pyodide::{self, Configuration};
use crate::session::{Connection, Session};

/// Starts Python from the beginning.
///
/// # Errors
/// Those of [`super::boot`].
pub async fn from_beginning(ground: Ground, mut distribution: DistributionFiles) -> Result<Interpreter> {
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
    request_bytecode(&bytecode, &packages, fetcher);
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
    let started = Started {
        main: main.await?,
        known: distribution.known_files(&hashes),
        hashes,
        module,
        api,
        host_module,
        session,
        packages,
        store,
        bytecode,
        restored: None,
    };
    Ok(Interpreter::new(ground, started))
}

/// Begins to fetch the bytecode of what is no package. The standard library's own hash is not known yet; where the release
/// is a known one it can be told.
fn request_bytecode(bytecode: &Rc<Bytecode>, packages: &Packages, fetcher: &Fetcher) {
    let file = packages.lock().file();
    let known = distribution::standard_library_of(&file.info().version);
    let prepared = file.manifest().file(distribution::STANDARD_LIBRARY_FILE);
    let known = known.filter(|known| prepared.is_none_or(|facts| facts.sha256 == *known));
    for hash in file.bytecode_of_no_package().chain(known) {
        Bytecode::request(bytecode, hash, file, packages.base_urls(), fetcher);
    }
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
