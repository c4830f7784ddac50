//! Putting a captured state into a module that has just been made.
//!
//! The glue starts as always, but CPython's `main` is not run: memory, table and symbols become what they were when the
//! state was captured. Every side module gets the place where it was, so that addresses in memory stay right.

use std::cell::{Cell, OnceCell, RefCell};
use std::collections::HashMap;
use std::ops::Range;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use js_sys::{Function, Object, Uint8Array, WebAssembly};
use taipan_core::image::{Manifest, TableEntry};
use taipan_core::side_module::Globals;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::glue::{Glue, get, missing};
use super::main_exports::MainExports;
use super::open_files::{self, OpenFile};
use super::references::{self, Holders, Reference};
use super::side_modules::{SideModuleSource, SideModules};
use super::{numbers, run_sync, states, time_zone};
use crate::emscripten::abi::{Abi, set};
use crate::emscripten::bindings::{Module, PublicApi};
use crate::emscripten::linker::Linker;
use crate::emscripten::wrapping::Wrapping;
use crate::error::{Code, Error, Result};

/// Bytes of a page of WebAssembly.
pub const WASM_PAGE: u64 = 65_536;

/// Linear memory of 32-bit addresses in pages of WebAssembly, which the glue declares as its maximum.
const MOST_PAGES: u32 = 65_536;

/// A state on its way into a module.
pub struct Restore {
    abi: Abi,
    manifest: Rc<Manifest>,
    memory_length: u64,
    /// Where the main module makes it itself, it is there when that is instantiated.
    memory: RefCell<Option<WebAssembly::Memory>>,
    /// The slot of the function that the glue has made now.
    call_helper: Cell<u32>,
    /// The instance with the symbols, on its way.
    symbols: RefCell<Option<JsFuture>>,
    main_exports: OnceCell<Rc<MainExports>>,
}

