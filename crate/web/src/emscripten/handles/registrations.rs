//! What Python frees when JavaScript has let go of it: proxies, iterators, functions to be called once.
//!
//! Pyodide registers each with `Module.finalizationRegistry`, together with the address of the Python object that it holds
//! (`src/core/pyproxy.ts` and `src/core/pyproxy.c`). Looking at what is registered is how they are known here. After going
//! back, an address must be freed as often as memory of that moment counts a reference for it, whatever has been collected,
//! used up or destroyed since.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Proxy, Reflect, WeakMap, WeakRef};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::proxies::{self, SavedProxy};
use crate::emscripten::abi::set;
use crate::emscripten::bindings::Module;
use crate::emscripten::snapshot::glue::get;

/// Where the number of an entry is in what the registry holds.
const ENTRY: &str = "entry";

/// What is registered.
#[derive(Default)]
pub struct Registrations {
    entries: RefCell<BTreeMap<u32, Entry>>,
    last: Cell<u32>,
    /// Numbers of entries, by what they are unregistered with.
    tokens: WeakMap,
    registry: RefCell<JsValue>,
    handler: RefCell<Object>,
}

struct Entry {
    target: WeakRef,
    token: WeakRef,
    /// What the registry hands to Pyodide when the target is gone: the address, for a proxy its `cache` too.
    held: Object,
}

/// What is registered at one moment, kept from being collected.
pub struct SavedRegistrations(Vec<SavedRegistration>);

struct SavedRegistration {
    entry: u32,
    target: Object,
    token: Object,
    held: Object,
    proxy: Option<SavedProxy>,
}

impl Registrations {
    /// Takes the place of the module's registry.
    pub fn watch(this: &Rc<Self>, module: &Module) {
        const REGISTRY: &str = "finalizationRegistry";
        *this.registry.borrow_mut() = get(module, REGISTRY);
        let handler = Object::new();
        let registrations = Rc::clone(this);
        let find = Closure::<dyn Fn(Object, JsValue) -> JsValue>::new(move |held: Object, name: JsValue| {
            if name == "ptr" {
                // Pyodide reads it when it frees the object.
                if let Some(entry) = get(&held, ENTRY).as_f64() {
                    registrations.entries.borrow_mut().remove(&(entry as u32));
                }
            }
            Reflect::get(&held, &name).unwrap_or(JsValue::UNDEFINED)
        });
        set(&handler, "get", &find.into_js_value());
        *this.handler.borrow_mut() = handler;

        let watched = Object::new();
        let registrations = Rc::clone(this);
        let register =
            Closure::<dyn Fn(Object, JsValue, Object)>::new(move |target: Object, held: JsValue, token: Object| {
                registrations.register(registrations.last.get() + 1, &target, named(held), &token);
            });
        set(&watched, "register", &register.into_js_value());
        let registrations = Rc::clone(this);
        let unregister = Closure::<dyn Fn(JsValue)>::new(move |token: JsValue| {
            if let Some(entry) = token.dyn_ref::<Object>().and_then(|token| registrations.tokens.get(token).as_f64()) {
                registrations.entries.borrow_mut().remove(&(entry as u32));
            }
            registrations.call("unregister", &[token]);
        });
        set(&watched, "unregister", &unregister.into_js_value());
        set(module.unchecked_ref(), REGISTRY, &watched);
    }

    /// What is registered now.
    pub fn save(&self) -> SavedRegistrations {
        let entries = self.entries.borrow();
        let saved = entries.iter().map(|(entry, Entry { target, token, held })| {
            let target = target.deref();
            let proxy = target.as_ref().and_then(SavedProxy::of);
            // For what is collected already, and not freed yet, another can be collected and freed.
            let target = target.unwrap_or_else(Object::new);
            let token = token.deref().unwrap_or_else(Object::new);
            SavedRegistration { entry: *entry, target, token, held: Object::assign(&Object::new(), held), proxy }
        });
        SavedRegistrations(saved.collect())
    }

