//! The state of a started CPython outside its linear memory: what Emscripten's glue and Pyodide's bridge keep in
//! JavaScript. It is captured from an interpreter that is at rest, and put into a module of the same distribution whose
//! `main` is never run. The glue is not changed: everything goes through what it leaves on `Module` and `API`.
//!
//! Sources: Emscripten's `src/lib/libdylink.js` and `src/lib/libaddfunction.js`, Pyodide's `src/core/hiwire` and
//! `src/js/snapshot.ts`, at the versions that [`super::abi`] names.

mod capture;
pub(in crate::emscripten) mod glue;
pub mod heap;
mod libraries;
mod references;
mod restore;

pub use self::capture::capture;
pub use self::references::Holders;
pub use self::restore::Restore;

/// The slot of the function that counts arguments, 0 if there is none.
pub fn argument_counter(manifest: &taipan_core::image::Manifest) -> u32 {
    let slot = manifest.numbers.get(numbers::ARGUMENT_COUNTER).copied().unwrap_or_default();
    u32::try_from(slot).unwrap_or_default()
}

/// Whether the glue makes such a function here: upstream keeps iOS away from garbage-collected types.
pub fn can_count_arguments() -> bool {
    !super::sentinel::is_ios()
}

/// Names of numbers in the manifest.
mod numbers {
    /// The stack pointer at rest.
    pub const STACK_POINTER: &str = "stackPointer";
    /// The slot of the function that counts arguments, 0 where the browser has none (`_PyEM_CountArgsPtr`).
    pub const ARGUMENT_COUNTER: &str = "argumentCounter";
}

/// Names of states in the manifest.
mod states {
    /// JavaScript values that Python holds, in the order of their references: JSON.
    pub const REFERENCES: &str = "references";
    /// JavaScript strings that are never given back: JSON.
    pub const STRINGS: &str = "strings";
    /// The current directory.
    pub const DIRECTORY: &str = "directory";
}
