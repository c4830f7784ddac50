//! What is in wheels.

use std::rc::Rc;

use serde::Serialize;
use taipan_core::install;
use taipan_core::install::WheelProblem;
use taipan_core::source::SharedSource;
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::error;

/// Wheels that are to be deployed together.
#[wasm_bindgen]
#[derive(Default)]
pub struct Wheels(install::Wheels);

#[derive(Serialize)]
struct Entry {
    name: String,
    version: String,
    imports: Vec<String>,
}

#[wasm_bindgen]
impl Wheels {
    /// None yet.
    #[wasm_bindgen(constructor)]
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Checks a wheel, also against those before it: `{ name, version, imports }`. `is_locked` says that a lock file
    /// vouches for it, `chosen_by` is the metadata that it was chosen by.
    ///
    /// # Errors
    /// `BAD_ARCHIVE`, `BAD_WHEEL`, `RESOLUTION` for two wheels with one module.
    pub fn add(
        &mut self,
        bytes: Vec<u8>,
        filename: &str,
        is_locked: bool,
        chosen_by: Option<String>,
    ) -> Result<JsValue, JsValue> {
        let source: SharedSource = Rc::new(bytes);
        let chosen_by = chosen_by.unwrap_or_default();
        let chosen_by = Some(chosen_by.as_str()).filter(|text| !text.is_empty());
        let added = self.0.add(&source, filename, is_locked, chosen_by);
        let entry = added.map_err(|problem| {
            let code = match problem {
                WheelProblem::Archive { .. } => "BAD_ARCHIVE",
                WheelProblem::Collision { .. } => "RESOLUTION",
                _ => "BAD_WHEEL",
            };
            error(code, &format!("{problem}."))
        })?;
        let (name, version) = (entry.name, entry.version);
        let entry = Entry { name, version, imports: entry.imports };
        Ok(serde_wasm_bindgen::to_value(&entry)?)
    }
}

/// `METADATA` of a whole wheel, as text.
///
/// # Errors
/// `BAD_WHEEL`; the message follows a colon.
#[wasm_bindgen(js_name = readMetadata)]
pub fn read_metadata(bytes: Vec<u8>) -> Result<String, JsValue> {
    taipan_core::wheel::read_metadata(Rc::new(bytes)).map_err(|problem| error("BAD_WHEEL", &problem.to_string()))
}
