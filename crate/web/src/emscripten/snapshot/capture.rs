//! Reading the state of an interpreter that is at rest.

use std::collections::{BTreeMap, HashMap, HashSet};

use js_sys::WebAssembly;
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, entries, get, index_functions, number};
use super::libraries::{self, Found};
use super::references::{self, Holders};
use super::{State, Table, heap};
use crate::emscripten::bindings::Module;
use crate::emscripten::linker::Linker;
use crate::error::{Code, Error, Result};

/// Linear memory is looked at and kept in pages of this many bytes.
pub const PAGE_SIZE: u32 = 4096;

/// What was captured.
pub struct Captured {
    /// The state outside linear memory.
    pub state: State,
    /// Linear memory itself, not a copy: it changes when Python runs.
    pub heap: js_sys::Uint8Array,
    /// Its pages that are not zero: first page and number of pages.
    pub runs: Vec<(u32, u32)>,
}

/// Captures an interpreter. Nothing must be running in it.
///
/// # Errors
/// [`Code::NotSupported`] for what cannot be captured.
pub fn capture(module: &Module, main: &WebAssembly::Module, linker: &Linker, holders: &Holders) -> Result<Captured> {
    let glue = Glue::new(module);
    heap::scrub(&glue)?;
    let (references, immortal_strings) = references::capture(&glue, holders)?;
    let mut found = libraries::find(&glue, linker)?;
    let symbols = symbols(&glue, main, &found);
    let table = table(&glue, &mut found, linker, &symbols)?;
    let heap = glue.heap();
    let state = State {
        heap_length: heap.length(),
        program_break: glue.call_export("sbrk", 0)?,
        stack_pointer: number(&glue.call("stackSave", &[])?).unwrap_or_default(),
        table,
        symbols: symbols.into_iter().map(|(name, symbol)| (name, symbol.value)).collect(),
        libraries: found.into_iter().map(|found| found.library).collect(),
        references,
        immortal_strings,
        directory: module.fs().cwd(),
    };
    let runs = heap::runs(&heap, PAGE_SIZE);
    Ok(Captured { state, heap, runs })
}

/// An entry of the global offset table.
struct Symbol {
    value: i32,
    is_function: bool,
}

/// The global offset table, as far as any module imports from it.
fn symbols(glue: &Glue, main: &WebAssembly::Module, found: &[Found]) -> BTreeMap<String, Symbol> {
    let table = glue.symbols();
    let mut symbols = BTreeMap::new();
    for module in std::iter::once(main).chain(found.iter().map(|found| &found.linked.module)) {
        for import in WebAssembly::Module::imports(module).iter() {
            let text = |name: &str| get(&import, name).as_string().unwrap_or_default();
            let is_function = match text("module").as_str() {
                "GOT.func" => true,
                "GOT.mem" => false,
                _ => continue,
            };
            let name = text("name");
            let value = get(&get(&table, &name), "value").as_f64().unwrap_or_default() as i32;
            let symbol = symbols.entry(name).or_insert(Symbol { value, is_function });
            symbol.is_function |= is_function;
        }
    }
    symbols
}

fn table(glue: &Glue, found: &mut [Found], linker: &Linker, symbols: &BTreeMap<String, Symbol>) -> Result<Table> {
    let functions = glue.table();
    let argument_counter = glue.number("_PyEM_CountArgsPtr").unwrap_or_default();
    let free: Vec<u32> = glue.free_slots().iter().filter_map(|slot| number(&slot)).collect();
    let exports: Vec<(String, JsValue)> = entries(&glue.exports()).collect();
    let by_function = index_functions(exports.iter().enumerate().map(|(index, (_, function))| (index, function)));
    let by_value: HashMap<u32, &str> = symbols
        .iter()
        .filter(|(_, symbol)| symbol.is_function)
        .map(|(name, symbol)| (symbol.value.cast_unsigned(), name.as_str()))
        .collect();
    let own_slots: Vec<(u32, u32)> = found
        .iter()
        .map(|found| (found.library.table_base, found.library.table_base + table_size(glue, found)))
        .collect();
    let mut wanted: HashSet<u32> = by_value.keys().copied().collect();
    wanted.extend(linker.looked_up());
    let mut table = Table { length: functions.length(), free, argument_counter, ..Table::default() };
    let mut by_library: Vec<(usize, js_sys::Map, Vec<String>)> = Vec::new();
    for (index, found) in found.iter().enumerate() {
        let exports: Vec<(String, JsValue)> = entries(get(&found.object, "exports").unchecked_ref()).collect();
        let map = index_functions(exports.iter().enumerate().map(|(index, (_, function))| (index, function)));
        by_library.push((index, map, exports.into_iter().map(|(name, _)| name).collect()));
    }
    let mut slots: Vec<u32> = wanted.into_iter().filter(|slot| *slot < table.length).collect();
    slots.sort_unstable();
    for slot in slots {
        let is_own = own_slots.iter().any(|(start, end)| (*start..*end).contains(&slot));
        if slot < linker.main_table_length() || is_own || slot == argument_counter {
            continue;
        }
        let Some(function) = functions.get_raw(slot).ok().filter(JsValue::is_function) else { continue };
        if let Some(index) = number(&by_function.get(&function)) {
            table.exports.push((slot, exports[index as usize].0.clone()));
            continue;
        }
        let of_library = by_library
            .iter()
            .find_map(|(library, map, names)| Some((*library, names[number(&map.get(&function))? as usize].clone())));
        if let Some((library, name)) = of_library {
            found[library].library.exports.push((slot, name));
            continue;
        }
        // Emscripten wraps a function of its JavaScript library before it puts it into the table.
        match by_value.get(&slot) {
            Some(name) if get(&glue.exports(), name).is_function() => {
                table.host_functions.push((slot, (*name).to_owned()));
            }
            _ => {
                return Err(Error::new(
                    Code::NotSupported,
                    format!("Nobody knows the function in slot {slot} of CPython's function table."),
                )
                .hint("A function made by `ctypes` or a callback may be in use: delete what holds it and try again."));
            }
        }
    }
    Ok(table)
}

/// How many slots of the table a library fills itself: `metadata.tableSize` of its `dylink.0` section.
fn table_size(glue: &Glue, found: &Found) -> u32 {
    let metadata = glue.call("getDylinkMetadata", &[found.linked.module.clone().into()]);
    metadata.ok().and_then(|metadata| number(&get(&metadata, "tableSize"))).unwrap_or_default()
}
