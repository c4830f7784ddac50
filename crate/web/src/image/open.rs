//! An image that is to be restored.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, ready};
use js_sys::Uint8Array;
use taipan_core::image::{
    ArchiveReference, ContentHash, Extent, Head, Identity, Image, ImageError, ImagePackage, Limits, Manifest, PartKind,
    SHIM, Verify,
};
use taipan_core::source::SharedSource;
use taipan_core::vfs::{FileSystem, LayerId};

use super::beside::{Beside, FilesBeside};
use super::bytes::ImageBytes;
use super::{ARCHIVE_ROLE, engine, not_usable, python_files_hash, states};
use crate::archive_bytes::ArchiveBytes;
use crate::archives::Archives;
use crate::boundary::PackageInfo;
use crate::distribution::STANDARD_LIBRARY_FILE;
use crate::emscripten::abi::Abi;
use crate::emscripten::snapshot::WASM_PAGE;
use crate::error::{Code, Error, Result};
use crate::fetch::{Network, Sources, sha256};
use crate::global::is_worker;
use crate::packages::Lock;
use crate::remote_file::RemoteFile;
use crate::store::Store;

/// An image whose head and manifest have been read and fit this browser and this release.
pub struct OpenImage {
    pub(super) image: Image,
    pub(super) source: Rc<ImageBytes>,
    /// All state outside linear memory.
    pub manifest: Rc<Manifest>,
    /// The packages that are on the path.
    pub packages: Vec<PackageInfo>,
    /// The paths of the side modules.
    pub module_paths: Vec<String>,
    lock_file: String,
    /// Side modules that have been read, by their numbers.
    pub(super) modules: RefCell<HashMap<usize, ArchiveBytes>>,
    pub(super) beside: FilesBeside,
    /// What is being read; used again and again, because memory that is touched for the first time is slow.
    pub(super) buffer: RefCell<Vec<u8>>,
    pub(super) held: Rc<Cell<u64>>,
}

impl OpenImage {
    /// Reads what stands at the beginning of an image: that has to be there. Of files `beside` it nothing has.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it is damaged, [`Code::WrongAbi`] if it was baked for something else, saying what.
    pub fn read(source: ImageBytes, beside: Beside, held: &Rc<Cell<u64>>) -> Result<Self> {
        let beside = FilesBeside::new(beside, held);
        let source = Rc::new(source);
        let shared: SharedSource = Rc::clone(&source) as SharedSource;
        let image = Image::open(shared, Verify::Checksum, &Limits::default()).map_err(|error| not_usable(&error))?;
        let baked = &image.head().identity;
        let wanted = Identity {
            engine: engine(),
            python_files: python_files_hash()?,
            // The files of the distribution are compared when they arrive.
            distribution: baked.distribution.clone(),
            ..Identity::default()
        };
        compare(baked, &wanted, "Bake it again with this release.")?;
        let manifest = image.manifest().map_err(|error| not_usable(&error))?;
        let packages = read_state(&manifest, states::PACKAGES)?;
        let module_paths: Vec<String> = read_state(&manifest, states::MODULE_PATHS)?;
        let lock_file = read_state(&manifest, states::LOCK_FILE)?;
        check(image.head(), &manifest, &module_paths).map_err(|reason| not_usable(&reason))?;
        let (manifest, held) = (Rc::new(manifest), Rc::clone(held));
        let (modules, buffer) = (RefCell::default(), RefCell::default());
        Ok(Self { image, source, manifest, packages, module_paths, lock_file, modules, beside, buffer, held })
    }

    /// Compares the packages that came from a lock file with those that this one has.
    ///
    /// # Errors
    /// [`Code::WrongAbi`] if they are of another version or make.
    pub fn check_packages(&self, lock: &Lock) -> Result<()> {
        let of_lock = self.packages.iter().filter(|package| package.source == "lock");
        let wanted = of_lock.filter_map(|package| {
            let locked = lock.file().get(&package.name.parse().ok()?)?;
            let baked = self.identity().packages.get(&package.name)?.archive;
            // Without a hash it is no archive that was mounted.
            let archive = if baked == ContentHash::default() { baked } else { locked.sha256.parse().ok()? };
            Some((package.name.clone(), ImagePackage { version: locked.version.clone(), archive }))
        });
        let wanted = Identity { packages: wanted.collect(), ..self.identity().clone() };
        compare(self.identity(), &wanted, "Bake it again with the packages that the page has now.")
    }

