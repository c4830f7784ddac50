//! A small archive, and where to spoil it.

use taipan_core::archive::ArchiveError;

use crate::support::{Item, Zip};

// Offsets in a local header, a central header and the end record.
pub const LOCAL_FLAGS: usize = 6;
pub const LOCAL_METHOD: usize = 8;
pub const LOCAL_CRC: usize = 14;
pub const LOCAL_SIZE: usize = 22;
pub const LOCAL_NAME: usize = 30;
pub const CENTRAL_HOST: usize = 5;
pub const CENTRAL_FLAGS: usize = 8;
pub const CENTRAL_METHOD: usize = 10;
pub const CENTRAL_CRC: usize = 16;
pub const CENTRAL_PACKED: usize = 20;
pub const CENTRAL_SIZE: usize = 24;
pub const CENTRAL_OFFSET: usize = 42;
pub const END_DISK: usize = 4;
pub const END_HERE: usize = 8;
pub const END_ENTRIES: usize = 10;
pub const END_LENGTH: usize = 12;
pub const END_OFFSET: usize = 16;
pub const END_COMMENT: usize = 20;

pub fn two() -> Zip {
    Zip::of(&[Item::file("a/b.py", b"print('hello')\n"), Item::stored("c.txt", b"stored")])
}

pub fn refused(zip: &Zip) -> ArchiveError {
    match zip.open() {
        Err(error) => error,
        Ok(archive) => panic!("was opened: {:?}", archive.entries()),
    }
}
