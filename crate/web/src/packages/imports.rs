//! Packages that are loaded because code imports what is in them.

use std::cell::RefCell;
use std::collections::BTreeMap;

use taipan_core::imports::top_level_modules;

use super::{Packages, wanted};
use crate::boundary::{ImportsFrom, PackageInfo};
use crate::error::{Error, Result};
use crate::fetch::Fetcher;

impl Packages {
    /// Loads the packages of the lock file that provide the modules which code imports and which are not there yet.
    ///
    /// # Errors
    /// As [`Packages::load`].
    pub async fn load_for_imports(&self, code: &str, fetcher: &Fetcher) -> Result<Vec<PackageInfo>> {
        let is_loaded = self.is_loaded();
        // Most packages are named as the module that they provide. The lock file of a restored interpreter may not have been read.
        let modules = top_level_modules(code).into_iter().filter(|module| !is_loaded(module));
        let names: Vec<String> = modules.filter_map(|module| self.lock.package_for_import(&module)).collect();
        self.load(&names, fetcher).await
    }

    /// Whether the lock file knows who provides a module, and not all of that is there.
    pub fn would_bring(&self, module: &str) -> bool {
        let wanted = |name| wanted::parse(&self.lock, &[name]).is_ok_and(|wanted| !self.missing(wanted).is_empty());
        self.lock.package_for_import(module).is_some_and(wanted)
    }

    /// Loads the package that provides a module, while Python waits in an `import` statement. Says whether there is
    /// something new to be found. Only a worker can wait like this; elsewhere the answer is an error.
    ///
    /// # Errors
    /// As [`Packages::load`], and [`Code::NotSupported`](crate::error::Code::NotSupported) on the page's own thread.
    pub fn load_for_import(&self, module: &str) -> Result<bool> {
        let Some(name) = self.lock.package_for_import(module) else { return Ok(false) };
        let missing = self.missing(wanted::parse(&self.lock, &[name])?);
        if missing.is_empty() {
            return Ok(false);
        }
        self.install(self.prepare_all_now(&missing)?)?;
        Ok(true)
    }

    /// Whether indexes are asked for what code imports.
    pub fn asks_indexes(&self) -> bool {
        self.imports_from == ImportsFrom::Indexes && !self.index_urls.is_empty()
    }

    /// Modules that no index brings, and why: they are not looked for again.
    pub fn absent(&self) -> &RefCell<BTreeMap<String, Error>> {
        &self.absent
    }
}
