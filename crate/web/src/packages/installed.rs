//! What is in `site-packages`, whoever put it there: Taipan, micropip, or Python code with Pyodide's own means.
//!
//! The directories of metadata are the truth. So what micropip installs is known here as well, and what it takes away is
//! not taken for loaded.

use futures::lock::MutexGuard;
use js_sys::Uint8Array;
use taipan_core::name::PackageName;
use taipan_core::wheel::{Metadata, ModuleFile, Record};

use super::{Packages, PreparedPackage, is_wheel};
use crate::boundary::PackageInfo;
use crate::error::{Code, Error, Result};

/// A wheel that is in `site-packages`.
#[derive(Debug, Clone)]
pub struct InstalledWheel {
    /// Its name.
    pub name: PackageName,
    /// The version as the name of its directory of metadata has it.
    version: String,
    /// The path of that directory.
    dist_info: String,
}

impl Packages {
    /// The wheels in `site-packages`.
    pub fn installed_wheels(&self) -> Vec<InstalledWheel> {
        let site_packages = self.lock.abi.site_packages();
        let files = self.parts.files.borrow();
        let entries = files.resolve(&site_packages, true).and_then(|inode| files.read_directory(inode));
        let wheel = |directory: String| {
            let (name, version) = directory.strip_suffix(".dist-info")?.rsplit_once('-')?;
            let dist_info = format!("{site_packages}/{directory}");
            Some(InstalledWheel { name: name.parse().ok()?, version: version.to_owned(), dist_info })
        };
        entries.unwrap_or_default().into_iter().filter_map(|entry| wheel(entry.name)).collect()
    }

    /// A file of a wheel's metadata, if it is there and is text.
    pub fn metadata_file(&self, wheel: &InstalledWheel, name: &str) -> Option<String> {
        let bytes = self.parts.files.borrow_mut().read_file(&format!("{}/{name}", wheel.dist_info)).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// What a wheel says of itself.
    pub fn metadata_of(&self, wheel: &InstalledWheel) -> Option<Metadata> {
        Metadata::parse(&self.metadata_file(wheel, "METADATA")?).ok()
    }

    /// Keeps others from loading until what it gives is dropped.
    pub async fn one_at_a_time(&self) -> MutexGuard<'_, ()> {
        self.loading.lock().await
    }

    /// Whether nobody else has brought one of these packages meanwhile, as an `import` statement can.
    ///
    /// # Errors
    /// [`Code::Resolution`] naming it.
    pub fn check_still_missing(&self, prepared: &[PreparedPackage]) -> Result<()> {
        let is_loaded = self.is_loaded();
        match prepared.iter().find(|package| is_loaded(&package.info().name)) {
            None => Ok(()),
            Some(package) => {
                let message = format!("{} was loaded while it was being installed.", package.info().name);
                Err(Error::new(Code::Resolution, message).hint("Install again."))
            }
        }
    }

    /// The package that has a module at top level already, with other contents than `file`, the one of `package`.
    pub fn other_owner(&self, module: &str, file: &ModuleFile, package: &PreparedPackage) -> Option<String> {
        let site_packages = self.lock.abi.site_packages();
        let is_other = |path: &String| {
            let bytes = self.parts.files.borrow_mut().read_file(&format!("{site_packages}/{path}")).ok();
            bytes.is_some_and(|bytes| *path != file.path || !package.has(path, &bytes))
        };
        let path = [file.path.clone(), format!("{module}/__init__.py"), format!("{module}.py")];
        let path = path.iter().find(|path| is_other(path))?;
        let lists = |wheel: &InstalledWheel| {
            let record = Record::parse(&self.metadata_file(wheel, "RECORD")?).ok()?;
            record.files.iter().any(|file| file.path == *path).then_some(())
        };
        let owner = self.installed_wheels().into_iter().find(|wheel| lists(wheel).is_some())?.name;
        // What the distribution itself puts into one place is its own affair.
        let is_locked = |name: &str| self.loaded.borrow().get(name).is_some_and(|info| info.source == "lock");
        (!(package.info().source == "lock" && is_locked(owner.as_str()))).then(|| owner.to_string())
    }

