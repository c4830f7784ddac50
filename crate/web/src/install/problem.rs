//! Conflicts as errors.

use js_sys::Array;
use taipan_core::name::near;
use taipan_core::resolve::Conflict;
use wasm_bindgen::JsValue;

use super::knowledge::Knowledge;
use crate::error::{Code, Error};

/// The error for a conflict: [`Code::PackageNotFound`] if the only thing wrong is that nobody has a package, else
/// [`Code::Resolution`].
pub fn conflict(conflict: &Conflict, knowledge: &Knowledge<'_>) -> Error {
    let unknown = conflict.without_files.iter().next();
    let names: Vec<String> = unknown.map_or_else(Vec::new, |unknown| near(knowledge.locked_names(), unknown.as_str()));
    let error = match (unknown, conflict.sentences.as_slice()) {
        (Some(_), [only]) => Error::new(Code::PackageNotFound, only.as_str()),
        _ => Error::new(Code::Resolution, conflict.to_string()),
    };
    let is_loaded = conflict.names.iter().any(|name| knowledge.is_loaded(name));
    let hint = if !names.is_empty() {
        format!("Did you mean {}?", names.join(" or "))
    } else if is_loaded {
        "Restart Python and install everything in one call, before anything else is loaded.".to_owned()
    } else if unknown.is_some() {
        "Check the spelling, and `indexURLs`.".to_owned()
    } else {
        "Loosen one of the requirements, or name versions that go together.".to_owned()
    };
    let suggestions: Array = names.iter().map(|name| JsValue::from(name.as_str())).collect();
    error.hint(hint).field("suggestions", suggestions)
}
