//! Side modules: compiled off the critical path, linked when CPython asks for them.
//!
//! Emscripten's dynamic linker (`src/lib/libdylink.js`) reads a library through `FS.readFile` and compiles what it
//! gets, or takes it as it is if it is a `WebAssembly.Module` already. So while a library is being linked, `readFile`
//! answers with the compiled module. Everything else that reads a `.so` gets its bytes.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::abi::set;
use super::bindings::{Api, Fs};
use crate::error::{Code, Error, Result};
use crate::global::is_worker;
use crate::timeline::Timeline;

/// The most bytes that a module may have to be instantiated synchronously on a page's own thread: Chromium refuses more.
const MOST_ON_PAGE: u32 = 8 << 20;

/// The side modules that are on the path, by path.
#[derive(Clone)]
pub struct Linker {
    modules: Rc<RefCell<HashMap<String, WebAssembly::Module>>>,
    /// Paths of modules that have to be linked before an `import` asks for them.
    large: Rc<RefCell<Vec<String>>>,
    /// Whether Emscripten's linker is at work.
    linking: Rc<Cell<bool>>,
    /// Addresses of symbols, and the value of one that has none yet.
    symbols: Rc<RefCell<Option<(Object, i32)>>>,
    timeline: Rc<Timeline>,
}

impl Linker {
    /// A linker without modules.
    pub fn new(timeline: Rc<Timeline>) -> Self {
        Self { modules: Rc::default(), large: Rc::default(), linking: Rc::default(), symbols: Rc::default(), timeline }
    }

    /// Compiles a side module in the background.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if it is not WebAssembly that this browser can compile.
    pub fn compile(&self, path: &str, bytes: &Uint8Array) -> impl Future<Output = Result<CompiledModule>> + use<> {
        let compiling: Promise = WebAssembly::compile(bytes);
        let (path, timeline) = (path.to_owned(), Rc::clone(&self.timeline));
        let is_large = bytes.length() > MOST_ON_PAGE && !is_worker();
        async move {
            let module = JsFuture::from(compiling)
                .await
                .map_err(|thrown| Error::from_js(Code::BadWasm, &format!("{path} cannot be compiled"), thrown))?;
            timeline.add_compiled();
            Ok(CompiledModule { path, module: module.unchecked_into(), is_large })
        }
    }

    /// Makes compiled modules available to the dynamic linker.
    pub fn add(&self, modules: Vec<CompiledModule>) {
        let (large, others): (Vec<_>, Vec<_>) = modules.into_iter().partition(|compiled| compiled.is_large);
        self.modules.borrow_mut().extend(others.into_iter().map(|compiled| (compiled.path, compiled.module)));
        self.large.borrow_mut().extend(large.into_iter().map(|compiled| compiled.path));
    }

    /// Links the modules that this thread could not link while Python waits in an `import`.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if one cannot be linked.
    pub async fn link_large(&self, api: &Api) -> Result<()> {
        let paths = self.large.take();
        for path in paths {
            let failed = |thrown| Error::from_js(Code::BadWasm, &format!("{path} cannot be linked"), thrown);
            JsFuture::from(api.load_dynlib(&path).map_err(failed)?).await.map_err(failed)?;
            self.timeline.add_linked();
        }
        Ok(())
    }

    /// Watches the imports through which CPython asks for a library.
    pub fn watch_imports(&self, imports: &Object) {
        const OPEN_LIBRARY: &str = "_dlopen_js";
        let Ok(env) = Reflect::get(imports, &"env".into()) else { return };
        let Some(open) = function(&env, OPEN_LIBRARY) else { return };
        let (linking, timeline, symbols) =
            (Rc::clone(&self.linking), Rc::clone(&self.timeline), Rc::clone(&self.symbols));
        let watched = Closure::<dyn Fn(u32) -> std::result::Result<JsValue, JsValue>>::new(move |handle: u32| {
            // A library may need others: they are linked inside this call.
            let outer = linking.replace(true);
            if let Some((symbols, unresolved)) = &*symbols.borrow() {
                hide_resolved(symbols, *unresolved);
            }
            let result = open.call1(&JsValue::UNDEFINED, &handle.into());
            linking.set(outer);
            if result.as_ref().is_ok_and(JsValue::is_truthy) {
                timeline.add_linked();
            }
            result
        });
        set(env.unchecked_ref(), OPEN_LIBRARY, &watched.into_js_value());
    }

    /// Takes the work out of the dynamic linker that it does again and again: for each library it looks through the
    /// whole global offset table, thousands of symbols, for those without an address.
    pub fn watch_symbols(&self, symbols: Object, unresolved: i32) {
        Object::set_prototype_of(&symbols, &Object::new());
        *self.symbols.borrow_mut() = Some((symbols, unresolved));
    }

    /// Lets the dynamic linker find compiled modules where it looks for files.
    pub fn watch_files(&self, fs: &Fs) {
        const READ_FILE: &str = "readFile";
        let Some(read_file) = function(fs, READ_FILE) else { return };
        let (modules, linking, fs_object) = (Rc::clone(&self.modules), Rc::clone(&self.linking), fs.clone());
        let watched = Closure::<dyn Fn(JsValue, JsValue) -> std::result::Result<JsValue, JsValue>>::new(
            move |path: JsValue, options: JsValue| {
                if linking.get()
                    && let Some(module) = path.as_string().and_then(|path| modules.borrow().get(&path).cloned())
                {
                    return Ok(module.into());
                }
                if options.is_undefined() {
                    read_file.call1(&fs_object, &path)
                } else {
                    read_file.call2(&fs_object, &path, &options)
                }
            },
        );
        set(fs.unchecked_ref(), READ_FILE, &watched.into_js_value());
    }
}

/// Moves the symbols that have an address to the table's prototype: they are found by name as before, but whoever goes
/// through the table's own entries does not come across them.
fn hide_resolved(symbols: &Object, unresolved: i32) {
    let Ok(resolved) = Reflect::get_prototype_of(symbols) else { return };
    let value = JsValue::from("value");
    for entry in Object::entries(symbols).iter() {
        let entry: js_sys::Array = entry.unchecked_into();
        let (name, global) = (entry.get(0), entry.get(1));
        let address = Reflect::get(&global, &value).ok().and_then(|address| address.as_f64());
        if address != Some(f64::from(unresolved)) && Reflect::set(&resolved, &name, &global).is_ok() {
            // The table is a plain object of Emscripten's: its entries can be deleted.
            let _ = Reflect::delete_property(symbols, &name);
        }
    }
}

/// A side module that is compiled but not linked.
pub struct CompiledModule {
    path: String,
    module: WebAssembly::Module,
    is_large: bool,
}

fn function(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &name.into()).ok()?.dyn_into().ok()
}