impl Restore {
    /// Makes the memory that the module will have, if it does not make that itself.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn new(abi: Abi, manifest: &Rc<Manifest>, memory_length: u64) -> Result<Self> {
        let restore = Self {
            abi,
            manifest: Rc::clone(manifest),
            memory_length,
            memory: RefCell::default(),
            call_helper: Cell::default(),
            symbols: RefCell::new(Some(symbols(manifest))),
            main_exports: OnceCell::new(),
        };
        if abi.exports_memory() {
            return Ok(restore);
        }
        let descriptor = Object::new();
        set(&descriptor, "initial", &((memory_length / WASM_PAGE) as u32).into());
        set(&descriptor, "maximum", &MOST_PAGES.into());
        *restore.memory.borrow_mut() = Some(WebAssembly::Memory::new(&descriptor).map_err(no_room)?);
        Ok(restore)
    }

    /// What the settings of the module have besides those of every start.
    pub fn adjust(&self, settings: &Object) {
        set(settings, "noInitialRun", &true.into());
        if let Some(memory) = &*self.memory.borrow() {
            set(settings, "wasmMemory", memory);
        }
    }

    /// Linear memory, once the main module has been instantiated.
    pub fn heap(&self) -> Uint8Array {
        self.memory.borrow().as_ref().map_or_else(Uint8Array::default, |memory| Uint8Array::new(&memory.buffer()))
    }

    /// Before the main module is instantiated: its symbols, and those of side modules, get the addresses that they had.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if there are symbols that cannot be made.
    #[inline(never)]
    pub fn before_instantiation(self: &Rc<Self>, module: &Module) -> LocalBoxFuture<'static, Result<()>> {
        let (this, glue) = (Rc::clone(self), Glue::new(module));
        let preparing = async move {
            let Some(symbols) = this.symbols.take() else { return Ok(()) };
            let failed = |thrown| Error::from_js(Code::BadWasm, "The symbols of the image cannot be made", thrown);
            let made = get(&get(&symbols.await.map_err(failed)?, "instance"), "exports");
            let symbols = glue.symbols();
            let open = this.abi.unresolved_symbol();
            // The glue looks among its own for those that have no address.
            let Manifest { functions, data, .. } = &*this.manifest;
            for (name, _) in functions.iter().chain(data).filter(|(_, value)| **value == open) {
                set(&symbols, name, &get(&made, name));
            }
            Object::set_prototype_of(&symbols, made.unchecked_ref());
            Ok(())
        };
        preparing.boxed_local()
    }

    /// Gives the glue the main module's instance, which was made with the imports of `env`.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] if memory or the table cannot be as long as it was, [`Code::Fatal`] for what the glue throws.
    #[inline(never)]
    pub fn hand_over(
        &self,
        receive: &Function,
        (main, exports): (&WebAssembly::Module, &Object),
        env: &Object,
    ) -> Result<()> {
        let exports = self.main_exports.get_or_init(|| Rc::new(MainExports::new(self.abi, env, exports)));
        exports.hand_over(receive, main)
    }

    /// Puts what can be found by name where the glue would have put it, before somebody looks at all that there is.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the glue fails.
    #[inline(never)]
    pub fn complete(&self, module: &Module) -> Result<()> {
        let glue = Glue::new(module);
        let resolved: Object = Object::get_prototype_of(&glue.symbols());
        let all = Object::get_prototype_of(&resolved);
        Object::set_prototype_of(&resolved, &Object::get_prototype_of(&Object::new()));
        Object::assign(&resolved, &all);
        self.main_exports.get().map_or(Ok(()), |exports| exports.complete(&glue))
    }

    /// Before the glue receives the main module's instance: memory and the function table become as long as they were.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] if that cannot be.
    pub fn before_receiving(&self, module: &Module, exports: &Object, table: &WebAssembly::Table) -> Result<()> {
        let glue = Glue::new(module);
        if let Ok(memory) = get(exports, "memory").dyn_into::<WebAssembly::Memory>() {
            grow(&memory, self.memory_length)?;
            *self.memory.borrow_mut() = Some(memory);
        }
        table
            .grow(self.manifest.table_length.saturating_sub(table.length()))
            .map_err(|thrown| Error::from_js(Code::OutOfMemory, "CPython's function table cannot grow", thrown))?;
        let call_helper = self.number(numbers::CALL_HELPER);
        if call_helper != 0 {
            // The glue puts a new function there while it starts, unless this browser is not trusted with one.
            glue.free_slots().push(&call_helper.into());
        }
        Ok(())
    }

    /// When the module is ready: puts the side modules where they were, and fills the table. Those in `compiled` are linked
    /// now, the others by `shim` when they are first called.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if a side module does not fit.
    pub fn link(
        &self,
        module: &Module,
        linker: &Linker,
        source: SideModuleSource,
        compiled: HashMap<usize, WebAssembly::Module>,
        shim: Option<&WebAssembly::Module>,
    ) -> Result<Rc<SideModules>> {
        let glue = Glue::new(module);
        self.call_helper.set(glue.call_helper(self.abi).map_or(0, |address| glue.word(address)));
        let hot: Vec<usize> = {
            let mut hot: Vec<usize> = compiled.keys().copied().collect();
            hot.sort_unstable();
            hot
        };
        let main = self.main_exports.get().ok_or_else(|| missing("main module"))?;
        let modules = SideModules::new(self.abi.relocates(), &self.manifest, (&glue, main), linker, source, compiled);
        SideModules::announce(&modules);
        if let Some(shim) = shim {
            SideModules::stand_in(&modules, shim)?;
        }
        for index in hot {
            modules.link(index)?;
        }
        self.fill_table(&glue, linker)?;
        let free = glue.free_slots();
        free.set_length(0);
        for slot in &self.manifest.free_slots {
            free.push(&(*slot).into());
        }
        Ok(modules)
    }

    /// Fills the slots that no side module fills.
    fn fill_table(&self, glue: &Glue, linker: &Linker) -> Result<()> {
        let (table, exports) = (glue.table(), glue.exports());
        let mut wrapping = Wrapping::default();
        let mut of_glue = Vec::new();
        for (slot, entry) in &self.manifest.table {
            match entry {
                TableEntry::Main { name } => put(&table, *slot, &get(&exports, name))?,
                TableEntry::Glue { name, signature } => {
                    let own_name = slot.to_string();
                    wrapping.add(&own_name, &get(&exports, name), signature);
                    of_glue.push((*slot, own_name));
                }
                TableEntry::Module { .. } | TableEntry::Null | TableEntry::Engine { .. } => continue,
            }
            linker.add_looked_up(*slot);
        }
        if of_glue.is_empty() {
            return Ok(());
        }
        let failed =
            |thrown| Error::from_js(Code::BadWasm, "The glue's functions cannot be put into the table", thrown);
        let wrappers = wrapping.finish_now().map_err(failed)?;
        for (slot, name) in of_glue {
            put(&table, slot, &get(&wrappers, &name))?;
        }
        Ok(())
    }

    /// Where memory that is not in the image must be made zero: what the start of the module has written to so far.
    ///
    /// # Errors
    /// [`Code::Fatal`] if CPython cannot tell.
    pub fn dirty_end(module: &Module) -> Result<u32> {
        Glue::new(module).call_export("sbrk", 0)
    }

    /// Addresses of the stack below its pointer: what is there is of no account.
    pub fn unused_stack(&self, module: &Module) -> Range<u32> {
        let pointer = self.number(numbers::STACK_POINTER);
        // It grows down to there.
        let end = Glue::new(module).call_export("emscripten_stack_get_end", 0);
        end.unwrap_or(pointer)..pointer
    }

    /// When memory is as it was: what JavaScript and memory know of each other.
    ///
    /// # Errors
    /// [`Code::Fatal`].
    pub fn connect(&self, module: &Module) -> Result<()> {
        let glue = Glue::new(module);
        glue.call("stackRestore", &[self.number(numbers::STACK_POINTER).into()])?;
        if let Some(address) = glue.call_helper(self.abi) {
            glue.words().set_index(address >> 2, self.call_helper.get());
        }
        run_sync::renew(&glue, |name| self.number(name));
        time_zone::renew(&glue)
    }

    /// Finishes the bridge: JavaScript values that Python held are found again.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the bridge cannot be started.
    pub fn finish_bootstrap(&self, module: &Module, host: &Object) -> Result<PublicApi> {
        let api = module.api();
        let internal: &Object = api.unchecked_ref();
        references::correct_expected(internal)?;
        let holders = Holders { internal: internal.into(), public: JsValue::UNDEFINED, host: host.into() };
        let references: Vec<Reference> = self.state(states::REFERENCES)?;
        let strings: Vec<String> = self.state(states::STRINGS)?;
        let (state, find) = references::describe(&references, &strings, &holders);
        let failed = |thrown| Error::from_js(Code::Fatal, "The image's bridge cannot be started", thrown);
        api.raw_run("__import__('_taipan.image').image.begin_bootstrap()").map_err(failed)?;
        let public = api.finalize_restored_bootstrap(&state, &find).map_err(failed)?;
        references::reuse(&Glue::new(module), &references, &holders)?;
        Ok(public)
    }

    /// Opens the files that were open, when the standard streams are.
    ///
    /// # Errors
    /// [`Code::BadArchive`].
    pub fn open_files(&self, module: &Module) -> Result<()> {
        open_files::restore(&module.fs(), &self.state::<Vec<OpenFile>>(states::OPEN_FILES)?)
    }

    /// The current directory.
    pub fn directory(&self) -> String {
        let directory = self.manifest.states.get(states::DIRECTORY);
        directory.map_or_else(|| "/".to_owned(), |bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    fn number(&self, name: &str) -> u32 {
        let number = self.manifest.numbers.get(name).copied().unwrap_or_default();
        u32::try_from(number).unwrap_or_default()
    }

    fn state<T: serde::de::DeserializeOwned>(&self, name: &str) -> Result<T> {
        let bytes = self.manifest.states.get(name).map_or(&b""[..], Vec::as_slice);
        serde_json::from_slice(bytes)
            .map_err(|error| Error::new(Code::BadArchive, format!("The image's {name} cannot be read: {error}.")))
    }
}

/// The global offset table: a module that exports every symbol, in the making.
fn symbols(manifest: &Manifest) -> JsFuture {
    let mut globals = Globals::new();
    let functions = manifest.functions.iter().filter(|(name, _)| !manifest.data.contains_key(*name));
    for (name, value) in functions.chain(&manifest.data) {
        globals.add(name, *value);
    }
    JsFuture::from(WebAssembly::instantiate_buffer(&globals.finish(), &Object::new()))
}

pub(super) fn put(table: &WebAssembly::Table, slot: u32, function: &JsValue) -> Result<()> {
    let failed = |thrown| Error::from_js(Code::BadWasm, &format!("Slot {slot} of the table cannot be set"), thrown);
    let function = function.dyn_ref::<Function>().ok_or_else(|| failed(JsValue::from("there is no function")))?;
    table.set(slot, function).map_err(failed)
}

/// Makes memory as long as it was.
fn grow(memory: &WebAssembly::Memory, length: u64) -> Result<()> {
    let now = u64::from(Uint8Array::new(&memory.buffer()).length());
    let pages = length.saturating_sub(now) / WASM_PAGE;
    let grow: Function = get(memory, "grow").unchecked_into();
    grow.call1(memory, &(pages as u32).into()).map(drop).map_err(no_room)
}

fn no_room(thrown: JsValue) -> Error {
    Error::from_js(Code::OutOfMemory, "There is no room for CPython's memory", thrown)
}
