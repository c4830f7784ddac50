//! Running the glue: settings in, a started CPython out.
//!
//! The settings are those of Pyodide's `src/js/emscripten-settings.ts`. What Emscripten would only print to the console
//! (a module that cannot be instantiated, an abort, an exit) ends the start with an error.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{Either, LocalBoxFuture, select};
use js_sys::{Array, Function, Object, Promise, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::abi::{Abi, set};
use super::bindings::{Api, Module};
use super::file_system::{SharedFileSystem, mount_root};
use super::handles::Handles;
use super::linker::Linker;
use super::module_lookup::ModuleLookup;
use super::snapshot::Restore;
use super::snapshot::glue::get;
use super::wrapping::place_functions;
use super::{native_fs, sentinel};
use crate::boundary::Stage;
use crate::error::{Code, Error, Result};
use crate::pyodide::Configuration;
use crate::timeline::Timeline;

/// The compiled module, when it is there.
pub type ModuleFuture = LocalBoxFuture<'static, Result<WebAssembly::Module>>;

/// Puts the standard library in its place.
pub type Populate = Box<dyn FnOnce(&SharedFileSystem) -> Result<()>>;

/// What puts the standard library in its place, when that is there.
pub type PopulateFuture = LocalBoxFuture<'static, Result<Populate>>;

/// Takes a line that CPython prints, and whether it is an error's.
pub type Print = Rc<dyn Fn(bool, &str)>;

/// What starting CPython needs.
pub struct StartOptions {
    /// Which glue it is.
    pub abi: Abi,
    /// Folder of the distribution, ending in `/`.
    pub index_url: String,
    /// Folder of the wheels, ending in `/`.
    pub package_base_url: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The lock file, for Pyodide's own package index.
    pub lock_file: String,
    /// Makes the module: the function that the glue defines.
    pub factory: Function,
    /// The compiled module, when it is there.
    pub module: ModuleFuture,
    /// Puts the standard library in its place; called when the file system is mounted. The module is compiled and
    /// instantiated meanwhile.
    pub populate: PopulateFuture,
    /// The file system to mount.
    pub files: SharedFileSystem,
    /// Where side modules are found.
    pub linker: Linker,
    /// A captured state that is to be restored: CPython's `main` is not run then.
    pub restore: Option<Rc<Restore>>,
    /// Where what JavaScript gets of Python's is noted; absent if nobody wants to know.
    pub handles: Option<Rc<Handles>>,
    /// Pyodide's own configuration, where its API is what is wanted.
    pub configuration: Option<Configuration>,
    /// Called with Pyodide's internal API as soon as the glue has made it.
    pub connect: Box<dyn FnOnce(&Api)>,
    /// Text that CPython prints before its streams are set up: `(is_stderr, line)`.
    pub print: Print,
}

/// Starts CPython: instantiates its module, mounts the file system, runs `main`.
///
/// # Errors
/// [`Code::BadWasm`] if the module cannot be instantiated, [`Code::OutOfMemory`], [`Code::Fatal`] if CPython gives up,
/// and what `module` and `populate` fail with.
pub async fn start(options: StartOptions, timeline: &Rc<Timeline>) -> Result<Module> {
    let failure = Failure::new();
    let settings = Object::new();
    for name in ["noImageDecoding", "noAudioDecoding"] {
        set(&settings, name, &true.into());
    }
    set(&settings, "noWasmDecoding", &false.into());
    set(&settings, "arguments", &Array::new());
    let api = api(&options);
    set(&settings, "API", &api);
    let index_url = options.index_url.clone();
    set(
        &settings,
        "locateFile",
        &Closure::<dyn Fn(String) -> String>::new(move |file: String| format!("{index_url}{file}")).into_js_value(),
    );
    for (name, is_stderr) in [("print", false), ("printErr", true)] {
        let print = Rc::clone(&options.print);
        let print = Closure::<dyn Fn(JsValue)>::new(move |text: JsValue| {
            print(is_stderr, &text.as_string().unwrap_or_default());
        });
        set(&settings, name, &print.into_js_value());
    }
    watch_for_the_end(&settings, &failure);
    let StartOptions {
        abi,
        module,
        linker,
        environment,
        files,
        populate,
        factory,
        configuration,
        connect,
        restore,
        handles,
        ..
    } = options;
    if let Some(restore) = &restore {
        restore.adjust(&settings);
    }
    let arrived = Rc::new(RefCell::new(None));
    // The glue completes the settings: they are its `Module`.
    let emscripten: Module = settings.clone().unchecked_into();
    let lookup = ModuleLookup::new(abi, &files);
    let parts = Parts { module, populate, arrived: Rc::clone(&arrived), emscripten, restore, handles, lookup };
    let instantiate = instantiate_hook(abi, parts, linker.clone(), failure.clone(), Rc::clone(timeline));
    set(&settings, "instantiateWasm", &instantiate);
    let pre_run = pre_run_hook(abi, environment, files, linker, arrived, failure.clone(), Rc::clone(timeline));
    let hooks = Array::of1(&pre_run);
    if let Some(configuration) = configuration {
        configuration.add_to_settings(&settings);
        let failure = failure.clone();
        let hook = configuration.file_system_hook(abi.site_packages(), move |error| failure.set(error));
        if let Some(hook) = hook {
            hooks.push(&hook);
        }
    }
    set(&settings, "preRun", &hooks);

    let context = "CPython cannot be started";
    let made = factory
        .call1(&JsValue::UNDEFINED, &settings)
        .map_err(|thrown| failure.take().unwrap_or_else(|| Error::from_js(Code::Fatal, context, thrown)))?;
    connect(api.unchecked_ref());
    let created = JsFuture::from(Promise::resolve(&made)).boxed_local();
    match select(created, failure.wait()).await {
        Either::Left((Ok(module), _)) => {
            set(module.unchecked_ref(), "locateFile", &refuse_to_locate());
            failure.take().map_or_else(|| Ok(module.unchecked_into()), Err)
        }
        Either::Left((Err(thrown), _)) => {
            Err(failure.take().unwrap_or_else(|| Error::from_js(Code::Fatal, context, thrown)))
        }
        Either::Right((error, _)) => Err(error),
    }
}

/// What a start waits for while the glue is at work.
struct Parts {
    module: ModuleFuture,
    populate: PopulateFuture,
    /// Where `populate` is put for `preRun`.
    arrived: Rc<RefCell<Option<Populate>>>,
    emscripten: Module,
    restore: Option<Rc<Restore>>,
    lookup: ModuleLookup,
    handles: Option<Rc<Handles>>,
}

/// `Module.locateFile` from now on: the dynamic linker must not look on the server for what is not in the file system.
fn refuse_to_locate() -> JsValue {
    Closure::<dyn Fn(String) -> std::result::Result<String, JsValue>>::new(|file: String| {
        Err(js_sys::Error::new(&format!("Failed to find dynamic library \"{file}\"")).into())
    })
    .into_js_value()
}

/// The first failure of a start, from whichever callback notices it.
#[derive(Clone)]
struct Failure {
    error: Rc<RefCell<Option<Error>>>,
    sender: Rc<RefCell<Option<oneshot::Sender<()>>>>,
    receiver: Rc<RefCell<Option<oneshot::Receiver<()>>>>,
}

impl Failure {
    fn new() -> Self {
        let (sender, receiver) = oneshot::channel();
        Self {
            error: Rc::default(),
            sender: Rc::new(RefCell::new(Some(sender))),
            receiver: Rc::new(RefCell::new(Some(receiver))),
        }
    }

    fn set(&self, error: Error) {
        self.error.borrow_mut().get_or_insert(error);
        if let Some(sender) = self.sender.borrow_mut().take() {
            // The start may have ended already.
            let _ = sender.send(());
        }
    }

    fn take(&self) -> Option<Error> {
        self.error.borrow_mut().take()
    }

    fn wait(&self) -> LocalBoxFuture<'static, Error> {
        let (receiver, error) = (self.receiver.borrow_mut().take(), Rc::clone(&self.error));
        async move {
            if let Some(receiver) = receiver
                && receiver.await.is_ok()
                && let Some(error) = error.borrow_mut().take()
            {
                return error;
            }
            futures::future::pending().await
        }
        .boxed_local()
    }
}

