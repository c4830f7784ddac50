//! The side modules of an image.

use std::collections::HashMap;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, try_join_all};
use js_sys::{Uint8Array, WebAssembly};
use taipan_core::image::{ModuleBytes, SHIM};

use super::beside::FileBeside;
use super::{OpenImage, not_usable};
use crate::archive_bytes::ArchiveBytes;
use crate::emscripten::linker::{CompiledModule, Linker, compile_now};
use crate::error::{Code, Error, Result};
use crate::fetch::spawn;

/// What of an image's side modules is there before anything is called.
pub struct CompiledModules {
    /// Those that are linked at once, by their numbers.
    pub hot: HashMap<usize, WebAssembly::Module>,
    /// What links the others.
    pub shim: Option<WebAssembly::Module>,
}

impl OpenImage {
    /// Compiles what is linked at once, all in parallel, each when it has come.
    ///
    /// # Errors
    /// [`Code::BadArchive`], [`Code::BadWasm`].
    pub fn compile(self: &Rc<Self>, linker: &Linker) -> LocalBoxFuture<'static, Result<CompiledModules>> {
        let (image, linker) = (Rc::clone(self), linker.clone());
        let compiling = async move {
            let mut compiling = Vec::new();
            for (index, path) in image.module_paths.iter().enumerate().filter(|(index, _)| image.is_hot(*index)) {
                compiling.push((index, spawn(image.compile_module(&linker, path, index))));
            }
            let shim = image.links_late().then(|| image.image.head().find(SHIM)).transpose();
            let shim = shim.map_err(|error| not_usable(&error))?;
            let shim = shim.map(|part| spawn(image.compile_part(&linker, SHIM, part)));
            let mut hot = HashMap::new();
            for (index, module) in compiling {
                hot.insert(index, module.await?);
            }
            let shim = match shim {
                Some(shim) => Some(shim.await?),
                None => None,
            };
            Ok(CompiledModules { hot, shim })
        };
        compiling.boxed_local()
    }

    fn compile_module(
        self: &Rc<Self>,
        linker: &Linker,
        path: &str,
        index: usize,
    ) -> LocalBoxFuture<'static, Result<WebAssembly::Module>> {
        let (image, linker, path) = (Rc::clone(self), linker.clone(), path.to_owned());
        let compiling = async move {
            let Some(file) = image.file(index) else {
                return image.compile_part(&linker, &path, image.module_part(index)?).await;
            };
            Ok(linker.compile(&path, &image.beside.read(&file).await?).await?.module)
        };
        compiling.boxed_local()
    }

    fn compile_part(
        self: &Rc<Self>,
        linker: &Linker,
        name: &str,
        part: usize,
    ) -> LocalBoxFuture<'static, Result<WebAssembly::Module>> {
        let (image, linker, name) = (Rc::clone(self), linker.clone(), name.to_owned());
        let compiling = async move {
            image.part_arrived(part).await?;
            let compiling = image.with_part(part, |bytes| linker.compile_borrowed(&name, bytes))?;
            Ok(compiling.await?.module)
        };
        compiling.boxed_local()
    }

    /// Begins to compile a module that is linked when it is called; nothing if that is no such module.
    pub(super) fn compile_late(
        &self,
        linker: &Linker,
        index: usize,
    ) -> Option<impl Future<Output = Result<CompiledModule>> + use<>> {
        let path = self.module_paths.get(index).filter(|_| !self.is_hot(index))?;
        let part = self.module_part(index).ok()?;
        self.with_part(part, |bytes| linker.compile_borrowed(path, bytes)).ok()
    }

    /// Compiles a side module while everything else waits.
    ///
    /// # Errors
    /// As [`OpenImage::module`]; [`Code::BadWasm`].
    #[inline(never)]
    pub fn compile_now(&self, index: usize) -> Result<WebAssembly::Module> {
        let path = &self.module_paths[index];
        if !self.source.is_released() && self.file(index).is_none() {
            return self.with_part(self.module_part(index)?, |bytes| compile_now(path, bytes))?;
        }
        compile_now(path, &self.module(index)?.to_vec())
    }

    /// The bytes of a side module. One that is a file beside the image is waited for, unless it has been fetched.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if it is damaged, [`Code::Integrity`] if it is not what was baked, [`Code::LoadNetwork`] and
    /// [`Code::LoadHttp`] if its file is not to be had.
    pub fn module(&self, index: usize) -> Result<Uint8Array> {
        if let Some(file) = self.file(index) {
            return self.beside.read_now(&file);
        }
        if let Some(bytes) = self.modules.borrow().get(&index) {
            return Ok(bytes.bytes().clone());
        }
        self.read_part(self.module_part(index)?)
    }

    /// The file that a side module is, if it is not in the image.
    fn file(&self, index: usize) -> Option<FileBeside<'_>> {
        match &self.manifest.modules[index].bytes {
            ModuleBytes::File { path, length, sha256 } => Some(FileBeside { path, length: *length, sha256: *sha256 }),
            _ => None,
        }
    }

    fn files_beside(&self) -> impl Iterator<Item = FileBeside<'_>> {
        (0..self.manifest.modules.len()).filter_map(|index| self.file(index))
    }

    /// Has what is beside the image at hand, as far as it is to be had, one after the other.
    #[inline(never)]
    pub fn fetch_ahead(self: Rc<Self>) -> LocalBoxFuture<'static, ()> {
        let fetching = async move {
            for file in self.files_beside() {
                self.beside.fetch_ahead(&file).await;
            }
        };
        fetching.boxed_local()
    }

    /// Waits until what is beside the image is at hand.
    ///
    /// # Errors
    /// What keeps it from being had.
    #[inline(never)]
    pub fn complete(self: Rc<Self>) -> LocalBoxFuture<'static, Result<()>> {
        let completing = async move {
            let beside = &self.beside;
            try_join_all(self.files_beside().map(|file| async move { beside.read(&file).await.map(drop) }))
                .await
                .map(drop)
        };
        completing.boxed_local()
    }

    fn module_part(&self, index: usize) -> Result<usize> {
        let ModuleBytes::Part { name } = &self.manifest.modules[index].bytes else {
            return Err(Error::new(Code::BadArchive, "A side module is not in the image."));
        };
        self.image.head().find(name).map_err(|error| not_usable(&error))
    }

    #[inline(never)]
    fn read_part(&self, part: usize) -> Result<Uint8Array> {
        self.with_part(part, |bytes| Uint8Array::from(bytes))
    }

    /// Reads a part for as long as `look` runs.
    fn with_part<T>(&self, part: usize, look: impl FnOnce(&[u8]) -> T) -> Result<T> {
        let mut buffer = self.buffer.borrow_mut();
        self.image.read_part(part, &mut buffer).map(look).map_err(|error| not_usable(&error))
    }

    /// Keeps the side modules and nothing else: others may have the file, or the memory.
    ///
    /// # Errors
    /// As [`OpenImage::module`].
    pub fn let_go(&self) -> Result<()> {
        if !self.source.is_released() {
            for index in (0..self.manifest.modules.len()).filter(|index| self.file(*index).is_none()) {
                let bytes = ArchiveBytes::new(self.module(index)?, &self.held);
                self.modules.borrow_mut().insert(index, bytes);
            }
            self.source.release();
            self.buffer.take();
        }
        Ok(())
    }
}
