//! The local headers.

use super::directory::Central;
use super::fields::{Fields, IN_ZIP64};
use super::{ArchiveError, Entry};
use crate::source::{ByteSource, SourceError};

const LOCAL_SIGNATURE: u32 = 0x0403_4b50;
const LOCAL_SIZE: u64 = 30;

/// The sizes and the checksum follow the data instead of standing in the local header.
const FLAG_DESCRIPTOR: u16 = 1 << 3;

/// Looks at each local header: it has to agree with the central directory, and tells where the data begins.
pub(super) fn read_local_headers(
    source: &dyn ByteSource,
    entries: Vec<Central>,
    directory_offset: u64,
) -> Result<Vec<Entry>, ArchiveError> {
    let mut spans = Vec::with_capacity(entries.len());
    let mut complete = Vec::with_capacity(entries.len());
    for central in entries {
        let entry = read_local(source, central, directory_offset, &mut spans)?;
        complete.push(entry);
    }
    check_overlaps(&complete, spans)?;
    Ok(complete)
}

/// Completes one entry by its local header, and adds the bytes that it takes to `spans`.
pub(super) fn read_local(
    source: &dyn ByteSource,
    central: Central,
    directory_offset: u64,
    spans: &mut Vec<(u64, u64, usize)>,
) -> Result<Entry, ArchiveError> {
    let Central { mut entry, raw_name, raw_method, header_offset } = central;
    let outside = |length| ArchiveError::Outside {
        what: "data of an entry",
        offset: header_offset,
        length,
        available: directory_offset,
    };
    let name_length = raw_name.len() as u64;
    let fixed = LOCAL_SIZE + name_length;
    if header_offset.checked_add(fixed).is_none_or(|end| end > directory_offset) {
        return Err(outside(fixed));
    }
    let mut header = vec![0; fixed as usize];
    source.read_at(header_offset, &mut header).map_err(|error: SourceError| ArchiveError::Source(error))?;
    let (fixed_part, local_name) = header.split_at(LOCAL_SIZE as usize);
    let fields = Fields(fixed_part);
    if fields.u32(0) != LOCAL_SIGNATURE {
        return Err(ArchiveError::Damaged { what: "local header", offset: header_offset });
    }
    let differs = |field| Err(ArchiveError::Disagreement { path: entry.path.clone(), field });
    if u64::from(fields.u16(26)) != name_length || local_name != raw_name {
        return differs("name");
    }
    if fields.u16(8) != raw_method {
        return differs("method");
    }
    if fields.u16(6) & FLAG_DESCRIPTOR == 0 {
        if fields.u32(14) != entry.crc32 {
            return differs("checksum");
        }
        let agrees = |local: u32, central: u64| local == IN_ZIP64 || u64::from(local) == central;
        if !agrees(fields.u32(18), entry.compressed_size) || !agrees(fields.u32(22), entry.size) {
            return differs("size");
        }
    }
    entry.data_offset = header_offset + fixed + u64::from(fields.u16(28));
    let end = entry.data_offset.checked_add(entry.compressed_size).filter(|end| *end <= directory_offset);
    let Some(end) = end else { return Err(outside(entry.compressed_size)) };
    spans.push((header_offset, end, spans.len()));
    Ok(entry)
}

fn check_overlaps(entries: &[Entry], mut spans: Vec<(u64, u64, usize)>) -> Result<(), ArchiveError> {
    spans.sort_unstable();
    for pair in spans.windows(2) {
        let [(_, end, first), (start, _, second)] = pair else { continue };
        if start < end {
            let path = |index: usize| entries[index].path.clone();
            return Err(ArchiveError::Overlap { first: path(*first), second: path(*second) });
        }
    }
    match spans.first() {
        Some((start, ..)) if *start > 0 => {
            Err(ArchiveError::Garbage { place: "before the first entry", length: *start })
        }
        _ => Ok(()),
    }
}
