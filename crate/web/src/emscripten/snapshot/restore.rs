//! Putting a captured state into a module that has just been made.
//!
//! The glue starts as always, but CPython's `main` is not run: memory, table and symbols become what they were when the
//! state was captured. Every side module is instantiated where it was, so that addresses in memory stay right.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Proxy, Reflect, Uint8Array, WebAssembly};
use taipan_core::image::{LinkedModule, Manifest, TableEntry};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, entries, get, number};
use super::open_files::{self, OpenFile};
use super::references::{self, Holders, Reference};
use super::{numbers, states};
use crate::emscripten::abi::{Abi, Relocates, set};
use crate::emscripten::bindings::{Api, Module, PublicApi};
use crate::emscripten::linker::{CompiledModule, Linker};
use crate::error::{Code, Error, Result};

/// Bytes of a page of WebAssembly.
const WASM_PAGE: u64 = 65_536;

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

    /// Before the main module is instantiated: its symbols get the addresses that they had.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn before_instantiation(&self, module: &Module) -> Result<()> {
        let symbols = Glue::new(module).symbols();
        for (name, value) in self.manifest.functions.iter().chain(&self.manifest.data) {
            set(&symbols, name, &global(*value)?);
        }
        Ok(())
    }

    /// Before the glue receives the main module's instance. It would give every export an address of its own now; it
    /// does not for one that has an address already.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] if memory or the table cannot be as long as it was.
    pub fn before_receiving(&self, module: &Module, instance: &JsValue) -> Result<()> {
        let glue = Glue::new(module);
        let exports = get(instance, "exports");
        if let Ok(memory) = get(&exports, "memory").dyn_into::<WebAssembly::Memory>() {
            grow(&memory, self.memory_length)?;
            *self.memory.borrow_mut() = Some(memory);
        }
        let placeholder = Object::new();
        set(&placeholder, "value", &1.into());
        set(&placeholder, "required", &false.into());
        let find = Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(move |_target: JsValue, name: JsValue| {
            if name.is_string() { placeholder.clone().into() } else { JsValue::UNDEFINED }
        });
        let handler = Object::new();
        set(&handler, "get", &find.into_js_value());
        Object::set_prototype_of(&glue.symbols(), Proxy::new(&Object::new(), &handler).unchecked_ref());
        let table = get(&exports, "__indirect_function_table").dyn_into().unwrap_or_else(|_| glue.table());
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

    /// When the module is ready: links the side modules, compiled and in the manifest's order, and fills the table.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if a side module does not fit.
    pub fn link(&self, module: &Module, linker: &Linker, compiled: &[CompiledModule]) -> Result<()> {
        let glue = Glue::new(module);
        self.call_helper.set(glue.call_helper(self.abi).map_or(0, |address| glue.word(address)));
        let (by_name, by_handle) = glue.libraries();
        let table = glue.table();
        let exports = glue.exports();
        let mut instances: Vec<Object> = Vec::with_capacity(compiled.len());
        for (library, compiled) in self.manifest.modules.iter().zip(compiled) {
            let needed: Vec<&Object> =
                library.needed.iter().filter_map(|index| instances.get(*index as usize)).collect();
            let instance = link(&glue, library, compiled, &needed)?;
            let object =
                library_object(library, compiled, &relocate(&instance, library.memory_base, self.abi.relocates())?);
            for name in &library.names {
                set(&by_name, name, &object);
            }
            for handle in &library.handles {
                set(&by_handle, &handle.to_string(), &object);
            }
            if library.is_global {
                glue.call("mergeLibSymbols", &[get(&object, "exports"), library.names[0].as_str().into()])?;
            }
            linker.add_linked(compiled, library.memory_base, library.table_base, &instance);
            instances.push(instance);
        }
        for (slot, entry) in &self.manifest.table {
            let function = match entry {
                TableEntry::Main { name } => get(&exports, name),
                TableEntry::Module { module, name } => {
                    instances.get(*module as usize).map_or(JsValue::UNDEFINED, |instance| get(instance, name))
                }
                TableEntry::Glue { name, signature } => {
                    glue.call("convertJsFunctionToWasm", &[get(&exports, name), signature.as_str().into()])?
                }
                TableEntry::Null | TableEntry::Engine { .. } => continue,
            };
            put(&table, *slot, &function)?;
            linker.add_looked_up(*slot);
        }
        let free = glue.free_slots();
        free.set_length(0);
        for slot in &self.manifest.free_slots {
            free.push(&(*slot).into());
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
        Ok(())
    }

    /// Finishes the bridge: JavaScript values that Python held are found again.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the bridge cannot be started.
    pub fn finish_bootstrap(&self, api: &Api, host: &Object) -> Result<PublicApi> {
        let internal: &Object = api.unchecked_ref();
        references::correct_expected(internal)?;
        let holders = Holders { internal: internal.into(), public: JsValue::UNDEFINED, host: host.into() };
        let references: Vec<Reference> = self.state(states::REFERENCES)?;
        let strings: Vec<String> = self.state(states::STRINGS)?;
        let (state, find) = references::describe(&references, &strings, &holders);
        api.finalize_restored_bootstrap(&state, &find)
            .map_err(|thrown| Error::from_js(Code::Fatal, "The image's bridge cannot be started", thrown))
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

fn global(value: i32) -> Result<JsValue> {
    let descriptor = Object::new();
    set(&descriptor, "value", &"i32".into());
    set(&descriptor, "mutable", &true.into());
    WebAssembly::Global::new(&descriptor, &value.into())
        .map(JsValue::from)
        .map_err(|thrown| Error::from_js(Code::OutOfMemory, "A symbol cannot be made", thrown))
}

fn put(table: &WebAssembly::Table, slot: u32, function: &JsValue) -> Result<()> {
    let failed = |thrown| Error::from_js(Code::BadWasm, &format!("Slot {slot} of the table cannot be set"), thrown);
    let function = function.dyn_ref::<Function>().ok_or_else(|| failed(JsValue::from("there is no function")))?;
    table.set(slot, function).map_err(failed)
}

/// Instantiates a side module where it was, and gives its exports. The rules are those of `loadWebAssemblyModule`.
fn link(glue: &Glue, library: &LinkedModule, compiled: &CompiledModule, needed: &[&Object]) -> Result<Object> {
    let module = &compiled.module;
    let shared = glue.exports();
    let symbols = glue.symbols();
    let (env, offsets) = (Object::new(), Object::new());
    let own: Rc<RefCell<JsValue>> = Rc::new(RefCell::new(JsValue::UNDEFINED));
    for import in WebAssembly::Module::imports(module).iter() {
        let text = |name: &str| get(&import, name).as_string().unwrap_or_default();
        let name = text("name");
        if text("module").starts_with("GOT.") {
            let symbol = get(&symbols, &name);
            let symbol = if symbol.is_object() { symbol } else { global(0)? };
            set(&symbols, &name, &symbol);
            set(&offsets, &name, &symbol);
            continue;
        }
        let value = match name.as_str() {
            "__memory_base" => library.memory_base.into(),
            "__table_base" => library.table_base.into(),
            _ => {
                let common = get(&shared, &name);
                if !common.is_undefined() && get(&common, "stub").is_falsy() {
                    common
                } else {
                    let found = needed.iter().map(|exports| get(exports, &name)).find(|value| !value.is_undefined());
                    found.unwrap_or_else(|| late_bound(&own, &name))
                }
            }
        };
        set(&env, &name, &value);
    }
    let imports = Object::new();
    for (name, value) in
        [("GOT.mem", &offsets), ("GOT.func", &offsets), ("env", &env), ("wasi_snapshot_preview1", &env)]
    {
        set(&imports, name, value);
    }
    let instance = WebAssembly::Instance::new(module, &imports)
        .map_err(|thrown| Error::from_js(Code::BadWasm, &format!("{} cannot be linked", compiled.path), thrown))?;
    let exports = instance.exports();
    *own.borrow_mut() = exports.clone().into();
    Ok(exports)
}

/// A function that a module imports and exports itself: it cannot be had before there is an instance.
fn late_bound(own: &Rc<RefCell<JsValue>>, name: &str) -> JsValue {
    let (own, name) = (Rc::clone(own), name.to_owned());
    let apply = Closure::<dyn Fn(JsValue, JsValue, Array) -> std::result::Result<JsValue, JsValue>>::new(
        move |_target: JsValue, _this: JsValue, arguments: Array| {
            let function = get(&own.borrow(), &name);
            let function: Function = function
                .dyn_into()
                .map_err(|_| JsValue::from(Error::new(Code::Fatal, format!("No library has the symbol {name}."))))?;
            Reflect::apply(&function, &JsValue::UNDEFINED, &arguments)
        },
    );
    let handler = Object::new();
    set(&handler, "apply", &apply.into_js_value());
    let target = Closure::<dyn Fn()>::new(|| {}).into_js_value();
    Proxy::new(&target, &handler).into()
}

/// What Emscripten keeps of a library that is linked (`newDSO`).
fn library_object(library: &LinkedModule, compiled: &CompiledModule, exports: &Object) -> Object {
    let object = Object::new();
    let references = library.references.map_or(f64::INFINITY, f64::from);
    set(&object, "refcount", &references.into());
    set(&object, "name", &library.names[0].as_str().into());
    set(&object, "global", &library.is_global.into());
    set(&object, "module", &compiled.module);
    set(&object, "exports", exports);
    object
}

/// What a library exports, with the addresses of its data, which it counts from its own first byte.
fn relocate(exports: &Object, memory_base: u32, form: Relocates) -> Result<Object> {
    let relocated = Object::new();
    for (name, value) in entries(exports) {
        let offset = if value.is_object() { number(&get(&value, "value")) } else { None };
        let value = match (offset, form) {
            (Some(offset), Relocates::Numbers) => memory_base.wrapping_add(offset).into(),
            (Some(offset), Relocates::Globals) => global(memory_base.wrapping_add(offset).cast_signed())?,
            (None, _) => value,
        };
        set(&relocated, &name, &value);
    }
    Ok(relocated)
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
