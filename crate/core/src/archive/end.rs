//! The end-of-central-directory record, and its ZIP64 form.

use super::ArchiveError;
use super::fields::{Fields, IN_ZIP64, SHORT_IN_ZIP64};
use crate::source::ByteSource;

const END_SIGNATURE: u32 = 0x0605_4b50;
const END64_SIGNATURE: u32 = 0x0606_4b50;
const END64_LOCATOR_SIGNATURE: u32 = 0x0706_4b50;

const END_SIZE: u64 = 22;
const END64_SIZE: u64 = 56;
const END64_LOCATOR_SIZE: u64 = 20;

/// Where the central directory is.
pub(super) struct Location {
    pub(super) entries: u64,
    pub(super) offset: u64,
    pub(super) length: u64,
    /// Where it has to end: the first byte of the record after it.
    pub(super) end: u64,
}

/// Finds the end-of-central-directory record, and its ZIP64 form if there is one.
pub(super) fn locate(source: &dyn ByteSource) -> Result<Location, ArchiveError> {
    const MAX_COMMENT: u64 = u16::MAX as u64;
    let length = source.len();
    let missing = ArchiveError::NoEnd { length };
    if length < END_SIZE {
        return Err(missing);
    }
    let tail_length = length.min(END_SIZE + MAX_COMMENT);
    let tail_offset = length - tail_length;
    let mut tail = vec![0; tail_length as usize];
    source.read_at(tail_offset, &mut tail)?;
    let at = find_end(&tail)?.ok_or(missing)?;
    let fields = Fields(&tail[at..]);
    let end = tail_offset + at as u64;
    let (disk, directory_disk) = (fields.u16(4), fields.u16(6));
    let entries_here = fields.u16(8);
    let location = Location {
        entries: u64::from(fields.u16(10)),
        length: u64::from(fields.u32(12)),
        offset: u64::from(fields.u32(16)),
        end,
    };
    if let Some(wide) = locate64(source, end)? {
        let same = (entries_here == SHORT_IN_ZIP64 || u64::from(entries_here) == wide.entries)
            && (fields.u16(10) == SHORT_IN_ZIP64 || location.entries == wide.entries)
            && (fields.u32(12) == IN_ZIP64 || location.length == wide.length)
            && (fields.u32(16) == IN_ZIP64 || location.offset == wide.offset);
        let damaged = ArchiveError::Damaged { what: "end record, which contradicts its ZIP64 form,", offset: end };
        return if same { Ok(wide) } else { Err(damaged) };
    }
    if disk != 0 || directory_disk != 0 || u64::from(entries_here) != location.entries {
        return Err(ArchiveError::MultiPart);
    }
    Ok(location)
}

/// The index of the record whose comment ends exactly where the archive ends. There may be only one: a comment that
/// holds another one would make two programs see two archives.
fn find_end(tail: &[u8]) -> Result<Option<usize>, ArchiveError> {
    let mut found = None;
    let mut garbage = None;
    for at in (0..=tail.len() - END_SIZE as usize).rev() {
        let fields = Fields(&tail[at..]);
        if fields.u32(0) != END_SIGNATURE {
            continue;
        }
        let end = at + END_SIZE as usize + usize::from(fields.u16(20));
        if end == tail.len() && found.replace(at).is_some() {
            return Err(ArchiveError::Garbage { place: "in the comment", length: (tail.len() - at) as u64 - END_SIZE });
        }
        if let Some(length) = tail.len().checked_sub(end).filter(|length| *length > 0) {
            garbage.get_or_insert(length);
        }
    }
    match (found, garbage) {
        (None, Some(length)) => Err(ArchiveError::Garbage { place: "after the end", length: length as u64 }),
        _ => Ok(found),
    }
}

fn locate64(source: &dyn ByteSource, end: u64) -> Result<Option<Location>, ArchiveError> {
    let Some(locator_offset) = end.checked_sub(END64_LOCATOR_SIZE) else { return Ok(None) };
    let mut locator = [0; END64_LOCATOR_SIZE as usize];
    source.read_at(locator_offset, &mut locator)?;
    let locator = Fields(&locator);
    if locator.u32(0) != END64_LOCATOR_SIGNATURE {
        return Ok(None);
    }
    let offset = locator.u64(8);
    if locator.u32(4) != 0 || locator.u32(16) > 1 {
        return Err(ArchiveError::MultiPart);
    }
    let damaged = ArchiveError::Damaged { what: "ZIP64 end record", offset };
    if offset.checked_add(END64_SIZE).is_none_or(|end| end > locator_offset) {
        return Err(damaged);
    }
    let mut record = [0; END64_SIZE as usize];
    source.read_at(offset, &mut record)?;
    let record = Fields(&record);
    if record.u32(0) != END64_SIGNATURE {
        return Err(damaged);
    }
    if record.u32(16) != 0 || record.u32(20) != 0 || record.u64(24) != record.u64(32) {
        return Err(ArchiveError::MultiPart);
    }
    Ok(Some(Location { entries: record.u64(32), length: record.u64(40), offset: record.u64(48), end: offset }))
}
