//! The state of a started CPython outside its linear memory: what Emscripten's glue and Pyodide's bridge keep in
//! JavaScript. It is captured from an interpreter that is at rest, and put into a module of the same distribution whose
//! `main` is never run. The glue is not changed: everything goes through what it leaves on `Module` and `API`.
//!
//! Sources: Emscripten's `src/lib/libdylink.js` and `src/lib/libaddfunction.js`, Pyodide's `src/core/hiwire` and
//! `src/js/snapshot.ts`, at the versions that [`super::abi`] names.

mod capture;
mod exception;
pub(in crate::emscripten) mod glue;
pub mod heap;
mod libraries;
mod main_exports;
mod open_files;
mod references;
mod restore;
mod run_sync;
mod side_modules;
mod time_zone;

pub use self::capture::capture;
pub use self::references::Holders;
pub use self::restore::{Restore, WASM_PAGE};
pub use self::side_modules::{SideModuleSource, SideModules};

/// Names of numbers in the manifest.
mod numbers {
    /// The stack pointer at rest.
    pub const STACK_POINTER: &str = "stackPointer";
    /// The slot of the function that the glue makes when it starts, 0 where the browser is not trusted with one
    /// ([`Abi::call_helper_offset`](super::super::abi::Abi::call_helper_offset)).
    pub const CALL_HELPER: &str = "callHelper";
}

/// Names of states in the manifest.
mod states {
    /// JavaScript values that Python holds, in the order of their references: JSON.
    pub const REFERENCES: &str = "references";
    /// JavaScript strings that are never given back: JSON.
    pub const STRINGS: &str = "strings";
    /// The current directory.
    pub const DIRECTORY: &str = "directory";
    /// Files that are open: JSON.
    pub const OPEN_FILES: &str = "openFiles";
}
