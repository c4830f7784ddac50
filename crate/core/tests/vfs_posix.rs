//! What POSIX and the promises of layers ask for beyond the model: marginal names and paths, removed directories,
//! ownership of a layer's files, and mounts that fail.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use taipan_core::source::{ByteSource, SharedSource, SourceError};
use taipan_core::vfs::{AttributeChange, Content, Errno, FileSystem, Layer, LayerEntry, LayerError, Overlap};

const NOW: f64 = 1_000.0;
const LATER: f64 = 2_000.0;
const FILE: u32 = 0o100_644;
const DIRECTORY: u32 = 0o040_755;

fn deflated(bytes: &[u8]) -> Content {
    let mut packed = Vec::with_capacity(bytes.len() + bytes.len() / 100 + 64);
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

fn file(path: &str, bytes: &[u8]) -> LayerEntry {
    LayerEntry::file(path, 0o644, NOW, deflated(bytes))
}

fn names(files: &FileSystem) -> Vec<String> {
    files.read_directory(files.root()).unwrap().into_iter().map(|entry| entry.name).collect()
}

/// A source that is larger than 4 GiB and holds its own offsets: byte `n` is `n % 251`.
struct Endless;

impl ByteSource for Endless {
    fn len(&self) -> u64 {
        u64::MAX
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        for (index, byte) in buffer.iter_mut().enumerate() {
            *byte = ((offset + index as u64) % 251) as u8;
        }
        Ok(())
    }
}

/// A source that notes the largest piece that was read of it at once.
struct Watched {
    bytes: Vec<u8>,
    largest: Cell<usize>,
    reads: RefCell<Vec<u64>>,
}

impl ByteSource for Watched {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        self.largest.set(self.largest.get().max(buffer.len()));
        self.reads.borrow_mut().push(offset);
        self.bytes.read_at(offset, buffer)
    }
}

#[test]
fn a_path_through_a_file_is_refused() {
    let mut files = FileSystem::new(NOW);
    files.write_file("/file", b"x", NOW).unwrap();
    for path in ["/file/", "/file/.", "/file/..", "/file/../file", "/file/x"] {
        assert_eq!(files.resolve(path, true), Err(Errno::ENOTDIR), "{path}");
    }
    assert_eq!(files.resolve("", true), Err(Errno::ENOENT));
}

#[test]
fn directories_are_made_through_links() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    let real = files.create_directories("/real", 0o755, NOW).unwrap();
    files.symlink(root, "link", "real", NOW).unwrap();
    files.symlink(root, "lost", "nowhere", NOW).unwrap();
    files.create_directories("/link/a/b", 0o755, NOW).unwrap();
    assert!(files.lookup(real, "a").is_ok());
    assert_eq!(files.create_directories("/link/../other", 0o755, NOW), files.resolve("/other", true));
    assert_eq!(files.create_directories("/lost/a", 0o755, NOW), Err(Errno::ENOENT));
    assert_eq!(files.write_file("/lost", b"x", NOW), Err(Errno::ENOENT));
}

#[test]
fn names_and_targets_that_are_too_long_are_told_apart_from_missing_ones() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    assert_eq!(files.lookup(root, &"x".repeat(256)), Err(Errno::ENAMETOOLONG));
    assert_eq!(files.symlink(root, "long", &"x".repeat(4096), NOW), Err(Errno::ENAMETOOLONG));
    assert_eq!(files.symlink(root, "nul", "a\0b", NOW), Err(Errno::EINVAL));
}

#[test]
fn nothing_can_be_put_into_a_removed_directory() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    let removed = files.create_directories("/gone", 0o755, NOW).unwrap();
    files.write_file("/a", b"", NOW).unwrap();
    files.open(removed);
    files.remove_directory(root, "gone", NOW).unwrap();
    assert_eq!(files.metadata(removed).unwrap().nlink, 0);
    assert_eq!(files.make_node(removed, "x", FILE, 0, NOW), Err(Errno::ENOENT));
    assert_eq!(files.rename(root, "a", removed, "x", NOW), Err(Errno::ENOENT));
    assert!(files.mount_layer(removed, &Layer::new(vec![file("x", b"x")]), NOW).is_err());
    files.close(removed);
    assert_eq!(files.usage().inodes, 2, "the root and the file");
}

#[test]
fn a_renamed_or_changed_file_of_a_layer_is_the_users() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    let entries = vec![file("pkg/moved.py", b"m"), file("pkg/mode.py", b"p"), file("pkg/left.py", b"l")];
    let layer = files.mount_layer(root, &Layer::new(entries), NOW).unwrap();
    let package = files.resolve("/pkg", true).unwrap();
    files.rename(package, "moved.py", root, "mine.py", LATER).unwrap();
    let mode = files.resolve("/pkg/mode.py", true).unwrap();
    files.set_attributes(mode, &AttributeChange { mode: Some(0o600), ..Default::default() }, LATER).unwrap();
    files.unmount_layer(layer, LATER);
    assert_eq!(files.read_file("/mine.py"), Ok(b"m".to_vec()));
    assert_eq!(files.read_file("/pkg/mode.py"), Ok(b"p".to_vec()));
    assert!(!files.exists("/pkg/left.py"));
}

#[test]
fn a_directory_of_two_layers_goes_with_the_last() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    let first = files.mount_layer(root, &Layer::new(vec![file("a/b/first.py", b"1")]), NOW).unwrap();
    let second = files.mount_layer(root, &Layer::new(vec![file("a/b/second.py", b"2")]), NOW).unwrap();
    files.unmount_layer(first, NOW);
    assert!(files.exists("/a/b/second.py") && !files.exists("/a/b/first.py"));
    files.unmount_layer(second, NOW);
    assert!(!files.exists("/a"), "neither layer is there any more");
    let third = files.mount_layer(root, &Layer::new(vec![file("c/third.py", b"3")]), NOW).unwrap();
    files.write_file("/c/mine", b"", NOW).unwrap();
    files.unmount_layer(third, NOW);
    assert!(files.exists("/c/mine"));
}

