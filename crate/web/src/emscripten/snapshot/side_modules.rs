//! Side modules of a restored interpreter: where they were, linked now or when they are first needed.
//!
//! Memory has all that linking a module writes, and all that has run since. So a module that leaves memory alone
//! (`taipan_core::side_module::strip`) can be linked at any time: until then a small generated module stands in its slots
//! of the function table and links it when one of them is called. Whoever looks up one of its symbols links it too.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Proxy, Reflect, Uint8Array, WebAssembly};
use taipan_core::image::{ContentHash, LinkedModule, Manifest, TableEntry};
use taipan_core::side_module::Unlinked;
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::exception::raise;
use super::glue::{Glue, entries, get, global, global_descriptor, number};
use super::main_exports::MainExports;
use super::restore::put;
use crate::emscripten::abi::{Relocates, set};
use crate::emscripten::linker::{CompiledModule, Linker};
use crate::error::{Code, Error, Result};

/// Where the bytes of side modules come from.
pub struct SideModuleSource {
    /// The path of each, in the manifest's order.
    pub paths: Vec<String>,
    /// The bytes of one, by its number.
    pub read: Box<dyn Fn(usize) -> Result<Uint8Array>>,
    /// Compiles one, by its number, while everything else waits.
    pub compile: Box<dyn Fn(usize) -> Result<WebAssembly::Module>>,
    /// Those that have been compiled before they are called, as far as that is done.
    pub ahead: Rc<RefCell<HashMap<usize, WebAssembly::Module>>>,
}

/// The side modules of a restored interpreter, by their numbers in its manifest.
pub struct SideModules {
    relocates: Relocates,
    manifest: Rc<Manifest>,
    glue: Glue,
    main_exports: Rc<MainExports>,
    linker: Linker,
    source: SideModuleSource,
    /// Compiled, and not linked yet.
    compiled: RefCell<HashMap<usize, WebAssembly::Module>>,
    /// Exports of those that are linked.
    linked: RefCell<Vec<Option<Object>>>,
    /// Slots with exports of each, besides those that it fills itself.
    slots: Vec<Vec<(u32, String)>>,
}

impl SideModules {
    /// None is linked.
    pub fn new(
        relocates: Relocates,
        manifest: &Rc<Manifest>,
        (glue, main_exports): (&Glue, &Rc<MainExports>),
        linker: &Linker,
        source: SideModuleSource,
        compiled: HashMap<usize, WebAssembly::Module>,
    ) -> Rc<Self> {
        let count = manifest.modules.len();
        let mut slots = vec![Vec::new(); count];
        for (slot, entry) in &manifest.table {
            if let TableEntry::Module { module, name } = entry {
                slots[*module as usize].push((*slot, name.clone()));
            }
        }
        Rc::new(Self {
            relocates,
            manifest: Rc::clone(manifest),
            glue: glue.clone(),
            main_exports: Rc::clone(main_exports),
            linker: linker.clone(),
            source,
            compiled: RefCell::new(compiled),
            linked: RefCell::new(vec![None; count]),
            slots,
        })
    }

    /// Tells Emscripten's dynamic linker of all of them.
    pub fn announce(this: &Rc<Self>) {
        let (by_name, by_handle) = this.glue.libraries();
        for (index, library) in this.manifest.modules.iter().enumerate() {
            let object = Self::library_object(this, index);
            for name in &library.names {
                set(&by_name, name, &object);
            }
            for handle in &library.handles {
                set(&by_handle, &handle.to_string(), &object);
            }
        }
    }

    /// Fills the slots of modules that are not linked with the module that links them.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if it does not fit.
    pub fn stand_in(this: &Rc<Self>, shim: &WebAssembly::Module) -> Result<()> {
        let owner = Rc::clone(this);
        let link =
            Closure::<dyn Fn(u32, u32) -> std::result::Result<u32, JsValue>>::new(move |index: u32, unlinked| {
                let Err(error) = owner.link(index as usize) else { return Ok(1) };
                match Unlinked::from_number(unlinked) {
                    Unlinked::IsZero if raise(&owner.glue, &error) => Ok(0),
                    // Such as the end of an object: nobody can be told, and it has to wait.
                    Unlinked::IsSilent => Ok(0),
                    _ => Err(error.into()),
                }
            });
        let (imports, parts) = (Object::new(), Object::new());
        set(&parts, "link", &link.into_js_value());
        set(&parts, "table", &this.glue.table());
        set(&imports, "shim", &parts);
        WebAssembly::Instance::new(shim, &imports)
            .map(drop)
            .map_err(|thrown| Error::from_js(Code::BadWasm, "The image's side modules have no place", thrown))
    }

