//! A small ZIP writer, for archives that no honest program would write, and the way to real material.

#![allow(dead_code, clippy::allow_attributes, reason = "each test uses its part of this")]

pub mod module;

use std::path::{Path, PathBuf};
use std::rc::Rc;

use flate2::{Compress, Compression, FlushCompress};
use taipan_core::archive::{Archive, ArchiveError, Limits};

pub const STORED: u16 = 0;
pub const DEFLATED: u16 = 8;
pub const UNIX: u16 = 3;

/// A file to be written.
#[derive(Debug, Clone)]
pub struct Item {
    pub path: Vec<u8>,
    pub content: Vec<u8>,
    pub method: u16,
    pub flags: u16,
    /// Mode with type bits; 0 for an archive written on DOS.
    pub mode: u32,
    /// DOS date and time.
    pub modified: (u16, u16),
    /// Extra fields of the central header.
    pub extra: Vec<u8>,
    /// Extra fields of the local header.
    pub local_extra: Vec<u8>,
}

impl Item {
    pub fn file(path: &str, content: &[u8]) -> Self {
        Self {
            path: path.into(),
            content: content.to_vec(),
            method: DEFLATED,
            flags: 0,
            mode: 0o100_644,
            modified: (0b0101_1000_0101_1101, 0),
            extra: Vec::new(),
            local_extra: Vec::new(),
        }
    }

    pub fn stored(path: &str, content: &[u8]) -> Self {
        Self { method: STORED, ..Self::file(path, content) }
    }

    pub fn directory(path: &str) -> Self {
        Self { mode: 0o040_755, ..Self::stored(path, b"") }
    }

    pub fn symlink(path: &str, target: &str) -> Self {
        Self { mode: 0o120_777, ..Self::stored(path, target.as_bytes()) }
    }
}

/// A written archive and where its records are, so that tests can spoil them.
#[derive(Debug, Clone)]
pub struct Zip {
    pub bytes: Vec<u8>,
    pub local: Vec<usize>,
    pub central: Vec<usize>,
    pub end: usize,
}

pub fn deflate(content: &[u8]) -> Vec<u8> {
    let mut packed = Vec::with_capacity(content.len() + content.len() / 100 + 64);
    Compress::new(Compression::default(), false).compress_vec(content, &mut packed, FlushCompress::Finish).unwrap();
    packed
}

impl Zip {
    pub fn of(items: &[Item]) -> Self {
        let mut bytes = Vec::new();
        let (mut local, mut central) = (Vec::new(), Vec::new());
        let mut directory = Vec::new();
        for item in items {
            let packed = if item.method == DEFLATED { deflate(&item.content) } else { item.content.clone() };
            let mut common = Vec::new();
            for number in [item.flags, item.method, item.modified.1, item.modified.0] {
                common.extend(number.to_le_bytes());
            }
            for number in [crc32fast::hash(&item.content), packed.len() as u32, item.content.len() as u32] {
                common.extend(number.to_le_bytes());
            }
            common.extend((item.path.len() as u16).to_le_bytes());

            central.push(directory.len());
            directory.extend(b"PK\x01\x02");
            let made_by = if item.mode == 0 { 20 } else { UNIX << 8 | 0x14 };
            directory.extend([made_by, 20].map(u16::to_le_bytes).concat());
            directory.extend(&common);
            directory.extend([item.extra.len() as u16, 0, 0, 0].map(u16::to_le_bytes).concat());
            directory.extend([item.mode << 16, bytes.len() as u32].map(u32::to_le_bytes).concat());
            directory.extend(&item.path);
            directory.extend(&item.extra);

            local.push(bytes.len());
            bytes.extend(b"PK\x03\x04\x14\0");
            bytes.extend(&common);
            bytes.extend((item.local_extra.len() as u16).to_le_bytes());
            bytes.extend(&item.path);
            bytes.extend(&item.local_extra);
            bytes.extend(&packed);
        }
        let directory_offset = bytes.len();
        for offset in &mut central {
            *offset += directory_offset;
        }
        bytes.extend(&directory);
        let end = bytes.len();
        bytes.extend(b"PK\x05\x06");
        bytes.extend([0, 0, items.len() as u16, items.len() as u16].map(u16::to_le_bytes).concat());
        bytes.extend([directory.len() as u32, directory_offset as u32].map(u32::to_le_bytes).concat());
        bytes.extend([0, 0]);
        Self { bytes, local, central, end }
    }

