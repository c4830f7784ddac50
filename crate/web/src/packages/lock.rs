//! The lock file and the ABI it is for.

use std::cell::OnceCell;
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::lock::LockFile;
use taipan_core::requirement::MarkerEnvironment;

use crate::emscripten::abi::Abi;
use crate::error::{Code, Error, Result};

const HINT: &str = "`lockFileURL` must be a `pyodide-lock.json`. A folder that another release of Taipan has prepared is to \
                    be prepared again: `npx taipan prepare`.";

/// A lock file that this version of Taipan can use.
#[derive(Clone)]
pub struct Lock {
    /// The binary interface of the interpreter that its packages are for.
    pub abi: Abi,
    bytes: Uint8Array,
    file: Rc<OnceCell<Rc<LockFile>>>,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// [`Code::BadLockFile`], [`Code::WrongAbi`].
    pub fn parse(bytes: Uint8Array) -> Result<Self> {
        let file = LockFile::parse(&bytes.to_vec()).map_err(|error| {
            Error::new(Code::BadLockFile, format!("The lock file cannot be used: {error}")).hint(HINT)
        })?;
        let abi = Abi::from_lock(&file.info().abi_version)?;
        Ok(Self { abi, bytes, file: Rc::new(OnceCell::from(Rc::new(file))) })
    }

    /// The lock file with which somebody has baked an image, and so has read it: it is read again when something in it is asked
    /// for.
    pub fn of_image(bytes: Uint8Array, abi: Abi) -> Self {
        Self { abi, bytes, file: Rc::default() }
    }

    /// The file as it came.
    pub fn bytes(&self) -> &Uint8Array {
        &self.bytes
    }

    /// The file's contents. Nothing is in one that cannot be read, as only a forged image can say of its lock file that it was.
    pub fn file(&self) -> &Rc<LockFile> {
        self.file.get_or_init(|| Rc::new(LockFile::parse(&self.bytes.to_vec()).unwrap_or_default()))
    }

    /// What markers are evaluated against.
    pub fn environment(&self) -> MarkerEnvironment {
        let info = self.file().info();
        let emscripten = info.platform.trim_start_matches("emscripten_").replace('_', ".");
        let (major, minor) = self.abi.python();
        let python = if info.python.is_empty() { format!("{major}.{minor}.0") } else { info.python.clone() };
        MarkerEnvironment::emscripten(&python, &emscripten)
    }

    /// The name of the package that provides a module.
    pub fn package_for_import(&self, module: &str) -> Option<String> {
        self.file().package_for_import(module).map(|package| package.name.clone())
    }
}
