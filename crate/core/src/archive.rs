//! A ZIP reader that trusts nothing (APPNOTE.TXT 6.3.10 of PKWARE; wheels are ZIP files).
//!
//! Only the central directory is read when an archive is opened; contents stay where they are until somebody asks.
//! Everything that an archive claims about itself is checked against [`Limits`] before memory is allocated for it, and
//! what could be read in two ways is refused: see [`ArchiveError`] for the list.

mod directory;
mod end;
mod error;
mod fields;
mod local;
mod name;
mod writer;

use std::collections::HashMap;
use std::fmt;
use std::rc::Rc;

use zlib_rs::crc32;

pub use self::error::ArchiveError;
pub(crate) use self::name::parse as parse_path;
pub use self::writer::ArchiveWriter;
use crate::source::SharedSource;
use crate::vfs::{Content, ContentError, Layer, LayerEntry};

/// What an archive may at most claim to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Entries. Default: 100,000.
    pub entries: u64,
    /// Bytes of the central directory. Default: 64 MiB.
    pub directory_bytes: u64,
    /// Inflated bytes of one entry. Default: 1 GiB.
    pub entry_bytes: u64,
    /// Inflated bytes of all entries. Default: 4 GiB.
    pub total_bytes: u64,
    /// Inflated bytes for each compressed byte of an entry. Default: 1,100, a little over what DEFLATE can reach.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 100_000, directory_bytes: 64 << 20, entry_bytes: 1 << 30, total_bytes: 4 << 30, ratio: 1_100 }
    }
}

/// How an entry is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// Not at all (0).
    Stored,
    /// Raw DEFLATE (8).
    Deflated,
}

/// What an entry is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory: its name ends in a slash.
    Directory,
    /// A symbolic link; its contents are the target.
    Symlink,
}

/// A file of an archive.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Path with `/` between names, without a slash at either end, without `.` and `..`.
    pub path: String,
    /// What it is.
    pub kind: EntryKind,
    /// How it is compressed.
    pub method: Method,
    /// Where its (compressed) bytes begin in the source.
    pub data_offset: u64,
    /// Bytes in the source.
    pub compressed_size: u64,
    /// Bytes when inflated.
    pub size: u64,
    /// Checksum of the inflated bytes.
    pub crc32: u32,
    /// Permissions; 644 or 755 where the archive gives none.
    pub permissions: u32,
    /// Time of last change in milliseconds since 1970: ZIP's local time, taken as UTC.
    pub modified: f64,
}

/// An opened archive.
pub struct Archive {
    source: SharedSource,
    entries: Vec<Entry>,
    by_path: HashMap<String, usize>,
}

impl Archive {
    /// Reads the central directory.
    ///
    /// # Errors
    /// Every [`ArchiveError`].
    pub fn open(source: SharedSource, limits: &Limits) -> Result<Self, ArchiveError> {
        let entries = directory::read(&*source, limits)?;
        let by_path = name::index(&entries)?;
        let archive = Self { source, entries, by_path };
        archive.check_symlinks()?;
        Ok(archive)
    }

    /// Reads the central directory, and of the rest only what belongs to the entries with wanted paths: for an archive
    /// of which only parts are here ([`crate::source::SparseSource`]). What is wrong with the others is not noticed.
    ///
    /// # Errors
    /// Every [`ArchiveError`].
    pub fn open_some(
        source: SharedSource,
        limits: &Limits,
        is_wanted: impl Fn(&str) -> bool,
    ) -> Result<Self, ArchiveError> {
        let entries = directory::read_some(&*source, limits, is_wanted)?;
        let by_path = name::index(&entries)?;
        Ok(Self { source, entries, by_path })
    }

    /// All entries, in the order of the central directory.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry with a path.
    pub fn find(&self, path: &str) -> Option<&Entry> {
        self.by_path.get(path).map(|index| &self.entries[*index])
    }

    /// The contents of an entry, as a layer of the file system takes them: not read yet.
    pub fn content(&self, entry: &Entry) -> Content {
        let source = Rc::clone(&self.source);
        match entry.method {
            Method::Stored => Content::Stored { source, offset: entry.data_offset, length: entry.size },
            Method::Deflated => Content::Deflated {
                source,
                offset: entry.data_offset,
                compressed_length: entry.compressed_size,
                length: entry.size,
                crc32: entry.crc32,
            },
        }
    }

