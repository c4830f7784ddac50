//! Archives that are as they should be, made ones and real ones.

use std::rc::Rc;

use taipan_core::archive::{Archive, ArchiveError, EntryKind, Limits, Method};
use taipan_core::source::{ByteSource, SourceError};

use crate::fixture::{END_COMMENT, two};
use crate::support::{self, Item, Zip, open};

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
