//! What the command line asks of Rust, as plain data. It does no I/O: Node does.

mod error;
mod image;
mod installation;
mod wheels;

pub use image::{called_modules, detach_modules, files_beside};
pub use installation::Installation;
pub use wheels::{Wheels, read_metadata};

use wasm_bindgen::prelude::wasm_bindgen;

/// Runs when the module is loaded: a panic, which is a defect of ours, is described on the console.
#[wasm_bindgen(start)]
pub fn initialise() {
    console_error_panic_hook::set_once();
}

/// What to send as the header `Accept` to a package index.
#[wasm_bindgen(js_name = accept)]
pub fn accept() -> String {
    taipan_core::index::ACCEPT.to_owned()
}
