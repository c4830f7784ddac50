//! Side modules: compiled off the critical path, linked when CPython asks for them.
//!
//! Emscripten's dynamic linker (`src/lib/libdylink.js`) reads a library through `FS.readFile` and compiles what it
//! gets, or takes it as it is if it is a `WebAssembly.Module` already. So while a library is being linked, `readFile`
//! answers with the compiled module. Everything else that reads a `.so` gets its bytes.

mod data;
mod record;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use js_sys::{Function, Object, Promise, Reflect, Uint8Array, WebAssembly};
use taipan_core::vfs::LayerId;
use taipan_core::wheel::is_library;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::wasm_bindgen;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

pub use self::record::LinkedModule;
use self::record::Record;
use super::abi::set;
use super::bindings::{Api, Fs, Module as Emscripten};
use super::file_system::SharedFileSystem;
use super::snapshot::glue::Glue;
use crate::error::{Code, Error, Result};
use crate::global::is_worker;
use crate::timeline::Timeline;

/// The most bytes that a module may have to be instantiated synchronously on a page's own thread: Chromium refuses more.
const MOST_ON_PAGE: u64 = 8 << 20;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = WebAssembly)]
    fn compile(bytes: &[u8]) -> Promise;

    /// `WebAssembly.Module`.
    type Module;

    #[wasm_bindgen(constructor, catch, js_namespace = WebAssembly)]
    fn new(bytes: &[u8]) -> std::result::Result<Module, JsValue>;
}

/// Compiles a side module while everything else waits.
///
/// # Errors
/// [`Code::BadWasm`] if it is not WebAssembly that this browser can compile.
pub fn compile_now(path: &str, bytes: &[u8]) -> Result<WebAssembly::Module> {
    let module = Module::new(bytes).map_err(|thrown| cannot_be_compiled(path, thrown))?;
    Ok(module.unchecked_into())
}

fn cannot_be_compiled(path: &str, thrown: JsValue) -> Error {
    Error::from_js(Code::BadWasm, &format!("{path} cannot be compiled"), thrown)
}

fn is_large(size: u64) -> bool {
    size > MOST_ON_PAGE && !is_worker()
}

/// Modules that are compiled and belong to files of mounted layers, by path.
pub type Modules = HashMap<String, (LayerId, WebAssembly::Module)>;

/// The side modules that are on the path.
#[derive(Clone)]
pub struct Linker {
    modules: Rc<RefCell<Modules>>,
    /// Paths of modules that have to be linked before an `import` asks for them.
    large: Rc<RefCell<Vec<String>>>,
    /// Whether Emscripten's linker is at work.
    linking: Rc<Cell<bool>>,
    /// Addresses of symbols, and the value of one that has none yet.
    symbols: Rc<RefCell<Option<(Object, i32)>>>,
    record: Rc<Record>,
    /// The state of its tables when data was looked at last.
    looked_at: Rc<Cell<u32>>,
    timeline: Rc<Timeline>,
    /// What a restoration has left to be done.
    left: Rc<RefCell<Option<Complete>>>,
}

/// Makes the dynamic linker's tables whole.
type Complete = Box<dyn FnOnce() -> Result<()>>;

impl Linker {
    /// A linker without modules.
    pub fn new(timeline: Rc<Timeline>) -> Self {
        Self {
            modules: Rc::default(),
            large: Rc::default(),
            linking: Rc::default(),
            symbols: Rc::default(),
            record: Rc::default(),
            looked_at: Rc::default(),
            timeline,
            left: Rc::default(),
        }
    }

    /// Compiles a side module in the background.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if it is not WebAssembly that this browser can compile.
    pub fn compile(&self, path: &str, bytes: &Uint8Array) -> impl Future<Output = Result<CompiledModule>> + use<> {
        self.compiled(path, WebAssembly::compile(bytes), bytes.length() as usize)
    }

    /// As [`Linker::compile`], of bytes in Rust's memory: the browser has its own copy when this returns.
    pub fn compile_borrowed(&self, path: &str, bytes: &[u8]) -> impl Future<Output = Result<CompiledModule>> + use<> {
        self.compiled(path, compile(bytes), bytes.len())
    }

    fn compiled(
        &self,
        path: &str,
        compiling: Promise,
        size: usize,
    ) -> impl Future<Output = Result<CompiledModule>> + use<> {
        let (path, timeline) = (path.to_owned(), Rc::clone(&self.timeline));
        async move {
            let module = JsFuture::from(compiling).await.map_err(|thrown| cannot_be_compiled(&path, thrown))?;
            timeline.add_compiled();
            Ok(CompiledModule::new(path, module.unchecked_into(), size as u64))
        }
    }

