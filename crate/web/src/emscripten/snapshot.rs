//! The state of a started CPython outside its linear memory: what Emscripten's glue and Pyodide's bridge keep in
//! JavaScript. It is captured from an interpreter that is at rest, and put into a module of the same distribution whose
//! `main` is never run. The glue is not changed: everything goes through what it leaves on `Module` and `API`.
//!
//! Sources: Emscripten's `src/lib/libdylink.js` and `src/lib/libaddfunction.js`, Pyodide's `src/core/hiwire` and
//! `src/js/snapshot.ts`, at the versions that [`super::abi`] names.

mod capture;
mod glue;
mod heap;
mod libraries;
mod references;
mod restore;

use serde::{Deserialize, Serialize};

pub use self::capture::{Captured, capture};
pub use self::glue::Glue;
pub use self::references::{Holder, Reference};
pub use self::restore::Restore;

/// What is kept of an interpreter beside its memory and its files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct State {
    /// Bytes of linear memory.
    pub heap_length: u32,
    /// Where the heap ends that `malloc` has taken so far (`sbrk(0)`).
    pub program_break: u32,
    /// The stack pointer at rest.
    pub stack_pointer: u32,
    /// The function table.
    pub table: Table,
    /// The value of each symbol in the global offset table that the main module or a side module imports.
    pub symbols: Vec<(String, i32)>,
    /// The side modules, in the order in which they were linked.
    pub libraries: Vec<Library>,
    /// JavaScript values that Python holds, in the order of their references.
    pub references: Vec<Reference>,
    /// JavaScript strings that are never given back.
    pub immortal_strings: Vec<String>,
    /// The current directory.
    pub directory: String,
}

/// What the function table holds besides the functions that modules put there themselves.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Slots.
    pub length: u32,
    /// Slots with an export of the main module.
    pub exports: Vec<(u32, String)>,
    /// Slots with a function of Emscripten's JavaScript library.
    pub host_functions: Vec<(u32, String)>,
    /// Slots that may be used again.
    pub free: Vec<u32>,
    /// The slot of the function that counts arguments, 0 where the browser has none (`_PyEM_CountArgsPtr`).
    pub argument_counter: u32,
}

/// A side module that is linked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Library {
    /// Where its file is.
    pub path: String,
    /// What Emscripten knows it by.
    pub names: Vec<String>,
    /// Addresses of the `struct dso` that stand for it. None if it is only needed by others.
    pub handles: Vec<u32>,
    /// How often it is open; absent if for ever.
    pub references: Option<u32>,
    /// Whether its symbols are everybody's.
    pub is_global: bool,
    /// Where its data begins.
    pub memory_base: u32,
    /// Its first slot of the function table.
    pub table_base: u32,
    /// Slots, besides its own, with an export of it.
    pub exports: Vec<(u32, String)>,
}