    #[must_use]
    pub fn set(mut self, at: usize, bytes: &[u8]) -> Self {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Replaces the end record by one with its ZIP64 form, all numbers of which stand there alone.
    #[must_use]
    pub fn with_zip64_end(mut self) -> Self {
        let (entries, offset) = (self.central.len() as u64, self.central.first().map_or(0, |at| *at as u64));
        let size = self.end as u64 - offset;
        let at = self.end as u64;
        self.bytes.truncate(self.end);
        self.bytes.extend(b"PK\x06\x06");
        self.bytes.extend(44_u64.to_le_bytes());
        self.bytes.extend([45, 45].map(u16::to_le_bytes).concat());
        self.bytes.extend([0, 0].map(u32::to_le_bytes).concat());
        self.bytes.extend([entries, entries, size, offset].map(u64::to_le_bytes).concat());
        self.bytes.extend(b"PK\x06\x07\0\0\0\0");
        self.bytes.extend(at.to_le_bytes());
        self.bytes.extend(1_u32.to_le_bytes());
        self.end = self.bytes.len();
        self.bytes.extend(b"PK\x05\x06\0\0\0\0\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\0\0");
        self
    }

    pub fn open(&self) -> Result<Archive, ArchiveError> {
        open(self.bytes.clone())
    }
}

pub fn open(bytes: Vec<u8>) -> Result<Archive, ArchiveError> {
    Archive::open(Rc::new(bytes), &Limits::default())
}

/// The folder of a real distribution, which `TAIPAN_DISTRIBUTION` names. `None`, with a note, if it names none.
pub fn distribution() -> Option<PathBuf> {
    let Some(folder) = std::env::var_os("TAIPAN_DISTRIBUTION") else {
        eprintln!("skipped: TAIPAN_DISTRIBUTION does not name the folder of a Pyodide distribution");
        return None;
    };
    Some(PathBuf::from(folder))
}

/// A file of the real distribution, which has to be there if the folder is named.
pub fn real(file_name: &str) -> Option<Vec<u8>> {
    Some(read(&distribution()?.join(file_name)))
}

#[expect(clippy::disallowed_methods, reason = "core does no I/O, its tests do")]
pub fn read(path: &Path) -> Vec<u8> {
    std::fs::read(path).unwrap_or_else(|error| panic!("{} cannot be read: {error}", path.display()))
}

/// Whether a path ends in `.` and an extension.
pub fn has_extension(path: &str, extension: &str) -> bool {
    path.rsplit_once('.').is_some_and(|(_, found)| found == extension)
}

/// The names of all archives of the real distribution, of which there are some if the folder is named.
pub fn real_archives() -> Vec<String> {
    distribution().map(|folder| archives_in(&folder)).unwrap_or_default()
}

/// The archives of every real distribution that is named.
pub fn all_real_archives() -> Vec<PathBuf> {
    let folders = distribution().into_iter().chain(std::env::var_os("TAIPAN_DISTRIBUTION_314").map(PathBuf::from));
    folders.flat_map(|folder| archives_in(&folder).into_iter().map(move |name| folder.join(name))).collect()
}

fn archives_in(folder: &Path) -> Vec<String> {
    let listing = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut names: Vec<String> = listing
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| has_extension(name, "whl") || has_extension(name, "zip"))
        .collect();
    names.sort();
    assert!(!names.is_empty(), "{} holds no archives", folder.display());
    names
}
