//! Failures as errors.

use js_sys::Array;
use taipan_core::install::Failure;
use wasm_bindgen::JsValue;

use super::wish;
use crate::error::{Code, Error};

/// The error for a failure: [`Code::PackageNotFound`] if the only thing wrong is that nobody has a package, what is wrong
/// with an address that a wheel requires, else [`Code::Resolution`].
pub fn failure(failure: &Failure) -> Error {
    if let Some(problem) = &failure.address {
        return wish::error(problem);
    }
    let names = &failure.suggestions;
    let code = if failure.is_unknown { Code::PackageNotFound } else { Code::Resolution };
    let hint = if !names.is_empty() {
        format!("Did you mean {}?", names.join(" or "))
    } else if failure.is_loaded {
        "Restart Python and install everything in one call, before anything else is loaded.".to_owned()
    } else if failure.unknown.is_some() {
        "Check the spelling, and `indexURLs`.".to_owned()
    } else {
        "Loosen one of the requirements, or name versions that go together.".to_owned()
    };
    let suggestions: Array = names.iter().map(|name| JsValue::from(name.as_str())).collect();
    Error::new(code, failure.message.as_str()).hint(hint).field("suggestions", suggestions)
}
