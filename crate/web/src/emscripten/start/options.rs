//! What starting CPython needs.

use std::collections::BTreeMap;
use std::rc::Rc;

use futures::future::LocalBoxFuture;
use js_sys::{Function, Uint8Array, WebAssembly};

use crate::emscripten::abi::Abi;
use crate::emscripten::bindings::Api;
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::handles::Handles;
use crate::emscripten::linker::Linker;
use crate::emscripten::snapshot::Restore;
use crate::error::Result;
use crate::pyodide::Configuration;

/// The compiled module, when it is there.
pub type ModuleFuture = LocalBoxFuture<'static, Result<WebAssembly::Module>>;

/// Puts the standard library in its place.
pub type Populate = Box<dyn FnOnce(&SharedFileSystem) -> Result<()>>;

/// What puts the standard library in its place, when that is there.
pub type PopulateFuture = LocalBoxFuture<'static, Result<Populate>>;

/// Takes a line that CPython prints, and whether it is an error's.
pub type Print = Rc<dyn Fn(bool, &str)>;

/// What starting CPython needs.
pub struct StartOptions {
    /// Which glue it is.
    pub abi: Abi,
    /// Folder of the distribution, ending in `/`.
    pub index_url: String,
    /// Folder of the wheels, ending in `/`.
    pub package_base_url: String,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The lock file, for Pyodide's own package index.
    pub lock_file: Uint8Array,
    /// Makes the module: the function that the glue defines.
    pub factory: Function,
    /// The compiled module, when it is there.
    pub module: ModuleFuture,
    /// Puts the standard library in its place; called when the file system is mounted. The module is compiled and
    /// instantiated meanwhile.
    pub populate: PopulateFuture,
    /// The file system to mount.
    pub files: SharedFileSystem,
    /// Where side modules are found.
    pub linker: Linker,
    /// A captured state that is to be restored: CPython's `main` is not run then.
    pub restore: Option<Rc<Restore>>,
    /// Where what JavaScript gets of Python's is noted; absent if nobody wants to know.
    pub handles: Option<Rc<Handles>>,
    /// Answers CPython's question for signals; absent if the glue does.
    pub poll_signals: Option<Function>,
    /// Pyodide's own configuration, where its API is what is wanted.
    pub configuration: Option<Configuration>,
    /// Called with Pyodide's internal API as soon as the glue has made it.
    pub connect: Box<dyn FnOnce(&Api)>,
    /// Text that CPython prints before its streams are set up: `(is_stderr, line)`.
    pub print: Print,
}
