//! Small modules that stand in for side modules that are not linked yet.

use super::functions::FunctionType;
use super::reader::{END, MAGIC};
use super::section::{CODE, ELEMENT, EXPORT, FUNCTION, IMPORT, TYPE};
use super::writer::{counted, i32_const, number, section, sized, type_index};

const I32: u8 = 0x7f;
const UNREACHABLE: u8 = 0x00;
const EMPTY: u8 = 0x40;
const IF: u8 = 0x04;
const RETURN: u8 = 0x0f;
const CALL: u8 = 0x10;
const CALL_INDIRECT: u8 = 0x11;
const LOCAL_GET: u8 = 0x20;
const I32_EQZ: u8 = 0x45;
const FUNCREF: u8 = 0x70;

const MODULE: &[u8] = b"shim";
const LINK: FunctionType = FunctionType { params: &[I32, I32], results: &[I32] };

/// A module that fills slots of a table until the libraries that own them are linked.
///
/// It imports `shim.link`, a function that takes the number of a library and an [`Unlinked`], and `shim.table`, which has
/// to be long enough. When it is instantiated it puts a function into every slot, which calls `link` with the number of the
/// slot's library and then, with the arguments it was called with, what is in the slot. `link` gives 1 when it has filled the
/// slot with the real function. It may be called again for a library that is linked, by whoever kept what was in the slot.
/// Where it gives 0, the function that was called returns 0, or nothing, without having done anything.
#[derive(Debug, Clone, Default)]
pub struct Shim {
    forwarding: Forwarding,
    /// Slots that were added in a row: the first one and how many there are.
    rows: Vec<(u32, u32)>,
}

impl Shim {
    /// One that fills no slot.
    pub fn new() -> Self {
        Self::default()
    }

    /// Fills a slot on behalf of a library. The last one to fill a slot has it. Slots in ascending order make the
    /// smallest module.
    pub fn add(&mut self, slot: u32, library: u32, function: FunctionType) {
        self.forwarding.add(function, slot, Some(library));
        match self.rows.last_mut() {
            Some((first, count)) if first.checked_add(*count) == Some(slot) => *count += 1,
            _ => self.rows.push((slot, 1)),
        }
    }

    /// The module.
    pub fn finish(mut self) -> Vec<u8> {
        let mut imports = Vec::new();
        sized(&mut imports, MODULE);
        sized(&mut imports, b"link");
        imports.push(0);
        number(&mut imports, type_index(&mut self.forwarding.types, LINK));

        let mut segments = Vec::new();
        // The imported one is the first function.
        let mut function = 1;
        for (first, count) in &self.rows {
            segments.push(0);
            i32_const(&mut segments, *first);
            segments.push(END);
            number(&mut segments, *count);
            for _ in 0..*count {
                number(&mut segments, function);
                function += 1;
            }
        }
        self.forwarding.module(1, imports, ELEMENT, self.rows.len() as u32, &segments)
    }
}

/// What a function can say to its caller when the library that it belongs to cannot be linked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Unlinked {
    /// Nothing: `link` has to throw, it must not give 0.
    Throws = 0,
    /// It returns 0. For a function of Python's that is an exception, which has to have been set.
    IsZero = 1,
    /// It returns nothing.
    IsSilent = 2,
}

impl Unlinked {
    /// What a function of this type can say.
    const fn of(function: FunctionType) -> Self {
        match function.results {
            [] => Self::IsSilent,
            [I32] => Self::IsZero,
            _ => Self::Throws,
        }
    }

    /// As `link` is given it.
    #[must_use]
    pub const fn from_number(number: u32) -> Self {
        match number {
            1 => Self::IsZero,
            2 => Self::IsSilent,
            _ => Self::Throws,
        }
    }
}

/// A module of functions that call what is in a slot of a table.
///
/// It imports `shim.table` and exports the functions by their names. They stand in for imports of a side module that
/// have to be there before whoever exports them is.
#[derive(Debug, Clone, Default)]
pub struct Forwarder {
    forwarding: Forwarding,
    exports: Vec<u8>,
}

impl Forwarder {
    /// One that exports nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Exports a function that calls what is in a slot. No module may export a name twice.
    pub fn add(&mut self, name: &str, slot: u32, function: FunctionType) {
        sized(&mut self.exports, name.as_bytes());
        self.exports.push(0);
        number(&mut self.exports, self.forwarding.count);
        self.forwarding.add(function, slot, None);
    }

    /// The module.
    pub fn finish(self) -> Vec<u8> {
        let count = self.forwarding.count;
        self.forwarding.module(0, Vec::new(), EXPORT, count, &self.exports)
    }
}

/// Functions that call what is in a slot with the arguments they were called with.
#[derive(Debug, Clone, Default)]
struct Forwarding {
    /// Each once, as a module has them. There are some hundreds, the most frequent ones among the first.
    types: Vec<Vec<u8>>,
    count: u32,
    /// The index of the type of each.
    functions: Vec<u8>,
    code: Vec<u8>,
}

impl Forwarding {
    fn add(&mut self, function: FunctionType, slot: u32, library: Option<u32>) {
        let index = type_index(&mut self.types, function);
        // Without locals.
        let mut body = vec![0];
        if let Some(library) = library {
            let unlinked = Unlinked::of(function);
            i32_const(&mut body, library);
            i32_const(&mut body, unlinked as u32);
            body.extend_from_slice(&[CALL, 0, I32_EQZ, IF, EMPTY]);
            match unlinked {
                Unlinked::Throws => body.push(UNREACHABLE),
                Unlinked::IsZero => {
                    i32_const(&mut body, 0);
                    body.push(RETURN);
                }
                Unlinked::IsSilent => body.push(RETURN),
            }
            body.push(END);
        }
        for param in 0..function.params.len() as u32 {
            body.push(LOCAL_GET);
            number(&mut body, param);
        }
        i32_const(&mut body, slot);
        body.push(CALL_INDIRECT);
        number(&mut body, index);
        body.extend_from_slice(&[0, END]);
        sized(&mut self.code, &body);
        number(&mut self.functions, index);
        self.count += 1;
    }

    /// The module, which imports the table after `imported` other things, with a section of exports or elements.
    fn module(&self, imported: u32, mut imports: Vec<u8>, id: u8, count: u32, items: &[u8]) -> Vec<u8> {
        sized(&mut imports, MODULE);
        sized(&mut imports, b"table");
        // A table of function references, of any size.
        imports.extend_from_slice(&[1, FUNCREF, 0, 0]);
        let mut module = MAGIC.to_vec();
        for (id, count, items) in [
            (TYPE, self.types.len() as u32, &self.types.concat()[..]),
            (IMPORT, imported + 1, &imports),
            (FUNCTION, self.count, &self.functions),
            (id, count, items),
            (CODE, self.count, &self.code),
        ] {
            section(&mut module, id, &counted(count, items));
        }
        module
    }
}