    /// The number of the module at a path.
    pub fn find(&self, path: &str) -> Option<usize> {
        self.source.paths.iter().position(|known| known == path)
    }

    /// The SHA-256 of a module as its package has it, and its bytes as the image has them.
    ///
    /// # Errors
    /// As the source.
    pub fn read(&self, index: usize) -> Result<(ContentHash, Uint8Array)> {
        Ok((self.manifest.modules[index].sha256, (self.source.read)(index)?))
    }

    /// Links all that are not linked yet, which nobody has called.
    ///
    /// # Errors
    /// As [`SideModules::link`].
    #[inline(never)]
    pub fn link_all(&self) -> Result<()> {
        let called = self.linker.linked().len();
        let outcome = (0..self.manifest.modules.len()).try_for_each(|index| self.link(index).map(drop));
        self.linker.note_data_from(called, &self.glue);
        outcome
    }

    /// Links a module, unless that has been done, after those that it needs, and gives its exports.
    ///
    /// # Errors
    /// [`Code::BadWasm`] if it does not fit, and what its bytes cannot be had for.
    pub fn link(&self, index: usize) -> Result<Object> {
        if let Some(exports) = self.linked.borrow().get(index).cloned().flatten() {
            return Ok(exports);
        }
        let library = &self.manifest.modules[index];
        // Whatever a library needs was linked before it.
        let earlier = library.needed.iter().map(|needed| *needed as usize).filter(|needed| *needed < index);
        let needed = earlier.map(|needed| self.link(needed)).collect::<Result<Vec<Object>>>()?;
        let path = &self.source.paths[index];
        let compiled = self.compiled.borrow_mut().remove(&index);
        let compiled = compiled.or_else(|| self.source.ahead.borrow_mut().remove(&index));
        let module = match compiled {
            Some(module) => module,
            None => (self.source.compile)(index)?,
        };
        let exports = self.instantiate(path, library, &module, needed)?;
        let table = self.glue.table();
        for (slot, name) in &self.slots[index] {
            put(&table, *slot, &get(&exports, name))?;
            self.linker.add_looked_up(*slot);
        }
        self.linked.borrow_mut()[index] = Some(exports.clone());
        let compiled = CompiledModule::new(path.clone(), module, 0);
        self.linker.add_linked(&compiled, library.memory_base, library.table_base, &exports);
        if library.is_global {
            let relocated = relocate(&exports, library.memory_base, self.relocates)?;
            self.glue.call("mergeLibSymbols", &[relocated.into(), library.names[0].as_str().into()])?;
            self.main_exports.note_shared();
        }
        Ok(exports)
    }

    /// Instantiates a side module where it was, and gives its exports. The rules are those of `loadWebAssemblyModule`.
    fn instantiate(
        &self,
        path: &str,
        library: &LinkedModule,
        module: &WebAssembly::Module,
        needed: Vec<Object>,
    ) -> Result<Object> {
        // Who baked the image has written down every symbol that its modules import.
        let symbols = self.glue.symbols();
        let places = Object::new();
        set(&places, "__memory_base", &library.memory_base.into());
        set(&places, "__table_base", &library.table_base.into());
        let imports = Object::new();
        for (name, value) in
            [("GOT.mem", &symbols), ("GOT.func", &symbols), ("env", &places), ("wasi_snapshot_preview1", &places)]
        {
            set(&imports, name, value);
        }
        if let Some(common) = self.main_exports.common() {
            Object::set_prototype_of(&places, &common);
            // An import that is not found leaves everything as it was.
            if let Ok(instance) = WebAssembly::Instance::new(module, &imports) {
                return Ok(instance.exports());
            }
        }
        let own: Rc<RefCell<JsValue>> = Rc::new(RefCell::new(JsValue::UNDEFINED));
        let env = answering(environment(self.glue.exports(), needed, Rc::clone(&own)));
        Object::set_prototype_of(&places, &env);
        let instance = WebAssembly::Instance::new(module, &imports)
            .map_err(|thrown| Error::from_js(Code::BadWasm, &format!("{path} cannot be linked"), thrown))?;
        let exports = instance.exports();
        *own.borrow_mut() = exports.clone().into();
        Ok(exports)
    }

