//! Files of a prepared archive that are served beside it: fetched when one of them is read.
//!
//! Reading a file has to give its bytes at once, so the thread waits for them. In a worker a synchronous request does
//! that; a page's own thread allows it for text only, and gets the bytes as such.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use js_sys::{JsString, Uint8Array};
use taipan_core::archive::Archive;
use taipan_core::image::ArchiveReference;
use taipan_core::prepared::{Detached, LISTING, ServedFile};
use taipan_core::source::{ByteSource, SharedSource, SourceError};
use taipan_core::vfs::LayerEntry;
use wasm_bindgen::prelude::wasm_bindgen;
use web_sys::XmlHttpRequest;

use crate::archive_bytes::ArchiveBytes;
use crate::archives::Archives;
use crate::boundary::Stage;
use crate::error::{Code, Error, Result};
use crate::fetch::{compare_sha256, fetch_now, sha256_now};
use crate::timeline::Timeline;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = console)]
    fn warn(text: &str);
}

/// Where files are that are served beside their archives.
#[derive(Clone)]
pub struct Beside {
    /// The folder that their addresses are relative to, ending in `/`.
    pub base_url: String,
    /// Bytes of archives held outside Rust's memory.
    pub held: Rc<Cell<u64>>,
    /// Where each is noted, for images.
    pub archives: Rc<Archives>,
    /// Who is told of progress.
    pub timeline: Rc<Timeline>,
}

impl Beside {
    /// The files of an archive that are elsewhere, below `directory`. None are where the archive does not say so.
    ///
    /// # Errors
    /// [`Code::BadArchive`] if what it says cannot be.
    pub fn entries(&self, archive: &Archive, file_name: &str, directory: &str) -> Result<Vec<LayerEntry>> {
        let Some(listing) = archive.find(LISTING) else { return Ok(Vec::new()) };
        let failed = |why: String| {
            Error::new(Code::BadArchive, format!("{file_name} cannot be used: in {LISTING}, {why}."))
                .hint("Prepare the distribution again, with this version of Taipan.")
        };
        let bytes = archive.read(listing).map_err(|error| failed(error.to_string()))?;
        let detached = Detached::parse(&bytes).map_err(|error| failed(error.to_string()))?;
        let directory = if directory.is_empty() { String::new() } else { format!("{directory}/") };
        let entries = detached.iter().flat_map(|detached| {
            let source: SharedSource = Rc::new(RemoteFile::new(&detached.file, self));
            let ServedFile { file_name, size, sha256 } = &detached.file;
            if let Ok(sha256) = sha256.parse() {
                let reference = ArchiveReference { sha256, length: *size, file_name: file_name.clone() };
                self.archives.note(&source, reference);
            }
            detached.entries(&directory, &source)
        });
        Ok(entries.collect())
    }
}

/// A file that is fetched when it is first read.
struct RemoteFile {
    file: ServedFile,
    beside: Beside,
    bytes: RefCell<Option<ArchiveBytes>>,
}

impl RemoteFile {
    fn new(file: &ServedFile, beside: &Beside) -> Self {
        Self { file: file.clone(), beside: beside.clone(), bytes: RefCell::default() }
    }

    fn fetch(&self) -> Result<ArchiveBytes> {
        let Beside { base_url, held, timeline, .. } = &self.beside;
        let url = format!("{base_url}{}", self.file.file_name);
        let bytes = match fetch_now(&url) {
            Err(error) if error.code() == Code::NotSupported => fetch_as_text(&url)?,
            outcome => outcome?,
        };
        let name = self.file.file_name.rsplit('/').next().unwrap_or_default();
        compare_sha256(name, &sha256_now(&bytes), &self.file.sha256)?;
        let size = f64::from(bytes.length());
        timeline.add_bytes(size);
        timeline.report(Stage::Import, name, size, Some(size));
        Ok(ArchiveBytes::new(bytes, held))
    }
}

impl ByteSource for RemoteFile {
    fn len(&self) -> u64 {
        self.file.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), SourceError> {
        let mut bytes = self.bytes.borrow_mut();
        if bytes.is_none() {
            *bytes = Some(self.fetch().map_err(|error| {
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

/// Downloads while a page's own thread waits: as text in which every byte is a character (of the Encoding Standard's
/// `x-user-defined`, whose lower eight bits are the byte).
fn fetch_as_text(url: &str) -> Result<Uint8Array> {
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
    Ok(Uint8Array::from(bytes.as_slice()))
}
