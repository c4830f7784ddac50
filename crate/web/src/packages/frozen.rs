//! `python.freeze()`: a lock file with what is installed.

use taipan_core::lock::{FrozenPackage, freeze};
use taipan_core::requirement::Requirement;
use taipan_core::wheel::{Record, module_names};

use super::Packages;
use crate::boundary::PackageInfo;
use crate::error::{Code, Error, Result};

impl Packages {
    /// The lock file, with the wheels that are not its own in it: as `lockFileContents` of another start it gives the
    /// same packages.
    ///
    /// # Errors
    /// [`Code::NotSupported`] naming a wheel that has no address on the network, [`Code::BadWheel`] for one whose
    /// metadata has been taken away.
    #[inline(never)]
    pub fn freeze(&self) -> Result<String> {
        let loaded = self.loaded();
        let others = loaded.iter().filter(|info| info.source != "lock");
        let packages: Vec<FrozenPackage> = others.map(|info| self.frozen(info, &loaded)).collect::<Result<_>>()?;
        // Names of files are relative to the distribution unless wheels come from another place.
        let base_url = self.base_urls().first().map(String::as_str).filter(|base_url| *base_url != self.index_url);
        freeze(&self.lock.bytes().to_vec(), packages, base_url)
            .map_err(|error| Error::new(Code::BadLockFile, format!("The lock file cannot be used: {error}.")))
    }

    fn frozen(&self, info: &PackageInfo, loaded: &[PackageInfo]) -> Result<FrozenPackage> {
        let name = &info.name;
        if !info.source.starts_with("http") {
            let message = format!("{name} {} cannot stand in a lock file: it came from {}.", info.version, info.source);
            return Err(Error::new(Code::NotSupported, message)
                .hint("Put the wheel on a server and install it by its address there."));
        }
        let broken = || Error::new(Code::BadWheel, format!("The metadata of {name} {} cannot be read.", info.version));
        let wheels = self.installed_wheels();
        let wheel = wheels.iter().find(|wheel| name.parse().as_ref() == Ok(&wheel.name)).ok_or_else(broken)?;
        let metadata = self.metadata_of(wheel).ok_or_else(broken)?;
        let record =
            self.metadata_file(wheel, "RECORD").and_then(|text| Record::parse(&text).ok()).ok_or_else(broken)?;
        let environment = self.lock.environment();
        let depends = loaded.iter().filter(|other| other.name != *name).filter(|other| {
            metadata.requires_dist.iter().filter_map(|text| text.parse().ok()).any(|requirement: Requirement| {
                other.name.parse().as_ref() == Ok(&requirement.name)
                    && requirement.applies(&environment, &metadata.provides_extra)
            })
        });
        Ok(FrozenPackage {
            name: name.clone(),
            version: info.version.clone(),
            file_name: info.source.split('#').next().unwrap_or_default().to_owned(),
            sha256: self.metadata_file(wheel, "PYODIDE_SHA256").ok_or_else(broken)?.trim().to_owned(),
            imports: module_names(record.files.iter().map(|file| file.path.as_str())).into_iter().collect(),
            depends: depends.map(|other| other.name.clone()).collect(),
        })
    }
}
