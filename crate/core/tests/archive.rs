//! Archives that are as they should be, archives that lie in every way we know of, and real ones.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::rc::Rc;

use proptest::prelude::*;
use support::{Item, Zip, open};
use taipan_core::archive::{Archive, ArchiveError, EntryKind, Limits, Method, check_format};
use taipan_core::source::{ByteSource, SourceError};

// Offsets in a local header, a central header and the end record.
const LOCAL_FLAGS: usize = 6;
const LOCAL_METHOD: usize = 8;
const LOCAL_CRC: usize = 14;
const LOCAL_SIZE: usize = 22;
const LOCAL_NAME: usize = 30;
const CENTRAL_HOST: usize = 5;
const CENTRAL_FLAGS: usize = 8;
const CENTRAL_METHOD: usize = 10;
const CENTRAL_CRC: usize = 16;
const CENTRAL_PACKED: usize = 20;
const CENTRAL_SIZE: usize = 24;
const CENTRAL_OFFSET: usize = 42;
const END_DISK: usize = 4;
const END_HERE: usize = 8;
const END_ENTRIES: usize = 10;
const END_LENGTH: usize = 12;
const END_OFFSET: usize = 16;
const END_COMMENT: usize = 20;

fn two() -> Zip {
    Zip::of(&[Item::file("a/b.py", b"print('hello')\n"), Item::stored("c.txt", b"stored")])
}

fn refused(zip: &Zip) -> ArchiveError {
    match zip.open() {
        Err(error) => error,
        Ok(archive) => panic!("was opened: {:?}", archive.entries()),
    }
}

#[track_caller]
fn assert_name_refused(path: &[u8]) {
    let item = Item { path: path.to_vec(), ..Item::file("", b"x") };
    let error = refused(&Zip::of(&[item]));
    let is_name = matches!(error, ArchiveError::Name { .. } | ArchiveError::NameEncoding { .. });
    assert!(is_name, "{:?}: {error}", String::from_utf8_lossy(path));
}

#[test]
fn entries_are_listed_found_and_read() {
    let zip = Zip::of(&[
        Item::directory("pkg/"),
        Item::file("pkg/a.py", b"import this\n"),
        Item::file("pkg/empty.py", b""),
        Item { mode: 0o100_755, ..Item::stored("pkg/tool", b"#!\n") },
        Item::symlink("pkg/link", "../pkg/a.py"),
        Item { mode: 0, ..Item::file("dos.txt", b"x") },
    ]);
    let archive = zip.open().unwrap();
    let paths: Vec<&str> = archive.entries().iter().map(|entry| entry.path.as_str()).collect();
    assert_eq!(paths, ["pkg", "pkg/a.py", "pkg/empty.py", "pkg/tool", "pkg/link", "dos.txt"]);
    let entry = archive.find("pkg/a.py").unwrap();
    assert_eq!((entry.kind, entry.method, entry.size), (EntryKind::File, Method::Deflated, 12));
    assert_eq!((entry.permissions, entry.modified), (0o644, 1_709_164_800_000.0));
    assert_eq!(&*archive.read(entry).unwrap(), b"import this\n");
    assert_eq!(&*archive.read(archive.find("pkg/empty.py").unwrap()).unwrap(), b"");
    assert_eq!(archive.find("pkg").unwrap().kind, EntryKind::Directory);
    assert_eq!(archive.find("pkg/tool").unwrap().permissions, 0o755);
    assert_eq!(archive.find("pkg/link").unwrap().kind, EntryKind::Symlink);
    assert_eq!(archive.find("dos.txt").unwrap().permissions, 0o644);
    for absent in ["", "pkg/", "pkg/a", "/pkg/a.py", "PKG"] {
        assert!(archive.find(absent).is_none(), "{absent:?}");
    }
}

#[test]
fn an_archive_may_be_empty_and_may_have_a_comment() {
    assert_eq!(Zip::of(&[]).open().unwrap().entries().len(), 0);
    let mut zip = two();
    zip.bytes.extend(b"remark");
    let at = zip.end + END_COMMENT;
    assert_eq!(zip.set(at, &[6, 0]).open().unwrap().entries().len(), 2);
}

