//! CPython's question for signals, answered by our host instead of the glue.
//!
//! The glue reads element 0 of the interrupt buffer and sets it to 0 (`_Py_CheckEmscriptenSignals_Helper` of CPython's
//! `Python/emscripten_signal.c`). Ours has no memory that somebody could write to: its element is computed, and to read and
//! to set one of that kind takes a browser longer than all of `str(1)` does.

use js_sys::{Function, Object, Reflect};

use super::abi::set;

/// The import through which CPython asks.
const HELPER: &str = "_Py_CheckEmscriptenSignals_Helper";

/// Has `poll` answer: a signal's number, or 0.
pub fn answer(imports: &Object, poll: &Function) {
    if let Ok(env) = Reflect::get(imports, &"env".into())
        && Reflect::get(&env, &HELPER.into()).is_ok_and(|helper| helper.is_function())
    {
        set(&env.into(), HELPER, poll);
    }
}
