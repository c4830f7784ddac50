//! Writes ZIP files of stored entries: what Taipan keeps for itself, in a form that it mounts like everything else.

use zlib_rs::crc32;

use super::ArchiveError;

/// Fields that every entry here has in common: version 2.0, UTF-8 names (bit 11), stored, 1 January 1980.
const COMMON: [u8; 10] = [20, 0, 0, 0x08, 0, 0, 0, 0, 0x21, 0];

/// A ZIP file that is being written.
#[derive(Debug, Default)]
pub struct ArchiveWriter {
    bytes: Vec<u8>,
    directory: Vec<u8>,
    entries: u16,
}

impl ArchiveWriter {
    /// Adds a file. The caller sees to it that each path is added once.
    ///
    /// # Errors
    /// [`ArchiveError::TooMuch`] past the limits of the format: 65,535 entries, 4 GiB, names of 65,535 bytes.
    pub fn add(&mut self, path: &str, contents: &[u8]) -> Result<(), ArchiveError> {
        let limit = u64::from(u32::MAX);
        let too_much = |what, actual, limit| ArchiveError::TooMuch { what, actual, limit };
        let name_length = u16::try_from(path.len())
            .map_err(|_| too_much("bytes in a name", path.len() as u64, u64::from(u16::MAX)))?;
        let total = (self.bytes.len() + contents.len() + self.directory.len()) as u64;
        let offset = u32::try_from(self.bytes.len()).map_err(|_| too_much("bytes", total, limit))?;
        let size = u32::try_from(contents.len())
            .ok()
            .filter(|_| total < limit)
            .ok_or_else(|| too_much("bytes", total, limit))?;
        self.entries = self.entries.checked_add(1).ok_or_else(|| too_much("entries", 65_536, u64::from(u16::MAX)))?;

        let mut common = COMMON.to_vec();
        common.extend(crc32::crc32(0, contents).to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(size.to_le_bytes());
        common.extend(name_length.to_le_bytes());
        common.extend([0, 0]);

        self.bytes.extend(b"PK\x03\x04");
        self.bytes.extend(&common);
        self.bytes.extend(path.as_bytes());
        self.bytes.extend(contents);

        self.directory.extend(b"PK\x01\x02");
        self.directory.extend([20, 0]);
        self.directory.extend(&common);
        // No comment, disk 0, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(offset.to_le_bytes());
        self.directory.extend(path.as_bytes());
        Ok(())
    }

    /// The finished file.
    pub fn finish(mut self) -> Vec<u8> {
        let offset = self.bytes.len() as u32;
        let length = self.directory.len() as u32;
        self.bytes.extend(&self.directory);
        self.bytes.extend(b"PK\x05\x06\0\0\0\0");
        self.bytes.extend(self.entries.to_le_bytes());
        self.bytes.extend(self.entries.to_le_bytes());
        self.bytes.extend(length.to_le_bytes());
        self.bytes.extend(offset.to_le_bytes());
        self.bytes.extend([0, 0]);
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use proptest::prelude::*;

    use super::*;
    use crate::archive::{Archive, Limits};

    proptest! {
        #[test]
        fn what_is_written_is_read(files in prop::collection::btree_map("[a-z]{1,8}(/[a-z]{1,8}\\.pyc)", prop::collection::vec(any::<u8>(), 0..200), 0..20)) {
            let mut writer = ArchiveWriter::default();
            for (path, contents) in &files {
                writer.add(path, contents).unwrap();
            }
            let archive = Archive::open(Rc::new(writer.finish()), &Limits::default()).unwrap();
            prop_assert_eq!(archive.entries().len(), files.len());
            for (path, contents) in &files {
                let entry = archive.find(path).unwrap();
                let read = archive.read(entry).unwrap();
                prop_assert_eq!(&*read, contents.as_slice());
            }
        }
    }
}