#[test]
fn layers_hold_what_was_given_a_place() {
    let zip = Zip::of(&[
        Item::file("pkg/a.py", b"A = 1\n"),
        Item::symlink("pkg/b.py", "a.py"),
        Item::file("left/out", b""),
        Item::directory("pkg/empty/"),
    ]);
    let archive = zip.open().unwrap();
    let layer = archive.layer(|entry| entry.path.strip_prefix("pkg/").map(|rest| format!("site/{rest}")));
    let found: Vec<_> = layer.entries.iter().map(|entry| (entry.path.as_str(), entry.mode)).collect();
    assert_eq!(found, [("site/a.py", 0o100_644), ("site/b.py", 0o120_777), ("site/empty", 0o040_755)]);
    let contents: Vec<_> = layer.entries.iter().map(|entry| entry.content.read().unwrap()).collect();
    assert_eq!(contents.iter().map(|content| &content[..]).collect::<Vec<_>>(), [&b"A = 1\n"[..], b"a.py", b""]);
}

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

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let unsafe_names: [&[u8]; 20] = [
        b"",
        b"/",
        b"/etc/passwd",
        b"//a",
        b"a//b",
        b"a//",
        b".",
        b"..",
        b"../a",
        b"a/../b",
        b"a/..",
        b"./a",
        b"a/.",
        b"a\\b",
        b"..\\a",
        b"C:/a",
        b"c:a",
        b"a\0b",
        b"\xFF\xFE",
        b"a/\xC3",
    ];
    for path in unsafe_names {
        assert_name_refused(path);
    }
    assert_name_refused("x".repeat(256).as_bytes());
    assert_name_refused("x/".repeat(2100).as_bytes());
    for path in ["...", "a..b", ".hidden", "ä/ö.py", "a b", "-", "ab:c"] {
        let archive = Zip::of(&[Item::file(path, b"x")]).open().unwrap();
        assert_eq!(archive.entries()[0].path, path);
    }
}

#[test]
fn paths_that_are_there_twice_are_refused() {
    let file = |path| Item::file(path, b"x");
    let cases = [
        [file("a"), file("a")],
        [Item::directory("a/"), Item::directory("a/")],
        [file("a"), Item::directory("a/")],
        [file("a"), file("a/b")],
        [file("a/b/c"), file("a")],
        [Item::symlink("a", "b"), file("a/x/y/z")],
    ];
    for (index, items) in cases.iter().enumerate() {
        // What sorts between the two must not hide that one is in the other.
        let mut items = items.to_vec();
        items.extend([file("a!"), file("a-b"), file("a.b"), file("a0")]);
        assert_eq!(refused(&Zip::of(&items)), ArchiveError::Duplicate { path: "a".into() }, "{index}");
    }
    assert!(Zip::of(&[file("a/b"), Item::directory("a/"), file("a.b"), file("ab")]).open().is_ok());
}

#[test]
fn deep_paths_take_no_more_time_than_flat_ones() {
    let deep = "d/".repeat(2000);
    let items: Vec<Item> = (0..2000).map(|index| Item::stored(&format!("{deep}{index}"), b"")).collect();
    assert_eq!(Zip::of(&items).open().unwrap().entries().len(), 2000);
}

#[test]
fn symbolic_links_stay_inside() {
    let link = |path: &str, target: &str| Zip::of(&[Item::symlink(path, target), Item::file("dir/x", b"")]).open();
    for target in ["dir/x", "./dir//x", "nothing"] {
        assert!(link("link", target).is_ok(), "{target}");
    }
    assert!(link("a/b/link", "../../dir/x").is_ok());
    // A name before `..` could be a link that leads to less depth than it has itself.
    for target in ["", "/etc/passwd", "..", "../x", "dir/..", "dir/../../x", "a\\b", "a\0b"] {
        let error = link("link", target).unwrap_err();
        assert_eq!(error, ArchiveError::SymlinkEscapes { path: "link".into(), target: target.into() });
    }
    assert!(link("a/link", "../../x").is_err());
    let long = link("link", &"x".repeat(5000)).unwrap_err();
    assert!(matches!(long, ArchiveError::TooMuch { actual: 5000, limit: 4096, .. }));
    let no_text = Item { content: vec![0xFF], ..Item::symlink("link", "") };
    assert!(matches!(refused(&Zip::of(&[no_text])), ArchiveError::NotText { .. }));
}

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

