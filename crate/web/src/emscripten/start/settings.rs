//! What the glue is told: Emscripten's settings, and in them Pyodide's API object.

use std::rc::Rc;

use js_sys::{Array, Object, Promise, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;
use web_sys::TextDecoder;

use super::StartOptions;
use crate::emscripten::abi::set;

/// The settings that every start has, as in Pyodide's `src/js/emscripten-settings.ts`.
pub fn settings(options: &StartOptions, api: &Object) -> Object {
    let settings = Object::new();
    for name in ["noImageDecoding", "noAudioDecoding"] {
        set(&settings, name, &true.into());
    }
    set(&settings, "noWasmDecoding", &false.into());
    set(&settings, "arguments", &Array::new());
    set(&settings, "API", api);
    let index_url = options.index_url.clone();
    set(
        &settings,
        "locateFile",
        &Closure::<dyn Fn(String) -> String>::new(move |file: String| format!("{index_url}{file}")).into_js_value(),
    );
    for (name, is_stderr) in [("print", false), ("printErr", true)] {
        let print = Rc::clone(&options.print);
        let print = Closure::<dyn Fn(JsValue)>::new(move |text: JsValue| {
            print(is_stderr, &text.as_string().unwrap_or_default());
        });
        set(&settings, name, &print.into_js_value());
    }
    settings
}

/// Pyodide's internal `API` object, as its loader hands it to the glue.
pub fn api(options: &StartOptions) -> Object {
    let api = Object::new();
    set(&api, "lockFilePromise", &Promise::resolve(&decoded(&options.lock_file)));
    options.abi.extend_api(&api);
    if let Some(configuration) = &options.configuration {
        set(&api, "config", &configuration.0);
        return api;
    }
    let config = Object::new();
    let text = |name: &str, value: &str| set(&config, name, &value.into());
    text("indexURL", &options.index_url);
    text("packageBaseUrl", &options.package_base_url);
    text("packageCacheDir", &options.package_base_url);
    text("cdnUrl", &options.package_base_url);
    set(&config, "fullStdLib", &false.into());
    set(&config, "jsglobals", &js_sys::global());
    set(&config, "args", &Array::new());
    set(&config, "packages", &Array::new());
    set(&config, "enableRunUntilComplete", &true.into());
    set(&config, "checkAPIVersion", &true.into());
    let environment = Object::new();
    for (name, value) in &options.environment {
        set(&environment, name, &value.into());
    }
    set(&config, "env", &environment);
    set(&api, "config", &config);
    api
}

/// A file of text as JavaScript has it.
fn decoded(bytes: &Uint8Array) -> JsValue {
    TextDecoder::new().and_then(|decoder| decoder.decode_with_js_u8_array(bytes)).map_or(JsValue::NULL, JsValue::from)
}
