//! Files that are fetched when something is first read of them.
//!
//! Reading a file has to give its bytes at once, so the thread waits for them. In a worker a synchronous request does
//! that; a page's own thread allows it for text only, and gets the bytes as such.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{JsString, Uint8Array};
use taipan_core::source::{ByteSource, SourceError};
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::XmlHttpRequest;

use crate::archive_bytes::ArchiveBytes;
use crate::boundary::Stage;
use crate::error::{Code, Error, Result};
use crate::fetch::{Label, Network, Sources, compare_sha256, sha256_now};
use crate::store::Store;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn warn(text: &str);
}

/// A file that is fetched when it is first read.
pub struct RemoteFile {
    name: String,
    length: u64,
    sources: Sources,
    network: Network,
    held: Rc<Cell<u64>>,
    store: Option<Store>,
    is_kept: bool,
    bytes: RefCell<Option<ArchiveBytes>>,
}

impl RemoteFile {
    /// A file of so many bytes. `held` counts bytes outside Rust's linear memory.
    pub fn new(name: &str, length: u64, sources: Sources, network: &Network, held: &Rc<Cell<u64>>) -> Self {
        let (network, held) = (network.clone(), Rc::clone(held));
        let (name, store, is_kept) = (name.to_owned(), None, false);
        Self { name, length, sources, network, held, store, is_kept, bytes: RefCell::default() }
    }

    /// Is taken from the store if it is there.
    #[must_use]
    pub fn found_in(self, store: &Store) -> Self {
        Self { store: Some(store.clone()), ..self }
    }

    /// Is put into the store when it has been fetched.
    #[must_use]
    pub fn kept(self) -> Self {
        Self { is_kept: true, ..self }
    }

    fn get(&self) -> Result<ArchiveBytes> {
        let sha256 = self.sources.sha256.as_deref().and_then(|sha256| sha256.parse().ok());
        let Some((store, hash)) = self.store.as_ref().zip(sha256) else { return self.fetch() };
        if let Some(bytes) = store.get_content_now(&hash) {
            return Ok(ArchiveBytes::new(bytes, &self.held));
        }
        let fetched = self.fetch()?;
        if self.is_kept {
            store.put_content_later(None, hash, fetched.bytes());
        }
        Ok(fetched)
    }

    fn fetch(&self) -> Result<ArchiveBytes> {
        let label = Label { stage: Stage::Import, name: &self.name, size: Some(self.length as f64) };
        let bytes = match self.network.fetcher(None).download_now(&self.sources, label) {
            Err(error) if error.code() == Code::NotSupported => self.fetch_as_text()?,
            outcome => outcome?.0,
        };
        Ok(ArchiveBytes::new(bytes, &self.held))
    }

    /// Downloads while a page's own thread waits: as text in which every byte is a character (of the Encoding Standard's
    /// `x-user-defined`, whose lower eight bits are the byte).
    fn fetch_as_text(&self) -> Result<Uint8Array> {
        let url = self.sources.mirrors.first().map_or("", String::as_str);
        let failed = |thrown| Error::from_js(Code::LoadNetwork, &format!("{url} could not be loaded"), thrown);
        let request = XmlHttpRequest::new().map_err(failed)?;
        request.open_with_async("GET", url, false).map_err(failed)?;
        request.override_mime_type("text/plain; charset=x-user-defined").map_err(failed)?;
        request.send().map_err(failed)?;
        let status = request.status().unwrap_or_default();
        if !(200..300).contains(&status) {
            return Err(Error::new(Code::LoadHttp, format!("{url} answered with status {status}.")).with_status(status));
        }
        let text: JsString = request.response_text().map_err(failed)?.unwrap_or_default().into();
        let bytes: Vec<u8> = text.iter().map(|unit| unit.to_le_bytes()[0]).collect();
        let bytes = Uint8Array::from(bytes.as_slice());
        if let Some(expected) = &self.sources.sha256 {
            compare_sha256(&self.name, &sha256_now(&bytes), expected)?;
        }
        Ok(bytes)
    }
}

impl ByteSource for RemoteFile {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), SourceError> {
        let mut bytes = self.bytes.borrow_mut();
        if bytes.is_none() {
            *bytes = Some(self.get().map_err(|error| {
                // Python only learns that the file cannot be read.
                warn(&format!("Taipan: {error}"));
                SourceError::Host(error.to_string())
            })?);
        }
        match &*bytes {
            Some(bytes) => bytes.read_at(offset, buffer),
            None => Ok(()),
        }
    }
}
