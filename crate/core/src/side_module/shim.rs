//! Small modules that stand in for side modules that are not linked yet.

use std::collections::BTreeMap;

use super::functions::{FUNCTION_FORM, FunctionType};
use super::reader::{END, MAGIC};
use super::section::{CODE, ELEMENT, EXPORT, FUNCTION, IMPORT, TYPE};
use super::writer::{i32_const, number, section, sized};

const I32: u8 = 0x7f;
const CALL: u8 = 0x10;
const CALL_INDIRECT: u8 = 0x11;
const LOCAL_GET: u8 = 0x20;
const FUNCREF: u8 = 0x70;

/// Imports of both: `shim` with `table`, and in a [`Shim`] `link`.
const MODULE: &[u8] = b"shim";

/// A module that fills slots of a table until the libraries that own them are linked.
///
/// It imports `shim.link`, a function that takes the number of a library, and `shim.table`, which has to be long enough.
/// When it is instantiated it puts a function into every slot, which calls `link` with the number of the slot's
/// library and then, with the arguments it was called with, what is in the slot. `link` has to have filled the slot
/// with the real function by then, or has to throw; it may be called again for a library that is linked, by whoever
/// kept what was in the slot.
#[derive(Debug, Clone, Default)]
pub struct Shim {
    types: Types,
    /// The library and type of each slot.
    slots: BTreeMap<u32, (u32, Type)>,
}

impl Shim {
    /// One that fills no slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills a slot on behalf of a library. The last one to fill a slot has it.
    pub fn add(&mut self, slot: u32, library: u32, function: FunctionType) {
        let function = self.types.add(function);
        self.slots.insert(slot, (library, function));
    }

    /// The module.
    pub fn finish(mut self) -> Vec<u8> {
        let link = self.types.add(FunctionType { params: &[I32], results: &[] });
        let mut imports = vec![2];
        sized(&mut imports, MODULE);
        sized(&mut imports, b"link");
        imports.push(0);
        number(&mut imports, link.index);
        import_table(&mut imports);
        let mut code = Code::default();
        // Slots in a row make a segment: its first slot and how many there are.
        let mut rows: Vec<(u32, u32)> = Vec::new();
        for (slot, (library, function)) in &self.slots {
            code.forward(*function, *slot, Some(*library));
            match rows.last_mut() {
                Some((first, count)) if *first + *count == *slot => *count += 1,
                _ => rows.push((*slot, 1)),
            }
        }
        let mut elements = Vec::new();
        number(&mut elements, rows.len() as u32);
        // The imported one is the first function.
        let mut function = 1;
        for (first, count) in rows {
            elements.push(0);
            i32_const(&mut elements, first);
            elements.push(END);
            number(&mut elements, count);
            (function..function + count).for_each(|function| number(&mut elements, function));
            function += count;
        }
        code.module(&self.types, &imports, (ELEMENT, &elements))
    }
}

/// A module of functions that call what is in a slot of a table.
///
/// It imports `shim.table` and exports the functions by their names. They stand in for imports of a side module that
/// have to be there before whoever exports them is.
#[derive(Debug, Clone, Default)]
pub struct Forwarder {
    types: Types,
    /// The slot and type of each function.
    functions: BTreeMap<String, (u32, Type)>,
}

impl Forwarder {
    /// One that exports nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exports a function that calls what is in a slot. The last one of a name has it.
    pub fn add(&mut self, name: &str, slot: u32, function: FunctionType) {
        let function = self.types.add(function);
        self.functions.insert(name.to_owned(), (slot, function));
    }

    /// The module.
    pub fn finish(self) -> Vec<u8> {
        let mut imports = vec![1];
        import_table(&mut imports);
        let mut code = Code::default();
        let mut exports = Vec::new();
        number(&mut exports, self.functions.len() as u32);
        for (name, (slot, function)) in &self.functions {
            sized(&mut exports, name.as_bytes());
            exports.push(0);
            number(&mut exports, code.count);
            code.forward(*function, *slot, None);
        }
        code.module(&self.types, &imports, (EXPORT, &exports))
    }
}

fn import_table(imports: &mut Vec<u8>) {
    sized(imports, MODULE);
    sized(imports, b"table");
    // A table of function references, of any size.
    imports.extend([1, FUNCREF, 0, 0]);
}

#[derive(Debug, Clone, Copy)]
struct Type {
    index: u32,
    params: u32,
}

/// Function types, each once.
#[derive(Debug, Clone, Default)]
struct Types {
    indices: BTreeMap<Vec<u8>, u32>,
    body: Vec<u8>,
}

impl Types {
    fn add(&mut self, function: FunctionType) -> Type {
        let mut form = vec![FUNCTION_FORM];
        sized(&mut form, function.params);
        sized(&mut form, function.results);
        let next = self.indices.len() as u32;
        let index = self.indices.get(&form).copied().unwrap_or_else(|| {
            self.body.extend_from_slice(&form);
            self.indices.insert(form, next);
            next
        });
        Type { index, params: function.params.len() as u32 }
    }
}

/// The functions of a module.
#[derive(Default)]
struct Code {
    count: u32,
    /// The type of each.
    types: Vec<u8>,
    bodies: Vec<u8>,
}

impl Code {
    /// Adds a function that calls what is in a slot with its own arguments, once the slot's library is linked.
    fn forward(&mut self, function: Type, slot: u32, library: Option<u32>) {
        // Without locals.
        let mut body = vec![0];
        if let Some(library) = library {
            i32_const(&mut body, library);
            body.extend([CALL, 0]);
        }
        for param in 0..function.params {
            body.push(LOCAL_GET);
            number(&mut body, param);
        }
        i32_const(&mut body, slot);
        body.push(CALL_INDIRECT);
        number(&mut body, function.index);
        body.extend([0, END]);
        sized(&mut self.bodies, &body);
        number(&mut self.types, function.index);
        self.count += 1;
    }

    /// The module, with a section of exports or elements.
    fn module(self, types: &Types, imports: &[u8], (id, between): (u8, &[u8])) -> Vec<u8> {
        let counted = |count: u32, items: &[u8]| {
            let mut body = Vec::with_capacity(items.len() + 5);
            number(&mut body, count);
            body.extend_from_slice(items);
            body
        };
        let mut module = MAGIC.to_vec();
        section(&mut module, TYPE, &counted(types.indices.len() as u32, &types.body));
        section(&mut module, IMPORT, imports);
        section(&mut module, FUNCTION, &counted(self.count, &self.types));
        section(&mut module, id, between);
        section(&mut module, CODE, &counted(self.count, &self.bodies));
        module
    }
}
