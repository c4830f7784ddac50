//! Side modules that are linked, as Emscripten's dynamic linker keeps them.

use std::rc::Rc;

use js_sys::{Array, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, entries, get, number};
use crate::emscripten::linker::{LinkedModule, Linker};
use crate::error::{Code, Error, Result};

/// `struct dso` of Emscripten's `dynlink.c`: the word with the first slot of the function table.
const TABLE_BASE: u32 = 20;

/// A library that is linked.
pub struct Library {
    /// What Emscripten knows it by.
    pub names: Vec<String>,
    /// Addresses of the `struct dso` that stand for it. None if it is only needed by others.
    pub handles: Vec<u32>,
    /// How often it is open; absent if for ever.
    pub references: Option<u32>,
    /// Whether its symbols are everybody's.
    pub is_global: bool,
    /// Bytes of its data.
    pub memory_size: u32,
    /// Slots that it fills itself.
    pub table_size: u32,
    /// Libraries whose symbols it sees: what it needs, and what these need.
    pub needed: Vec<u32>,
    /// Where it is.
    pub linked: Rc<LinkedModule>,
    /// Emscripten's object for it.
    pub object: JsValue,
}

/// The libraries that are linked, in the order in which they were.
///
/// # Errors
/// [`Code::NotSupported`] for one that was not linked by our linker, or that brought JavaScript of its own.
pub fn find(glue: &Glue, dynamic_linker: &Linker) -> Result<Vec<Library>> {
    let (by_name, by_handle) = glue.libraries();
    let modules = dynamic_linker.linked();
    let mut found: Vec<Library> = Vec::new();
    for (name, object) in entries(&by_name).filter(|(name, _)| name != "__main__") {
        if let Some(known) = found.iter_mut().find(|known| known.object == object) {
            known.names.push(name);
            continue;
        }
        let handles: Vec<u32> = entries(&by_handle)
            .filter(|(_, other)| *other == object)
            .filter_map(|(handle, _)| handle.parse().ok())
            .filter(|handle| *handle != 0)
            .collect();
        let exports = get(&object, "exports");
        let place = match handles.first() {
            Some(handle) => modules.iter().find(|module| module.table_base == glue.word(handle + TABLE_BASE)),
            None => modules.iter().find(|module| shares_a_function(&module.exports, &exports)),
        };
        let linked = Rc::clone(place.ok_or_else(|| unknown(&name))?);
        if entries(&linked.exports).any(|(name, _)| name.starts_with("__em_js__") || name == "__start_em_asm") {
            return Err(Error::new(
                Code::NotSupported,
                format!("{name} has JavaScript of its own, which cannot be put into an image."),
            ));
        }
        let metadata = glue.side_module(&linked.module)?;
        let size = |name: &str| number(&get(&metadata, name)).unwrap_or_default();
        let references = get(&object, "refcount").as_f64().filter(|count| count.is_finite());
        found.push(Library {
            names: vec![name],
            handles,
            references: references.map(|count| count as u32),
            is_global: get(&object, "global").is_truthy(),
            memory_size: size("memorySize"),
            table_size: size("tableSize"),
            needed: Vec::new(),
            linked,
            object,
        });
    }
    found.sort_by_key(|library| library.linked.order);
    find_needed(glue, &mut found)?;
    Ok(found)
}

fn find_needed(glue: &Glue, libraries: &mut [Library]) -> Result<()> {
    let mut direct: Vec<Vec<usize>> = Vec::with_capacity(libraries.len());
    for library in &*libraries {
        let names: Array = get(&glue.side_module(&library.linked.module)?, "neededDynlibs").unchecked_into();
        let needed = names.iter().filter_map(|name| {
            let name = name.as_string()?;
            let suffix = format!("/{name}");
            let is_it = |known: &String| *known == name || known.ends_with(&suffix);
            libraries.iter().position(|library| library.names.iter().any(is_it))
        });
        direct.push(needed.collect());
    }
    for (index, library) in libraries.iter_mut().enumerate() {
        let mut open = direct[index].clone();
        while let Some(next) = open.pop() {
            let number = next as u32;
            if next != index && !library.needed.contains(&number) {
                library.needed.push(number);
                open.extend(&direct[next]);
            }
        }
    }
    Ok(())
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