    /// Ends iterators that have been made since. They know addresses that nobody can take from them, so it is done while
    /// memory still is what they know: the reference that ending one gives back is taken first, so that nothing is freed
    /// and no Python runs. Says whether one ends later, when what is due has run.
    pub fn end_iterators(&self, saved: &SavedRegistrations, module: &Module) -> bool {
        let wanted = saved.numbers();
        let made_since: Vec<(Object, JsValue)> = {
            let entries = self.entries.borrow();
            let made_since = entries.iter().filter(|(entry, _)| !wanted.contains(entry));
            made_since.filter_map(|(_, entry)| Some((entry.target.deref()?, get(&entry.held, "ptr")))).collect()
        };
        let mut is_any_later = false;
        for (target, address) in made_since {
            let (Ok(end), Ok(take)) =
                (get(&target, "return").dyn_into::<Function>(), get(module, "_Py_IncRef").dyn_into::<Function>())
            else {
                continue;
            };
            // Neither fails: the one adds to a number, the other ends a generator that is not running.
            let _ = take.call1(&JsValue::UNDEFINED, &address);
            let ended = end.call0(&target).unwrap_or_default();
            // An asynchronous one. If it waits for Python it never goes on.
            is_any_later |= ended.is_instance_of::<Promise>();
        }
        is_any_later
    }

    /// Makes it be as it was: what was registered since frees nothing any more, what was registered then does again.
    pub fn roll_back(&self, saved: &SavedRegistrations) {
        let wanted = saved.numbers();
        let made_since: Vec<Entry> = {
            let mut entries = self.entries.borrow_mut();
            let numbers: Vec<u32> = entries.keys().filter(|entry| !wanted.contains(entry)).copied().collect();
            numbers.into_iter().filter_map(|number| entries.remove(&number)).collect()
        };
        for Entry { target, token, held } in made_since {
            set(&held, "ptr", &0.into());
            set(&held, "cache", &JsValue::UNDEFINED);
            if let Some(token) = token.deref() {
                self.call("unregister", &[token.into()]);
            }
            if let Some(target) = target.deref().filter(proxies::is_record) {
                proxies::undo(&target);
            }
        }
        for SavedRegistration { entry, target, token, held, proxy } in &saved.0 {
            if let Some(proxy) = proxy {
                proxy.put_back(target);
            }
            let is_registered = self.entries.borrow().contains_key(entry);
            if !is_registered {
                self.register(*entry, target, Object::assign(&Object::new(), held), token);
            }
        }
    }

    fn register(&self, entry: u32, target: &Object, held: Object, token: &Object) {
        self.last.set(self.last.get().max(entry));
        set(&held, ENTRY, &entry.into());
        self.tokens.set(token, &entry.into());
        let watched = Proxy::new(&held, &self.handler.borrow());
        let (weak_target, weak_token) = (WeakRef::new(target), WeakRef::new(token));
        self.entries.borrow_mut().insert(entry, Entry { target: weak_target, token: weak_token, held });
        self.call("register", &[target.clone().into(), watched.into(), token.clone().into()]);
    }

    fn call(&self, name: &str, arguments: &[JsValue]) {
        let registry = self.registry.borrow().clone();
        if let Ok(function) = get(&registry, name).dyn_into::<Function>() {
            // What the browser refuses to watch is never freed, and that is all.
            let _ = function.apply(&registry, &arguments.iter().collect());
        }
    }
}

impl SavedRegistrations {
    fn numbers(&self) -> HashSet<u32> {
        self.0.iter().map(|registration| registration.entry).collect()
    }
}

/// What is held, by name. 0.28 gives the address of an iterator's object and of a function's as the first of a list, where
/// its own finalizer does not find it, so that the object would never be freed; 314 names it as it does for proxies.
fn named(held: JsValue) -> Object {
    let Some(list) = held.dyn_ref::<Array>() else { return held.unchecked_into() };
    let named = Object::new();
    set(&named, "ptr", &list.get(0));
    named
}
