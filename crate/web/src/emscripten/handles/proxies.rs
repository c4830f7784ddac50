//! Python objects that JavaScript holds: Pyodide's `PyProxy`.
//!
//! Each has a record of its own, `shared`, with the object's address; it is registered with
//! `Module.finalizationRegistry`, so that Python can free the object when JavaScript has let go of it (Pyodide's
//! `src/core/pyproxy.ts`). Looking at what is registered is how they are known here.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use js_sys::{Array, Function, Map, Object, Proxy, Reflect, WeakMap, WeakRef};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::emscripten::abi::set;
use crate::emscripten::bindings::Module;
use crate::emscripten::snapshot::glue::get;

/// Where the number of an entry is in what the registry holds.
const ENTRY: &str = "entry";

/// What JavaScript is told that uses an object of a time that has been undone.
const UNDONE: &str = "This Python object was made after the checkpoint that Python was rolled back to.";

/// The Python objects that JavaScript holds.
#[derive(Default)]
pub struct Proxies {
    entries: RefCell<BTreeMap<u32, Entry>>,
    last: Cell<u32>,
    /// Numbers of entries, by what they are unregistered with.
    tokens: WeakMap,
    registry: RefCell<JsValue>,
    handler: RefCell<Object>,
}

struct Entry {
    shared: WeakRef,
    /// What the registry hands to Pyodide when the proxy is gone.
    held: Object,
}

/// The proxies at one moment, kept from being collected.
pub struct SavedProxies(Vec<SavedProxy>);

struct SavedProxy {
    entry: u32,
    shared: Object,
    fields: Object,
}

/// What the proxies of one object have in common: proxies of its attributes.
const CACHES: [&str; 2] = ["map", "json_adaptor_map"];

impl Proxies {
    /// Takes the place of the module's registry.
    pub fn watch(this: &Rc<Self>, module: &Module) {
        const REGISTRY: &str = "finalizationRegistry";
        *this.registry.borrow_mut() = get(module, REGISTRY);
        let handler = Object::new();
        let proxies = Rc::clone(this);
        let find = Closure::<dyn Fn(Object, JsValue) -> JsValue>::new(move |held: Object, name: JsValue| {
            if name == "ptr" {
                // Pyodide reads it when it frees the object.
                if let Some(entry) = get(&held, ENTRY).as_f64() {
                    proxies.entries.borrow_mut().remove(&(entry as u32));
                }
            }
            Reflect::get(&held, &name).unwrap_or(JsValue::UNDEFINED)
        });
        set(&handler, "get", &find.into_js_value());
        *this.handler.borrow_mut() = handler;

        let watched = Object::new();
        let proxies = Rc::clone(this);
        let register =
            Closure::<dyn Fn(Object, JsValue, JsValue)>::new(move |target: Object, held: JsValue, token: JsValue| {
                // Functions and iterators that hold a Python object are registered too. They have no record, and an
                // iterator is not what it is unregistered with.
                if get(&target, "ptr").is_undefined() {
                    proxies.call("register", &[target.into(), held, token]);
                } else {
                    proxies.register(proxies.last.get() + 1, &target, held.unchecked_into());
                }
            });
        set(&watched, "register", &register.into_js_value());
        let proxies = Rc::clone(this);
        let unregister = Closure::<dyn Fn(JsValue)>::new(move |token: JsValue| {
            if let Some(entry) = token.dyn_ref::<Object>().and_then(|token| proxies.tokens.get(token).as_f64()) {
                proxies.entries.borrow_mut().remove(&(entry as u32));
            }
            proxies.call("unregister", &[token]);
        });
        set(&watched, "unregister", &unregister.into_js_value());
        set(module.unchecked_ref(), REGISTRY, &watched);
    }

    /// The proxies there are.
    pub fn save(&self) -> SavedProxies {
        let entries = self.entries.borrow();
        let saved = entries.iter().filter_map(|(entry, Entry { shared, .. })| {
            let shared: Object = shared.deref()?;
            let fields = Object::assign(&Object::new(), &shared);
            let cache = get(&shared, "cache");
            if cache.is_object() {
                let contents = Object::assign(&Object::new(), cache.unchecked_ref());
                for name in CACHES {
                    set(&contents, name, &Array::from(&get(&cache, name)));
                }
                set(&fields, "contents", &contents);
            }
            Some(SavedProxy { entry: *entry, shared, fields })
        });
        SavedProxies(saved.collect())
    }

    /// Makes the proxies be as they were: those made since do not work any more, those destroyed since do again.
    pub fn roll_back(&self, saved: &SavedProxies) {
        let wanted: HashSet<u32> = saved.0.iter().map(|proxy| proxy.entry).collect();
        let made_since: Vec<Entry> = {
            let mut entries = self.entries.borrow_mut();
            let numbers: Vec<u32> = entries.keys().filter(|entry| !wanted.contains(entry)).copied().collect();
            numbers.into_iter().filter_map(|number| entries.remove(&number)).collect()
        };
        for Entry { shared, held } in made_since {
            set(&held, "ptr", &0.into());
            set(&held, "cache", &JsValue::UNDEFINED);
            if let Some(shared) = shared.deref() {
                self.call("unregister", &[shared.clone().into()]);
                set(&shared, "ptr", &0.into());
                set(&shared, "destroyed_msg", &UNDONE.into());
            }
        }
        for SavedProxy { entry, shared, fields } in &saved.0 {
            for name in ["ptr", "cache", "flags", "promise", "destroyed_msg", "gcRegistered"] {
                set(shared, name, &get(fields, name));
            }
            let (cache, contents) = (get(fields, "cache"), get(fields, "contents"));
            if contents.is_object() {
                for name in ["refcnt", "leaked"] {
                    set(cache.unchecked_ref(), name, &get(&contents, name));
                }
                for name in CACHES {
                    let map: Map = get(&cache, name).unchecked_into();
                    map.clear();
                    for pair in get(&contents, name).unchecked_into::<Array>().iter() {
                        let pair: Array = pair.unchecked_into();
                        map.set(&pair.get(0), &pair.get(1));
                    }
                }
            }
            let is_registered = self.entries.borrow().contains_key(entry);
            if !is_registered {
                self.register(*entry, shared, Object::assign(&Object::new(), shared));
            }
        }
    }

    fn register(&self, entry: u32, shared: &Object, held: Object) {
        self.last.set(self.last.get().max(entry));
        set(&held, ENTRY, &entry.into());
        self.tokens.set(shared, &entry.into());
        let watched = Proxy::new(&held, &self.handler.borrow());
        self.entries.borrow_mut().insert(entry, Entry { shared: WeakRef::new(shared), held });
        self.call("register", &[shared.clone().into(), watched.into(), shared.clone().into()]);
    }

    fn call(&self, name: &str, arguments: &[JsValue]) {
        let registry = self.registry.borrow().clone();
        if let Ok(function) = get(&registry, name).dyn_into::<Function>() {
            // What the browser refuses to watch is never freed, and that is all.
            let _ = function.apply(&registry, &arguments.iter().collect());
        }
    }
}