    /// The bytes of a file in Python's file system.
    ///
    /// # Errors
    /// [`Code::FileSystem`].
    pub fn read_local(&self, path: &str) -> Result<Uint8Array> {
        let bytes = self.parts.files.borrow_mut().read_file(path).map_err(|errno| {
            Error::new(Code::FileSystem, format!("{path} cannot be read: {errno}."))
                .field("path", path)
                .field("errno", format!("{errno:?}"))
        })?;
        Ok(Uint8Array::from(bytes.as_slice()))
    }

    /// Takes note of what others have brought and taken away since.
    pub(super) fn look(&self) {
        let wheels = self.installed_wheels();
        let mut loaded = self.loaded.borrow_mut();
        loaded.retain(|name, info| {
            let installed =
                name.parse().ok().and_then(|name: PackageName| wheels.iter().find(|wheel| wheel.name == name));
            !is_wheel(&info.file_name) || installed.is_some_and(|wheel| is_version(wheel, &info.version))
        });
        let known: Vec<PackageName> = loaded.keys().filter_map(|name| name.parse().ok()).collect();
        for wheel in wheels.iter().filter(|wheel| !known.contains(&wheel.name)) {
            if let Some(info) = self.info_of(wheel) {
                loaded.insert(info.name.clone(), info);
            }
        }
        // Libraries have no metadata; Pyodide knows of those that it has loaded.
        let Some(api) = self.interpreter.borrow().clone() else { return };
        for name in js_sys::Object::keys(&api.loaded_packages()).iter().filter_map(|name| name.as_string()) {
            // As most are. The lock file of a restored interpreter may not have been read.
            if loaded.contains_key(&name) {
                continue;
            }
            let locked = name.parse().ok().and_then(|name| self.lock.file().get(&name));
            if let Some(locked) = locked.filter(|locked| !is_wheel(&locked.file_name)) {
                let (name, version) = (locked.name.clone(), locked.version.clone());
                let file_name = locked.file_name.rsplit('/').next().unwrap_or_default().to_owned();
                let info = PackageInfo { name: name.clone(), version, file_name, source: "lock".to_owned() };
                loaded.entry(name).or_insert(info);
            }
        }
    }

    /// `None` for what was put there in some other way than by an installer that knows Pyodide.
    fn info_of(&self, wheel: &InstalledWheel) -> Option<PackageInfo> {
        let name = &wheel.name;
        let channel = self.metadata_file(wheel, "PYODIDE_SOURCE")?;
        let version = self.metadata_of(wheel)?.version;
        let locked = self.lock.file().get(name);
        let name = locked.map_or_else(|| name.to_string(), |locked| locked.name.clone());
        let (source, file) = match (channel.trim(), locked) {
            ("pyodide", Some(locked)) => ("lock".to_owned(), locked.file_name.clone()),
            (channel, _) => {
                let url = self.metadata_file(wheel, "PYODIDE_URL").unwrap_or_else(|| channel.to_owned());
                let path = url.split(['?', '#']).next().unwrap_or_default().to_owned();
                (url, path)
            }
        };
        let file_name = file.rsplit('/').next().unwrap_or_default().to_owned();
        Some(PackageInfo { name, version, file_name, source })
    }
}

/// Whether a wheel is of a version, in whatever spelling.
fn is_version(wheel: &InstalledWheel, version: &str) -> bool {
    use taipan_core::version::Version;
    wheel.version == version
        || matches!((wheel.version.parse::<Version>(), version.parse::<Version>()), (Ok(one), Ok(other)) if one == other)
        // Directory names have `_` where a local version has `-`, and older tools write versions in their own way.
        || wheel.version.replace('_', "-") == version.replace('_', "-")
}