/// Pyodide's internal `API` object, as its loader hands it to the glue.
fn api(options: &StartOptions) -> Object {
    let api = Object::new();
    set(&api, "lockFilePromise", &Promise::resolve(&JsValue::from(options.lock_file.as_str())));
    options.abi.extend_api(&api);
    if let Some(configuration) = &options.configuration {
        set(&api, "config", &configuration.0);
        return api;
    }
    let config = Object::new();
    let text = |name: &str, value: &str| set(&config, name, &value.into());
    text("indexURL", &options.index_url);
    text("packageBaseUrl", &options.package_base_url);
    text("packageCacheDir", &options.package_base_url);
    text("cdnUrl", &options.package_base_url);
    set(&config, "fullStdLib", &false.into());
    set(&config, "jsglobals", &js_sys::global());
    set(&config, "args", &Array::new());
    set(&config, "packages", &Array::new());
    set(&config, "enableRunUntilComplete", &true.into());
    set(&config, "checkAPIVersion", &true.into());
    let environment = Object::new();
    for (name, value) in &options.environment {
        set(&environment, name, &value.into());
    }
    set(&config, "env", &environment);
    set(&api, "config", &config);
    api
}

fn watch_for_the_end(settings: &Object, failure: &Failure) {
    let on_abort = failure.clone();
    let on_abort = Closure::<dyn Fn(JsValue)>::new(move |what: JsValue| {
        let reason = crate::fetch::reason(&what);
        on_abort.set(Error::new(Code::Fatal, format!("CPython aborted while it started: {reason}.")));
    });
    set(settings, "onAbort", &on_abort.into_js_value());
    let on_exit = failure.clone();
    let on_exit = Closure::<dyn Fn(i32)>::new(move |code: i32| {
        on_exit.set(
            Error::new(Code::Fatal, format!("CPython exited with code {code} while it started."))
                .hint("The standard library may be damaged or belong to another release."),
        );
    });
    set(settings, "onExit", &on_exit.into_js_value());
}

