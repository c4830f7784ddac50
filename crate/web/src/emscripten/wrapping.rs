//! JavaScript functions of the glue made into functions of WebAssembly, so that they can be in the function table.
//!
//! The glue makes a module for each (`convertJsFunctionToWasm` of Emscripten's `src/lib/libaddfunction.js`): hundreds, one
//! after the other, before CPython runs. Here one module makes all of them.

use js_sys::{Object, Uint8Array, WebAssembly};
use taipan_core::side_module::{FunctionType, Wrapper};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::abi::set;
use super::snapshot::glue::{entries, get};

/// The address of a symbol of the global offset table.
const VALUE: &str = "value";

/// Functions that are to be wrapped.
#[derive(Default)]
pub struct Wrapping {
    wrapper: Wrapper,
    functions: Object,
}

impl Wrapping {
    /// Adds a function of a signature as Emscripten writes it (`"vij"`), under a name that no other has.
    pub fn add(&mut self, name: &str, function: &JsValue, signature: &str) {
        let (results, params) = value_types(signature);
        self.wrapper.add(name, FunctionType { params: &params, results: &results });
        set(&self.functions, name, function);
    }

    /// The wrapped functions by name, while everything else waits: in a worker.
    ///
    /// # Errors
    /// What the browser throws.
    pub fn finish_now(self) -> Result<Object, JsValue> {
        let (bytes, imports) = self.into_parts();
        let module = WebAssembly::Module::new(&Uint8Array::from(bytes.as_slice()))?;
        Ok(WebAssembly::Instance::new(&module, &imports)?.exports())
    }

    /// The wrapped functions by name.
    ///
    /// # Errors
    /// What the browser rejects with.
    pub async fn finish(self) -> Result<Object, JsValue> {
        let (bytes, imports) = self.into_parts();
        let made = JsFuture::from(WebAssembly::instantiate_buffer(&bytes, &imports)).await?;
        let instance: WebAssembly::Instance = get(&made, "instance").unchecked_into();
        Ok(instance.exports())
    }

    fn into_parts(self) -> (Vec<u8>, Object) {
        let imports = Object::new();
        set(&imports, Wrapper::HOST, &self.functions);
        (self.wrapper.finish(), imports)
    }
}

/// Gives the functions of the glue that the main module wants the addresses of (`GOT.func`) their slots of the table, before
/// the glue does so one by one (`reportUndefinedSymbols` of Emscripten's `src/lib/libdylink.js`): it passes over a symbol
/// that has an address. To be called between the instantiation of the module and the glue's receiving it. What goes wrong is
/// left to the glue.
pub async fn place_functions(env: &Object, symbols: &Object, exports: &Object, table: &WebAssembly::Table, none: i32) {
    let mut wrapping = Wrapping::default();
    let mut wanted = Vec::new();
    for (name, function) in entries(env) {
        let symbol = get(symbols, &name);
        let is_open = symbol.is_object() && get(&symbol, VALUE).as_f64() == Some(f64::from(none));
        if !is_open || !get(exports, &name).is_undefined() || get(&function, "stub").is_truthy() {
            continue;
        }
        if let Some(signature) = get(&function, "sig").as_string().filter(|_| function.is_function()) {
            wrapping.add(&name, &function, &signature);
            wanted.push((name, symbol));
        }
    }
    if wanted.is_empty() {
        return;
    }
    let Ok(wrapped) = wrapping.finish().await else { return };
    let Ok(first) = table.grow(wanted.len() as u32) else { return };
    for (slot, (name, symbol)) in (first..).zip(wanted) {
        if table.set(slot, get(&wrapped, &name).unchecked_ref()).is_ok() {
            set(symbol.unchecked_ref(), VALUE, &slot.into());
        }
    }
}

/// The value types of an Emscripten signature (`"vij"`): of the result and of the parameters.
fn value_types(signature: &str) -> (Vec<u8>, Vec<u8>) {
    let value = |letter: u8| match letter {
        b'j' => Some(0x7e),
        b'f' => Some(0x7d),
        b'd' => Some(0x7c),
        b'e' => Some(0x6f),
        b'v' => None,
        _ => Some(0x7f),
    };
    let (result, params) = signature.as_bytes().split_at(signature.len().min(1));
    (result.iter().copied().filter_map(value).collect(), params.iter().copied().filter_map(value).collect())
}
