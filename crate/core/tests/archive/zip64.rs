//! ZIP64, and extra fields in general.

use taipan_core::archive::ArchiveError;

use crate::fixture::{CENTRAL_OFFSET, CENTRAL_PACKED, END_ENTRIES, END_OFFSET, refused, two};
use crate::support::{Item, Zip};

#[test]
fn zip64_is_read() {
    let archive = two().with_zip64_end().open().unwrap();
    assert_eq!(archive.entries().len(), 2);
    assert_eq!(&*archive.read(archive.find("c.txt").unwrap()).unwrap(), b"stored");

    // Sizes and offset in the extra field.
    let mut extra = [1_u16, 24].map(u16::to_le_bytes).concat();
    extra.extend([6_u64, 6, 0].map(u64::to_le_bytes).concat());
    let zip = Zip::of(&[Item { extra, ..Item::stored("c.txt", b"stored") }]);
    let (central, ones) = (zip.central[0], [0xFF; 8]);
    let zip = zip.set(central + CENTRAL_PACKED, &ones).set(central + CENTRAL_OFFSET, &ones[..4]);
    let archive = zip.open().unwrap();
    assert_eq!(&*archive.read(&archive.entries()[0]).unwrap(), b"stored");
}

#[test]
fn zip64_that_lies_is_refused() {
    let zip = two().with_zip64_end();
    let (record, locator) = (zip.end - 76, zip.end - 20);
    let end = zip.end;
    let cases = [
        // The end record has numbers of its own, and other ones.
        zip.clone().set(end + END_ENTRIES, &[1, 0]),
        zip.clone().set(end + END_OFFSET, &[0; 4]),
        zip.clone().set(locator + 4, &[1]),
        zip.clone().set(locator + 16, &[2]),
        zip.clone().set(locator + 8, &u64::MAX.to_le_bytes()),
        zip.clone().set(locator + 8, &0_u64.to_le_bytes()),
        zip.clone().set(record + 24, &u64::MAX.to_le_bytes()),
        zip.clone().set(record + 24, &[u64::MAX, u64::MAX].map(u64::to_le_bytes).concat()),
        zip.clone().set(record + 40, &u64::MAX.to_le_bytes()),
        zip.clone().set(record + 48, &u64::MAX.to_le_bytes()),
    ];
    for (index, case) in cases.iter().enumerate() {
        assert!(case.open().is_err(), "{index}");
    }
    // All ones without the extra field that they stand for, and with a field that is too short.
    let mut extra = [1_u16, 8].map(u16::to_le_bytes).concat();
    extra.extend(6_u64.to_le_bytes());
    for extra in [Vec::new(), extra] {
        let zip = Zip::of(&[Item { extra, ..Item::stored("c", b"stored") }]);
        let at = zip.central[0] + CENTRAL_PACKED;
        assert!(matches!(refused(&zip.set(at, &[0xFF; 8])), ArchiveError::Damaged { .. }));
    }
}

#[test]
fn extra_fields_that_contradict_are_refused() {
    let zip64 = [1_u16, 0].map(u16::to_le_bytes).concat();
    let mut other_path = [0x7075_u16, 6].map(u16::to_le_bytes).concat();
    other_path.extend(b"\x01\0\0\0\0d");
    for extra in [[&zip64[..], &zip64].concat(), other_path] {
        let zip = Zip::of(&[Item { extra, ..Item::file("c", b"x") }]);
        assert_eq!(refused(&zip), ArchiveError::Disagreement { path: "c".into(), field: "extra field" });
    }
}
