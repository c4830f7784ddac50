//! Taipan in the browser: boots CPython, gives it its files, loads its packages, runs code.
//!
//! What JavaScript sees is [`Engine`], or Pyodide's own API by [`boot_pyodide`], with the types of `boundary.d.ts`. It
//! is meant to be used from a worker by `js/src/worker.ts`, but nothing in it needs a worker except waiting for the
//! user in `input()`.

mod archive_bytes;
mod archives;
mod boot;
mod boundary;
mod bytecode;
mod checkpoint;
mod detached;
mod directory_handle;
mod distribution;
mod emscripten;
mod engine;
mod error;
mod fetch;
mod global;
mod host_files;
mod image;
mod import_hook;
mod index_client;
mod install;
mod output;
mod packages;
mod part;
mod pyodide;
mod python_files;
mod remote_file;
mod session;
mod store;
mod timeline;

pub use engine::Engine;
pub use pyodide::boot_pyodide;

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs when the module is loaded: a panic, which is a defect of ours, is described on the console before it ends the
/// engine, and left for the error that JavaScript makes of the end.
#[wasm_bindgen(start)]
pub fn initialise() {
    std::panic::set_hook(Box::new(|panic| {
        global::note_panic(&panic.to_string());
        console_error_panic_hook::hook(panic);
    }));
    taipan_core::attempt::catch_traps(global::catch_trap);
}

#[cfg(test)]
mod tests {
    // The tests of this crate need a browser's objects; a setting of the crate as a whole.
    wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
}
