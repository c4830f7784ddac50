use std::cell::Cell;

use super::*;
use crate::attempt::catch_panics;
use crate::source::{ByteSource, SourceError};

#[test]
fn a_layers_file_is_inflated_when_it_is_read_and_only_then() {
    let mut files = FileSystem::new(NOW);
    let text = b"print(1)\n".repeat(100);
    files.mount_layer(files.root(), &layer(&[("pkg/a.py", &text), ("pkg/b.py", b"b")]), NOW).unwrap();
    let inode = files.resolve("/pkg/a.py", true).unwrap();
    assert_eq!(files.metadata(inode).unwrap().size, 900);
    assert_eq!(files.usage().files_inflated, 0);
    files.open(inode);
    assert_eq!(files.read_file("/pkg/a.py").unwrap(), text);
    assert_eq!(files.read_file("/pkg/a.py").unwrap(), text);
    files.close(inode);
    assert_eq!(files.usage().files_inflated, 1);
    assert_eq!(files.usage().bytes_cached, 900);
}

#[test]
fn what_is_kept_inflated_stays_within_its_budget() {
    let mut files = FileSystem::new(NOW);
    let megabyte = vec![7; 1 << 20];
    let entries: Vec<_> = (0..8).map(|i| LayerEntry::file(format!("{i}"), 0o644, NOW, deflated(&megabyte))).collect();
    files.mount_layer(files.root(), &Layer::new(entries), NOW).unwrap();
    for i in 0..8 {
        assert_eq!(files.read_file(&format!("/{i}")).unwrap().len(), 1 << 20);
    }
    assert_eq!(files.usage().bytes_cached, 4 << 20);
}

#[test]
fn writing_to_a_layers_file_gives_it_bytes_of_its_own() {
    let mut files = FileSystem::new(NOW);
    let id = files.mount_layer(files.root(), &layer(&[("pkg/a.py", b"old"), ("pkg/b.py", b"b")]), NOW).unwrap();
    let inode = files.resolve("/pkg/a.py", true).unwrap();
    files.write(inode, 3, b"er", LATER).unwrap();
    files.write_file("/pkg/mine.txt", b"mine", LATER).unwrap();
    assert_eq!(files.read_file("/pkg/a.py").unwrap(), b"older");
    files.unmount_layer(id, LATER);
    assert_eq!(files.read_file("/pkg/a.py").unwrap(), b"older");
    assert_eq!(files.read_file("/pkg/mine.txt").unwrap(), b"mine");
    assert!(!files.exists("/pkg/b.py"));
}

#[test]
fn unmounting_leaves_nothing_of_a_layer() {
    let mut files = FileSystem::new(NOW);
    let before = files.walk(files.root()).unwrap();
    let id = files.mount_layer(files.root(), &layer(&[("a/b/c.py", b"c"), ("d.py", b"d")]), NOW).unwrap();
    files.unmount_layer(id, NOW);
    assert_eq!(files.walk(files.root()).unwrap(), before);
    assert_eq!(files.usage().inodes, 1);
}

#[test]
fn a_layer_that_does_not_fit_changes_nothing() {
    let mut files = FileSystem::new(NOW);
    files.mount_layer(files.root(), &layer(&[("pkg/a.py", b"a")]), NOW).unwrap();
    let before: Vec<_> = files.walk(files.root()).unwrap().into_iter().map(|entry| (entry.path, entry.inode)).collect();
    for (clash, expected) in [
        ("pkg/a.py", LayerError::Exists { path: "pkg/a.py".into() }),
        ("pkg", LayerError::Exists { path: "pkg".into() }),
        ("pkg/a.py/x", LayerError::Path { path: "pkg/a.py/x".into(), errno: Errno::ENOTDIR }),
        ("pkg/../x", LayerError::Path { path: "pkg/../x".into(), errno: Errno::EINVAL }),
    ] {
        let result = files.mount_layer(files.root(), &layer(&[("new/x.py", b"x"), (clash, b"y")]), NOW);
        assert_eq!(result, Err(expected));
        let after: Vec<_> =
            files.walk(files.root()).unwrap().into_iter().map(|entry| (entry.path, entry.inode)).collect();
        assert_eq!(after, before);
    }
}

