//! The lock file and the ABI it is for.

use std::rc::Rc;

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
    text: Rc<str>,
    file: Rc<LockFile>,
}

impl Lock {
    /// Reads a lock file.
    ///
    /// # Errors
    /// [`Code::BadLockFile`], [`Code::WrongAbi`].
    pub fn parse(text: String) -> Result<Self> {
        let file = LockFile::parse(text.as_bytes()).map_err(|error| {
            Error::new(Code::BadLockFile, format!("The lock file cannot be used: {error}")).hint(HINT)
        })?;
        let abi = Abi::from_lock(&file.info().abi_version)?;
        Ok(Self { abi, text: text.into(), file: Rc::new(file) })
    }

    /// The file as it came.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The file's contents.
    pub fn file(&self) -> &Rc<LockFile> {
        &self.file
    }

    /// What markers are evaluated against.
    pub fn environment(&self) -> MarkerEnvironment {
        let info = self.file.info();
        let emscripten = info.platform.trim_start_matches("emscripten_").replace('_', ".");
        let (major, minor) = self.abi.python();
        let python = if info.python.is_empty() { format!("{major}.{minor}.0") } else { info.python.clone() };
        MarkerEnvironment::emscripten(&python, &emscripten)
    }

    /// The name of the package that provides a module.
    pub fn package_for_import(&self, module: &str) -> Option<String> {
        self.file.package_for_import(module).map(|package| package.name.clone())
    }
}
