//! Exceptions of Python's, for who was called by CPython and cannot do what was asked.

use js_sys::{Function, Uint8Array};
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, get, number};
use crate::error::Error;

/// Sets an `OSError` that says what an error says, unless there is an exception already. Says whether there is one then.
pub fn raise(glue: &Glue, error: &Error) -> bool {
    let is_raised = || glue.call_export("PyErr_Occurred", 0).is_ok_and(|exception| exception != 0);
    is_raised() || (set(glue, &error.to_string()).is_some() && is_raised())
}

fn set(glue: &Glue, message: &str) -> Option<()> {
    let kind = glue.word(address(&glue.part("_PyExc_OSError"))?);
    let set_string: Function = get(&glue.exports(), "PyErr_SetString").dyn_into().ok()?;
    let length = u32::try_from(message.len()).ok()?;
    let text = glue.call_export("malloc", length + 1).ok().filter(|address| *address != 0)?;
    // Memory may have grown.
    let place: Uint8Array = glue.heap().subarray(text, text + length + 1);
    place.subarray(0, length).copy_from(message.as_bytes());
    place.set_index(length, 0);
    let outcome = set_string.call2(&JsValue::UNDEFINED, &kind.into(), &text.into());
    let _ = glue.call_export("free", text);
    outcome.ok().map(drop)
}

/// The address of a symbol for data: a number, or a global that holds one.
fn address(symbol: &JsValue) -> Option<u32> {
    number(symbol).or_else(|| symbol.is_object().then(|| number(&get(symbol, "value"))).flatten())
}
