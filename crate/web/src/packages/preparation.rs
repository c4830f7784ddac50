//! Getting packages ready to be installed: downloaded, checked against their hashes, their side modules compiled.

use futures::future::{join_all, try_join, try_join_all};
use js_sys::{Array, Object, Reflect, Uint8Array};
use wasm_bindgen::JsValue;

use super::{PackageParts, Packages, PreparedPackage, Wanted, archive, download, side_modules};
use crate::bytecode::Bytecode;
use crate::emscripten::abi::set;
use crate::error::{Code, Error, Result};
use crate::fetch::Fetcher;

impl Packages {
    /// Downloads packages, checks them, and compiles their side modules.
    ///
    /// # Errors
    /// As [`Packages::load`].
    pub async fn prepare_all(&self, missing: &[Wanted], fetcher: &Fetcher) -> Result<Vec<PreparedPackage>> {
        let preparing = missing.iter().map(|package| self.prepare(package, fetcher));
        let outcomes = join_all(preparing).await;
        let mut prepared = Vec::with_capacity(outcomes.len());
        let mut failures = Vec::new();
        for (package, outcome) in missing.iter().zip(outcomes) {
            match outcome {
                Ok(package) => prepared.push(package),
                Err(error) => failures.push((package.name().to_owned(), error)),
            }
        }
        fetcher.check_aborted()?;
        if !failures.is_empty() {
            return Err(packages_failed(failures));
        }
        Ok(prepared)
    }

    /// As [`Packages::prepare_all`], while Python waits in an `import` statement.
    ///
    /// # Errors
    /// As [`Packages::load_for_import`].
    pub fn prepare_all_now(&self, missing: &[Wanted]) -> Result<Vec<PreparedPackage>> {
        let mut prepared = Vec::with_capacity(missing.len());
        let mut failures = Vec::new();
        for package in missing {
            match self.prepare_now(package) {
                Ok(package) => prepared.push(package),
                Err(error) => failures.push((package.name().to_owned(), error)),
            }
        }
        if failures.is_empty() { Ok(prepared) } else { Err(packages_failed(failures)) }
    }

    /// Downloads a package, checks it, and compiles its side modules.
    pub(super) async fn prepare(&self, package: &Wanted, fetcher: &Fetcher) -> Result<PreparedPackage> {
        // It was begun on nobody's behalf, so it does not hear this caller's signal.
        let prefetched = async { Ok(self.prefetched.take(package.name()).await) };
        if let Some(prepared) = fetcher.unless_aborted(prefetched).await? {
            return Ok(prepared);
        }
        self.fetch(package, fetcher).await
    }

    /// As [`Packages::prepare`], whether or not somebody has begun to fetch it.
    pub(super) async fn fetch(&self, package: &Wanted, fetcher: &Fetcher) -> Result<PreparedPackage> {
        self.make_ready(package, fetcher, download::download(package, &self.base_urls, fetcher, &self.parts.store))
            .await
    }

    /// Checks a package whose archive is on its way, with its SHA-256, and compiles its side modules.
    pub(super) async fn make_ready(
        &self,
        package: &Wanted,
        fetcher: &Fetcher,
        archive: impl Future<Output = Result<(Uint8Array, String)>>,
    ) -> Result<PreparedPackage> {
        let directory = archive::directory(package, self.lock.abi);
        let mut modules = Vec::new();
        if let Some(hash) = package.sha256() {
            Bytecode::request(&self.parts.bytecode, hash, self.lock.file(), &self.base_urls, fetcher);
        }
        if let Wanted::Locked { locked, bytes } = package {
            let manifest = self.lock.file().manifest();
            if let (Some(facts), None) = (manifest.file(&locked.file_name), bytes) {
                self.parts.timeline.expect(package.name(), facts.size);
            }
            for file in manifest.side_modules(&locked.sha256) {
                modules.push(side_modules::compile(file, &directory, &self.base_urls, fetcher, &self.parts));
            }
        }
        let ((bytes, hash), modules) = try_join(archive, try_join_all(modules)).await?;
        // Of a wheel that is asked for by its address, the hash is known only now.
        Bytecode::request(&self.parts.bytecode, &hash, self.lock.file(), &self.base_urls, fetcher);
        let package = self.read(package, bytes, hash)?;
        let kept = self.parts.bytecode.receive(package.hash()).await;
        Ok(package.with_bytecode(kept).compile(&self.parts.linker).await?.with_modules(modules.concat()))
    }

    /// Downloads a package and checks it, while everything else waits. Its side modules are compiled when they are
    /// linked.
    fn prepare_now(&self, package: &Wanted) -> Result<PreparedPackage> {
        if let Some(prepared) = self.prefetched.take_finished(package.name()) {
            return Ok(prepared);
        }
        let PackageParts { network, store, bytecode, .. } = &self.parts;
        let (bytes, hash) = download::download_now(package, &self.base_urls, &network.fetcher(None), store)?;
        let kept = bytecode.receive_now(&hash);
        Ok(self.read(package, bytes, hash)?.with_bytecode(kept))
    }

    /// Reads an archive that is here, and what it says of files beside it: those of the lock file may have some.
    fn read(&self, package: &Wanted, bytes: Uint8Array, hash: String) -> Result<PreparedPackage> {
        let prepared = archive::read(package, bytes, hash, self.lock.abi, &self.parts.held)?;
        match package {
            Wanted::Locked { .. } => prepared.with_detached(&self.beside()),
            Wanted::Wheel { .. } => Ok(prepared),
        }
    }
}

/// One error for all packages that failed. A single failure keeps its own code.
fn packages_failed(failures: Vec<(String, Error)>) -> Error {
    let names: Vec<&str> = failures.iter().map(|(name, _)| name.as_str()).collect();
    let reasons: Vec<String> = failures.iter().map(|(name, error)| format!("{name}: {error}")).collect();
    let list = Array::new();
    for (name, error) in &failures {
        let item = Object::new();
        set(&item, "name", &name.into());
        set(&item, "message", &error.message().into());
        set(&item, "code", &error.code().as_str().into());
        list.push(&item);
    }
    let message = format!("{} could not be loaded, so nothing was installed. {}", names.join(", "), reasons.join(" "));
    let code = match failures.as_slice() {
        [(_, error)] => error.code(),
        _ => Code::PackagesFailed,
    };
    let cause = failures.into_iter().next().map_or(JsValue::UNDEFINED, |(_, error)| error.into());
    let hint = Reflect::get(&cause, &"hint".into()).ok().and_then(|hint| hint.as_string());
    let error = Error::new(code, message).cause(cause).field("packages", list);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
