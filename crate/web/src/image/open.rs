//! An image that is to be restored.

use std::cell::Cell;
use std::rc::Rc;

use futures::future::try_join_all;
use js_sys::Uint8Array;
use taipan_core::image::{
    ArchiveReference, ContentHash, Identity, Image, ImagePackage, Limits, Manifest, ModuleBytes, PartKind, Verify,
};
use taipan_core::source::SharedSource;
use taipan_core::vfs::{FileSystem, LayerId};

use super::{ARCHIVE_ROLE, engine, lock_file_hash, not_usable, python_files_hash, states};
use crate::archive_bytes::ArchiveBytes;
use crate::archives::Archives;
use crate::boundary::PackageInfo;
use crate::emscripten::abi::Abi;
use crate::emscripten::linker::{CompiledModule, Linker};
use crate::error::{Code, Error, Result};
use crate::fetch::{Network, Sources, compare_sha256, sha256};
use crate::packages::Lock;
use crate::remote_file::RemoteFile;

/// An image whose head and manifest have been read and fit this browser and this release.
pub struct OpenImage {
    image: Image,
    bytes: Uint8Array,
    /// All state outside linear memory.
    pub manifest: Rc<Manifest>,
    /// The packages that are on the path.
    pub packages: Vec<PackageInfo>,
    module_paths: Vec<String>,
    lock_file: String,
}

impl OpenImage {
    /// Reads what stands at the beginning of an image.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it is damaged, [`Code::WrongAbi`] if it was baked for something else, saying what.
    pub fn read(bytes: Uint8Array, held: &Rc<Cell<u64>>) -> Result<Self> {
        let source: SharedSource = Rc::new(ArchiveBytes::new(bytes.clone(), held));
        // Chunks are compared with their checksum when they are read, and with their SHA-256 by `verify`.
        let image = Image::open(source, Verify::Checksum, &Limits::default()).map_err(|error| not_usable(&error))?;
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
        let module_paths = read_state(&manifest, states::MODULE_PATHS)?;
        let lock_file = read_state(&manifest, states::LOCK_FILE)?;
        Ok(Self { image, bytes, manifest: Rc::new(manifest), packages, module_paths, lock_file })
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

    /// Compares every chunk with its SHA-256, by the browser and off this thread. The head, which has these hashes, has
    /// been compared with its own.
    pub fn verify(&self) -> impl Future<Output = Result<()>> + use<> {
        let head = self.image.head();
        let extents = (0..head.parts.len()).flat_map(|part| self.image.extents(part));
        let chunks: Vec<_> = extents
            .map(|extent| {
                let end = extent.file_offset + extent.stored_length;
                let bytes = self.bytes.subarray(extent.file_offset as u32, end as u32);
                (bytes, head.chunk(extent).sha256.to_string())
            })
            .collect();
        async move {
            let comparing = chunks
                .iter()
                .map(async |(bytes, expected)| compare_sha256("A part of the image", &sha256(bytes).await, expected));
            try_join_all(comparing).await.map(drop)
        }
    }

    /// The ABI that it was baked for.
    ///
    /// # Errors
    /// [`Code::WrongAbi`] if this release knows none of that name.
    pub fn abi(&self) -> Result<Abi> {
        Abi::from_lock(&self.identity().distribution.abi)
    }

    /// Whether it was baked with this very lock file.
    ///
    /// # Errors
    /// [`Code::WrongAbi`] if not.
    pub fn check_lock_file(&self, lock: &Lock) -> Result<()> {
        if self.lock_file == lock_file_hash(lock) {
            return Ok(());
        }
        Err(Error::new(Code::WrongAbi, "The image was baked with another lock file."))
    }

    /// What it was baked from.
    pub fn identity(&self) -> &Identity {
        &self.image.head().identity
    }

    /// Bytes of linear memory.
    pub fn memory_length(&self) -> u64 {
        self.image.head().memory.length
    }

    /// Compiles the side modules, all in parallel, in the manifest's order.
    ///
    /// # Errors
    /// [`Code::BadArchive`], [`Code::BadWasm`].
    pub fn compile(&self, linker: &Linker) -> Result<impl Future<Output = Result<Vec<CompiledModule>>> + use<>> {
        let mut compiling = Vec::with_capacity(self.manifest.modules.len());
        for (module, path) in self.manifest.modules.iter().zip(&self.module_paths) {
            let ModuleBytes::Part { name } = &module.bytes else {
                return Err(Error::new(Code::BadArchive, "A side module is not in the image."));
            };
            let part = self.image.head().find(name).map_err(|error| not_usable(&error))?;
            let bytes = self.image.part(part).map_err(|error| not_usable(&error))?;
            compiling.push(linker.compile(path, &Uint8Array::from(bytes.as_slice())));
        }
        Ok(try_join_all(compiling))
    }

    /// The file system. Archives are fetched when they are read; `folders` tells where from.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it cannot be made.
    pub fn files(
        &self,
        archives: &Archives,
        held: &Rc<Cell<u64>>,
        network: &Network,
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
                let file = RemoteFile::new(name, reference.length, sources, network, held);
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

    /// Copies linear memory to where it belongs. What lies below `dirty_end` and is not in the image becomes zero.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it is damaged.
    pub fn copy_memory(&self, heap: &Uint8Array, dirty_end: u32) -> Result<()> {
        let Some(part) = self.image.head().find_kind(PartKind::Memory) else {
            return Err(Error::new(Code::BadArchive, "The image has no memory in it."));
        };
        heap.fill(0, 0, dirty_end);
        for extent in self.image.extents(part) {
            let contents = self.image.chunk(extent).map_err(|error| not_usable(&error))?;
            for (offset, run) in self.image.head().chunk(extent).copies() {
                let (offset, address, length) = (offset as usize, run.address() as u32, run.bytes());
                let bytes = &contents[offset..offset + length as usize];
                heap.subarray(address, address + length as u32).copy_from(bytes);
            }
        }
        Ok(())
    }
}

fn compare(baked: &Identity, wanted: &Identity, hint: &str) -> Result<()> {
    let differences = baked.differences(wanted);
    differences.iter().find(|difference| difference.is_fatal()).map_or(Ok(()), |difference| {
        Err(Error::new(Code::WrongAbi, format!("The image does not fit: {difference}.")).hint(hint))
    })
}

fn read_state<T: serde::de::DeserializeOwned>(manifest: &Manifest, name: &str) -> Result<T> {
    let bytes = manifest.states.get(name).map_or(&b""[..], Vec::as_slice);
    serde_json::from_slice(bytes)
        .map_err(|error| Error::new(Code::BadArchive, format!("The image's {name} cannot be read: {error}.")))
}