/// `Module.instantiateWasm`: Emscripten gives the imports and wants the instance.
fn instantiate_hook(abi: Abi, parts: Parts, linker: Linker, failure: Failure, timeline: Rc<Timeline>) -> JsValue {
    Closure::once_into_js(move |imports: Object, receive: Function| -> Object {
        wasm_bindgen_futures::spawn_local(async move {
            if let Err(error) = instantiate(abi, imports, receive, parts, &linker, &timeline).await {
                failure.set(error);
            }
        });
        Object::new()
    })
}

async fn instantiate(
    abi: Abi,
    imports: Object,
    receive: Function,
    parts: Parts,
    linker: &Linker,
    timeline: &Timeline,
) -> Result<()> {
    let (import_module, names) = abi.sentinel();
    sentinel::add_to_imports(&imports, import_module, names)?;
    linker.watch_imports(&imports);
    parts.lookup.watch_imports(&imports, &parts.emscripten);
    if let Some(handles) = &parts.handles {
        handles.watch_imports(&imports);
    }
    let module = parts.module.await?;
    if let Some(restore) = &parts.restore {
        restore.before_instantiation(&parts.emscripten).await?;
    }
    let failed = |thrown| Error::from_js(Code::BadWasm, "CPython's module cannot be instantiated", thrown);
    let instance = JsFuture::from(WebAssembly::instantiate_module(&module, &imports)).await.map_err(failed)?;
    timeline.end(Stage::Instantiate);
    let exports: Object = get(&instance, "exports").unchecked_into();
    let table = function_table(&parts.emscripten, &exports);
    linker.set_main_table_length(table.length());
    let env: Object = get(&imports, "env").unchecked_into();
    if let Some(restore) = &parts.restore {
        restore.before_receiving(&parts.emscripten, &exports, &table)?;
    } else {
        let symbols = parts.emscripten.global_offset_table();
        place_functions(&env, &symbols, &exports, &table, abi.unresolved_symbol()).await;
    }
    *parts.arrived.borrow_mut() = Some(parts.populate.await?);
    // Everything up to the end of CPython's `main` happens inside this call.
    match &parts.restore {
        Some(restore) => {
            linker.complete_later({
                let (restore, module) = (Rc::clone(restore), parts.emscripten.clone());
                move || restore.complete(&module)
            });
            restore.hand_over(&receive, (&module, &exports), &env)?;
        }
        None => {
            receive
                .call2(&JsValue::UNDEFINED, &instance, &module)
                .map_err(|thrown| Error::from_js(Code::Fatal, "CPython cannot be started", thrown))?;
        }
    }
    timeline.end(Stage::Interpreter);
    Ok(())
}