#[test]
fn limits_hold() {
    let zip = Zip::of(&[Item::file("a", &[0; 5000]), Item::stored("b", &[1; 5000])]);
    let source: Rc<dyn ByteSource> = Rc::new(zip.bytes.clone());
    let open = |limits: &Limits| Archive::open(Rc::clone(&source), limits);
    let base = Limits { ratio: 1000, ..Limits::default() };
    assert!(open(&base).is_ok());
    assert!(open(&Limits { entries: 2, entry_bytes: 5000, total_bytes: 10_000, ..base }).is_ok());
    for limits in [
        Limits { entries: 1, ..base },
        Limits { directory_bytes: 60, ..base },
        Limits { entry_bytes: 4999, ..base },
        Limits { total_bytes: 9999, ..base },
    ] {
        assert!(matches!(open(&limits), Err(ArchiveError::TooMuch { .. })), "{limits:?}");
    }
    assert!(matches!(open(&Limits { ratio: 10, ..base }), Err(ArchiveError::Ratio { .. })));
    // A size that nothing could inflate to.
    let huge = [zip.local[0] + LOCAL_SIZE, zip.central[0] + CENTRAL_SIZE]
        .iter()
        .fold(zip.clone(), |zip, at| zip.set(*at, &(1_u32 << 29).to_le_bytes()));
    assert!(matches!(refused(&huge), ArchiveError::Ratio { .. }));
    let stored = [zip.local[1] + LOCAL_SIZE, zip.central[1] + CENTRAL_SIZE]
        .iter()
        .fold(zip.clone(), |zip, at| zip.set(*at, &[9]));
    assert!(matches!(refused(&stored), ArchiveError::Ratio { .. }));
}

#[test]
fn damaged_contents_are_found_when_they_are_read() {
    let content = b"a long enough text, a long enough text, and then some other text".repeat(20);
    let spoil = |zip: &Zip, at: usize| {
        let mut zip = zip.clone();
        zip.bytes[at] ^= 0x55;
        let archive = zip.open().unwrap();
        archive.read(&archive.entries()[0])
    };
    for item in [Item::file("a", &content), Item::stored("a", &content)] {
        let zip = Zip::of(&[item]);
        for at in LOCAL_NAME + 1..zip.central[0] {
            assert!(spoil(&zip, at).is_err(), "byte {at}");
        }
    }
    // Both headers agree about a size that is not that of the content.
    let zip = Zip::of(&[Item::file("a", &content)]);
    for size in [0, content.len() as u32 - 1, content.len() as u32 + 1] {
        let zip = zip.clone().set(LOCAL_SIZE, &size.to_le_bytes());
        let at = zip.central[0] + CENTRAL_SIZE;
        let archive = zip.set(at, &size.to_le_bytes()).open().unwrap();
        let error = archive.read(&archive.entries()[0]).unwrap_err();
        assert!(matches!(error, ArchiveError::Content { .. }), "{size}: {error}");
    }
    let zip = zip.clone().set(LOCAL_CRC, &[0; 4]).set(zip.central[0] + CENTRAL_CRC, &[0; 4]);
    let archive = zip.open().unwrap();
    assert!(archive.read(&archive.entries()[0]).is_err());
}

/// A source that stops working.
struct Broken {
    bytes: Vec<u8>,
    reads_left: std::cell::Cell<u32>,
}

impl ByteSource for Broken {
    fn len(&self) -> u64 {
        self.bytes.as_slice().len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        let left = self.reads_left.get().checked_sub(1).ok_or_else(|| SourceError::Host("gone".into()))?;
        self.reads_left.set(left);
        self.bytes.read_at(offset, buffer)
    }
}