    /// What Emscripten keeps of a library that is linked (`newDSO`). Asking for its exports links it.
    fn library_object(this: &Rc<Self>, index: usize) -> Object {
        let library = &this.manifest.modules[index];
        let object = Object::new();
        let references = library.references.map_or(f64::INFINITY, f64::from);
        set(&object, "refcount", &references.into());
        set(&object, "name", &library.names[0].as_str().into());
        set(&object, "global", &library.is_global.into());
        let (owner, holder) = (Rc::clone(this), object.clone());
        let exports = Closure::<dyn Fn() -> std::result::Result<JsValue, JsValue>>::new(move || {
            let memory_base = owner.manifest.modules[index].memory_base;
            let exports = match owner.link(index) {
                Ok(exports) => relocate(&exports, memory_base, owner.relocates)?,
                // Then it has no symbol, for now. Who looks one up for Python finds the exception.
                Err(error) if raise(&owner.glue, &error) => return Ok(Object::new().into()),
                Err(error) => return Err(error.into()),
            };
            let descriptor = Object::new();
            set(&descriptor, "value", &exports);
            for attribute in ["writable", "enumerable", "configurable"] {
                set(&descriptor, attribute, &true.into());
            }
            Object::define_property(&holder, &"exports".into(), &descriptor);
            Ok(exports.into())
        });
        let descriptor = Object::new();
        set(&descriptor, "get", &exports.into_js_value());
        for attribute in ["enumerable", "configurable"] {
            set(&descriptor, attribute, &true.into());
        }
        Object::define_property(&object, &"exports".into(), &descriptor);
        object
    }
}

/// An object that asks a function for its properties. A module has hundreds of imports: the engine asks for each, and names
/// need not come into Rust.
fn answering(answer: Closure<dyn Fn(JsValue, JsValue) -> JsValue>) -> Object {
    let handler = Object::new();
    set(&handler, "get", &answer.into_js_value());
    Proxy::new(&Object::new(), &handler).unchecked_into()
}

/// What a module imports: what all have in common, else what the libraries have that it needs, else what it has itself.
fn environment(
    common: Object,
    needed: Vec<Object>,
    own: Rc<RefCell<JsValue>>,
) -> Closure<dyn Fn(JsValue, JsValue) -> JsValue> {
    let stub = JsValue::from("stub");
    Closure::new(move |_target: JsValue, name: JsValue| {
        let common = property(&common, &name);
        if !common.is_undefined() && property(&common, &stub).is_falsy() {
            return common;
        }
        let found = needed.iter().map(|exports| property(exports, &name)).find(|value| !value.is_undefined());
        found.unwrap_or_else(|| late_bound(&own, &name.as_string().unwrap_or_default()))
    })
}

fn property(object: &JsValue, name: &JsValue) -> JsValue {
    Reflect::get(object, name).unwrap_or(JsValue::UNDEFINED)
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

/// What a library exports, with the addresses of its data, which it counts from its own first byte.
pub(super) fn relocate(exports: &Object, memory_base: u32, form: Relocates) -> Result<Object> {
    let relocated = Object::new();
    let descriptor = global_descriptor();
    for (name, value) in entries(exports) {
        let offset = if value.is_object() { number(&get(&value, "value")) } else { None };
        let value = match (offset, form) {
            (Some(offset), Relocates::Numbers) => memory_base.wrapping_add(offset).into(),
            (Some(offset), Relocates::Globals) => global(&descriptor, memory_base.wrapping_add(offset).cast_signed())?,
            (None, _) => value,
        };
        set(&relocated, &name, &value);
    }
    Ok(relocated)
}