/// The function table, which is the module's own or was given to it.
fn function_table(emscripten: &Module, exports: &Object) -> WebAssembly::Table {
    let own = get(exports, "__indirect_function_table");
    if own.is_object() { own } else { get(emscripten, "wasmTable") }.unchecked_into()
}

/// `Module.preRun`: the last moment before CPython looks for its standard library.
fn pre_run_hook(
    abi: Abi,
    environment: BTreeMap<String, String>,
    files: SharedFileSystem,
    linker: Linker,
    populate: Rc<RefCell<Option<Populate>>>,
    failure: Failure,
    timeline: Rc<Timeline>,
) -> JsValue {
    Closure::once_into_js(move |module: Module| -> std::result::Result<(), JsValue> {
        let populate = populate.take();
        prepare(&module, abi, &environment, &files, &linker, populate).map_err(|error| {
            failure.set(error.clone());
            JsValue::from(error)
        })?;
        timeline.end(Stage::Mount);
        Ok(())
    })
}

fn prepare(
    module: &Module,
    abi: Abi,
    environment: &BTreeMap<String, String>,
    files: &SharedFileSystem,
    linker: &Linker,
    populate: Option<Populate>,
) -> Result<()> {
    let (major, minor, micro) = python_version(module);
    if (major, minor) != abi.python() {
        return Err(Error::new(
            Code::WrongAbi,
            format!("The lock file is for ABI {}, but the interpreter is CPython {major}.{minor}.", abi.version()),
        )
        .hint("Take all files of the distribution from one release."));
    }
    mount_root(module, files)?;
    native_fs::add(&module.fs());
    let populate = populate.ok_or_else(|| Error::new(Code::Fatal, "The glue runs before its module is there."))?;
    populate(files)?;
    let fs = module.fs();
    let failed = |thrown| Error::from_js(Code::FileSystem, "The home directory cannot be made", thrown);
    let home = environment.get("HOME").map_or("/", String::as_str);
    fs.mkdir_tree(home).map_err(failed)?;
    fs.chdir(home).map_err(failed)?;
    linker.watch_files(&fs, files);
    linker.watch_symbols(module.global_offset_table(), abi.unresolved_symbol());
    let variables = module.environment();
    for (name, value) in environment {
        set(&variables, name, &value.into());
    }
    let version = Array::of3(&major.into(), &minor.into(), &micro.into());
    let api: Object = module.api().unchecked_into();
    set(&api, "pyVersionTuple", &version);
    set(&api, "sitePackages", &abi.site_packages().into());
    Ok(())
}

/// The interpreter's own word on its version: `Py_Version`, a constant in its memory (`PY_VERSION_HEX`).
fn python_version(module: &Module) -> (u32, u32, u32) {
    let version = module.heap_u32().get_index(module.py_version_address() >> 2);
    (version >> 24, (version >> 16) & 0xff, (version >> 8) & 0xff)
}
