//! What happens while Emscripten's linker is at work: which modules it instantiates, and where.
//!
//! It tells nobody the places it gives to a library that is only needed by another. But it asks for every instance with
//! `new WebAssembly.Instance(module, imports)`, so that is looked at for as long as one call of the linker takes.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::rc::Rc;

use js_sys::{Array, Function, Map, Object, Proxy, Reflect, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::data::FirstLook;
use crate::emscripten::abi::set;

/// A side module that is linked.
pub struct LinkedModule {
    /// Where its file is.
    pub path: String,
    /// The compiled module.
    pub module: WebAssembly::Module,
    /// Where its data begins.
    pub memory_base: u32,
    /// Its first slot of the function table.
    pub table_base: u32,
    /// What its instance exports.
    pub exports: Object,
    /// Its place in the order of linking.
    pub order: usize,
    /// What its data was.
    pub(super) first_look: FirstLook,
}

/// What has been linked so far.
#[derive(Default)]
pub struct Record {
    /// Paths by compiled module.
    paths: Map,
    linked: RefCell<Vec<Rc<LinkedModule>>>,
    /// Modules that were linked at a moment that has been gone back from.
    abandoned: RefCell<Vec<Rc<LinkedModule>>>,
    /// The state of the linker's tables has a number of its own after each call.
    calls: Cell<u32>,
    last_call: Cell<u32>,
    /// Slots that `dlsym` gave out.
    looked_up: RefCell<BTreeSet<u32>>,
    main_table_length: Cell<u32>,
    depth: Cell<u32>,
    watcher: RefCell<Option<Watcher>>,
}

/// `WebAssembly.Instance` as it is, and one that tells us.
#[derive(Clone)]
struct Watcher {
    original: JsValue,
    watched: JsValue,
}

impl Record {
    /// Names a compiled module.
    pub fn name(&self, module: &WebAssembly::Module, path: &str) {
        self.paths.set(module, &path.into());
    }

    /// Notes a module as linked.
    pub fn add(&self, module: &WebAssembly::Module, memory_base: u32, table_base: u32, exports: Object) {
        let Some(path) = self.paths.get(module).as_string() else { return };
        let mut linked = self.linked.borrow_mut();
        // One that is linked while the linker is at work is noticed and noted.
        if linked.iter().any(|known| known.module == *module) {
            return;
        }
        let order = linked.len();
        linked.push(Rc::new(LinkedModule {
            path,
            module: module.clone(),
            memory_base,
            table_base,
            exports,
            order,
            first_look: FirstLook::default(),
        }));
    }

    /// Notes what `dlsym` gave.
    pub fn add_looked_up(&self, slot: u32) {
        self.looked_up.borrow_mut().insert(slot);
    }

    /// The modules that are linked, in order.
    pub fn linked(&self) -> Vec<Rc<LinkedModule>> {
        self.linked.borrow().clone()
    }

    /// What `dlsym` gave out.
    pub fn looked_up(&self) -> BTreeSet<u32> {
        self.looked_up.borrow().clone()
    }

    /// Which state the linker's tables are in.
    pub fn calls(&self) -> u32 {
        self.calls.get()
    }

    /// Goes back to an earlier state.
    pub fn roll_back(&self, linked: &[Rc<LinkedModule>], looked_up: &BTreeSet<u32>, calls: u32) {
        let later = self.linked.replace(linked.to_vec());
        let is_in =
            |list: &[Rc<LinkedModule>], module: &Rc<LinkedModule>| list.iter().any(|known| Rc::ptr_eq(known, module));
        let mut abandoned = self.abandoned.borrow_mut();
        abandoned.extend(later);
        abandoned.retain(|module| !is_in(linked, module));
        self.looked_up.borrow_mut().clone_from(looked_up);
        self.calls.set(calls);
    }

    /// Modules that were linked, are not any more, and are kept by nobody.
    pub fn take_abandoned(&self, is_kept: impl Fn(&Rc<LinkedModule>) -> bool) -> Vec<Rc<LinkedModule>> {
        let (kept, taken) = self.abandoned.take().into_iter().partition(is_kept);
        self.abandoned.replace(kept);
        taken
    }

    /// Slots that the main module fills itself.
    pub fn main_table_length(&self) -> u32 {
        self.main_table_length.get()
    }

    /// Sets what [`Record::main_table_length`] gives.
    pub fn set_main_table_length(&self, length: u32) {
        self.main_table_length.set(length);
    }

    /// Calls the linker, and notes what it instantiates. Calls may be nested.
    pub fn during<T>(self: &Rc<Self>, call: impl FnOnce() -> T) -> T {
        let Some(watcher) = self.watcher() else { return call() };
        let namespace: Object =
            Reflect::get(&js_sys::global(), &"WebAssembly".into()).unwrap_or_default().unchecked_into();
        if self.depth.get() == 0 {
            set(&namespace, "Instance", &watcher.watched);
        }
        self.depth.set(self.depth.get() + 1);
        self.last_call.set(self.last_call.get() + 1);
        self.calls.set(self.last_call.get());
        let result = call();
        self.depth.set(self.depth.get() - 1);
        if self.depth.get() == 0 {
            set(&namespace, "Instance", &watcher.original);
        }
        result
    }

    fn watcher(self: &Rc<Self>) -> Option<Watcher> {
        if self.watcher.borrow().is_none() {
            let namespace = Reflect::get(&js_sys::global(), &"WebAssembly".into()).ok()?;
            let original: Function = Reflect::get(&namespace, &"Instance".into()).ok()?.dyn_into().ok()?;
            let this = Rc::clone(self);
            let construct = Closure::<dyn Fn(Function, Array) -> Result<JsValue, JsValue>>::new(
                move |target: Function, arguments: Array| {
                    let instance = Reflect::construct(&target, &arguments)?;
                    this.note(&arguments, &instance);
                    Ok(instance)
                },
            );
            let handler = Object::new();
            set(&handler, "construct", &construct.into_js_value());
            let watched = Proxy::new(&original, &handler).into();
            *self.watcher.borrow_mut() = Some(Watcher { original: original.into(), watched });
        }
        self.watcher.borrow().clone()
    }

    fn note(&self, arguments: &Array, instance: &JsValue) {
        let module: WebAssembly::Module = arguments.get(0).unchecked_into();
        let property = |object: &JsValue, name: &str| Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED);
        let imports = property(&arguments.get(1), "env");
        let base = |name: &str| property(&imports, name).as_f64().map(|base| base as u32);
        if let (Some(memory_base), Some(table_base)) = (base("__memory_base"), base("__table_base")) {
            self.add(&module, memory_base, table_base, property(instance, "exports").unchecked_into());
        }
    }
}
