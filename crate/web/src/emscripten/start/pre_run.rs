//! `Module.preRun`: the last moment before CPython looks for its standard library.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Object};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::failure::Failure;
use super::options::Populate;
use crate::boundary::Stage;
use crate::emscripten::abi::{Abi, set};
use crate::emscripten::bindings::Module;
use crate::emscripten::file_system::{SharedFileSystem, mount_root};
use crate::emscripten::linker::Linker;
use crate::emscripten::native_fs;
use crate::error::{Code, Error, Result};
use crate::timeline::Timeline;

/// What is made ready in that moment.
pub struct PreRun {
    /// Which glue it is.
    pub abi: Abi,
    /// Environment variables.
    pub environment: BTreeMap<String, String>,
    /// The file system to mount.
    pub files: SharedFileSystem,
    /// Where side modules are found.
    pub linker: Linker,
    /// Puts the files in their place; it is there by then.
    pub populate: Rc<RefCell<Option<Populate>>>,
    /// Takes the time.
    pub timeline: Rc<Timeline>,
}

impl PreRun {
    /// The function that Emscripten calls.
    pub fn hook(self, failure: Failure) -> JsValue {
        Closure::once_into_js(move |module: Module| -> std::result::Result<(), JsValue> {
            self.prepare(&module).map_err(|error| {
                failure.set(error.clone());
                JsValue::from(error)
            })?;
            self.timeline.end(Stage::Mount);
            Ok(())
        })
    }

    fn prepare(&self, module: &Module) -> Result<()> {
        let populate = self.populate.take();
        let (major, minor, micro) = python_version(module);
        if (major, minor) != self.abi.python() {
            return Err(Error::new(
                Code::WrongAbi,
                format!(
                    "The lock file is for ABI {}, but the interpreter is CPython {major}.{minor}.",
                    self.abi.version()
                ),
            )
            .hint("Take all files of the distribution from one release."));
        }
        mount_root(module, &self.files)?;
        native_fs::add(&module.fs());
        let populate = populate.ok_or_else(|| Error::new(Code::Fatal, "The glue runs before its module is there."))?;
        populate(&self.files)?;
        let fs = module.fs();
        let failed = |thrown| Error::from_js(Code::FileSystem, "The home directory cannot be made", thrown);
        let home = self.environment.get("HOME").map_or("/", String::as_str);
        fs.mkdir_tree(home).map_err(failed)?;
        fs.chdir(home).map_err(failed)?;
        self.linker.watch_files(&fs, &self.files);
        self.linker.watch_symbols(module.global_offset_table(), self.abi.unresolved_symbol());
        let variables = module.environment();
        for (name, value) in &self.environment {
            set(&variables, name, &value.into());
        }
        let version = Array::of3(&major.into(), &minor.into(), &micro.into());
        let api: Object = module.api().unchecked_into();
        set(&api, "pyVersionTuple", &version);
        set(&api, "sitePackages", &self.abi.site_packages().into());
        Ok(())
    }
}

/// The interpreter's own word on its version: `Py_Version`, a constant in its memory (`PY_VERSION_HEX`).
fn python_version(module: &Module) -> (u32, u32, u32) {
    let version = module.heap_u32().get_index(module.py_version_address() >> 2);
    (version >> 24, (version >> 16) & 0xff, (version >> 8) & 0xff)
}
