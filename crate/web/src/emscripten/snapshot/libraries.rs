//! Side modules that are linked, as Emscripten's dynamic linker keeps them.

use std::rc::Rc;

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

use super::Library;
use super::glue::{Glue, entries, get, number};
use crate::emscripten::linker::{LinkedModule, Linker};
use crate::error::{Code, Error, Result};

/// `struct dso` of Emscripten's `dynlink.c`: the word with the first slot of the function table.
const TABLE_BASE: u32 = 20;

/// A library with what is needed to look at it.
pub struct Found {
    pub library: Library,
    pub linked: Rc<LinkedModule>,
    /// Emscripten's object for it.
    pub object: JsValue,
}

/// The libraries that are linked.
///
/// # Errors
/// [`Code::NotSupported`] for one that was not linked by our linker, or that brought JavaScript of its own.
pub fn find(glue: &Glue, linker: &Linker) -> Result<Vec<Found>> {
    let (by_name, by_handle) = glue.libraries();
    let modules = linker.linked();
    let mut found: Vec<Found> = Vec::new();
    for (name, object) in entries(&by_name).filter(|(name, _)| name != "__main__") {
        if let Some(known) = found.iter_mut().find(|known| known.object == object) {
            known.library.names.push(name);
            continue;
        }
        let handles: Vec<u32> = entries(&by_handle)
            .filter(|(_, other)| *other == object)
            .filter_map(|(handle, _)| handle.parse().ok())
            .filter(|handle| *handle != 0)
            .collect();
        let exports = get(&object, "exports");
        let by_base = |base: u32| modules.iter().find(|module| module.table_base == base);
        let module = match handles.first() {
            Some(handle) => by_base(glue.word(handle + TABLE_BASE)),
            None => modules.iter().find(|module| shares_a_function(&module.exports, &exports)),
        };
        let module = module.ok_or_else(|| unknown(&name))?;
        if entries(&module.exports).any(|(name, _)| name.starts_with("__em_js__") || name == "__start_em_asm") {
            return Err(Error::new(
                Code::NotSupported,
                format!("{name} has JavaScript of its own, which cannot be put into an image."),
            ));
        }
        let references =
            number(&get(&object, "refcount")).filter(|_| get(&object, "refcount").as_f64().is_some_and(f64::is_finite));
        found.push(Found {
            library: Library {
                path: module.path.clone(),
                names: vec![name],
                handles,
                references,
                is_global: get(&object, "global").is_truthy(),
                memory_base: module.memory_base,
                table_base: module.table_base,
                exports: Vec::new(),
            },
            linked: Rc::clone(module),
            object,
        });
    }
    found.sort_by_key(|found| found.linked.order);
    Ok(found)
}

fn shares_a_function(ours: &Object, theirs: &JsValue) -> bool {
    entries(ours)
        .find(|(_, value)| value.is_function())
        .is_some_and(|(name, function)| Reflect::get(theirs, &name.into()).is_ok_and(|other| other == function))
}

fn unknown(name: &str) -> Error {
    Error::new(Code::NotSupported, format!("The library {name} was linked in a way that an image cannot repeat."))
        .hint("Load libraries by importing them.")
}
