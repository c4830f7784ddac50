//! The central directory.

use super::end::locate;
use super::fields::{Fields, IN_ZIP64};
use super::local::{read_local, read_local_headers};
use super::name;
use super::{ArchiveError, Entry, EntryKind, Limits, Method};
use crate::source::ByteSource;

const CENTRAL_SIGNATURE: u32 = 0x0201_4b50;
const CENTRAL_SIZE: usize = 46;

/// A ZIP64 extra field.
const ZIP64_EXTRA: u16 = 1;
/// Info-ZIP's other spelling of the path: one byte version, four bytes checksum, the path.
const UNICODE_PATH_EXTRA: u16 = 0x7075;

/// Encryption, strong encryption, masked local headers.
const FLAGS_ENCRYPTED: u16 = 1 | 1 << 6 | 1 << 13;

/// An entry of the central directory before its local header has been looked at.
pub(super) struct Central {
    pub(super) entry: Entry,
    pub(super) raw_name: Vec<u8>,
    pub(super) raw_method: u16,
    pub(super) header_offset: u64,
}

/// Reads all entries.
///
/// # Errors
/// Those of [`ArchiveError`] that concern the structure.
pub(super) fn read(source: &dyn ByteSource, limits: &Limits) -> Result<Vec<Entry>, ArchiveError> {
    let (entries, directory_offset) = read_directory(source, limits)?;
    read_local_headers(source, entries, directory_offset)
}

/// As [`read`], of the entries with wanted paths alone: nothing else of the archive is looked at than the directory.
pub(super) fn read_some(
    source: &dyn ByteSource,
    limits: &Limits,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<Vec<Entry>, ArchiveError> {
    let (entries, directory_offset) = read_directory(source, limits)?;
    let wanted = entries.into_iter().filter(|central| is_wanted(&central.entry.path));
    wanted.map(|central| read_local(source, central, directory_offset, &mut Vec::new())).collect()
}

/// The entries of the central directory, and where it begins.
fn read_directory(source: &dyn ByteSource, limits: &Limits) -> Result<(Vec<Central>, u64), ArchiveError> {
    let location = locate(source)?;
    over("entries", location.entries, limits.entries)?;
    over("bytes of central directory", location.length, limits.directory_bytes)?;
    let end = location.offset.checked_add(location.length);
    match end {
        Some(end) if end == location.end => {}
        Some(end) if end < location.end => {
            return Err(ArchiveError::Garbage { place: "after the central directory", length: location.end - end });
        }
        _ => {
            return Err(ArchiveError::Outside {
                what: "central directory",
                offset: location.offset,
                length: location.length,
                available: source.len(),
            });
        }
    }
    let mut bytes = vec![0; location.length as usize];
    source.read_at(location.offset, &mut bytes)?;
    let mut entries = Vec::with_capacity(location.entries.min(location.length / CENTRAL_SIZE as u64) as usize);
    let mut rest = &bytes[..];
    let mut total = 0_u64;
    for _ in 0..location.entries {
        let offset = location.offset + (bytes.len() - rest.len()) as u64;
        let (central, tail) = read_central(rest, offset)?;
        rest = tail;
        check_sizes(&central.entry, limits)?;
        total = total.saturating_add(central.entry.size);
        over("bytes in all", total, limits.total_bytes)?;
        entries.push(central);
    }
    if !rest.is_empty() {
        return Err(ArchiveError::Garbage { place: "in the central directory", length: rest.len() as u64 });
    }
    Ok((entries, location.offset))
}

fn over(what: &'static str, actual: u64, limit: u64) -> Result<(), ArchiveError> {
    if actual > limit { Err(ArchiveError::TooMuch { what, actual, limit }) } else { Ok(()) }
}

fn check_sizes(entry: &Entry, limits: &Limits) -> Result<(), ArchiveError> {
    over("bytes in an entry", entry.size, limits.entry_bytes)?;
    let possible = match entry.method {
        Method::Stored => entry.size == entry.compressed_size,
        Method::Deflated => entry.size <= entry.compressed_size.saturating_mul(limits.ratio),
    };
    if possible {
        return Ok(());
    }
    let (compressed_size, size) = (entry.compressed_size, entry.size);
    Err(ArchiveError::Ratio { path: entry.path.clone(), compressed_size, size })
}

fn read_central(bytes: &[u8], offset: u64) -> Result<(Central, &[u8]), ArchiveError> {
    let damaged = || ArchiveError::Damaged { what: "central directory entry", offset };
    let (header, rest) = bytes.split_at_checked(CENTRAL_SIZE).ok_or_else(damaged)?;
    let fields = Fields(header);
    if fields.u32(0) != CENTRAL_SIGNATURE {
        return Err(damaged());
    }
    let (raw_name, rest) = rest.split_at_checked(usize::from(fields.u16(28))).ok_or_else(damaged)?;
    let (extra, rest) = rest.split_at_checked(usize::from(fields.u16(30))).ok_or_else(damaged)?;
    let (_comment, rest) = rest.split_at_checked(usize::from(fields.u16(32))).ok_or_else(damaged)?;
    let (path, is_directory) = name::parse(raw_name)?;
    if fields.u16(8) & FLAGS_ENCRYPTED != 0 {
        return Err(ArchiveError::Encrypted { path });
    }
    let raw_method = fields.u16(10);
    let method = match raw_method {
        0 => Method::Stored,
        8 => Method::Deflated,
        method => return Err(ArchiveError::Method { path, method }),
    };
    let mut zip64 = Zip64Extra::find(extra, raw_name)
        .ok_or_else(|| ArchiveError::Disagreement { path: path.clone(), field: "extra field" })?;
    let mut number = |value: u32| if value == IN_ZIP64 { zip64.next() } else { Some(u64::from(value)) };
    let size = number(fields.u32(24)).ok_or_else(damaged)?;
    let compressed_size = number(fields.u32(20)).ok_or_else(damaged)?;
    let header_offset = number(fields.u32(42)).ok_or_else(damaged)?;
    let Some((kind, permissions)) = kind_and_permissions(fields.u16(4), fields.u32(38), is_directory) else {
        return Err(ArchiveError::Disagreement { path, field: "kind" });
    };
    if kind == EntryKind::Directory && size > 0 {
        return Err(ArchiveError::Disagreement { path, field: "kind" });
    }
    let entry = Entry {
        path,
        kind,
        method,
        data_offset: 0,
        compressed_size,
        size,
        crc32: fields.u32(16),
        permissions,
        modified: dos_time(fields.u16(14), fields.u16(12)),
    };
    Ok((Central { entry, raw_name: raw_name.to_vec(), raw_method, header_offset }, rest))
}

/// The numbers of the ZIP64 extra field, in order.
struct Zip64Extra<'a>(&'a [u8]);

