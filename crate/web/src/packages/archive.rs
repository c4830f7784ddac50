//! A package's archive: read, compiled, mounted.

mod check;
mod layout;

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use futures::future::try_join_all;
use js_sys::Uint8Array;
use taipan_core::archive::{Archive, Limits, check_format};
use taipan_core::image::ArchiveReference;
use taipan_core::prepared::LISTING;
use taipan_core::side_module::SideModule;
use taipan_core::source::SharedSource;
use taipan_core::vfs::{Content, Layer, LayerEntry, LayerId, Overlap};
use taipan_core::wheel::{ModuleFile, WheelLayout, direct_url, is_side_module, top_level_modules};

use self::check::{check_metadata, check_record};
use self::layout::Layout;
pub use self::layout::directory;
use super::wanted::is_wheel;
use super::{PackageParts, Wanted};
use crate::archive_bytes::ArchiveBytes;
use crate::boundary::PackageInfo;
use crate::detached::Beside;
use crate::emscripten::abi::Abi;
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::linker::{CompiledModule, Linker};
use crate::error::{Code, Error, Result};
use crate::global::wall_clock;

/// The file of a wheel's metadata with its address, which is Pyodide's own.
const URL_MARK: &str = "PYODIDE_URL";

/// A package that can be installed: nothing is wrong with it.
pub struct PreparedPackage {
    info: PackageInfo,
    /// Where its archive can be fetched: as the lock file says, or a URL. None if it only came as bytes.
    address: Option<String>,
    archive: Archive,
    source: SharedSource,
    layout: Layout,
    modules: Vec<CompiledModule>,
    hash: String,
    bytecode: Option<Uint8Array>,
    /// Files that are served beside the archive.
    detached: Vec<LayerEntry>,
    origin: Option<Origin>,
    /// Files that say who installed it, by name.
    marks: Option<Vec<(String, String)>>,
}

/// Where a wheel that is not the lock file's comes from.
struct Origin {
    url: String,
    is_indexed: bool,
}

/// Reads a package's archive. A wheel that no lock file vouches for must hold what it lists.
///
/// # Errors
/// [`Code::BadArchive`], [`Code::BadWheel`].
pub fn read(
    package: &Wanted,
    bytes: Uint8Array,
    hash: String,
    abi: Abi,
    held: &Rc<Cell<u64>>,
) -> Result<PreparedPackage> {
    let prepared = open(package, bytes, hash, abi, held)?;
    if let (Wanted::Wheel { filename, facts, .. }, Layout::Wheel { layout, .. }) = (package, &prepared.layout) {
        check_record(&prepared.archive, layout, &prepared.info.file_name)?;
        check_metadata(layout, filename, facts)?;
    }
    Ok(prepared)
}

/// As [`read`], for a wheel that may hold anything, as Pyodide takes it.
///
/// # Errors
/// [`Code::BadArchive`], [`Code::BadWheel`].
pub fn open(
    package: &Wanted,
    bytes: Uint8Array,
    hash: String,
    abi: Abi,
    held: &Rc<Cell<u64>>,
) -> Result<PreparedPackage> {
    let file_name = package.file_name();
    let damaged = |error: &dyn std::error::Error| {
        Error::new(Code::BadArchive, format!("{file_name} cannot be read: {error}."))
            .hint("The file is damaged or not what its name says: get it again, or another version of the package.")
    };
    check_format(&file_name).map_err(|error| damaged(&error))?;
    let source: SharedSource = Rc::new(ArchiveBytes::new(bytes, held));
    let archive = Archive::open(Rc::clone(&source), &Limits::default()).map_err(|error| damaged(&error))?;
    let layout = if is_wheel(&file_name) {
        let name = package.name().parse().map_err(|error| damaged(&error))?;
        let layout = WheelLayout::of(&archive, &name).map_err(|error| {
            Error::new(Code::BadWheel, format!("{file_name} is not a proper wheel: {error}."))
                .hint("Build the wheel again, or use another version of the package.")
        })?;
        Layout::Wheel { layout, site_packages: abi.site_packages() }
    } else {
        Layout::Directory(directory(package, abi))
    };
    let info = info(package, &layout, file_name);
    let origin = match package {
        Wanted::Locked { .. } => None,
        Wanted::Wheel { url, facts, .. } => Some(Origin { url: url.clone(), is_indexed: facts.is_indexed }),
    };
    let (modules, detached) = (Vec::new(), Vec::new());
    let address = match package {
        Wanted::Locked { locked, .. } => Some(locked.file_name.clone()),
        Wanted::Wheel { url, .. } => lasting(url),
    };
    let (bytecode, marks) = (None, None);
    Ok(PreparedPackage { info, address, archive, source, layout, modules, hash, bytecode, detached, origin, marks })
}

