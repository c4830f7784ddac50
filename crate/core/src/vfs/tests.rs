use std::cell::Cell;
use std::rc::Rc;

use super::*;
use crate::attempt::catch_panics;
use crate::source::{ByteSource, SourceError};

const NOW: f64 = 1_000.0;
const LATER: f64 = 2_000.0;

fn with_file(path: &str, bytes: &[u8]) -> (FileSystem, Inode) {
    let mut files = FileSystem::new(NOW);
    let inode = files.write_file(path, bytes, NOW).unwrap();
    (files, inode)
}

fn deflated(bytes: &[u8]) -> Content {
    let mut packed = Vec::with_capacity(bytes.len() + 64);
    let mut deflater = flate2::Compress::new(flate2::Compression::best(), false);
    deflater.compress_vec(bytes, &mut packed, flate2::FlushCompress::Finish).unwrap();
    Content::Deflated {
        offset: 0,
        compressed_length: packed.len() as u64,
        length: bytes.len() as u64,
        crc32: crc32fast::hash(bytes),
        source: Rc::new(packed),
    }
}

fn layer(entries: &[(&str, &[u8])]) -> Layer {
    Layer::new(entries.iter().map(|(path, bytes)| LayerEntry::file(*path, 0o644, NOW, deflated(bytes))).collect())
}

#[test]
fn names_come_in_the_order_in_which_they_were_made() {
    let mut files = FileSystem::new(NOW);
    for name in ["/b", "/a", "/c"] {
        files.write_file(name, b"", NOW).unwrap();
    }
    files.unlink(files.root(), "b", NOW).unwrap();
    files.write_file("/b", b"", NOW).unwrap();
    let names: Vec<_> = files.read_directory(files.root()).unwrap().into_iter().map(|entry| entry.name).collect();
    assert_eq!(names, ["a", "c", "b"]);
}

#[test]
fn names_that_are_none_are_refused() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    for name in ["", ".", "..", "a/b", "a\0b"] {
        assert_eq!(files.make_node(root, name, 0o100_644, 0, NOW), Err(Errno::EINVAL), "{name:?}");
    }
    assert_eq!(files.make_node(root, &"x".repeat(256), 0o100_644, 0, NOW), Err(Errno::ENAMETOOLONG));
    files.make_node(root, &"x".repeat(255), 0o100_644, 0, NOW).unwrap();
    assert_eq!(files.make_node(root, "pipe", 0o010_644, 0, NOW), Err(Errno::EPERM));
}

#[test]
fn an_unlinked_file_lives_until_its_last_close() {
    let (mut files, inode) = with_file("/a", b"abc");
    files.open(inode);
    files.open(inode);
    files.unlink(files.root(), "a", LATER).unwrap();
    assert_eq!(files.metadata(inode).unwrap().nlink, 0);
    files.close(inode);
    let mut buffer = [0; 8];
    assert_eq!(files.read(inode, 1, &mut buffer), Ok(2));
    assert_eq!(&buffer[..2], b"bc");
    files.close(inode);
    assert_eq!(files.metadata(inode), Err(Errno::ENOENT));
}

#[test]
fn renaming_over_an_open_file_leaves_it_readable() {
    let (mut files, old) = with_file("/a", b"old");
    files.write_file("/b", b"new", NOW).unwrap();
    files.open(old);
    let root = files.root();
    files.rename(root, "b", root, "a", LATER).unwrap();
    assert_eq!(files.read_file("/a").unwrap(), b"new");
    assert_eq!(files.with_bytes(old, 0, 9, <[u8]>::to_vec).unwrap(), b"old");
    assert!(!files.exists("/b"));
}

#[test]
fn rename_follows_posix() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    let outer = files.create_directories("/outer", 0o755, NOW).unwrap();
    let inner = files.create_directories("/outer/inner", 0o755, NOW).unwrap();
    files.create_directories("/empty", 0o755, NOW).unwrap();
    files.write_file("/file", b"x", NOW).unwrap();
    assert_eq!(files.rename(root, "outer", inner, "x", NOW), Err(Errno::EINVAL));
    assert_eq!(files.rename(root, "outer", root, "file", NOW), Err(Errno::ENOTDIR));
    assert_eq!(files.rename(root, "file", root, "empty", NOW), Err(Errno::EISDIR));
    assert_eq!(files.rename(root, "empty", root, "outer", NOW), Err(Errno::ENOTEMPTY));
    assert_eq!(files.rename(root, "nothing", root, "x", NOW), Err(Errno::ENOENT));
    assert_eq!(files.rename(root, "file", root, "file", NOW), Ok(()));
    files.rename(root, "outer", root, "empty", LATER).unwrap();
    assert_eq!(files.resolve("/empty/inner", true), Ok(inner));
    assert_eq!(files.resolve("/empty", true), Ok(outer));
    assert_eq!(files.metadata(root).unwrap().nlink, 3);
    assert!(files.metadata(root).unwrap().mtime >= LATER);
}

