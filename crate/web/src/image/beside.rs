//! Side modules that are files beside an image.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::image::ContentHash;

use crate::archive_bytes::ArchiveBytes;
use crate::boundary::Stage;
use crate::error::Result;
use crate::fetch::{Label, Network, Sources, fetch_ahead};
use crate::store::Store;

/// Where files beside an image can be had.
#[derive(Clone)]
pub struct Beside {
    /// The folders that the image may be in, each ending in `/`. None for one that is whole.
    pub folders: Vec<String>,
    /// The way to them.
    pub network: Network,
    /// Where they are kept, if they are.
    pub store: Option<Store>,
}

/// A file beside an image, as its manifest has it.
pub struct FileBeside<'a> {
    /// Where it is, from where the image is.
    pub path: &'a str,
    /// Its bytes.
    pub length: u64,
    /// SHA-256 of them.
    pub sha256: ContentHash,
}

/// The files that have been fetched, by their SHA-256.
pub struct FilesBeside {
    place: Beside,
    held: Rc<Cell<u64>>,
    bytes: RefCell<HashMap<ContentHash, ArchiveBytes>>,
}

impl FilesBeside {
    /// None has been fetched. `held` counts bytes outside Rust's linear memory.
    pub fn new(place: Beside, held: &Rc<Cell<u64>>) -> Self {
        Self { place, held: Rc::clone(held), bytes: RefCell::default() }
    }

    /// A file, while everything else waits: only a worker can do that.
    ///
    /// # Errors
    /// As [`Fetcher::download_now`](crate::fetch::Fetcher::download_now).
    pub fn read_now(&self, file: &FileBeside<'_>) -> Result<Uint8Array> {
        if let Some(bytes) = self.at_hand(file) {
            return Ok(bytes);
        }
        let kept = self.place.store.as_ref().and_then(|store| store.get_content_now(&file.sha256));
        if let Some(bytes) = kept {
            self.hold(file, &bytes);
            return Ok(bytes);
        }
        let (bytes, _) = self.place.network.fetcher(None).download_now(&self.sources(file), label(file))?;
        self.take(file, &bytes);
        Ok(bytes)
    }

    /// A file.
    ///
    /// # Errors
    /// As [`Fetcher::download_from`](crate::fetch::Fetcher::download_from).
    pub async fn read(&self, file: &FileBeside<'_>) -> Result<Uint8Array> {
        if let Some(bytes) = self.at_hand(file) {
            return Ok(bytes);
        }
        if let Some(bytes) = self.kept(file).await {
            return Ok(bytes);
        }
        let (bytes, _) = self.place.network.fetcher(None).download_from(self.sources(file), label(file)).await?;
        self.take(file, &bytes);
        Ok(bytes)
    }

    /// Has a file at hand, without anybody waiting for it or hearing of it: one attempt, which gives way to other requests.
    pub async fn fetch_ahead(&self, file: &FileBeside<'_>) {
        if self.at_hand(file).is_some() || self.kept(file).await.is_some() {
            return;
        }
        if let Some(bytes) = fetch_ahead(&self.sources(file)).await {
            self.take(file, &bytes);
        }
    }

    fn at_hand(&self, file: &FileBeside<'_>) -> Option<Uint8Array> {
        self.bytes.borrow().get(&file.sha256).map(|bytes| bytes.bytes().clone())
    }

    async fn kept(&self, file: &FileBeside<'_>) -> Option<Uint8Array> {
        let bytes = self.place.store.as_ref()?.get_content(&file.sha256).await?;
        self.hold(file, &bytes);
        Some(bytes)
    }

    /// What has come from the network.
    fn take(&self, file: &FileBeside<'_>, bytes: &Uint8Array) {
        if let Some(store) = &self.place.store {
            store.put_content_later(None, file.sha256, bytes);
        }
        self.hold(file, bytes);
    }

    fn hold(&self, file: &FileBeside<'_>, bytes: &Uint8Array) {
        self.bytes.borrow_mut().insert(file.sha256, ArchiveBytes::new(bytes.clone(), &self.held));
    }

    fn sources(&self, file: &FileBeside<'_>) -> Sources {
        Sources::in_folders(&self.place.folders, file.path).with_sha256(&file.sha256.to_string())
    }
}

fn label<'a>(file: &FileBeside<'a>) -> Label<'a> {
    Label { stage: Stage::Import, name: file.path, size: Some(file.length as f64) }
}