#[test]
fn overlaps_are_replaced_or_kept_when_asked() {
    for (overlap, expected) in [(Overlap::Replace, &b"new"[..]), (Overlap::Keep, b"old")] {
        let mut files = FileSystem::new(NOW);
        files.write_file("/a", b"old", NOW).unwrap();
        files.mount_layer(files.root(), &Layer { overlap, ..layer(&[("a", b"new")]) }, NOW).unwrap();
        assert_eq!(files.read_file("/a").unwrap(), expected);
    }
}

#[test]
fn a_refused_replacement_brings_the_replaced_files_back() {
    let mut files = FileSystem::new(NOW);
    files.write_file("/a", b"old", NOW).unwrap();
    files.create_directories("/b", 0o755, NOW).unwrap();
    let clash = Layer { overlap: Overlap::Replace, ..layer(&[("a", b"new"), ("b", b"not a directory")]) };
    assert!(files.mount_layer(files.root(), &clash, NOW).is_err());
    assert_eq!(files.read_file("/a").unwrap(), b"old");
}

#[test]
fn damaged_contents_are_an_io_error() {
    let Content::Deflated { compressed_length, length, crc32, .. } = deflated(&b"abc".repeat(50)) else { panic!() };
    let source: crate::source::SharedSource = Rc::new(vec![0xff; compressed_length as usize]);
    let good = deflated(&b"abc".repeat(50));
    let Content::Deflated { source: good_source, .. } = &good else { panic!() };
    let deflated = |source: &crate::source::SharedSource, length, crc32, offset| Content::Deflated {
        source: Rc::clone(source),
        offset,
        compressed_length,
        length,
        crc32,
    };
    for content in [
        deflated(&source, length, crc32, 0),
        deflated(good_source, length, crc32 ^ 1, 0),
        deflated(good_source, length + 1, crc32, 0),
        deflated(good_source, length - 1, crc32, 0),
        deflated(good_source, length, crc32, 1),
        deflated(good_source, 1 << 60, crc32, 0),
    ] {
        let mut files = FileSystem::new(NOW);
        let entry = LayerEntry::file("a", 0o644, NOW, content);
        files.mount_layer(files.root(), &Layer::new(vec![entry]), NOW).unwrap();
        let inode = files.resolve("/a", true).unwrap();
        assert_eq!(files.read(inode, 0, &mut [0; 4]), Err(Errno::EIO));
        assert_eq!(files.write(inode, 0, b"x", NOW), Err(Errno::EIO));
    }
}

/// Says that it is not there, or gives wrong bytes, and counts how often it is asked.
struct Unreliable {
    is_there: bool,
    asked: Cell<u32>,
}

impl ByteSource for Unreliable {
    fn len(&self) -> u64 {
        20
    }

    fn read_at(&self, _: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        self.asked.set(self.asked.get() + 1);
        buffer.fill(0xff);
        if self.is_there { Ok(()) } else { Err(SourceError::Host("gone".to_owned())) }
    }
}

#[test]
fn what_inflates_to_something_else_is_inflated_again_and_what_is_not_there_is_asked_for_once() {
    catch_panics();
    for (is_there, times) in [(false, 1), (true, 2)] {
        let source = Rc::new(Unreliable { is_there, asked: Cell::new(0) });
        let content = Content::Deflated {
            source: Rc::clone(&source) as _,
            offset: 0,
            compressed_length: 20,
            length: 40,
            crc32: 0,
        };
        assert!(content.read().is_err());
        assert_eq!(source.asked.get(), times);
    }
}

#[test]
fn stored_contents_are_read_in_part() {
    let source: crate::source::SharedSource = Rc::new(b"--abcdef--".to_vec());
    let mut files = FileSystem::new(NOW);
    let entry = LayerEntry::file("a", 0o644, NOW, Content::Stored { source, offset: 2, length: 6 });
    files.mount_layer(files.root(), &Layer::new(vec![entry]), NOW).unwrap();
    let inode = files.resolve("/a", true).unwrap();
    let mut buffer = [0; 4];
    assert_eq!(files.read(inode, 4, &mut buffer), Ok(2));
    assert_eq!(&buffer[..2], b"ef");
    assert_eq!(files.read(inode, 9, &mut buffer), Ok(0));
}