#[test]
fn writing_past_the_end_fills_with_zeros_and_huge_positions_are_refused() {
    let (mut files, inode) = with_file("/a", b"ab");
    assert_eq!(files.write(inode, 4, b"cd", LATER), Ok(2));
    assert_eq!(files.read_file("/a").unwrap(), b"ab\0\0cd");
    assert_eq!(files.write(inode, u64::MAX - 1, b"cd", LATER), Err(Errno::EFBIG));
    assert_eq!(files.write(inode, 1 << 40, b"cd", LATER), Err(Errno::EFBIG));
    let huge = AttributeChange { size: Some(1 << 40), ..Default::default() };
    assert_eq!(files.set_attributes(inode, &huge, LATER), Err(Errno::EFBIG));
    assert_eq!(files.read_file("/a").unwrap(), b"ab\0\0cd");
}

#[test]
fn truncating_cuts_and_extends() {
    let (mut files, inode) = with_file("/a", b"abcdef");
    for (size, expected) in [(3, &b"abc"[..]), (5, b"abc\0\0"), (0, b"")] {
        files.set_attributes(inode, &AttributeChange { size: Some(size), ..Default::default() }, LATER).unwrap();
        assert_eq!(files.read_file("/a").unwrap(), expected);
    }
    let root = files.root();
    let cut = AttributeChange { size: Some(0), ..Default::default() };
    assert_eq!(files.set_attributes(root, &cut, LATER), Err(Errno::EISDIR));
}

#[test]
fn attributes_change_one_by_one() {
    let (mut files, inode) = with_file("/a", b"");
    let change = AttributeChange { mode: Some(0o600), mtime: Some(5.0), ..Default::default() };
    files.set_attributes(inode, &change, LATER).unwrap();
    let metadata = files.metadata(inode).unwrap();
    assert_eq!(metadata.mode, 0o100_600);
    assert_eq!((metadata.atime, metadata.mtime, metadata.ctime), (NOW, 5.0, LATER));
}

#[test]
fn symbolic_links_are_followed_and_loops_end() {
    let (mut files, inode) = with_file("/a", b"abc");
    let root = files.root();
    files.create_directories("/d", 0o755, NOW).unwrap();
    let directory = files.resolve("/d", true).unwrap();
    files.symlink(directory, "up", "../a", NOW).unwrap();
    files.symlink(root, "x", "y", NOW).unwrap();
    files.symlink(root, "y", "x", NOW).unwrap();
    assert_eq!(files.resolve("/d/up", true), Ok(inode));
    assert_ne!(files.resolve("/d/up", false), Ok(inode));
    assert_eq!(files.resolve("/x", true), Err(Errno::ELOOP));
    assert_eq!(files.symlink(root, "z", "", NOW), Err(Errno::ENOENT));
    assert_eq!(files.read_link(inode), Err(Errno::EINVAL));
}

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

#[test]
fn errnos_round_trip() {
    for code in -1..200 {
        if let Some(errno) = Errno::from_code(code) {
            assert_eq!(errno.code(), code);
        }
    }
    assert_eq!(Errno::ENOENT.name(), "ENOENT");
    assert_eq!(Errno::from_code(44), Some(Errno::ENOENT));
}

fn paths(files: &FileSystem) -> Vec<WalkEntry> {
    files.walk(files.root()).unwrap()
}

