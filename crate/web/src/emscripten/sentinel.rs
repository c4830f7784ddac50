//! The value that stands for "a JavaScript error was thrown" inside CPython.
//!
//! The glue imports two functions: one makes the value, one recognises it. It must be a value that no JavaScript code
//! can make, so it comes from a WebAssembly module of its own: a reference to an empty struct (WebAssembly's garbage
//! collected types), or a private symbol where the browser has none.

use js_sys::{Object, Reflect, Uint8Array, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::error::{Code, Error, Result};

/// What the two functions are called.
#[derive(Debug, Clone, Copy)]
pub struct SentinelNames {
    /// `() -> externref`
    pub create: &'static str,
    /// `(externref) -> i32`
    pub check: &'static str,
}

/// Adds the two functions to a module's imports.
///
/// # Errors
/// [`Code::BadWasm`] if the import object is not as expected.
pub fn add_to_imports(imports: &Object, import_module: &str, names: SentinelNames) -> Result<()> {
    let functions = functions(names);
    let target = Reflect::get(imports, &import_module.into()).unwrap_or(JsValue::UNDEFINED);
    let target: Object = if target.is_object() { target.unchecked_into() } else { Object::new() };
    for name in [names.create, names.check] {
        let function = Reflect::get(&functions, &name.into()).unwrap_or(JsValue::UNDEFINED);
        Reflect::set(&target, &name.into(), &function)
            .map_err(|thrown| Error::from_js(Code::BadWasm, "The imports of CPython's module cannot be set", thrown))?;
    }
    Reflect::set(imports, &import_module.into(), &target)
        .map_err(|thrown| Error::from_js(Code::BadWasm, "The imports of CPython's module cannot be set", thrown))?;
    Ok(())
}

fn functions(names: SentinelNames) -> Object {
    let instance = (!is_ios()).then(|| {
        let bytes = Uint8Array::from(assemble(names).as_slice());
        let module = WebAssembly::Module::new(&bytes).ok()?;
        WebAssembly::Instance::new(&module, &Object::new()).ok()
    });
    if let Some(instance) = instance.flatten() {
        return instance.exports();
    }
    symbol_functions(names)
}

fn symbol_functions(names: SentinelNames) -> Object {
    let symbol: JsValue = js_sys::Symbol::for_("taipan.sentinel").into();
    let made = symbol.clone();
    let create = Closure::<dyn Fn() -> JsValue>::new(move || made.clone());
    let check = Closure::<dyn Fn(JsValue) -> bool>::new(move |value: JsValue| value == symbol);
    let functions = Object::new();
    super::abi::set(&functions, names.create, &create.into_js_value());
    super::abi::set(&functions, names.check, &check.into_js_value());
    functions
}

/// Upstream keeps iOS away from garbage-collected types because of a bug in its engine.
fn is_ios() -> bool {
    let navigator = Reflect::get(&js_sys::global(), &"navigator".into()).unwrap_or(JsValue::UNDEFINED);
    let text = |name: &str| Reflect::get(&navigator, &name.into()).ok().and_then(|v| v.as_string()).unwrap_or_default();
    let touch_points = Reflect::get(&navigator, &"maxTouchPoints".into()).ok().and_then(|v| v.as_f64()).unwrap_or(0.0);
    let agent = text("userAgent");
    ["iPad", "iPhone", "iPod"].iter().any(|device| agent.contains(device))
        || (text("platform") == "MacIntel" && touch_points > 1.0)
}

/// The module: an empty struct type, a function that makes one, a function that recognises it.
fn assemble(names: SentinelNames) -> Vec<u8> {
    const EXTERNREF: u8 = 0x6f;
    const I32: u8 = 0x7f;
    let section = |id: u8, body: Vec<u8>| {
        // Every section here is shorter than 128 bytes, so its length is one LEB128 byte.
        let mut bytes = vec![id, body.len() as u8];
        bytes.extend(body);
        bytes
    };
    let export = |name: &str, function: u8| {
        let mut bytes = vec![name.len() as u8];
        bytes.extend(name.bytes());
        bytes.extend([0x00, function]);
        bytes
    };
    let mut exports = vec![2];
    exports.extend(export(names.create, 0));
    exports.extend(export(names.check, 1));

    let mut module = b"\0asm\x01\0\0\0".to_vec();
    // Types: 0 = struct {}, 1 = () -> externref, 2 = (externref) -> i32.
    module.extend(section(1, vec![3, 0x5f, 0, 0x60, 0, 1, EXTERNREF, 0x60, 1, EXTERNREF, 1, I32]));
    module.extend(section(3, vec![2, 1, 2]));
    module.extend(section(7, exports));
    module.extend(section(
        10,
        vec![
            2, // two bodies
            7, 0, 0xfb, 0x01, 0, 0xfb, 0x1b, 0x0b, // struct.new_default 0; extern.convert_any
            9, 0, 0x20, 0, 0xfb, 0x1a, 0xfb, 0x14, 0, 0x0b, // local.get 0; any.convert_extern; ref.test (ref 0)
        ],
    ));
    module
}

/// Whether a value can be checked, for tests.
#[cfg(test)]
fn call(functions: &Object, name: &str, argument: &JsValue) -> JsValue {
    let function: js_sys::Function = Reflect::get(functions, &name.into()).unwrap().unchecked_into();
    function.call1(&JsValue::NULL, argument).unwrap()
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    const NAMES: SentinelNames = SentinelNames { create: "create_sentinel", check: "is_sentinel" };

    #[wasm_bindgen_test]
    fn only_the_sentinel_is_recognised() {
        for functions in [functions(NAMES), symbol_functions(NAMES)] {
            let sentinel = call(&functions, NAMES.create, &JsValue::UNDEFINED);
            assert!(call(&functions, NAMES.check, &sentinel).is_truthy());
            for other in [JsValue::NULL, JsValue::UNDEFINED, 1.into(), Object::new().into()] {
                assert!(call(&functions, NAMES.check, &other).is_falsy());
            }
        }
    }
}
