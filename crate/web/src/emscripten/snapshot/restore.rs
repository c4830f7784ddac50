//! Putting a captured state into a module that has just been made.
//!
//! The glue starts as always, but CPython's `main` is not run: memory, table and symbols become what they were when the
//! state was captured. Every side module is instantiated where it was, so that addresses in memory stay right.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Proxy, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, entries, get, number};
use super::references::{self, Holders};
use super::{Library, State};
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Api, Module, PublicApi};
use crate::emscripten::linker::{CompiledModule, Linker};
use crate::error::{Code, Error, Result};

/// Bytes of a page of WebAssembly.
const WASM_PAGE: u32 = 65_536;

/// Linear memory of 32-bit addresses in pages of WebAssembly, which the glue declares as its maximum.
const MOST_PAGES: u32 = 65_536;

/// A state on its way into a module.
pub struct Restore {
    state: State,
    memory: WebAssembly::Memory,
    /// Compiled side modules, in the order of the state's libraries.
    modules: Vec<CompiledModule>,
}

impl Restore {
    /// Makes the memory that the module will have.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn new(state: State, modules: Vec<CompiledModule>) -> Result<Self> {
        let descriptor = Object::new();
        set(&descriptor, "initial", &(state.heap_length / WASM_PAGE).into());
        set(&descriptor, "maximum", &MOST_PAGES.into());
        let memory = WebAssembly::Memory::new(&descriptor)
            .map_err(|thrown| Error::from_js(Code::OutOfMemory, "There is no room for CPython's memory", thrown))?;
        Ok(Self { state, memory, modules })
    }

    /// What the settings of the module have besides those of every start.
    pub fn adjust(&self, settings: &Object) {
        set(settings, "noInitialRun", &true.into());
        set(settings, "wasmMemory", &self.memory);
    }

    /// Linear memory.
    pub fn heap(&self) -> Uint8Array {
        Uint8Array::new(&self.memory.buffer())
    }

    /// Before the main module is instantiated: its symbols get the addresses that they had.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`].
    pub fn before_instantiation(&self, module: &Module) -> Result<()> {
        let symbols = Glue::new(module).symbols();
        for (name, value) in &self.state.symbols {
            set(&symbols, name, &global(*value)?);
        }
        Ok(())
    }

    /// Before the glue receives the main module's instance. It would give every export an address of its own now; it
    /// does not for one that has an address already.
    ///
    /// # Errors
    /// [`Code::OutOfMemory`] if the table cannot be as long as it was.
    pub fn before_receiving(&self, module: &Module) -> Result<()> {
        let glue = Glue::new(module);
        let placeholder = Object::new();
        set(&placeholder, "value", &1.into());
        set(&placeholder, "required", &false.into());
        let find = Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(move |_target: JsValue, name: JsValue| {
            if name.is_string() { placeholder.clone().into() } else { JsValue::UNDEFINED }
        });
        let handler = Object::new();
        set(&handler, "get", &find.into_js_value());
        Object::set_prototype_of(&glue.symbols(), Proxy::new(&Object::new(), &handler).unchecked_ref());
        let table = glue.table();
        table
            .grow(self.state.table.length.saturating_sub(table.length()))
            .map_err(|thrown| Error::from_js(Code::OutOfMemory, "CPython's function table cannot grow", thrown))?;
        if self.state.table.argument_counter != 0 {
            // The glue puts a new function there while it starts.
            glue.free_slots().push(&self.state.table.argument_counter.into());
        }
        Ok(())
    }

    /// When the module is ready: links the side modules and fills the table.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if a side module does not fit.
    pub fn link(&self, module: &Module, linker: &Linker) -> Result<()> {
        let glue = Glue::new(module);
        let (by_name, by_handle) = glue.libraries();
        let table = glue.table();
        let exports = glue.exports();
        for (library, compiled) in self.state.libraries.iter().zip(&self.modules) {
            let instance = link(&glue, library, &compiled.module)?;
            let object = library_object(library, compiled, &instance);
            for name in &library.names {
                set(&by_name, name, &object);
            }
            for handle in &library.handles {
                set(&by_handle, &handle.to_string(), &object);
            }
            if library.is_global {
                glue.call("mergeLibSymbols", &[get(&object, "exports"), library.names[0].as_str().into()])?;
            }
            for (slot, name) in &library.exports {
                put(&table, *slot, &get(&instance, name))?;
                linker.add_looked_up(*slot);
            }
            linker.add_linked(compiled, library.memory_base, library.table_base, &instance);
        }
        for (slot, name) in &self.state.table.exports {
            put(&table, *slot, &get(&exports, name))?;
            linker.add_looked_up(*slot);
        }
        for (slot, name) in &self.state.table.host_functions {
            let function = get(&exports, name);
            let wrapped = glue.call("convertJsFunctionToWasm", &[function.clone(), get(&function, "sig")])?;
            put(&table, *slot, &wrapped)?;
            linker.add_looked_up(*slot);
        }
        let free = glue.free_slots();
        free.set_length(0);
        for slot in &self.state.table.free {
            free.push(&(*slot).into());
        }
        Ok(())
    }

    /// Where memory that is not in the image must be made zero: what the start of the module has written to so far.
    ///
    /// # Errors
    /// [`Code::Fatal`] if CPython cannot tell.
    pub fn dirty_end(&self, module: &Module) -> Result<u32> {
        Glue::new(module).call_export("sbrk", 0)
    }

    /// When memory is as it was: what JavaScript and memory know of each other.
    ///
    /// # Errors
    /// [`Code::Fatal`].
    pub fn connect(&self, module: &Module) -> Result<()> {
        let glue = Glue::new(module);
        glue.call("stackRestore", &[self.state.stack_pointer.into()])?;
        let counter = glue.number("_PyEM_CountArgsPtr").unwrap_or_default();
        if let (Some(offset), Some(runtime)) =
            (glue.number("__PyEM_EMSCRIPTEN_COUNT_ARGS_OFFSET"), glue.number("__PyRuntime"))
        {
            let address = runtime + glue.word(offset);
            glue.words().set_index(address >> 2, counter);
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
        let (state, find) = references::describe(&self.state.references, &self.state.immortal_strings, &holders);
        api.finalize_restored_bootstrap(&state, &find)
            .map_err(|thrown| Error::from_js(Code::Fatal, "The image's bridge cannot be started", thrown))
    }

    /// The current directory.
    pub fn directory(&self) -> &str {
        &self.state.directory
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
fn link(glue: &Glue, library: &Library, module: &WebAssembly::Module) -> Result<Object> {
    let shared = glue.exports();
    let symbols = glue.symbols();
    let (env, offsets) = (Object::new(), Object::new());
    let own: Rc<RefCell<JsValue>> = Rc::new(RefCell::new(JsValue::UNDEFINED));
    let mut needed: Option<Vec<JsValue>> = None;
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
                    let needed = needed.get_or_insert_with(|| needed_exports(glue, module));
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
        .map_err(|thrown| Error::from_js(Code::BadWasm, &format!("{} cannot be linked", library.path), thrown))?;
    let exports = instance.exports();
    *own.borrow_mut() = exports.clone().into();
    Ok(exports)
}

/// The exports of the libraries that a module needs, and of those that these need.
fn needed_exports(glue: &Glue, module: &WebAssembly::Module) -> Vec<JsValue> {
    let (by_name, _) = glue.libraries();
    let mut found = Vec::new();
    let mut open: Vec<JsValue> = vec![module.clone().into()];
    while let Some(module) = open.pop() {
        let Ok(metadata) = glue.call("getDylinkMetadata", &[module]) else { continue };
        let names: Array = get(&metadata, "neededDynlibs").unchecked_into();
        for name in names.iter().filter_map(|name| name.as_string()) {
            let suffix = format!("/{name}");
            let Some((_, object)) = entries(&by_name).find(|(known, _)| *known == name || known.ends_with(&suffix))
            else {
                continue;
            };
            let exports = get(&object, "exports");
            if !found.contains(&exports) {
                found.push(exports);
                open.push(get(&object, "module"));
            }
        }
    }
    found
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
fn library_object(library: &Library, compiled: &CompiledModule, linked: &Object) -> Object {
    let object = Object::new();
    let references = library.references.map_or(f64::INFINITY, f64::from);
    set(&object, "refcount", &references.into());
    set(&object, "name", &library.names[0].as_str().into());
    set(&object, "global", &library.is_global.into());
    set(&object, "module", &compiled.module);
    let relocated = Object::new();
    for (name, value) in entries(linked) {
        // Addresses of data are counted from the library's own first byte.
        let offset = if value.is_object() { number(&get(&value, "value")) } else { number(&value) };
        let value = match offset {
            Some(offset) if !value.is_function() => (library.memory_base + offset).into(),
            _ => value,
        };
        set(&relocated, &name, &value);
    }
    set(&object, "exports", &relocated);
    object
}