#[test]
fn a_snapshot_has_everything_and_reads_nothing() {
    let mut files = FileSystem::new(NOW);
    let id = files.mount_layer(files.root(), &layer(&[("pkg/a.py", b"a"), ("pkg/b.py", b"b")]), NOW).unwrap();
    files.write_file("/pkg/mine.txt", b"mine", LATER).unwrap();
    files.symlink(files.root(), "link", "pkg/a.py", LATER).unwrap();
    files.make_node(files.root(), "null", 0o020_666, 259, LATER).unwrap();
    let unlinked = files.write_file("/gone", b"gone", LATER).unwrap();
    files.open(unlinked);
    files.unlink(files.root(), "gone", LATER).unwrap();

    let tree = files.snapshot().unwrap();
    let mut restored = FileSystem::from_tree(&tree).unwrap();
    assert_eq!(paths(&restored), paths(&files));
    assert_eq!(files.usage().files_inflated, 0);
    assert_eq!(restored.usage().inodes, files.usage().inodes - 1, "what has no path is left out");
    assert_eq!(restored.usage().bytes_written, 4);
    assert_eq!(restored.read_file("/link").unwrap(), b"a");
    restored.unmount_layer(id, LATER);
    assert!(!restored.exists("/pkg/b.py"));
    assert_eq!(restored.read_file("/pkg/mine.txt").unwrap(), b"mine");
    let next = restored.mount_layer(restored.root(), &layer(&[("c", b"c")]), LATER).unwrap();
    assert_ne!(next, id);
}

#[test]
fn writing_after_a_snapshot_does_not_reach_it() {
    let (mut files, inode) = with_file("/a", b"abc");
    let tree = files.snapshot().unwrap();
    let saved = files.save().unwrap();
    files.write(inode, 0, b"X", LATER).unwrap();
    let mut restored = FileSystem::from_tree(&tree).unwrap();
    restored.write(inode, 2, b"Y", LATER).unwrap();
    assert_eq!(files.read_file("/a").unwrap(), b"Xbc");
    assert_eq!(restored.read_file("/a").unwrap(), b"abY");
    files.roll_back(&saved);
    assert_eq!(files.read_file("/a").unwrap(), b"abc");
}

#[test]
fn going_back_opens_and_closes_files_as_they_were() {
    let (mut files, kept) = with_file("/kept", b"kept");
    let gone = files.write_file("/gone", b"gone", NOW).unwrap();
    files.open(gone);
    files.unlink(files.root(), "gone", NOW).unwrap();
    let saved = files.save().unwrap();
    files.close(gone);
    assert_eq!(files.metadata(gone), Err(Errno::ENOENT));
    files.open(kept);
    files.unlink(files.root(), "kept", LATER).unwrap();
    let later = files.write_file("/later", b"later", LATER).unwrap();
    files.open(later);
    files.roll_back(&saved);

    assert!(!files.exists("/later"));
    assert_eq!(files.metadata(later), Err(Errno::ENOENT));
    assert_eq!(files.with_bytes(gone, 0, 9, <[u8]>::to_vec).unwrap(), b"gone", "it is open, and has no name");
    files.close(gone);
    assert_eq!(files.metadata(gone), Err(Errno::ENOENT));
    files.unlink(files.root(), "kept", LATER).unwrap();
    assert_eq!(files.metadata(kept), Err(Errno::ENOENT), "nobody has it open");
    files.roll_back(&saved);
    assert_eq!(files.read_file("/kept").unwrap(), b"kept", "one can go back again");
}

#[test]
fn trees_that_are_none_are_refused() {
    let mut files = FileSystem::new(NOW);
    let text = b"text".repeat(20);
    files.mount_layer(files.root(), &layer(&[("d/f", &text)]), NOW).unwrap();
    files.symlink(files.root(), "link", "d", NOW).unwrap();
    let tree = files.snapshot().unwrap();
    let refused = |change: &dyn Fn(&mut Tree)| {
        let mut tree = tree.clone();
        change(&mut tree);
        FileSystem::from_tree(&tree).map(|_| ()).unwrap_err().errno
    };
    assert_eq!(refused(&|tree| tree.nodes.clear()), Errno::ENOENT);
    assert_eq!(refused(&|tree| drop(tree.nodes.remove(0))), Errno::EINVAL);
    assert_eq!(refused(&|tree| drop(tree.nodes.remove(1))), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[1].kind = FileKind::File), Errno::ENOTDIR);
    assert_eq!(refused(&|tree| tree.nodes[1].parent = 99), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[1].parent = tree.nodes[1].inode), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[1].inode = 1), Errno::EEXIST);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "d".into()), Errno::EEXIST);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "..".into()), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "a/b".into()), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "x".repeat(256)), Errno::ENAMETOOLONG);
    assert_eq!(refused(&|tree| tree.nodes[0].name = "x".into()), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[3].content = Content::Bytes([].into())), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[3].content = Content::Bytes([0xff].into())), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[2].permissions = 0o10_000), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.next_inode = 4), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.next_layer = 1), Errno::EINVAL);
}