    /// The contents of an entry, inflated and checked.
    ///
    /// # Errors
    /// [`ArchiveError::Content`], [`ArchiveError::Checksum`].
    pub fn read(&self, entry: &Entry) -> Result<Rc<[u8]>, ArchiveError> {
        let bytes = self.content(entry).read().map_err(|error| unreadable(entry, error))?;
        check(entry, &bytes)?;
        Ok(bytes)
    }

    /// As [`Archive::read`], at the beginning of a buffer that grows as far as it must.
    ///
    /// # Errors
    /// As [`Archive::read`].
    pub fn read_into<'a>(&self, entry: &Entry, buffer: &'a mut Vec<u8>) -> Result<&'a [u8], ArchiveError> {
        let bytes = self.content(entry).read_into(buffer).map_err(|error| unreadable(entry, error))?;
        check(entry, bytes)?;
        Ok(bytes)
    }

    /// The contents of an entry as text.
    ///
    /// # Errors
    /// As [`Archive::read`], and [`ArchiveError::NotText`].
    pub fn read_text(&self, entry: &Entry) -> Result<String, ArchiveError> {
        String::from_utf8(self.read(entry)?.to_vec()).map_err(|_| ArchiveError::NotText { path: entry.path.clone() })
    }

    /// Entries as a layer of the file system, without reading them. `place` says where each goes; those it gives no
    /// place to are left out.
    pub fn layer(&self, place: impl Fn(&Entry) -> Option<String>) -> Layer {
        let entry = |entry: &Entry| {
            let path = place(entry)?;
            let kind = match entry.kind {
                EntryKind::File => crate::vfs::FileKind::File,
                EntryKind::Directory => return Some(LayerEntry::directory(path, entry.permissions, entry.modified)),
                EntryKind::Symlink => crate::vfs::FileKind::Symlink,
            };
            let mode = kind.bits() | entry.permissions;
            Some(LayerEntry { path, mode, mtime: entry.modified, content: self.content(entry) })
        };
        Layer::new(self.entries.iter().filter_map(entry).collect())
    }

    /// A symbolic link must point to something inside the archive's own tree.
    fn check_symlinks(&self) -> Result<(), ArchiveError> {
        for entry in self.entries.iter().filter(|entry| entry.kind == EntryKind::Symlink) {
            let (actual, limit) = (entry.size, name::PATH_MAX as u64);
            if actual > limit {
                return Err(ArchiveError::TooMuch { what: "bytes in the target of a symbolic link", actual, limit });
            }
            let target = self.read_text(entry)?;
            if !name::stays_inside(&entry.path, &target) {
                return Err(ArchiveError::SymlinkEscapes { path: entry.path.clone(), target });
            }
        }
        Ok(())
    }
}

fn unreadable(entry: &Entry, error: ContentError) -> ArchiveError {
    ArchiveError::Content { path: entry.path.clone(), error }
}

/// Compares the checksum, unless inflating has done it.
fn check(entry: &Entry, bytes: &[u8]) -> Result<(), ArchiveError> {
    if entry.method == Method::Deflated {
        return Ok(());
    }
    let actual = crc32::crc32(0, bytes);
    if actual == entry.crc32 {
        Ok(())
    } else {
        Err(ArchiveError::Checksum { path: entry.path.clone(), expected: entry.crc32, actual })
    }
}

impl fmt::Debug for Archive {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Archive").field("entries", &self.entries).finish_non_exhaustive()
    }
}

/// The archive formats by their file names, for errors that say what is taken instead.
///
/// # Errors
/// [`ArchiveError::Format`] for a file that is not named as a ZIP file or wheel.
pub fn check_format(file_name: &str) -> Result<(), ArchiveError> {
    const SUFFIXES: [&str; 2] = [".whl", ".zip"];
    let lower = file_name.to_ascii_lowercase();
    if SUFFIXES.iter().any(|suffix| lower.ends_with(suffix)) {
        return Ok(());
    }
    Err(ArchiveError::Format { file_name: file_name.to_owned() })
}
