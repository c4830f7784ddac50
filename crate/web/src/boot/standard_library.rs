//! The standard library and its bytecode on their way into the file system.

use std::cell::Cell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::join;
use taipan_core::image::ArchiveReference;

use super::files::Hashed;
use crate::bytecode::Bytecode;
use crate::distribution::STANDARD_LIBRARY_FILE;
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::start::{Populate, PopulateFuture};
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, spawn};
use crate::packages::Packages;
use crate::python_files;

/// Where the standard library goes.
pub struct StandardLibrary {
    /// What has its bytecode.
    pub bytecode: Rc<Bytecode>,
    /// Bytes of archives held outside Rust's memory.
    pub held: Rc<Cell<u64>>,
}

impl StandardLibrary {
    /// Waits for the archive and for its bytecode, from now on; what comes of it mounts both.
    pub fn populate(
        self,
        archive: impl Future<Output = Result<Hashed>> + 'static,
        packages: Rc<Packages>,
        fetcher: Fetcher,
    ) -> PopulateFuture {
        spawn(async move {
            let (archive, hash) = archive.await?;
            let Self { bytecode, held } = self;
            let lock = packages.lock();
            let own_hash = python_files::OWN_HASH;
            for hash in [&*hash, own_hash] {
                Bytecode::request(&bytecode, hash, lock.file(), packages.base_urls(), &fetcher);
            }
            let (kept, own_kept) = join(bytecode.receive(&hash), bytecode.receive(own_hash)).await;
            let (abi, beside, archives) = (lock.abi, packages.beside(), packages.archives());
            let mount = move |files: &SharedFileSystem| {
                let mounted = python_files::mount(files, abi, archive, &held, &beside)?;
                let sha256 = hash.parse().map_err(|_| Error::new(Code::Fatal, format!("{hash} is not a SHA-256.")))?;
                let (length, file_name) = (mounted.source.len(), STANDARD_LIBRARY_FILE.to_owned());
                archives.note(&mounted.source, ArchiveReference { sha256, length, file_name });
                bytecode.mount(mounted.library, &hash, kept);
                bytecode.mount(mounted.own, own_hash, own_kept);
                Ok(())
            };
            Ok(Box::new(mount) as Populate)
        })
        .boxed_local()
    }
}
