//! A package's archive: read, compiled, mounted.

use std::cell::Cell;
use std::rc::Rc;

use futures::future::try_join_all;
use js_sys::Uint8Array;
use taipan_core::archive::{Archive, Limits};
use taipan_core::source::SharedSource;

use super::Wanted;
use crate::archive_bytes::ArchiveBytes;
use crate::boundary::PackageInfo;
use crate::emscripten::abi::Abi;
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::linker::{CompiledModule, Linker};
use crate::error::{Code, Error, Result};
use crate::global::wall_clock;

/// A package that can be installed without anything that could fail for its own reasons.
pub struct PreparedPackage {
    info: PackageInfo,
    directory: String,
    archive: Archive,
    modules: Vec<CompiledModule>,
}

impl PreparedPackage {
    /// What it is.
    pub fn info(&self) -> &PackageInfo {
        &self.info
    }

    /// Compiles its side modules, all in parallel.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if one cannot be read, [`Code::BadWasm`] if one cannot be compiled.
    pub async fn compile(mut self, linker: &Linker) -> Result<Self> {
        let compiling = self
            .archive
            .entries()
            .iter()
            .filter(|entry| entry.path.ends_with(".so"))
            .map(|entry| {
                let bytes = self.archive.read(entry).map_err(|e| Error::new(Code::BadArchive, e.to_string()))?;
                Ok(linker.compile(&format!("{}/{}", self.directory, entry.path), &Uint8Array::from(bytes.as_slice())))
            })
            .collect::<Result<Vec<_>>>()?;
        self.modules = try_join_all(compiling).await?;
        Ok(self)
    }
}

/// Reads a package's archive.
pub fn read(package: &Wanted, bytes: Uint8Array, abi: Abi, held: &Rc<Cell<u64>>) -> Result<PreparedPackage> {
    let source: SharedSource = Rc::new(ArchiveBytes::new(bytes, held));
    let Wanted::Locked(locked) = package;
    let archive = Archive::open(source, &Limits::default()).map_err(|e| Error::new(Code::BadArchive, e.to_string()))?;
    let directory = match locked.install_dir.as_str() {
        "dynlib" => "/usr/lib".to_owned(),
        "stdlib" => abi.standard_library_directory(),
        _ => abi.site_packages(),
    };
    Ok(PreparedPackage {
        info: PackageInfo {
            name: locked.name.clone(),
            version: locked.version.clone(),
            file_name: locked.file_name.clone(),
            source: "lock".to_owned(),
        },
        directory,
        archive,
        modules: Vec::new(),
    })
}

/// Mounts packages, all or none.
pub fn install(packages: Vec<PreparedPackage>, files: &SharedFileSystem, linker: &Linker) -> Result<()> {
    let now = wall_clock();
    for package in packages {
        let mut files = files.borrow_mut();
        let at = files
            .create_directories(&package.directory, 0o755, now)
            .map_err(|e| Error::new(Code::FileSystem, e.to_string()))?;
        let layer = package.archive.layer(|entry| Some(entry.path.clone()));
        files.mount_layer(at, layer, now).map_err(|e| Error::new(Code::FileSystem, e.to_string()))?;
        drop(files);
        linker.add(package.modules);
    }
    Ok(())
}
