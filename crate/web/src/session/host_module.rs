//! What Python can ask of the page: the module `_taipan_host`, and the three streams.

use std::rc::Rc;

use js_sys::{Function, Object, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::signals::Signals;
use crate::boundary::EngineHost;
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Api, PublicApi};
use crate::import_hook;
use crate::output::{Output, Stream};
use crate::packages::Packages;

type Thrown<T> = Result<T, JsValue>;

/// The JavaScript object that Python imports as `_taipan_host`.
pub fn make(
    host: &EngineHost,
    output: &Rc<Output>,
    packages: &Rc<Packages>,
    signals: &Rc<Signals>,
    api: &Api,
) -> Object {
    let module = Object::new();
    let sink = Rc::clone(output);
    let display = Closure::<dyn Fn(String)>::new(move |json: String| sink.display(&json));
    set(&module, "display", &display.into_js_value());
    let can_read = host.read_line_function().is_some();
    set(&module, "canReadLine", &can_read.into());
    if can_read {
        let host = host.clone();
        let read = Closure::<dyn Fn(String) -> Thrown<JsValue>>::new(move |prompt: String| {
            // A plain `undefined` becomes Python's None.
            Ok(host.read_line(&prompt)?.map_or(JsValue::UNDEFINED, JsValue::from))
        });
        set(&module, "readLine", &read.into_js_value());
    }
    let signals = Rc::clone(signals);
    let is_interrupted = Closure::<dyn Fn() -> bool>::new(move || signals.look() != 0);
    set(&module, "isInterrupted", &is_interrupted.into_js_value());
    import_hook::add_functions(&module, packages, api);
    let object: Function = Object::new().constructor();
    if let Ok(from_entries) = Reflect::get(&object, &"fromEntries".into()) {
        set(&module, "fromEntries", &from_entries);
    }
    module
}

/// Connects file descriptors 0, 1 and 2.
///
/// # Errors
/// What Pyodide throws.
pub fn connect_streams(api: &PublicApi, host: &EngineHost, output: &Rc<Output>) -> Thrown<()> {
    api.set_stdout(&writer(Stream::Stdout, output))?;
    api.set_stderr(&writer(Stream::Stderr, output))?;
    let stdin = Object::new();
    if host.read_line_function().is_some() {
        let host = host.clone();
        let read = Closure::<dyn Fn() -> Thrown<JsValue>>::new(move || {
            Ok(host.read_line("")?.map_or(JsValue::NULL, |line| format!("{line}\n").into()))
        });
        set(&stdin, "stdin", &read.into_js_value());
    } else {
        set(&stdin, "error", &true.into());
    }
    api.set_stdin(&stdin)
}

fn writer(stream: Stream, output: &Rc<Output>) -> Object {
    let output = Rc::clone(output);
    let write = Closure::<dyn Fn(JsValue) -> u32>::new(move |bytes: JsValue| {
        let bytes: Uint8Array = bytes.unchecked_into();
        output.write(stream, &bytes);
        bytes.length()
    });
    let options = Object::new();
    set(&options, "write", &write.into_js_value());
    set(&options, "isatty", &false.into());
    options
}