    /// Makes compiled modules of a layer that is mounted available to the dynamic linker.
    pub fn add(&self, modules: Vec<CompiledModule>, layer: LayerId) {
        for compiled in modules {
            self.record.name(&compiled.module, &compiled.path);
            if compiled.is_large {
                self.large.borrow_mut().push(compiled.path);
            } else {
                self.modules.borrow_mut().insert(compiled.path, (layer, compiled.module));
            }
        }
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

    /// The modules that are linked, in order.
    pub fn linked(&self) -> Vec<Rc<LinkedModule>> {
        self.record.linked()
    }

    /// Slots of the function table that `dlsym` gave out.
    pub fn looked_up(&self) -> BTreeSet<u32> {
        self.record.looked_up()
    }

    /// Notes a slot of the function table that memory may have the number of.
    pub fn add_looked_up(&self, slot: u32) {
        self.record.add_looked_up(slot);
    }

    /// How long the function table is before anything but the main module is in it.
    pub fn main_table_length(&self) -> u32 {
        self.record.main_table_length()
    }

    /// Notes how long the function table is when the main module has been instantiated.
    pub fn set_main_table_length(&self, length: u32) {
        self.record.set_main_table_length(length);
    }

    /// Notes a module that was linked before this interpreter was captured, and is linked again.
    pub fn add_linked(&self, compiled: &CompiledModule, memory_base: u32, table_base: u32, exports: &Object) {
        self.record.name(&compiled.module, &compiled.path);
        self.record.add(&compiled.module, memory_base, table_base, exports.clone());
        self.timeline.add_linked();
    }

    /// How often the dynamic linker has been called: its tables are as they were if it has not been called since.
    pub fn calls(&self) -> u32 {
        self.record.calls()
    }

    /// Goes back to what was linked, and looked up, at an earlier moment.
    pub fn roll_back(&self, linked: &[Rc<LinkedModule>], looked_up: &BTreeSet<u32>, calls: u32) {
        self.record.roll_back(linked, looked_up, calls);
    }

    /// Modules that are not linked any more and that nobody keeps; each is given once.
    pub fn take_abandoned(&self, is_kept: impl Fn(&Rc<LinkedModule>) -> bool) -> Vec<Rc<LinkedModule>> {
        self.record.take_abandoned(is_kept)
    }

    /// Notes what the data of modules is that have been linked since the last time: nothing of theirs may be running. From then
    /// on they are [at work](Linker::at_work) only if it changes.
    pub fn note_data(&self, module: &Emscripten) {
        if self.looked_at.replace(self.calls()) != self.calls() {
            let glue = Glue::new(module);
            self.record.linked().iter().for_each(|linked| linked.note_data(&glue));
        }
    }

    /// The same of all modules but the first so many.
    pub fn note_data_from(&self, first: usize, glue: &Glue) {
        self.record.linked()[first..].iter().for_each(|linked| linked.note_data(glue));
    }

    /// Where the files are of modules that have been called, as far as that can be known.
    pub fn at_work(&self, module: &Emscripten) -> Vec<String> {
        let (linked, glue) = (self.record.linked(), Glue::new(module));
        linked.iter().filter(|linked| linked.is_at_work(&glue)).map(|linked| linked.path.clone()).collect()
    }

    /// The modules that are available to the dynamic linker.
    pub fn modules(&self) -> Modules {
        self.modules.borrow().clone()
    }

    /// Makes the modules of another moment available, in the place of those that are.
    pub fn set_modules(&self, modules: &Modules) {
        self.modules.borrow_mut().clone_from(modules);
    }

    /// The module of the library at a path, compiled now if it has not been before. `None` if it is not
    /// [ours](is_linked_by_us) or cannot be compiled on this thread: then that is left to Emscripten.
    fn module(
        &self,
        path: &str,
        layer: Option<LayerId>,
        read: impl FnOnce() -> JsValue,
    ) -> Option<WebAssembly::Module> {
        if !is_linked_by_us(path, layer) {
            return None;
        }
        if let Some((of, module)) = self.modules.borrow().get(path)
            && Some(*of) == layer
        {
            return Some(module.clone());
        }
        let bytes = read().dyn_into::<Uint8Array>().ok().filter(|bytes| !is_large(bytes.length().into()))?;
        let module = WebAssembly::Module::new(&bytes).ok()?;
        self.record.name(&module, path);
        Some(module)
    }

    /// Notes how the dynamic linker's tables become whole: symbols that nobody has asked for are left out of them.
    pub fn complete_later(&self, complete: impl FnOnce() -> Result<()> + 'static) {
        *self.left.borrow_mut() = Some(Box::new(complete));
    }

    /// Makes the dynamic linker's tables whole, before it, or another, goes through them.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the glue fails.
    pub fn complete(&self) -> Result<()> {
        let complete = self.left.borrow_mut().take();
        complete.map_or(Ok(()), |complete| complete())
    }

    /// Watches the imports through which CPython asks for a library.
    pub fn watch_imports(&self, imports: &Object) {
        const OPEN_LIBRARY: &str = "_dlopen_js";
        let Ok(env) = Reflect::get(imports, &"env".into()) else { return };
        let Some(open) = function(&env, OPEN_LIBRARY) else { return };
        let (linking, timeline, symbols, record) =
            (Rc::clone(&self.linking), Rc::clone(&self.timeline), Rc::clone(&self.symbols), Rc::clone(&self.record));
        let this = self.clone();
        let watched = Closure::<dyn Fn(u32) -> std::result::Result<JsValue, JsValue>>::new(move |handle: u32| {
            this.complete()?;
            // A library may need others: they are linked inside this call.
            let outer = linking.replace(true);
            if let Some((symbols, unresolved)) = &*symbols.borrow() {
                hide_resolved(symbols, *unresolved);
            }
            let result = record.during(|| open.call1(&JsValue::UNDEFINED, &handle.into()));
            linking.set(outer);
            if result.as_ref().is_ok_and(JsValue::is_truthy) {
                timeline.add_linked();
            }
            result
        });
        set(env.unchecked_ref(), OPEN_LIBRARY, &watched.into_js_value());
        self.watch_lookups(&env);
    }

    fn watch_lookups(&self, env: &JsValue) {
        const LOOK_UP: &str = "_dlsym_js";
        let Some(look_up) = function(env, LOOK_UP) else { return };
        let (this, record) = (self.clone(), Rc::clone(&self.record));
        let watched = Closure::<dyn Fn(u32, u32, u32) -> std::result::Result<JsValue, JsValue>>::new(
            move |handle: u32, symbol: u32, index: u32| {
                this.complete()?;
                let found = look_up.call3(&JsValue::UNDEFINED, &handle.into(), &symbol.into(), &index.into())?;
                if let Some(slot) = found.as_f64().filter(|slot| *slot > 0.0) {
                    record.add_looked_up(slot as u32);
                }
                Ok(found)
            },
        );
        set(env.unchecked_ref(), LOOK_UP, &watched.into_js_value());
    }

    /// Takes the work out of the dynamic linker that it does again and again: for each library it looks through the
    /// whole global offset table, thousands of symbols, for those without an address.
    pub fn watch_symbols(&self, symbols: Object, unresolved: i32) {
        Object::set_prototype_of(&symbols, &Object::create(&Object::get_prototype_of(&symbols)));
        *self.symbols.borrow_mut() = Some((symbols, unresolved));
    }

    /// Lets the dynamic linker find compiled modules where it looks for files.
    pub fn watch_files(&self, fs: &Fs, files: &SharedFileSystem) {
        const READ_FILE: &str = "readFile";
        let Some(read_file) = function(fs, READ_FILE) else { return };
        let (this, files, fs_object) = (self.clone(), Rc::clone(files), fs.clone());
        let watched = Closure::<dyn Fn(JsValue, JsValue) -> std::result::Result<JsValue, JsValue>>::new(
            move |path: JsValue, options: JsValue| {
                let read = || {
                    if options.is_undefined() {
                        read_file.call1(&fs_object, &path)
                    } else {
                        read_file.call2(&fs_object, &path, &options)
                    }
                };
                if this.linking.get()
                    && let Some(path) = path.as_string()
                {
                    let layer = {
                        let files = files.borrow();
                        files.resolve(&path, true).ok().and_then(|inode| files.layer_of(inode))
                    };
                    if let Some(module) = this.module(&path, layer, || read().unwrap_or_default()) {
                        return Ok(module.into());
                    }
                }
                read()
            },
        );
        set(fs.unchecked_ref(), READ_FILE, &watched.into_js_value());
    }
}

/// Whether the file at a path is a library that Emscripten gets from us as a module: it is as the `layer` has it that brought
/// it.
pub fn is_linked_by_us(path: &str, layer: Option<LayerId>) -> bool {
    layer.is_some() && is_library(path)
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
#[derive(Clone)]
pub struct CompiledModule {
    /// Where its file is.
    pub path: String,
    /// The module.
    pub module: WebAssembly::Module,
    /// Whether this thread cannot instantiate it synchronously.
    is_large: bool,
}

impl CompiledModule {
    /// A module of so many bytes that was compiled elsewhere, for the path where the dynamic linker will look for it.
    pub fn new(path: String, module: WebAssembly::Module, size: u64) -> Self {
        Self { path, module, is_large: is_large(size) }
    }
}

fn function(object: &JsValue, name: &str) -> Option<Function> {
    Reflect::get(object, &name.into()).ok()?.dyn_into().ok()
}