/// An address that is good on another visit too: a file of Python's and what a page has made are not there then.
fn lasting(url: &str) -> Option<String> {
    let is_served = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme));
    is_served.then(|| url.to_owned())
}

fn info(package: &Wanted, layout: &Layout, file_name: String) -> PackageInfo {
    let (version, source) = match (package, layout) {
        (Wanted::Locked { locked, .. }, _) => (locked.version.clone(), "lock".to_owned()),
        (Wanted::Wheel { url, .. }, Layout::Wheel { layout, .. }) => (layout.metadata.version.clone(), url.clone()),
        (Wanted::Wheel { url, filename, .. }, Layout::Directory(_)) => (filename.version.clone(), url.clone()),
    };
    PackageInfo { name: package.name().to_owned(), version, file_name, source }
}

impl PreparedPackage {
    /// What it is.
    pub fn info(&self) -> &PackageInfo {
        &self.info
    }

    /// The modules at top level that it brings.
    pub fn top_level_modules(&self) -> BTreeMap<String, ModuleFile> {
        match &self.layout {
            Layout::Wheel { layout, .. } => top_level_modules(&self.archive, layout),
            Layout::Directory(_) => BTreeMap::new(),
        }
    }

    /// Whether it holds a file with these contents.
    pub fn has(&self, path: &str, contents: &[u8]) -> bool {
        let file = self.archive.find(path).and_then(|entry| self.archive.read(entry).ok());
        file.is_some_and(|bytes| *bytes == *contents)
    }

    /// The SHA-256 of its archive.
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// What its archive is known by, if it can be fetched again.
    fn reference(&self) -> Result<Option<ArchiveReference>> {
        let Some(address) = &self.address else { return Ok(None) };
        let sha256 =
            self.hash.parse().map_err(|_| Error::new(Code::Fatal, format!("{} is not a SHA-256.", self.hash)))?;
        Ok(Some(ArchiveReference { sha256, length: self.source.len(), file_name: address.clone() }))
    }

    /// Adds the bytecode that is kept for it.
    #[must_use]
    pub fn with_bytecode(self, bytecode: Option<Uint8Array>) -> Self {
        Self { bytecode, ..self }
    }

    /// Adds the files of a prepared archive that are served beside it.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if the archive's list of them cannot be used.
    pub fn with_detached(self, beside: &Beside) -> Result<Self> {
        let detached = beside.entries(&self.archive, &self.info.file_name, self.layout.directory())?;
        Ok(Self { detached, ..self })
    }

    /// Adds side modules that were compiled from files of their own.
    #[must_use]
    pub fn with_modules(mut self, modules: Vec<CompiledModule>) -> Self {
        self.modules.extend(modules);
        self
    }

    /// Sets the files of its metadata that say who installed it.
    #[must_use]
    pub fn with_marks(self, marks: Vec<(String, String)>) -> Self {
        let url = || lasting(&marks.iter().find(|(name, _)| name == URL_MARK)?.1);
        Self { address: self.address.clone().or_else(url), marks: Some(marks), ..self }
    }

