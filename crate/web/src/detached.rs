//! Files of a prepared archive that are served beside it: fetched when one of them is read.

use std::cell::Cell;
use std::rc::Rc;

use taipan_core::archive::Archive;
use taipan_core::image::ArchiveReference;
use taipan_core::prepared::{Detached, LISTING, ServedFile};
use taipan_core::source::SharedSource;
use taipan_core::vfs::LayerEntry;

use crate::archives::Archives;
use crate::error::{Code, Error, Result};
use crate::fetch::{Network, Sources};
use crate::remote_file::RemoteFile;

/// Where files are that are served beside their archives.
#[derive(Clone)]
pub struct Beside {
    /// The folders that their addresses are relative to, each ending in `/`.
    pub base_urls: Vec<String>,
    /// Bytes of archives held outside Rust's memory.
    pub held: Rc<Cell<u64>>,
    /// What they are fetched with.
    pub network: Network,
    /// Which source is which archive.
    pub archives: Rc<Archives>,
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
            let source = self.source(&detached.file);
            detached.entries(&directory, &source)
        });
        Ok(entries.collect())
    }

    fn source(&self, file: &ServedFile) -> SharedSource {
        let sources = Sources::in_folders(&self.base_urls, &file.file_name).with_sha256(&file.sha256);
        let length = file.size;
        let source: SharedSource = Rc::new(RemoteFile::new(file.name(), length, sources, &self.network, &self.held));
        if let Ok(sha256) = file.sha256.parse() {
            self.archives.note(&source, ArchiveReference { sha256, length, file_name: file.file_name.clone() });
        }
        source
    }
}
