//! Pyodide's `run_sync`, of which there are two.
//!
//! Where the browser has no stack switching, Pyodide starts with a function in its place that only raises an error, and
//! notes its number in memory (`jsproxy_init` of Pyodide's `src/core/jsproxy.c`). A browser that restores an image may be of
//! the other kind, so the number is written anew there.

use wasm_bindgen::JsValue;

use super::glue::{Glue, get};

/// The two functions, and what their slots in the function table are called in the manifest.
const WAITS: (&str, &str) = ("run_sync", "runSync");
const REFUSES: (&str, &str) = ("run_sync_not_supported", "runSyncNotSupported");

/// The data with the number of that in use: a `PyMethodDef`, the second word of which is the function.
const METHODS: &str = "methods";
const FUNCTION: u32 = 4;

/// Whether the glue can switch stacks.
const CAN_SWITCH: &str = "jspiSupported";

/// The slots of both functions among the first of the table, by their names in the manifest; none where the number in
/// memory is another's.
pub fn find(glue: &Glue, slots: u32) -> Vec<(String, i64)> {
    let (table, exports) = (glue.table(), glue.exports());
    // One function may be two objects in WebKit. Its name is its number in the module that all of these slots are of.
    let name_of = |function: JsValue| get(&function, "name").as_string().filter(|_| function.is_function());
    let slot_of = |export: &str| {
        let wanted = name_of(get(&exports, export))?;
        (0..slots).find(|slot| table.get_raw(*slot).ok().and_then(name_of).is_some_and(|name| name == wanted))
    };
    let found: Vec<(String, i64)> = [WAITS, REFUSES]
        .iter()
        .filter_map(|(export, number)| Some(((*number).to_owned(), slot_of(export)?.into())))
        .collect();
    let in_use = glue.address(METHODS).map(|methods| i64::from(glue.word(methods + FUNCTION)));
    if found.len() == 2 && found.iter().any(|(_, slot)| Some(*slot) == in_use) { found } else { Vec::new() }
}

/// Puts the function of this browser into memory that has just been restored; `number` gives one of the manifest, 0 if it
/// is not there.
pub fn renew(glue: &Glue, number: impl Fn(&str) -> u32) {
    let slots = [WAITS, REFUSES].map(|(_, name)| number(name));
    let Some(methods) = glue.address(METHODS).filter(|_| !slots.contains(&0)) else { return };
    if slots.contains(&glue.word(methods + FUNCTION)) {
        let [waits, refuses] = slots;
        let slot = if glue.part(CAN_SWITCH).is_truthy() { waits } else { refuses };
        glue.words().set_index((methods + FUNCTION) >> 2, slot);
    }
}
