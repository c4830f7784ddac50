//! The main module's exports, without the glue's going through them.
//!
//! A glue that receives the main module's instance takes each of its exports, some ten thousand, several times: to give it an
//! address (`updateGOT` of Emscripten's `src/lib/libdylink.js`), to show it to side modules (`mergeLibSymbols`), and to have
//! its own copy of all of them (`applySignatureConversions`). Of a restoration hardly any is asked for. So the glue is shown
//! an instance without exports, and whoever looks one up finds it by way of a prototype.

use std::cell::{Cell, RefCell};

use js_sys::{Array, Function, Object, Proxy, Reflect, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, get, missing, number};
use super::side_modules::relocate;
use crate::emscripten::abi::{Abi, Relocates, set};
use crate::error::{Code, Error, Result};

/// The function through which the glue makes its copy, and nothing else while it receives an instance:
/// `Object.assign({}, exports)`.
const COPY: &str = "assign";

/// What the main module exports, and who looks for it.
pub struct MainExports {
    abi: Abi,
    exports: Object,
    /// What side modules are linked against: what it has itself comes first.
    shared: Object,
    memory_base: u32,
    /// Names of what the glue has only a stub of.
    stubs: Array,
    /// Whether the glue has all of them.
    is_complete: Cell<bool>,
    common: RefCell<Option<Object>>,
}

impl MainExports {
    /// The exports of an instance that was made with the imports of `env`, which the glue shares with side modules.
    pub fn new(abi: Abi, env: &Object, exports: &Object) -> Self {
        let memory_base = number(&get(&get(env, "__memory_base"), "value")).unwrap_or_default();
        let stub = JsValue::from("stub");
        let is_stub = |name: &JsValue| {
            let symbol = Reflect::get(env, name).unwrap_or(JsValue::UNDEFINED);
            symbol.is_function() && Reflect::get(&symbol, &stub).is_ok_and(|stub| stub.is_truthy())
        };
        let stubs = Object::keys(env).iter().filter(is_stub).collect();
        Self {
            abi,
            exports: exports.clone(),
            shared: env.clone(),
            memory_base,
            stubs,
            is_complete: Cell::default(),
            common: RefCell::default(),
        }
    }

    /// Hands an instance to the glue, and lets the exports be found.
    ///
    /// # Errors
    /// [`Code::Fatal`] for what the glue throws, [`Code::NotSupported`] if it makes no copy of the exports.
    pub fn hand_over(&self, receive: &Function, module: &WebAssembly::Module) -> Result<()> {
        for name in self.stubs.iter().filter(|name| Reflect::has(&self.exports, name).unwrap_or_default()) {
            // A plain object of Emscripten's.
            let _ = Reflect::delete_property(&self.shared, &name);
        }
        Object::set_prototype_of(&self.shared, &self.answering());
        let instance = Object::new();
        set(&instance, "exports", &Object::new());
        let object: Object = get(&js_sys::global(), "Object").unchecked_into();
        let original: Function = get(&object, COPY).unchecked_into();
        let copy = Object::create(&changeable(&self.exports));
        set(&object, COPY, &original.bind1(&object, &copy));
        let received = receive.call2(&JsValue::UNDEFINED, &instance, module);
        set(&object, COPY, &original);
        received.map_err(|thrown| Error::from_js(Code::Fatal, "CPython cannot be started", thrown))?;
        // It puts functions of its own into its copy.
        if Object::keys(&copy).length() == 0 { Err(missing("copy of its exports")) } else { Ok(()) }
    }

    /// An object without properties of its own that has those of the exports, as the glue would show them to side modules.
    fn answering(&self) -> Object {
        let (exports, relocates, memory_base) = (self.exports.clone(), self.abi.relocates(), self.memory_base);
        let find = Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(move |target: JsValue, name: JsValue| {
            let value = Reflect::get(&exports, &name).unwrap_or(JsValue::UNDEFINED);
            if value.is_undefined() {
                return Reflect::get(&target, &name).unwrap_or(JsValue::UNDEFINED);
            }
            // Functions are not objects here.
            match number(&get(&value, "value")).filter(|_| value.is_object() && relocates == Relocates::Numbers) {
                Some(offset) => memory_base.wrapping_add(offset).into(),
                None => value,
            }
        });
        let exports = self.exports.clone();
        let has = Closure::<dyn Fn(JsValue, JsValue) -> JsValue>::new(move |target: JsValue, name: JsValue| {
            let is_in = |object: &JsValue| Reflect::has(object, &name).unwrap_or_default();
            (is_in(&exports) || is_in(&target)).into()
        });
        let handler = Object::new();
        set(&handler, "get", &find.into_js_value());
        set(&handler, "has", &has.into_js_value());
        Proxy::new(&Object::new(), &handler).unchecked_into()
    }

    /// What all side modules of an image are linked against, for the engine to look up without asking us for each name. No
    /// more once the glue has all exports: then it may have others' symbols too.
    pub fn common(&self) -> Option<Object> {
        if self.is_complete.get() {
            return None;
        }
        let mut common = self.common.borrow_mut();
        let common = common.get_or_insert_with(|| {
            let common = Object::assign(&Object::new(), &self.shared);
            for stub in self.stubs.iter() {
                // A plain object: its properties can be deleted.
                let _ = Reflect::delete_property(&common, &stub);
            }
            // Not before: what a prototype has read-only cannot be assigned.
            Object::set_prototype_of(&common, &self.exports)
        });
        Some(common.clone())
    }

    /// When side modules share symbols that they did not share before.
    pub fn note_shared(&self) {
        self.common.take();
    }

    /// Puts the exports where the glue would have put them, for whoever wants to see all of them.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the glue fails.
    pub fn complete(&self, glue: &Glue) -> Result<()> {
        self.is_complete.set(true);
        self.common.take();
        Object::set_prototype_of(&self.shared, &Object::get_prototype_of(&Object::new()));
        let exports = match self.abi.relocates() {
            Relocates::Numbers => relocate(&self.exports, self.memory_base, Relocates::Numbers)?,
            // They are where the module says.
            Relocates::Globals => self.exports.clone(),
        };
        glue.call("mergeLibSymbols", &[exports.into(), "main".into()]).map(drop)
    }
}

/// An object to be the prototype of one that is to have these properties and may have others in their place: exports are
/// read-only, for those that inherit them too.
fn changeable(exports: &Object) -> Object {
    let put = Closure::<dyn Fn(JsValue, JsValue, JsValue, Object) -> bool>::new(
        |_target: JsValue, name: JsValue, value: JsValue, receiver: Object| {
            let descriptor = Object::new();
            set(&descriptor, "value", &value);
            for attribute in ["writable", "enumerable", "configurable"] {
                set(&descriptor, attribute, &true.into());
            }
            Reflect::define_property(&receiver, &name, &descriptor).unwrap_or_default()
        },
    );
    let handler = Object::new();
    set(&handler, "set", &put.into_js_value());
    Proxy::new(&Object::create(exports), &handler).unchecked_into()
}
