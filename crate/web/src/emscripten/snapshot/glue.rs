//! Access to what the glue leaves on `Module`.

use js_sys::{Array, Function, Map, Object, Reflect, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};

use crate::emscripten::abi::{Abi, set};
use crate::emscripten::bindings::Module;
use crate::error::{Code, Error, Result};

/// `Module`, seen as what its snapshot needs.
#[derive(Clone)]
pub struct Glue {
    module: Module,
}

impl Glue {
    /// The parts of a module.
    pub fn new(module: &Module) -> Self {
        Self { module: module.clone() }
    }

    /// A property of `Module`.
    pub fn part(&self, name: &str) -> JsValue {
        Reflect::get(&self.module, &name.into()).unwrap_or(JsValue::UNDEFINED)
    }

    /// The number that a property of `Module` is.
    pub fn number(&self, name: &str) -> Option<u32> {
        number(&self.part(name))
    }

    /// The function table.
    pub fn table(&self) -> WebAssembly::Table {
        self.part("wasmTable").unchecked_into()
    }

    /// The global offset table: `WebAssembly.Global` by symbol.
    pub fn symbols(&self) -> Object {
        self.part("GOT").unchecked_into()
    }

    /// Slots of the table that may be used again.
    pub fn free_slots(&self) -> Array {
        self.part("freeTableIndexes").unchecked_into()
    }

    /// Libraries by name and by handle.
    pub fn libraries(&self) -> (Object, Object) {
        let linked = self.part("LDSO");
        (get(&linked, "loadedLibsByName").unchecked_into(), get(&linked, "loadedLibsByHandle").unchecked_into())
    }

    /// What side modules are linked against: the main module's exports, Emscripten's JavaScript library, and the
    /// symbols of libraries that are everybody's.
    pub fn exports(&self) -> Object {
        get(&get(&self.libraries().0, "__main__"), "exports").unchecked_into()
    }

    /// Linear memory.
    pub fn heap(&self) -> js_sys::Uint8Array {
        self.part("HEAPU8").unchecked_into()
    }

    /// The address of the number of the function that the glue makes when it starts.
    pub fn call_helper(&self, abi: Abi) -> Option<u32> {
        let offset = self.word(self.number(abi.call_helper_offset())?);
        Some(self.number("__PyRuntime")? + offset)
    }

    /// The address of a symbol of the main module's data.
    pub fn address(&self, symbol: &str) -> Option<u32> {
        let value = get(&self.exports(), symbol);
        number(&value).or_else(|| number(&get(&value, "value")))
    }

    /// A word of linear memory.
    pub fn word(&self, address: u32) -> u32 {
        self.words().get_index(address >> 2)
    }

    /// Linear memory as words.
    pub fn words(&self) -> js_sys::Uint32Array {
        self.part("HEAPU32").unchecked_into()
    }

    /// Calls a function of `Module`.
    ///
    /// # Errors
    /// [`Code::Fatal`] if there is none or it throws.
    pub fn call(&self, name: &str, arguments: &[JsValue]) -> Result<JsValue> {
        self.part(name)
            .dyn_into::<Function>()
            .map_err(|_| missing(name))?
            .apply(&self.module, &arguments.iter().collect())
            .map_err(|thrown| Error::from_js(Code::Fatal, &format!("{name} of the glue failed"), thrown))
    }

    /// What Emscripten reads of a side module's `dylink.0` section.
    ///
    /// # Errors
    /// As [`Glue::call`].
    pub fn side_module(&self, module: &WebAssembly::Module) -> Result<JsValue> {
        self.call("getDylinkMetadata", &[module.clone().into()])
    }

    /// Calls an export of the main module that takes one number and gives one.
    ///
    /// # Errors
    /// [`Code::Fatal`] if there is none or it throws.
    pub fn call_export(&self, name: &str, argument: u32) -> Result<u32> {
        let function = get(&self.exports(), name).dyn_into::<Function>().map_err(|_| missing(name))?;
        let result = function
            .call1(&JsValue::UNDEFINED, &argument.into())
            .map_err(|thrown| Error::from_js(Code::Fatal, &format!("{name} of CPython failed"), thrown))?;
        Ok(number(&result).unwrap_or_default())
    }
}

/// What a glue of another shape lacks.
pub fn missing(name: &str) -> Error {
    Error::new(Code::NotSupported, format!("This distribution's glue has no {name}."))
        .hint("Images can be made of the distributions that the documentation names.")
}

/// A property, `undefined` where it cannot be had.
pub fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}

/// What symbols of the global offset table are.
pub fn global_descriptor() -> Object {
    let descriptor = Object::new();
    set(&descriptor, "value", &"i32".into());
    set(&descriptor, "mutable", &true.into());
    descriptor
}

/// A symbol of the global offset table.
///
/// # Errors
/// [`Code::OutOfMemory`].
pub fn global(descriptor: &Object, value: i32) -> Result<JsValue> {
    WebAssembly::Global::new(descriptor, &value.into())
        .map(JsValue::from)
        .map_err(|thrown| Error::from_js(Code::OutOfMemory, "A symbol cannot be made", thrown))
}

/// A number as Emscripten means addresses: without a sign.
pub fn number(value: &JsValue) -> Option<u32> {
    // An i32 of JavaScript may be negative.
    value.as_f64().map(|number| if number < 0.0 { (number as i32).cast_unsigned() } else { number as u32 })
}

/// The own entries of an object.
pub fn entries(object: &Object) -> impl Iterator<Item = (String, JsValue)> + use<> {
    Object::entries(object).to_vec().into_iter().filter_map(|entry| {
        let entry: Array = entry.unchecked_into();
        Some((entry.get(0).as_string()?, entry.get(1)))
    })
}

/// The entries of a table from one on; reading past its end throws.
pub fn values(glue: &Glue, getter: &str, first: u32) -> Vec<JsValue> {
    (first..).map_while(|index| glue.call(getter, &[index.into()]).ok()).collect()
}

/// A map of functions to indices.
pub fn index_functions<'a>(functions: impl Iterator<Item = (usize, &'a JsValue)>) -> Map {
    let map = Map::new();
    for (index, function) in functions {
        if function.is_function() && !map.has(function) {
            map.set(function, &(index as u32).into());
        }
    }
    map
}
