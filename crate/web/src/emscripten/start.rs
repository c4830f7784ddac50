//! Running the glue: settings in, a started CPython out.
//!
//! What Emscripten would only print to the console (a module that cannot be instantiated, an abort, an exit) ends the start
//! with an error.

mod failure;
mod instantiation;
mod options;
mod pre_run;
mod settings;

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{Either, select};
use js_sys::{Array, Promise};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use self::failure::Failure;
use self::instantiation::Instantiation;
pub use self::options::{ModuleFuture, Populate, PopulateFuture, StartOptions};
use self::pre_run::PreRun;
use self::settings::{api, settings};
use super::abi::set;
use super::bindings::Module;
use super::module_lookup::ModuleLookup;
use crate::error::{Code, Error, Result};
use crate::timeline::Timeline;

/// Starts CPython: instantiates its module, mounts the file system, runs `main`.
///
/// # Errors
/// [`Code::BadWasm`] if the module cannot be instantiated, [`Code::OutOfMemory`], [`Code::Fatal`] if CPython gives up,
/// and what `module` and `populate` fail with.
pub async fn start(options: StartOptions, timeline: &Rc<Timeline>) -> Result<Module> {
    let failure = Failure::new();
    let api = api(&options);
    let settings = settings(&options, &api);
    failure.watch(&settings);
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
        poll_signals,
        ..
    } = options;
    if let Some(restore) = &restore {
        restore.adjust(&settings);
    }
    let arrived = Rc::new(RefCell::new(None));
    // The glue completes the settings: they are its `Module`.
    let emscripten: Module = settings.clone().unchecked_into();
    let lookup = ModuleLookup::new(abi, &files);
    let instantiation = Instantiation {
        abi,
        module,
        populate,
        arrived: Rc::clone(&arrived),
        emscripten,
        restore,
        lookup,
        handles,
        poll_signals,
        linker: linker.clone(),
        timeline: Rc::clone(timeline),
    };
    set(&settings, "instantiateWasm", &instantiation.hook(failure.clone()));
    let pre_run = PreRun { abi, environment, files, linker, populate: arrived, timeline: Rc::clone(timeline) };
    let hooks = Array::of1(&pre_run.hook(failure.clone()));
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

/// `Module.locateFile` from now on: the dynamic linker must not look on the server for what is not in the file system.
fn refuse_to_locate() -> JsValue {
    Closure::<dyn Fn(String) -> std::result::Result<String, JsValue>>::new(|file: String| {
        Err(js_sys::Error::new(&format!("Failed to find dynamic library \"{file}\"")).into())
    })
    .into_js_value()
}
