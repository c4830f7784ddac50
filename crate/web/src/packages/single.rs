//! One package at a time, for Pyodide's package manager: it knows what needs what and what is loaded, and asks for each
//! package by itself.

use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use js_sys::Uint8Array;
use taipan_core::name::PackageName;
use taipan_core::wheel::WheelFilename;

use super::{Packages, PreparedPackage, Wanted, archive, download, wanted};
use crate::boundary::PackageInfo;
use crate::emscripten::bindings::Api;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, sha256, spawn};

/// Packages on their way, by normalised name.
pub type Ahead = Vec<(String, LocalBoxFuture<'static, Result<PreparedPackage>>)>;

/// Files of a wheel's metadata that say who installed it, by name.
pub type Marks = Vec<(String, String)>;

impl Packages {
    /// Downloads on behalf of whoever has no signal of his own.
    pub fn fetcher(&self) -> Fetcher {
        self.parts.network.fetcher(None)
    }

    /// Starts to bring packages of the lock file that Pyodide's package manager will ask for. Addresses are left to it.
    ///
    /// # Errors
    /// [`Code::PackageNotFound`], [`Code::BadRequirement`].
    pub fn request(this: &Rc<Self>, names: &[String], fetcher: &Fetcher) -> Result<()> {
        let names: Vec<String> = names.iter().filter(|name| !name.contains('/') && !is_wheel(name)).cloned().collect();
        for package in wanted::parse(&this.lock, &names)? {
            let (packages, fetcher) = (Rc::clone(this), fetcher.clone());
            let name = package.name().parse::<PackageName>().map_err(|error| unknown(&error.to_string()))?;
            let prepared = spawn(async move { packages.prepare(&package, &fetcher).await });
            this.ahead.borrow_mut().push((name.as_str().to_owned(), prepared.boxed_local()));
        }
        Ok(())
    }

    /// Downloads a package of the lock file, or the wheel at `address`, and compiles its side modules. `check` says
    /// whether the lock file's hash counts.
    ///
    /// # Errors
    /// What a single package can fail with.
    pub async fn prepare_single(
        &self,
        name: &str,
        address: Option<&str>,
        check: bool,
        fetcher: &Fetcher,
    ) -> Result<PreparedPackage> {
        if let Some(address) = address {
            let wheel = wanted::parse(&self.lock, &[address.to_owned()])?;
            let [wheel] = wheel.as_slice() else { return Err(unknown(address)) };
            let (bytes, hash) = download::download(wheel, &self.base_urls, fetcher, &self.parts.store).await?;
            let package = archive::open(wheel, bytes, hash, self.lock.abi, &self.parts.held)?;
            return package.compile(&self.parts.linker).await;
        }
        let position = self.ahead.borrow().iter().position(|(coming, _)| coming == name);
        if let Some(position) = position {
            let (_, ahead) = self.ahead.borrow_mut().swap_remove(position);
            return ahead.await;
        }
        let found = name.parse().ok().and_then(|name| self.lock.file().get(&name));
        let mut locked = found.ok_or_else(|| unknown(name))?.clone();
        if !check {
            locked.sha256.clear();
        }
        self.prepare(&locked.into(), fetcher).await
    }

    /// Reads a wheel that somebody else has downloaded, and compiles its side modules.
    ///
    /// # Errors
    /// [`Code::BadRequirement`], [`Code::BadArchive`], [`Code::BadWheel`], [`Code::BadWasm`].
    pub async fn prepare_bytes(&self, file_name: &str, bytes: Uint8Array) -> Result<PreparedPackage> {
        let parsed = file_name.parse::<WheelFilename>();
        let parsed = parsed.map_err(|error| Error::new(Code::BadRequirement, format!("{error}.")))?;
        let hash = sha256(&bytes).await;
        let wheel = Wanted::Wheel { url: file_name.to_owned(), filename: parsed, facts: Box::default() };
        archive::open(&wheel, bytes, hash, self.lock.abi, &self.parts.held)?.compile(&self.parts.linker).await
    }

    /// Mounts a package, as the one that Pyodide's `loadedPackages` has under `name`; without one it is known by what
    /// `marks` put into its metadata.
    ///
    /// # Errors
    /// [`Code::BadWheel`] if its files cannot be placed, [`Code::BadWasm`] if a module that has to be linked at once
    /// cannot be.
    pub async fn install_single(
        &self,
        package: PreparedPackage,
        name: Option<&str>,
        marks: Marks,
        api: &Api,
    ) -> Result<()> {
        let info = package.info().clone();
        self.mount(vec![package.with_marks(marks)])?;
        self.note_visit(std::slice::from_ref(&info));
        if let Some(name) = name {
            self.loaded.borrow_mut().insert(info.name.clone(), PackageInfo { name: name.to_owned(), ..info });
        }
        self.parts.linker.link_large(api).await
    }

    /// Where packages of this interpreter go.
    pub fn site_packages(&self) -> String {
        self.lock.abi.site_packages()
    }

    /// Links what an `import` statement on the page's own thread could not.
    ///
    /// # Errors
    /// [`Code::BadWasm`].
    pub async fn link_large(&self, api: &Api) -> Result<()> {
        self.parts.linker.link_large(api).await
    }

    /// Loads the package that provides a module, as [`Packages::load`] does, and links what an `import` could not. Says
    /// whether there is something new to be found.
    ///
    /// # Errors
    /// As [`Packages::load`].
    pub async fn load_for_import_later(&self, module: &str, api: &Api) -> Result<bool> {
        let Some(name) = self.lock.package_for_import(module) else { return Ok(false) };
        let new = self.load(&[name], &self.fetcher()).await?;
        self.parts.linker.link_large(api).await?;
        Ok(!new.is_empty())
    }
}

fn is_wheel(name: &str) -> bool {
    name.to_ascii_lowercase().ends_with(".whl")
}

fn unknown(name: &str) -> Error {
    Error::new(Code::PackageNotFound, format!("No known package with name '{name}'"))
}