impl<'a> Zip64Extra<'a> {
    /// `None` if the field is there twice, or if there is another path than the header's.
    fn find(mut extra: &'a [u8], raw_name: &[u8]) -> Option<Self> {
        let mut found = None;
        while let Some((header, rest)) = extra.split_at_checked(4) {
            let fields = Fields(header);
            let Some((body, rest)) = rest.split_at_checked(usize::from(fields.u16(2))) else { break };
            match fields.u16(0) {
                ZIP64_EXTRA if found.replace(body).is_some() => return None,
                UNICODE_PATH_EXTRA if body.get(5..) != Some(raw_name) => return None,
                _ => {}
            }
            extra = rest;
        }
        Some(Self(found.unwrap_or_default()))
    }

    fn next(&mut self) -> Option<u64> {
        let (number, rest) = self.0.split_at_checked(8)?;
        self.0 = rest;
        Some(Fields(number).u64(0))
    }
}

/// `None` if the mode contradicts the name, or is that of a device, pipe or socket.
fn kind_and_permissions(made_by: u16, external: u32, is_directory: bool) -> Option<(EntryKind, u32)> {
    const UNIX: u16 = 3;
    const MACOS: u16 = 19;
    const DIRECTORY: u32 = 0o040_000;
    const FILE: u32 = 0o100_000;
    const SYMLINK: u32 = 0o120_000;
    let mode = if matches!(made_by >> 8, UNIX | MACOS) { external >> 16 } else { 0 };
    let kind = match (is_directory, mode & 0o170_000) {
        (true, 0 | DIRECTORY) => EntryKind::Directory,
        (false, SYMLINK) => EntryKind::Symlink,
        (false, 0 | FILE) => EntryKind::File,
        _ => return None,
    };
    // Who mounts an archive must be able to read it; set-id bits mean nothing here.
    let permissions = match (mode & 0o777, kind) {
        (0, EntryKind::Directory) => 0o755,
        (0, _) => 0o644,
        (mode, EntryKind::Directory) => mode | 0o700,
        (mode, _) => mode | 0o600,
    };
    Some((kind, permissions))
}

/// Milliseconds since 1970 of a DOS date and time, taken as UTC.
fn dos_time(date: u16, time: u16) -> f64 {
    let year = i64::from(date >> 9) + 1980;
    let month = i64::from(date >> 5 & 0xf).clamp(1, 12);
    let day = i64::from(date & 0x1f).max(1);
    // Days from civil: Howard Hinnant's algorithm, for years from 1980 on.
    let shifted_year = if month <= 2 { year - 1 } else { year };
    let era = shifted_year / 400;
    let year_of_era = shifted_year - era * 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    let days = era * 146_097 + day_of_era - 719_468;
    let seconds = i64::from(time >> 11) * 3600 + i64::from(time >> 5 & 0x3f) * 60 + i64::from(time & 0x1f) * 2;
    ((days * 86_400 + seconds) * 1000) as f64
}
