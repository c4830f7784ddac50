//! Headers that contradict each other or cannot be dealt with.

use taipan_core::archive::ArchiveError;

use crate::fixture::{
    CENTRAL_FLAGS, CENTRAL_HOST, CENTRAL_METHOD, CENTRAL_OFFSET, CENTRAL_PACKED, LOCAL_CRC, LOCAL_FLAGS, LOCAL_METHOD,
    LOCAL_NAME, LOCAL_SIZE, refused, two,
};
use crate::support::{Item, Zip};

#[test]
fn kinds_that_contradict_or_are_no_files_are_refused() {
    for (path, mode) in [
        ("fifo", 0o010_644),
        ("device", 0o020_644),
        ("disk", 0o060_644),
        ("socket", 0o140_644),
        ("dir", 0o040_755),
        ("file/", 0o100_644),
        ("link/", 0o120_777),
    ] {
        let zip = Zip::of(&[Item { mode, ..Item::stored(path, b"") }]);
        let path = path.trim_end_matches('/').into();
        assert_eq!(refused(&zip), ArchiveError::Disagreement { path, field: "kind" }, "{mode:o}");
        // On other hosts these bits mean something else.
        let at = zip.central[0] + CENTRAL_HOST;
        assert!(zip.set(at, &[0]).open().is_ok());
    }
    let full = Zip::of(&[Item { content: b"x".to_vec(), ..Item::directory("dir/") }]);
    assert_eq!(refused(&full), ArchiveError::Disagreement { path: "dir".into(), field: "kind" });
}

#[test]
fn encryption_and_other_methods_are_refused() {
    for flag in [1_u16, 1 << 6, 1 << 13] {
        let zip = two();
        let at = zip.central[0] + CENTRAL_FLAGS;
        let zip = zip.set(at, &flag.to_le_bytes());
        assert_eq!(refused(&zip), ArchiveError::Encrypted { path: "a/b.py".into() });
    }
    for method in [1_u16, 6, 9, 12, 14, 93, 95, 99, 0xFFFF] {
        let zip = two();
        let at = zip.central[1] + CENTRAL_METHOD;
        let zip = zip.set(at, &method.to_le_bytes());
        assert_eq!(refused(&zip), ArchiveError::Method { path: "c.txt".into(), method });
    }
}

#[test]
fn headers_that_disagree_are_refused() {
    let zip = two();
    let at = zip.local[0];
    for (case, expected) in [
        (zip.clone().set(at + LOCAL_NAME, b"x"), "name"),
        (zip.clone().set(at + LOCAL_METHOD, &[0]), "method"),
        (zip.clone().set(at + LOCAL_CRC, &[0; 4]), "checksum"),
        (zip.clone().set(at + LOCAL_SIZE, &[0; 4]), "size"),
        (zip.clone().set(at + LOCAL_NAME - 4, &[5]), "name"),
    ] {
        assert_eq!(refused(&case), ArchiveError::Disagreement { path: "a/b.py".into(), field: expected });
    }
    assert!(matches!(refused(&zip.clone().set(at, b"PK\x03\x05")), ArchiveError::Damaged { what: "local header", .. }));
    // With a data descriptor, only the central header has the numbers.
    let streamed = zip.clone().set(at + LOCAL_FLAGS, &[8]).set(at + LOCAL_CRC, &[0; 12]);
    let streamed = streamed.set(zip.central[0] + CENTRAL_FLAGS, &[8]);
    let archive = streamed.open().unwrap();
    assert_eq!(&*archive.read(&archive.entries()[0]).unwrap(), b"print('hello')\n");
}

#[test]
fn entries_outside_and_over_each_other_are_refused() {
    let zip = two();
    let offset = |value: u32| zip.clone().set(zip.central[1] + CENTRAL_OFFSET, &value.to_le_bytes());
    for value in [zip.central[0] as u32, zip.end as u32, u32::MAX - 1] {
        assert!(matches!(refused(&offset(value)), ArchiveError::Outside { .. }), "{value}");
    }
    assert!(matches!(refused(&offset(1)), ArchiveError::Damaged { what: "local header", .. }));
    // Two entries share one content.
    let same = Zip::of(&[Item::stored("a", b"1234"), Item::stored("a", b"1234")]);
    let shared = same.clone().set(same.central[1] + CENTRAL_OFFSET, &[0; 4]);
    assert!(matches!(refused(&shared), ArchiveError::Overlap { .. } | ArchiveError::Duplicate { .. }));
    // A content that holds another entry, as quines and bombs have it.
    let inner = Zip::of(&[Item::stored("b", b"zero")]);
    let outer = Zip::of(&[Item::stored("a", &inner.bytes), Item::stored("b", b"zero")]);
    let nested = outer.clone().set(outer.central[1] + CENTRAL_OFFSET, &31_u32.to_le_bytes());
    assert_eq!(refused(&nested), ArchiveError::Overlap { first: "a".into(), second: "b".into() });
    // A content that reaches into the central directory.
    let long = Zip::of(&[Item::stored("a", b"1234")]);
    let long = [LOCAL_SIZE - 4, LOCAL_SIZE].iter().fold(long, |zip, at| zip.set(*at, &[90]));
    let central = long.central[0];
    assert!(matches!(refused(&long.set(central + CENTRAL_PACKED, &[90, 0, 0, 0, 90])), ArchiveError::Outside { .. }));
}
