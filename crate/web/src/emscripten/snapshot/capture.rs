//! Reading the state of an interpreter that is at rest.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use js_sys::{Map, WebAssembly};
use taipan_core::image::{ContentHash, LinkedModule, Manifest, ModuleBytes, TableEntry};
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, entries, get, index_functions, number};
use super::libraries::{self, Library};
use super::references::{self, Holders, Owner};
use super::{numbers, open_files, run_sync, states};
use crate::emscripten::abi::Abi;
use crate::emscripten::bindings::Module;
use crate::emscripten::linker::Linker;
use crate::error::{Code, Error, Result};

/// Adds the state outside linear memory to a manifest; files are for others to add. Nothing must be running. Gives the
/// path of each side module's file.
///
/// # Errors
/// [`Code::NotSupported`] for what cannot be captured.
pub fn capture(
    abi: Abi,
    module: &Module,
    main: &WebAssembly::Module,
    linker: &Linker,
    holders: &Holders,
    owner: &Owner<'_>,
    manifest: &mut Manifest,
) -> Result<Vec<String>> {
    let glue = Glue::new(module);
    linker.complete()?;
    let (references, strings) = references::capture(&glue, holders, owner)?;
    let json = |value: serde_json::Result<Vec<u8>>| {
        value.map_err(|error| Error::new(Code::Fatal, format!("A reference cannot be written: {error}")))
    };
    manifest.states.insert(states::REFERENCES.to_owned(), json(serde_json::to_vec(&references))?);
    manifest.states.insert(states::STRINGS.to_owned(), json(serde_json::to_vec(&strings))?);
    let open_files = open_files::capture(&module.fs())?;
    manifest.states.insert(states::OPEN_FILES.to_owned(), json(serde_json::to_vec(&open_files))?);
    manifest.states.insert(states::DIRECTORY.to_owned(), module.fs().cwd().into_bytes());
    let stack_pointer = number(&glue.call("stackSave", &[])?).unwrap_or_default();
    manifest.numbers.insert(numbers::STACK_POINTER.to_owned(), stack_pointer.into());

    let libraries = libraries::find(&glue, linker)?;
    read_symbols(&glue, main, &libraries, manifest);
    let call_helper = glue.call_helper(abi).map_or(0, |address| glue.word(address));
    manifest.numbers.insert(numbers::CALL_HELPER.to_owned(), call_helper.into());
    manifest.numbers.extend(run_sync::find(&glue, linker.main_table_length()));
    read_table(&glue, &libraries, linker, call_helper, manifest)?;
    manifest.modules = libraries
        .iter()
        .enumerate()
        .map(|(index, library)| LinkedModule {
            names: library.names.clone(),
            handles: library.handles.clone(),
            sha256: ContentHash::default(),
            bytes: ModuleBytes::Part { name: part_name(index) },
            memory_base: library.linked.memory_base,
            memory_size: library.memory_size,
            table_base: library.linked.table_base,
            table_size: library.table_size,
            references: library.references,
            is_global: library.is_global,
            is_dependency: library.handles.is_empty(),
            is_hot: true,
            needed: library.needed.clone(),
        })
        .collect();
    Ok(libraries.into_iter().map(|library| library.linked.path.clone()).collect())
}

/// The name of the part with a side module's bytes.
pub fn part_name(module: usize) -> String {
    format!("module-{module}")
}

/// The global offset table, as far as any module imports from it.
fn read_symbols(glue: &Glue, main: &WebAssembly::Module, libraries: &[Library], manifest: &mut Manifest) {
    let table = glue.symbols();
    for module in std::iter::once(main).chain(libraries.iter().map(|library| &library.linked.module)) {
        for import in WebAssembly::Module::imports(module).iter() {
            let text = |name: &str| get(&import, name).as_string().unwrap_or_default();
            let symbols = match text("module").as_str() {
                "GOT.func" => &mut manifest.functions,
                "GOT.mem" => &mut manifest.data,
                _ => continue,
            };
            let name = text("name");
            let value = get(&get(&table, &name), "value").as_f64().unwrap_or_default() as i32;
            symbols.insert(name, value);
        }
    }
}

/// Functions by identity, and their names.
struct Exports {
    by_function: Map,
    names: Vec<String>,
}

impl Exports {
    fn of(object: &JsValue) -> Self {
        let (names, functions): (Vec<String>, Vec<JsValue>) = entries(object.unchecked_ref()).unzip();
        Self { by_function: index_functions(functions.iter().enumerate()), names }
    }

    fn name(&self, function: &JsValue) -> Option<&str> {
        self.names.get(number(&self.by_function.get(function))? as usize).map(String::as_str)
    }
}

/// What is in the slots that memory may have the number of and that no module fills itself. The others were given out
/// to symbols that nobody has asked for: the linker gives them new ones when somebody does.
fn read_table(
    glue: &Glue,
    libraries: &[Library],
    linker: &Linker,
    call_helper: u32,
    manifest: &mut Manifest,
) -> Result<()> {
    let functions = glue.table();
    manifest.table_length = functions.length();
    manifest.free_slots = glue.free_slots().iter().filter_map(|slot| number(&slot)).collect();
    let shared = Exports::of(&glue.exports());
    let exports: Vec<Exports> = libraries.iter().map(|library| Exports::of(&get(&library.object, "exports"))).collect();
    let symbols: HashMap<u32, &str> =
        manifest.functions.iter().map(|(name, slot)| (slot.cast_unsigned(), name.as_str())).collect();
    let is_filled = |slot: u32| {
        let of_library = |library: &Library| {
            let first = library.linked.table_base;
            (first..first + library.table_size).contains(&slot)
        };
        slot < linker.main_table_length() || slot == call_helper || libraries.iter().any(of_library)
    };
    let wanted: BTreeSet<u32> = symbols.keys().copied().chain(linker.looked_up()).collect();
    let mut table = BTreeMap::new();
    for slot in wanted.into_iter().filter(|slot| *slot < manifest.table_length && !is_filled(*slot)) {
        let Some(function) = functions.get_raw(slot).ok().filter(JsValue::is_function) else { continue };
        let of_library = || {
            exports.iter().enumerate().find_map(|(module, exports)| {
                Some(TableEntry::Module { module: module as u32, name: exports.name(&function)?.to_owned() })
            })
        };
        // Emscripten wraps a function of its JavaScript library before it puts it into the table.
        let of_glue = || {
            let name = (*symbols.get(&slot)?).to_owned();
            let signature = get(&get(&glue.exports(), &name), "sig").as_string()?;
            Some(TableEntry::Glue { name, signature })
        };
        let entry = match shared.name(&function) {
            Some(name) => Some(TableEntry::Main { name: name.to_owned() }),
            None => of_library().or_else(of_glue),
        };
        table.insert(slot, entry.ok_or_else(|| unknown(slot))?);
    }
    manifest.table = table;
    Ok(())
}

fn unknown(slot: u32) -> Error {
    Error::new(Code::NotSupported, format!("Nobody knows the function in slot {slot} of CPython's function table."))
        .hint("A callback made with `ctypes` may be in use: delete what holds it and try again.")
}
