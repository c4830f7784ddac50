use std::rc::Rc;

mod layers;
mod snapshots;

use super::*;

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
fn errnos_round_trip() {
    for code in -1..200 {
        if let Some(errno) = Errno::from_code(code) {
            assert_eq!(errno.code(), code);
        }
    }
    assert_eq!(Errno::ENOENT.name(), "ENOENT");
    assert_eq!(Errno::from_code(44), Some(Errno::ENOENT));
}
