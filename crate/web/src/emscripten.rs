//! Everything that knows the internals of Emscripten's glue.
//!
//! One distribution's glue differs from the next; what differs is in [`abi`] and nowhere else. The other modules rely
//! on what all supported versions share: the `FS` object, the import object handed to `instantiateWasm`, and
//! `FS.readFile` as the door through which the dynamic linker reads libraries.

pub mod abi;
pub mod bindings;
pub mod call_sites;
pub mod file_system;
pub mod handles;
pub mod linker;
pub mod module_lookup;
pub mod moment;
pub mod native_fs;
pub mod node;
pub mod package_manager;
pub mod sentinel;
pub mod signals;
pub mod snapshot;
pub mod start;
pub mod wrapping;
