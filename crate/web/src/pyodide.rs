//! Pyodide's own API in place of [`crate::engine::Engine`]: for programs that are written for Pyodide.

use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::AbortSignal;

use crate::boot::{self, Face};
use crate::boundary::{BootOptionsObject, EngineHost};
use crate::bytecode::Bytecode;
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::engine::read_boot_options;
use crate::error::{Code, Error, Result};
use crate::global;
use crate::import_hook;
use crate::packages::Packages;

/// Milliseconds between two looks for fresh bytecode.
const LOOK_EVERY: f64 = 500.0;

/// Starts Python on this thread and gives the API object that Pyodide's own `finalizeBootstrap` makes. `configuration`
/// is what Pyodide's loader hands to the glue as `API.config`: its options with their defaults filled in.
///
/// # Errors
/// As `Engine.boot`.
#[wasm_bindgen(js_name = bootPyodide)]
pub async fn boot_pyodide(
    options: BootOptionsObject,
    configuration: Object,
    host: EngineHost,
    signal: Option<AbortSignal>,
) -> std::result::Result<JsValue, JsValue> {
    let face = Face::Pyodide(Configuration(configuration));
    Ok(boot::boot(read_boot_options(&options)?, face, host, signal).await?.api.into())
}

/// `API.config`.
#[derive(Clone)]
pub struct Configuration(pub Object);

impl Configuration {
    /// An option, undefined where it is not given.
    pub fn get(&self, name: &str) -> JsValue {
        Reflect::get(&self.0, &name.into()).unwrap_or(JsValue::UNDEFINED)
    }

    /// Whether an option is set to something true.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_truthy()
    }

    /// What Pyodide's loader puts into Emscripten's settings.
    pub fn add_to_settings(&self, settings: &Object) {
        let pairs =
            [("arguments", "args"), ("thisProgram", "_sysExecutable"), ("print", "stdout"), ("printErr", "stderr")];
        for (setting, option) in pairs {
            let value = self.get(option);
            if !value.is_undefined() {
                set(settings, setting, &value);
            }
        }
    }

    /// The option `fsInit` as a function for `Module.preRun`: CPython waits until its promise is settled. Where it fails,
    /// `failed` is told.
    pub fn file_system_hook(&self, site_packages: String, failed: impl Fn(Error) + 'static) -> Option<JsValue> {
        const DEPENDENCY: &str = "fsInitHook";
        let initialise: Function = self.get("fsInit").dyn_into().ok()?;
        Some(Closure::once_into_js(move |module: Module| {
            module.add_run_dependency(DEPENDENCY);
            wasm_bindgen_futures::spawn_local(async move {
                let info = Object::new();
                set(&info, "sitePackages", &site_packages.into());
                let outcome = match initialise.call2(&JsValue::UNDEFINED, &module.fs(), &info) {
                    Ok(begun) => JsFuture::from(Promise::resolve(&begun)).await,
                    Err(thrown) => Err(thrown),
                };
                match outcome {
                    Ok(_) => module.remove_run_dependency(DEPENDENCY),
                    Err(thrown) => failed(Error::from_js(Code::BadArgument, "`fsInit` failed", thrown)),
                }
            });
        }))
    }

    /// Sets the switches for behaviour of former versions.
    pub fn set_switches(&self, module: &Module) {
        let switches = [
            ("pyproxyToStringRepr", "setPyProxyToStringMethod"),
            ("convertNullToNone", "setCompatNullToNone"),
            ("toJsLiteralMap", "setCompatToJsLiteralMap"),
        ];
        let api = module.api();
        for (option, setter) in switches {
            if self.is_on(option)
                && let Ok(setter) = Reflect::get(&api, &setter.into())
                && let Some(setter) = setter.dyn_ref::<Function>()
            {
                // They set a byte.
                let _ = setter.call1(&api, &true.into());
            }
        }
    }
}

/// Connects what is ours: the finder of packages, the keeping of bytecode, and the check of Pyodide's `mountNativeFS`
/// that our file system has to make itself.
///
/// # Errors
/// [`Code::Fatal`] if the interpreter cannot be set up.
pub fn connect(module: &Module, api: &PublicApi, packages: &Rc<Packages>, bytecode: &Rc<Bytecode>) -> Result<()> {
    let failed = |thrown| Error::from_js(Code::Fatal, "The interpreter cannot be set up", thrown);
    let functions = Object::new();
    import_hook::add_functions(&functions, packages, &module.api());
    let (bytecode, idle_api, last) = (Rc::clone(bytecode), api.clone(), std::cell::Cell::new(0.0));
    let note_compiled = Closure::<dyn Fn()>::new(move || {
        let now = global::now();
        if now - last.get() > LOOK_EVERY {
            last.set(now);
            Bytecode::put_away_when_idle(&bytecode, &idle_api);
        }
    });
    set(&functions, "noteCompiled", &note_compiled.into_js_value());
    api.register_js_module("_taipan_host", &functions).map_err(failed)?;
    let finder = api.pyimport("_taipan.finder").map_err(failed)?;
    if let Ok(destroy) = Reflect::get(&finder, &"destroy".into())
        && let Some(destroy) = destroy.dyn_ref::<Function>()
    {
        destroy.call0(&finder).map_err(failed)?;
    }
    guard_native_mounts(module, api);
    Ok(())
}

/// Pyodide refuses to mount over a directory that is not empty by looking into the nodes of `MEMFS`, which ours are not.
fn guard_native_mounts(module: &Module, api: &PublicApi) {
    const NAME: &str = "mountNativeFS";
    let Ok(Ok(own)) = Reflect::get(api, &NAME.into()).map(JsCast::dyn_into::<Function>) else { return };
    let fs = module.fs();
    let guarded = Closure::<dyn Fn(String, JsValue) -> std::result::Result<JsValue, JsValue>>::new(
        move |path: String, handle: JsValue| {
            let is_handle = Reflect::get(&handle, &"kind".into()).is_ok_and(|kind| kind == "directory");
            let is_full = fs.readdir(&path).is_ok_and(|names: Array| names.length() > 2);
            if is_handle && is_full && !fs.is_mounted(&path) {
                let error = js_sys::Error::new(&format!("directory '{path}' is not empty"));
                return Ok(Promise::reject(&error).into());
            }
            own.call2(&JsValue::UNDEFINED, &path.into(), &handle)
        },
    );
    set(api.unchecked_ref(), NAME, &guarded.into_js_value());
}
