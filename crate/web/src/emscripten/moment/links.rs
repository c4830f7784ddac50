//! Side modules that are linked, and what linking has left in the glue's tables.

use std::collections::BTreeSet;
use std::rc::Rc;

use js_sys::{Array, Map, Object, Reflect};
use wasm_bindgen::{JsCast, JsValue};

use super::make_equal;
use crate::emscripten::abi::set;
use crate::emscripten::linker::{LinkedModule, Linker, Modules};
use crate::emscripten::snapshot::glue::{Glue, entries, get, index_functions, number};
use crate::error::Result;

/// What is linked at one moment.
pub struct SavedLinks {
    linked: Vec<Rc<LinkedModule>>,
    looked_up: BTreeSet<u32>,
    /// What could be linked.
    modules: Modules,
    tables: Rc<Tables>,
}

/// The glue's tables, as of a number of calls of the dynamic linker.
struct Tables {
    calls: u32,
    /// Libraries by name and by handle, copies of `LDSO`'s.
    libraries: [Object; 2],
    /// Each library, and a copy of what it says.
    contents: Vec<(Object, Object)>,
    /// What side modules are linked against: a copy.
    exports: Object,
    /// The global offset table: globals by symbol, and their values.
    symbols: Map,
    values: Vec<(JsValue, JsValue)>,
}

impl SavedLinks {
    /// What is linked now.
    pub fn now(glue: &Glue, linker: &Linker, before: Option<&Self>) -> Self {
        let calls = linker.calls();
        let known = before.map(|before| &before.tables).filter(|tables| tables.calls == calls);
        let tables = known.map_or_else(|| Rc::new(Tables::now(glue, calls)), Rc::clone);
        Self { linked: linker.linked(), looked_up: linker.looked_up(), modules: linker.modules(), tables }
    }

    /// Unlinks what has been linked since, and links what was linked then.
    pub fn roll_back(&self, glue: &Glue, linker: &Linker) {
        if self.tables.calls != linker.calls() {
            self.tables.roll_back(glue);
        }
        linker.roll_back(&self.linked, &self.looked_up, self.tables.calls);
        linker.set_modules(&self.modules);
    }
}

impl Tables {
    fn now(glue: &Glue, calls: u32) -> Self {
        let copy = |object: &Object| Object::assign(&Object::new(), object);
        let (by_name, by_handle) = glue.libraries();
        let contents = entries(&by_name).map(|(_, library)| {
            let library: Object = library.unchecked_into();
            let contents = copy(&library);
            (library, contents)
        });
        let (symbols, mut values) = (Map::new(), Vec::new());
        for table in symbol_tables(glue) {
            for entry in Object::entries(&table).iter() {
                let entry: Array = entry.unchecked_into();
                let global = entry.get(1);
                symbols.set(&entry.get(0), &global);
                values.push((global.clone(), get(&global, "value")));
            }
        }
        Self {
            calls,
            contents: contents.collect(),
            libraries: [copy(&by_name), copy(&by_handle)],
            exports: copy(&glue.exports()),
            symbols,
            values,
        }
    }

    fn roll_back(&self, glue: &Glue) {
        let (by_name, by_handle) = glue.libraries();
        let exports = glue.exports();
        for (object, wanted) in
            [(&by_name, &self.libraries[0]), (&by_handle, &self.libraries[1]), (&exports, &self.exports)]
        {
            make_equal(object, wanted);
        }
        for (library, contents) in &self.contents {
            make_equal(library, contents);
        }
        // `exports` of the main module's entry is the table itself, which has its contents again.
        let tables = symbol_tables(glue);
        for table in &tables {
            for name in Object::keys(table).iter() {
                if !self.symbols.has(&name) {
                    // An object of Emscripten's own: its entries can be deleted.
                    let _ = Reflect::delete_property(table, &name);
                }
            }
        }
        for (global, value) in &self.values {
            if get(global, "value") != *value {
                set(global.unchecked_ref(), "value", value);
            }
        }
    }
}

/// The global offset table, and where symbols that have an address are moved to (`Linker::watch_symbols`).
fn symbol_tables(glue: &Glue) -> [Object; 2] {
    let symbols = glue.symbols();
    let resolved = Object::get_prototype_of(&symbols);
    [symbols, resolved]
}

/// Empties the slots of modules that are not linked, at no moment that is kept either: their instances can be collected.
///
/// # Errors
/// [`crate::error::Code::Fatal`] if the glue fails.
pub fn clear_abandoned<'a>(glue: &Glue, linker: &Linker, kept: impl Iterator<Item = &'a SavedLinks>) -> Result<()> {
    let kept: Vec<&SavedLinks> = kept.collect();
    let is_kept = |module: &Rc<LinkedModule>| {
        kept.iter().any(|saved| saved.linked.iter().any(|linked| Rc::ptr_eq(linked, module)))
    };
    let abandoned = linker.take_abandoned(is_kept);
    if abandoned.is_empty() {
        return Ok(());
    }
    let table = glue.table();
    let functions: Vec<JsValue> =
        abandoned.iter().flat_map(|module| Object::values(&module.exports).to_vec()).collect();
    let exported = index_functions(functions.iter().enumerate());
    let mut ranges = Vec::with_capacity(abandoned.len());
    for module in &abandoned {
        let metadata = glue.call("getDylinkMetadata", &[module.module.clone().into()])?;
        let size = number(&get(&metadata, "tableSize")).unwrap_or_default();
        ranges.push(module.table_base..module.table_base + size);
    }
    for slot in linker.main_table_length()..table.length() {
        let is_own = ranges.iter().any(|range| range.contains(&slot));
        if is_own || table.get_raw(slot).is_ok_and(|function| exported.has(&function)) {
            glue.call("setWasmTableEntry", &[slot.into(), JsValue::NULL])?;
        }
    }
    Ok(())
}