#[test]
fn a_source_that_fails_is_an_error() {
    let mut opened = false;
    for reads in 0..20 {
        let source = Rc::new(Broken { bytes: two().bytes, reads_left: reads.into() });
        match Archive::open(source, &Limits::default()) {
            Ok(_) => opened = true,
            Err(error) => assert_eq!(error, ArchiveError::Source(SourceError::Host("gone".into()))),
        }
    }
    assert!(opened);
}

/// Reads everything that can be read: whatever was opened keeps its promises.
fn read_all(archive: &Archive) {
    for entry in archive.entries() {
        let found = archive.find(&entry.path).map(|found| found.data_offset);
        assert_eq!(found, Some(entry.data_offset));
        if let Ok(bytes) = archive.read(entry) {
            assert_eq!((bytes.len() as u64, crc32fast::hash(&bytes)), (entry.size, entry.crc32));
        }
    }
}

fn contents() -> impl Strategy<Value = Vec<(String, Vec<u8>, bool)>> {
    let content = prop::collection::vec(any::<u8>(), 0..300);
    prop::collection::btree_map("[a-zä._-]{3}(/[a-z]{2}){0,2}", (content, any::<bool>()), 0..12)
        .prop_map(|files| files.into_iter().map(|(path, (content, is_stored))| (path, content, is_stored)).collect())
}

fn written(files: &[(String, Vec<u8>, bool)]) -> Zip {
    let item = |(path, content, stored): &(String, Vec<u8>, bool)| {
        if *stored { Item::stored(path, content) } else { Item::file(path, content) }
    };
    Zip::of(&files.iter().map(item).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn what_was_written_is_read(files in contents(), zip64: bool) {
        let is_parent = |above: &str, below: &str| below.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
        let clash = files.iter().any(|(above, ..)| files.iter().any(|(below, ..)| is_parent(above, below)));
        let dots = files.iter().any(|(path, ..)| path.split('/').any(|name| matches!(name, "." | "..")));
        prop_assume!(!clash && !dots);
        let zip = written(&files);
        let archive = if zip64 { zip.with_zip64_end() } else { zip }.open().unwrap();
        prop_assert_eq!(archive.entries().len(), files.len());
        for (path, content, _) in &files {
            let entry = archive.find(path).unwrap();
            prop_assert_eq!(&*archive.read(entry).unwrap(), &content[..]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), with_end: bool) {
        if with_end {
            bytes.extend(&Zip::of(&[]).bytes);
        }
        if let Ok(archive) = open(bytes) {
            read_all(&archive);
        }
    }

    #[test]
    fn spoilt_archives_never_panic(
        files in contents(),
        zip64: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        from_end: bool,
    ) {
        let zip = written(&files);
        let headers = zip.central.first().copied().unwrap_or(0);
        let mut bytes = if zip64 { zip.with_zip64_end() } else { zip }.bytes;
        let start = if from_end { headers } else { 0 };
        for (index, value) in changes {
            let at = start + index.index(bytes.len() - start);
            bytes[at] = value;
        }
        if let Ok(archive) = open(bytes) {
            read_all(&archive);
        }
    }
}

#[test]
fn real_archives_are_read() {
    for name in support::real_archives() {
        let archive = open(support::real(&name).unwrap()).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!archive.entries().is_empty(), "{name}");
        // All of a few, and something of each.
        let is_wanted = ["numpy-", "ssl-", "libopenssl", "python_stdlib"].iter().any(|start| name.starts_with(start));
        let most = if is_wanted { usize::MAX } else { 10 };
        for entry in archive.entries().iter().take(most).filter(|entry| entry.kind == EntryKind::File) {
            archive.read(entry).unwrap_or_else(|error| panic!("{name}: {error}"));
        }
    }
}

#[test]
fn a_real_archive_that_was_cut_or_spoilt_is_refused_or_read_rightly() {
    let Some(bytes) = support::real("six-1.17.0-py2.py3-none-any.whl") else { return };
    for length in (0..bytes.len()).step_by(37) {
        assert!(open(bytes[..length].to_vec()).is_err(), "{length} bytes");
    }
    for at in (0..bytes.len()).step_by(3) {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 1 << (at % 8);
        if let Ok(archive) = open(spoilt) {
            read_all(&archive);
        }
    }
}