    /// Waits until the image is whole, and is what it has to be where its hash is known. Where it is not, what comes with its
    /// own hashes is only looked through for accidents: each chunk's checksum is compared when the chunk is read.
    pub fn whole(&self) -> LocalBoxFuture<'static, Result<()>> {
        self.source.whole()
    }

    /// Waits until a chunk is there.
    pub(super) fn arrived(&self, extent: Extent) -> LocalBoxFuture<'static, Result<()>> {
        self.source.reached(extent.file_offset + extent.stored_length)
    }

    /// Waits until a part is there.
    pub(super) fn part_arrived(&self, part: usize) -> LocalBoxFuture<'static, Result<()>> {
        let end = self.image.extents(part).last().map_or(0, |extent| extent.file_offset + extent.stored_length);
        self.source.reached(end)
    }

    /// Waits until the contents of files are there.
    ///
    /// # Errors
    /// What keeps them from coming.
    pub fn files_arrived(&self) -> LocalBoxFuture<'static, Result<()>> {
        let files = self.image.head().find_kind(PartKind::Files);
        files.map_or_else(|| ready(Ok(())).boxed_local(), |part| self.part_arrived(part))
    }

    /// Whether a side module is linked at once: it has been needed before, or nothing can link it later.
    pub(super) fn is_hot(&self, index: usize) -> bool {
        self.manifest.modules[index].is_hot || !self.links_late()
    }

    /// Whether modules can be linked when they are called. Only a worker can compile one of any size synchronously.
    pub(super) fn links_late(&self) -> bool {
        is_worker() && self.image.head().find(SHIM).is_ok()
    }

    /// The ABI that it was baked for.
    ///
    /// # Errors
    /// [`Code::WrongAbi`] if this release knows none of that name.
    pub fn abi(&self) -> Result<Abi> {
        Abi::from_lock(&self.identity().distribution.abi)
    }

    /// Whether it was baked with this very lock file.
    pub async fn is_of_lock_file(&self, bytes: &Uint8Array) -> bool {
        self.lock_file == sha256(bytes).await
    }

    /// What it is recognised by.
    pub(super) fn head_id(&self) -> String {
        self.image.head().id.to_string()
    }

    /// What it was baked from.
    pub fn identity(&self) -> &Identity {
        &self.image.head().identity
    }

    /// Bytes of linear memory.
    pub fn memory_length(&self) -> u64 {
        self.image.head().memory.length
    }

    /// The file system. Archives are taken from the store, or fetched, when they are read; `folders` tells where from.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it cannot be made.
    pub fn files(
        &self,
        archives: &Archives,
        held: &Rc<Cell<u64>>,
        (network, store): (&Network, &Store),
        folders: impl Fn(&ArchiveReference) -> Sources,
    ) -> Result<FileSystem> {
        let own = match self.image.head().find_kind(PartKind::Files) {
            Some(part) => self.image.part(part).map_err(|error| not_usable(&error))?,
            None => Vec::new(),
        };
        let own: SharedSource = Rc::new(own);
        let sources: Vec<SharedSource> = self
            .manifest
            .archives
            .iter()
            .map(|reference| {
                let name = reference.file_name.rsplit('/').next().unwrap_or_default();
                let sources = folders(reference).with_sha256(&reference.sha256.to_string());
                let file = RemoteFile::new(name, reference.length, sources, network, held).found_in(store);
                let file = if is_kept(reference) { file.kept() } else { file };
                let source: SharedSource = Rc::new(file);
                archives.note(&source, reference.clone());
                source
            })
            .collect();
        let tree = self.manifest.files.restore(&own, &sources).map_err(|error| not_usable(&error))?;
        FileSystem::from_tree(&tree).map_err(|error| not_usable(&error))
    }

    /// The layers that show an archive with modules, and its SHA-256.
    pub fn layers(&self) -> impl Iterator<Item = (LayerId, &str)> {
        let layers = self.manifest.layers.iter();
        layers.filter(|(_, layer)| layer.role == ARCHIVE_ROLE).map(|(id, layer)| (LayerId::from(*id), &*layer.name))
    }
}

fn compare(baked: &Identity, wanted: &Identity, hint: &str) -> Result<()> {
    let differences = baked.differences(wanted);
    differences.iter().find(|difference| difference.is_fatal()).map_or(Ok(()), |difference| {
        Err(Error::new(Code::WrongAbi, format!("The image does not fit: {difference}.")).hint(hint))
    })
}

/// What the format leaves open and restoring relies on.
fn check(head: &Head, manifest: &Manifest, module_paths: &[String]) -> std::result::Result<(), ImageError> {
    let wrong = |what, reason| Err(ImageError::Inconsistent { what, reason });
    if !head.memory.length.is_multiple_of(WASM_PAGE) {
        return wrong("memory", "it is not of whole pages of WebAssembly");
    }
    if module_paths.len() != manifest.modules.len() {
        return wrong("side modules", "they do not have a path each");
    }
    if manifest.modules.iter().any(|module| module.names.is_empty()) {
        return wrong("side modules", "one has no name");
    }
    Ok(())
}

/// Whether an archive is one of the lock file's packages, which are kept in the store. The distribution's own files and wheels
/// that were loaded by their address are not.
fn is_kept(archive: &ArchiveReference) -> bool {
    archive.file_name != STANDARD_LIBRARY_FILE && !archive.file_name.contains(':')
}

fn read_state<T: serde::de::DeserializeOwned>(manifest: &Manifest, name: &str) -> Result<T> {
    let bytes = manifest.states.get(name).map_or(&b""[..], Vec::as_slice);
    serde_json::from_slice(bytes)
        .map_err(|error| Error::new(Code::BadArchive, format!("The image's {name} cannot be read: {error}.")))
}
