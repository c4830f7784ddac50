//! Calls through pointers, before browsers draw conclusions from them.
//!
//! V8 (from 13.7 on) puts into a loop that it optimises what the loop calls, and, where that calls through a pointer, the
//! functions that the pointer has led to so far. Another one makes it throw the loop's code away. CPython calls the methods
//! of types in this way, and its interpreter's loop is optimised when it has seen the types of a few modules of the standard
//! library: by the end of `import pandas` it has been optimised five to eight times, 150 to 400 ms of a core each time, and
//! has run unoptimised meanwhile. V8 draws no conclusion from a call that leads to another instance. So each function of
//! CPython's that this was seen with makes one such call before CPython runs, on an object that is made up for it.
//!
//! Sources: V8's `src/wasm/module-compiler.cc` (`has_non_inlineable_targets`) and, for the object, CPython's
//! `Include/object.h` and `Include/cpython/object.h`, which are alike in 3.13 and 3.14.

use js_sys::{Array, Function, Object, Uint32Array, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::snapshot::glue::get;
use super::wrapping::Wrapping;

/// Bytes at the end of memory that the object and its type take.
const SIZE: u32 = 256;

/// Where they are in there, in bytes.
const TYPE: u32 = 16;
const METHODS: u32 = 192;

/// `PyObject`: its type, and where an object of this type has its `vectorcall`.
const OB_TYPE: u32 = 4;
const VECTORCALL: u32 = 8;

/// `PyTypeObject`.
const VECTORCALL_OFFSET: u32 = 28;
const AS_SEQUENCE: u32 = 52;
const AS_MAPPING: u32 = 56;
const GETATTRO: u32 = 72;
const FLAGS: u32 = 84;
const ITER: u32 = 108;
const ITERNEXT: u32 = 112;
const IS_GC: u32 = 164;

/// `PySequenceMethods` and `PyMappingMethods` begin with a length.
const LENGTH: u32 = 0;
const CONTAINS: u32 = 28;

/// `Py_TPFLAGS_HAVE_VECTORCALL`, `Py_TPFLAGS_HAVE_GC`, and `Py_TPFLAGS_UNICODE_SUBCLASS`, because the object is the name of
/// its attribute too.
const FLAGS_OF_TYPE: u32 = 1 << 11 | 1 << 14 | 1 << 28;

/// Has CPython make the calls. Memory and table are as before when this returns; where something is not as expected, fewer
/// calls have been made, and CPython is as fast as without them.
///
/// To be called when the main module has been instantiated and none of its functions has run.
pub fn show_another_instance(memory: &WebAssembly::Memory, exports: &Object, table: &WebAssembly::Table) {
    let buffer = memory.buffer();
    let Some(object) = Uint32Array::new(&buffer).byte_length().checked_sub(SIZE) else { return };
    let words = Uint32Array::new_with_byte_offset_and_length(&buffer, object, SIZE / 4);
    let Some(slot) = table.length().checked_sub(1) else { return };
    let Ok(before) = table.get(slot) else { return };
    if words.to_vec().iter().all(|word| *word == 0) {
        // What fails (an export that is missing, a slot that cannot be set) leaves CPython slow, not wrong.
        let _ = make_calls(exports, table, slot, (object, &words));
        words.fill(0, 0, words.length());
    }
    let _ = table.set(slot, &before);
}

fn make_calls(
    exports: &Object,
    table: &WebAssembly::Table,
    slot: u32,
    (object, words): (u32, &Uint32Array),
) -> Result<(), JsValue> {
    let functions = methods()?;
    let write = |offset: u32, value: u32| words.set_index(offset / 4, value);
    let call = |name: &str, arguments: &[u32], method: &str| {
        table.set(slot, get(&functions, method).unchecked_ref())?;
        let function: Function = get(exports, name).dyn_into()?;
        function.apply(&JsValue::UNDEFINED, &arguments.iter().map(|number| JsValue::from(*number)).collect::<Array>())
    };
    write(OB_TYPE, object + TYPE);
    write(VECTORCALL, slot);
    for (field, value) in [
        (VECTORCALL_OFFSET, VECTORCALL),
        (AS_SEQUENCE, object + METHODS),
        (GETATTRO, slot),
        (FLAGS, FLAGS_OF_TYPE),
        (ITER, slot),
        (ITERNEXT, slot),
        (IS_GC, slot),
    ] {
        write(TYPE + field, value);
    }
    write(METHODS + LENGTH, slot);
    write(METHODS + CONTAINS, slot);
    call("PyObject_Vectorcall", &[object, 0, 0, 0], VECTORCALL_METHOD)?;
    call("PyObject_CallOneArg", &[object, object], VECTORCALL_METHOD)?;
    call("PyObject_GetAttr", &[object, object], BINARY)?;
    call("PySequence_Contains", &[object, object], BINARY)?;
    call("PyObject_GetIter", &[object], UNARY)?;
    call("PyIter_Next", &[object], UNARY)?;
    call("PyObject_IS_GC", &[object], UNARY)?;
    call("PyObject_Size", &[object], UNARY)?;
    // It asks a mapping in another place.
    write(TYPE + AS_SEQUENCE, 0);
    write(TYPE + AS_MAPPING, object + METHODS);
    call("PyObject_Size", &[object], UNARY)?;
    Ok(())
}

/// What stands in for methods, by their parameters.
const UNARY: &str = "unary";
const BINARY: &str = "binary";
const VECTORCALL_METHOD: &str = "vectorcall";

/// Functions that return their first parameter, the object.
fn methods() -> Result<Object, JsValue> {
    let identity = Closure::<dyn Fn(JsValue) -> JsValue>::new(|object| object).into_js_value();
    let mut wrapping = Wrapping::default();
    for (name, signature) in [(UNARY, "ii"), (BINARY, "iii"), (VECTORCALL_METHOD, "iiiii")] {
        wrapping.add(name, &identity, signature);
    }
    wrapping.finish_now()
}
