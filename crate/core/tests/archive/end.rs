//! The end record, and what no record accounts for.

use taipan_core::archive::{ArchiveError, check_format};

use crate::fixture::{CENTRAL_OFFSET, END_COMMENT, END_DISK, END_HERE, END_LENGTH, END_OFFSET, refused, two};
use crate::support::{Zip, open};

#[test]
fn what_is_no_zip_file_is_refused() {
    let zeros = vec![0; 70_000];
    for bytes in [&b""[..], b"PK", b"PK\x05\x06", b"<!doctype html><title>404</title>", &zeros] {
        assert_eq!(open(bytes.to_vec()).unwrap_err(), ArchiveError::NoEnd { length: bytes.len() as u64 });
    }
    for name in ["numpy-tests.tar", "a.tar.gz", "a.tgz", "wheel", "a.whl.exe"] {
        assert!(matches!(check_format(name), Err(ArchiveError::Format { .. })), "{name}");
    }
    assert_eq!(check_format("a-1-py3-none-any.WHL"), Ok(()));
}

#[test]
fn every_truncation_is_refused() {
    let whole = two().bytes;
    for length in 0..whole.len() {
        assert!(open(whole[..length].to_vec()).is_err(), "{length} of {} bytes", whole.len());
    }
}

#[test]
fn bytes_that_belong_to_nothing_are_refused() {
    let mut after = two();
    after.bytes.extend(b"more");
    assert_eq!(refused(&after), ArchiveError::Garbage { place: "after the end", length: 4 });

    let mut before = two();
    before.bytes.splice(0..0, *b"#!/bin/sh\n");
    assert!(matches!(refused(&before), ArchiveError::Garbage { length: 10, .. }), "{:?}", refused(&before));

    // The same with all offsets moved, as a self-extracting archive has it.
    let zip = two();
    let mut moved = zip.clone();
    for (index, local) in zip.local.iter().enumerate() {
        moved = moved.set(zip.central[index] + CENTRAL_OFFSET, &(*local as u32 + 10).to_le_bytes());
    }
    let mut moved = moved.set(zip.end + END_OFFSET, &(zip.central[0] as u32 + 10).to_le_bytes());
    moved.bytes.splice(0..0, *b"#!/bin/sh\n");
    assert_eq!(refused(&moved), ArchiveError::Garbage { place: "before the first entry", length: 10 });
}

#[test]
fn an_archive_in_the_comment_of_another_is_refused() {
    let mut zip = two();
    let inner = Zip::of(&[]).bytes;
    let at = zip.end + END_COMMENT;
    zip.bytes.extend(&inner);
    let zip = zip.set(at, &(inner.len() as u16).to_le_bytes());
    assert!(matches!(refused(&zip), ArchiveError::Garbage { place: "in the comment", .. }));
}

#[test]
fn archives_in_parts_are_refused() {
    for (at, bytes) in [(END_DISK, [1, 0]), (END_DISK + 2, [1, 0]), (END_HERE, [1, 0])] {
        let zip = two();
        let end = zip.end;
        assert_eq!(refused(&zip.set(end + at, &bytes)), ArchiveError::MultiPart, "{at}");
    }
}

#[test]
fn end_records_that_are_wrong_are_refused() {
    let length = |zip: &Zip| (zip.end - zip.central[0]) as u32;
    let zip = two();
    let (end, central) = (zip.end, zip.central[0] as u32);
    let cases = [
        zip.clone().set(end + END_HERE, &[3, 0, 3, 0]),
        zip.clone().set(end + END_HERE, &[1, 0, 1, 0]),
        zip.clone().set(end + END_HERE, &[0xFE, 0xFF, 0xFE, 0xFF]),
        zip.clone().set(end + END_LENGTH, &(length(&zip) - 1).to_le_bytes()),
        zip.clone().set(end + END_LENGTH, &(length(&zip) + 1).to_le_bytes()),
        zip.clone().set(end + END_LENGTH, &u32::MAX.to_le_bytes()),
        zip.clone().set(end + END_OFFSET, &(central + 1).to_le_bytes()),
        zip.clone().set(end + END_OFFSET, &(central - 1).to_le_bytes()),
        zip.clone().set(end + END_OFFSET, &u32::MAX.to_le_bytes()),
        zip.clone().set(zip.central[1], b"PK\x01\x03"),
    ];
    for (index, case) in cases.iter().enumerate() {
        let error = refused(case);
        let is_structure = matches!(
            error,
            ArchiveError::Garbage { .. }
                | ArchiveError::Outside { .. }
                | ArchiveError::Damaged { .. }
                | ArchiveError::TooMuch { .. }
        );
        assert!(is_structure, "{index}: {error:?}");
    }
}