    /// Compiles its side modules, all in parallel.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if one cannot be read, [`Code::WrongAbi`] if one is a library of another system,
    /// [`Code::BadWasm`] if one cannot be compiled.
    pub async fn compile(mut self, linker: &Linker) -> Result<Self> {
        let (mut compiling, mut buffer) = (Vec::new(), Vec::new());
        for entry in self.archive.entries().iter().filter(|entry| is_side_module(entry)) {
            let Some(path) = self.layout.path(entry) else { continue };
            let bytes = self.archive.read_into(entry, &mut buffer).map_err(|error| {
                Error::new(Code::BadArchive, format!("{} cannot be read: {error}.", self.info.file_name))
            })?;
            SideModule::parse(bytes).map_err(|error| {
                Error::new(Code::WrongAbi, format!("{path} cannot be used: {error}."))
                    .hint("The package was built for another platform: it needs a wheel for Pyodide (PEP 783).")
            })?;
            compiling.push(linker.compile_borrowed(&path, bytes));
        }
        drop(buffer);
        self.modules = try_join_all(compiling).await?;
        Ok(self)
    }

    /// Files of its metadata that say who installed it and from where (PEP 376, PEP 610, and Pyodide's own).
    fn own_marks(&self, channel: &str) -> Vec<(String, String)> {
        let mut marks = vec![("INSTALLER", "taipan".to_owned()), ("PYODIDE_SOURCE", channel.to_owned())];
        if let Some(Origin { url, is_indexed }) = &self.origin {
            marks.extend([(URL_MARK, url.clone()), ("PYODIDE_SHA256", self.hash.clone())]);
            if !is_indexed {
                marks.push(("direct_url.json", direct_url(url, &self.hash)));
            }
        }
        marks.into_iter().map(|(name, text)| (name.to_owned(), text)).collect()
    }

    /// Its files, from the root.
    fn layer(&self, now: f64) -> Layer {
        let mut layer = self.archive.layer(|entry| (entry.path != LISTING).then(|| self.layout.path(entry))?);
        layer.entries.extend_from_slice(&self.detached);
        if let Layout::Wheel { layout, site_packages } = &self.layout {
            // As installers do (PEP 376, and Pyodide's own file), so that others see who put it there.
            let channel = if self.info.source == "lock" { "pyodide" } else { &self.info.source };
            for (name, text) in self.marks.clone().unwrap_or_else(|| self.own_marks(channel)) {
                let path = format!("{site_packages}/{}/{name}", layout.dist_info);
                layer.entries.retain(|entry| entry.path != path);
                layer.entries.push(LayerEntry::file(path, 0o644, now, Content::Bytes(text.into_bytes().into())));
            }
        }
        // Packages share files now and then (namespace packages, tests at the top level): the later one has them, as
        // with pip.
        layer.overlap = Overlap::Replace;
        layer
    }
}

/// Mounts packages, all or none.
///
/// # Errors
/// [`Code::BadWheel`] if the files of one cannot be placed; then none is mounted.
pub fn install(packages: Vec<PreparedPackage>, parts: &PackageParts) -> Result<()> {
    let layers = mount(&packages, &parts.files)?;
    for (package, layer) in packages.into_iter().zip(layers) {
        match package.reference()? {
            Some(reference) => parts.archives.note(&package.source, reference),
            None => parts.archives.note_local(&package.source),
        }
        parts.linker.add(package.modules, layer);
        parts.bytecode.mount(layer, &package.hash, package.bytecode);
    }
    Ok(())
}

fn mount(packages: &[PreparedPackage], files: &SharedFileSystem) -> Result<Vec<LayerId>> {
    let now = wall_clock();
    let mut files = files.borrow_mut();
    let mut mounted: Vec<LayerId> = Vec::new();
    let root = files.root();
    for package in packages {
        match files.mount_layer(root, &package.layer(now), now) {
            Ok(id) => mounted.push(id),
            Err(error) => {
                for id in mounted.into_iter().rev() {
                    files.unmount_layer(id, now);
                }
                let message = format!("The files of {} cannot be put in their places: {error}.", package.info.name);
                return Err(Error::new(Code::BadWheel, message));
            }
        }
    }
    Ok(mounted)
}
