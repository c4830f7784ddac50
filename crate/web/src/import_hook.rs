//! What `_taipan.finder` and `_taipan.bytecode` ask of Rust, in the module `_taipan_host`.

use std::rc::Rc;

use js_sys::{Object, Promise};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_futures::future_to_promise;

use crate::emscripten::abi::set;
use crate::emscripten::bindings::Api;
use crate::global::is_worker;
use crate::packages::Packages;

type Thrown<T> = Result<T, JsValue>;

/// Adds the functions to a module.
pub fn add_functions(module: &Object, packages: &Rc<Packages>, api: &Api) {
    set(module, "canBlock", &is_worker().into());
    let engine = Rc::clone(packages);
    let would_bring = Closure::<dyn Fn(String) -> bool>::new(move |module: String| engine.would_bring(&module));
    set(module, "wouldBring", &would_bring.into_js_value());
    let engine = Rc::clone(packages);
    let load =
        Closure::<dyn Fn(String) -> Thrown<bool>>::new(move |module: String| Ok(engine.load_for_import(&module)?));
    set(module, "loadForImport", &load.into_js_value());
    let engine = (Rc::clone(packages), api.clone());
    let load_later = Closure::<dyn Fn(String) -> Promise>::new(move |module: String| {
        let (packages, api) = engine.clone();
        future_to_promise(async move { Ok(packages.load_for_import_later(&module, &api).await?.into()) })
    });
    set(module, "loadForImportLater", &load_later.into_js_value());
}