#[test]
fn a_mount_that_fails_leaves_order_and_times_as_they_were() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    for name in ["/a", "/b", "/c"] {
        files.write_file(name, name.as_bytes(), NOW).unwrap();
    }
    files.make_node(root, "d", DIRECTORY, 0, NOW).unwrap();
    let before = files.walk(root).unwrap();
    let entries = vec![file("b", b"new"), file("new/x", b"x"), file("d/y", b"y"), file("d", b"clash")];
    let layer = Layer { overlap: Overlap::Replace, ..Layer::new(entries) };
    let failed = files.mount_layer(root, &layer, LATER);
    assert_eq!(failed, Err(LayerError::Exists { path: "d".into() }));
    assert_eq!(files.walk(root).unwrap(), before);
    let fits = Layer { entries: layer.entries[..3].to_vec(), ..layer };
    files.mount_layer(root, &fits, LATER).unwrap();
    assert_eq!(names(&files), ["a", "b", "c", "d", "new"], "a replaced file keeps its place");
    assert_eq!(files.read_file("/b"), Ok(b"new".to_vec()));
}

#[test]
fn empty_deflated_files_are_empty() {
    // What zipfile writes for an empty file: one final block with nothing in it.
    let source: SharedSource = Rc::new(vec![3, 0]);
    let content = Content::Deflated { source, offset: 0, compressed_length: 2, length: 0, crc32: 0 };
    let mut files = FileSystem::new(NOW);
    let layer = Layer::new(vec![LayerEntry::file("__init__.py", 0o644, NOW, content)]);
    files.mount_layer(files.root(), &layer, NOW).unwrap();
    assert_eq!(files.read_file("/__init__.py"), Ok(Vec::new()));
    files.write_file("/__init__.py", b"x", NOW).unwrap();
    assert_eq!(files.read_file("/__init__.py"), Ok(b"x".to_vec()));
}

#[test]
fn inflating_reads_the_source_in_pieces_and_stops_at_a_lie() {
    let mut random = 1_u32;
    let bytes: Vec<u8> = std::iter::repeat_with(|| {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (random >> 24) as u8
    })
    .take(1 << 20)
    .collect();
    let Content::Deflated { source, compressed_length, length, crc32, .. } = deflated(&bytes) else { unreachable!() };
    let mut packed = vec![0; source.len() as usize];
    source.read_at(0, &mut packed).unwrap();
    let watched = Rc::new(Watched { bytes: packed, largest: Cell::new(0), reads: RefCell::default() });
    let content = |length| Content::Deflated {
        source: Rc::clone(&watched) as SharedSource,
        offset: 0,
        compressed_length,
        length,
        crc32,
    };
    assert_eq!(&*content(length).read().unwrap(), &bytes[..]);
    assert!(watched.largest.get() <= 64 * 1024, "compressed bytes are not gathered in linear memory");
    watched.reads.borrow_mut().clear();
    // More than DEFLATE can make of so few bytes: nothing is read, let alone allocated.
    assert!(content(compressed_length * 1033).read().is_err());
    assert!(watched.reads.borrow().is_empty());
}

#[test]
fn a_stored_file_may_be_larger_than_memory() {
    let mut files = FileSystem::new(NOW);
    let content = Content::Stored { source: Rc::new(Endless), offset: 7, length: 10 << 30 };
    let layer = Layer::new(vec![LayerEntry::file("big", 0o644, NOW, content)]);
    files.mount_layer(files.root(), &layer, NOW).unwrap();
    let big = files.resolve("/big", true).unwrap();
    let position = (4 << 30) - 2;
    let mut buffer = [0; 4];
    assert_eq!(files.read(big, position, &mut buffer), Ok(4));
    let expected: Vec<u8> = (0..4).map(|index| ((position + 7 + index) % 251) as u8).collect();
    assert_eq!(buffer[..], expected);
    assert_eq!(files.write(big, 0, b"x", NOW), Err(Errno::EFBIG));
    assert_eq!(files.read(big, position, &mut buffer), Ok(4), "a failed write changes nothing");
}

#[test]
fn a_large_file_does_not_drive_small_ones_out_of_the_cache() {
    let mut files = FileSystem::new(NOW);
    let entries = vec![file("small", &[1; 1000]), file("large", &vec![2; 5 << 20])];
    files.mount_layer(files.root(), &Layer::new(entries), NOW).unwrap();
    files.read_file("/small").unwrap();
    files.read_file("/large").unwrap();
    assert_eq!(files.usage().bytes_cached, 1000, "the large one alone is over the budget");
    files.read_file("/small").unwrap();
    assert_eq!(files.usage().files_inflated, 2);
}

#[test]
fn contents_of_open_files_stay_and_go_with_the_file() {
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    let entries = vec![file("large", &vec![2; 5 << 20])];
    files.mount_layer(root, &Layer::new(entries), NOW).unwrap();
    let large = files.resolve("/large", true).unwrap();
    files.open(large);
    for position in 0..4 {
        files.read(large, position << 20, &mut [0; 16]).unwrap();
    }
    assert_eq!(files.usage().files_inflated, 1);
    files.unlink(root, "large", NOW).unwrap();
    assert_eq!(files.read(large, 0, &mut [0; 16]), Ok(16));
    files.close(large);
    assert_eq!((files.usage().bytes_cached, files.usage().inodes), (0, 1));
}
