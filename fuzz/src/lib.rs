//! What must hold for every input. The targets in `targets/` feed these with libFuzzer's inputs.

use std::rc::Rc;

use taipan_core::archive::{Archive, Entry, EntryKind, Limits};
use taipan_core::image::{
    ContentHash, Event, Head, Identity, Image, ImageReader, ImageWriter, Limits as ImageLimits, Manifest,
    PREAMBLE_LENGTH, PageSet, PartKind, Verify, resolve,
};
use taipan_core::index::{ProjectPage, candidates};
use taipan_core::lock::LockFile;
use taipan_core::name::PackageName;
use taipan_core::side_module::{Functions, Shim, SideModule, strip};
use taipan_core::source::SharedSource;
use taipan_core::tag::SupportedTags;
use taipan_core::vfs::FileSystem;
use taipan_core::wheel::{InterpreterTags, Metadata, Record, WheelFilename, WheelLayout, is_side_module};

/// Small enough that no input takes long, so that libFuzzer's own limits on time and memory mean something.
const LIMITS: Limits =
    Limits { entries: 1_000, directory_bytes: 1 << 20, entry_bytes: 1 << 20, total_bytes: 4 << 20, ratio: 1_100 };

/// An archive that was opened keeps its promises: safe paths, found again, contents of the declared size and checksum.
pub fn archive(bytes: &[u8]) {
    let Ok(archive) = Archive::open(Rc::new(bytes.to_vec()), &LIMITS) else { return };
    for entry in archive.entries() {
        assert_safe(&entry.path);
        assert!(entry.data_offset + entry.compressed_size <= bytes.len() as u64);
        assert_eq!(archive.find(&entry.path), Some(entry));
        let _ = is_side_module(entry);
        if let Ok(contents) = archive.read(entry) {
            assert_eq!((contents.len() as u64, crc32fast::hash(&contents)), (entry.size, entry.crc32));
        }
        assert_parents_are_directories(&archive, entry);
    }
    let layer = archive.layer(|entry| Some(entry.path.clone()));
    assert_eq!(layer.entries.len(), archive.entries().len());
    if let Ok(layout) = WheelLayout::of(&archive, &"demo".parse().expect("a name")) {
        archive.entries().iter().for_each(|entry| drop(layout.place(entry)));
    }
    if let Some(text) = archive.entries().first().and_then(|entry| archive.read_text(entry).ok())
        && let Ok(record) = Record::parse(&text)
    {
        let _ = record.compare(&archive);
    }
}

fn assert_safe(path: &str) {
    assert!(!path.contains(['\0', '\\']) && !path.ends_with('/'), "{path:?}");
    assert!(path.split('/').all(|name| !matches!(name, "" | "." | "..")), "{path:?}");
}

fn assert_parents_are_directories(archive: &Archive, entry: &Entry) {
    for (slash, _) in entry.path.match_indices('/') {
        let parent = archive.find(&entry.path[..slash]);
        assert!(parent.is_none_or(|parent| parent.kind == EntryKind::Directory), "{:?}", entry.path);
    }
}

/// `METADATA`, `RECORD` and file names of wheels are read or refused; file names are written as they were read.
pub fn metadata(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Ok(metadata) = Metadata::parse(text) {
        assert!(!metadata.name.is_empty() && !metadata.version.is_empty());
    }
    let _ = Record::parse(text);
    let Some(line) = text.lines().next() else { return };
    if let Ok(wheel) = line.parse::<WheelFilename>() {
        assert_eq!(wheel.to_string(), line);
        let tags = InterpreterTags { python: (3, 13), platforms: vec!["pyodide_2025_0_wasm32".to_owned()] };
        let _ = wheel.check(&tags).map_err(|error| error.to_string());
    }
}

/// A lock file that was read answers every question about what is in it.
pub fn lock(bytes: &[u8]) {
    let Ok(lock) = LockFile::parse(bytes) else { return };
    let names: Vec<PackageName> = lock.packages().map(|(name, _)| name.clone()).take(50).collect();
    for name in &names {
        let package = lock.get(name).expect("it is listed");
        for module in package.imports.iter().take(10) {
            assert!(lock.package_for_import(module).is_some());
        }
        if let Ok(closure) = lock.closure(std::slice::from_ref(name)) {
            assert_eq!(closure.last().map(|last| &last.file_name), Some(&package.file_name));
            assert!(closure.len() <= lock.packages().count());
        }
    }
    let _ = lock.closure(&names);
}

/// A `dylink.0` section is read or refused, and nothing after it changes that. What a module was stripped of is nothing
/// that says what its functions are, and stripping it again changes nothing.
pub fn side_module(bytes: &[u8]) {
    let section = SideModule::parse(bytes);
    if section.is_ok() {
        assert_eq!(SideModule::parse(&[bytes, b"\x01\x00"].concat()), section);
    }
    let functions = Functions::parse(bytes);
    let Ok(stripped) = strip(bytes) else { return };
    assert_eq!(Functions::parse(&stripped), functions);
    assert_eq!(strip(&stripped).as_ref(), Ok(&stripped));
    let mut shim = Shim::new();
    for (slot, function) in functions.expect("it was stripped").element_slots() {
        shim.add(slot, 0, function);
    }
    assert!(shim.finish().starts_with(b"\0asm"));
}

/// As [`LIMITS`].
const IMAGE_LIMITS: ImageLimits = ImageLimits {
    head_bytes: 1 << 20,
    manifest_bytes: 1 << 20,
    chunk_bytes: 1 << 20,
    part_bytes: 4 << 20,
    memory_bytes: 4 << 20,
};

/// An image that was opened keeps its promises: chunks lie one behind the other inside it, pages inside the memory, no
/// page is copied twice, both readers read the same, and what was read has no other form. The head's hash is put right
/// first: a fuzzer cannot guess it, somebody who means harm need not.
pub fn image(bytes: &[u8]) {
    manifest(bytes);
    let bytes = sealed(bytes);
    let mut reader = ImageReader::new(Verify::Checksum, IMAGE_LIMITS);
    let pieces: Result<Vec<Vec<Event>>, _> = bytes.chunks(100).map(|piece| reader.push(piece)).collect();
    let arrived = pieces.and_then(|events| reader.finish().map(|()| events.concat()));
    let Ok(image) = Image::open(Rc::new(bytes.clone()), Verify::Checksum, &IMAGE_LIMITS) else {
        assert!(arrived.is_err());
        return;
    };
    let head = image.head();
    let mut end = head.head_length;
    for extent in head.extents() {
        assert_eq!(extent.file_offset, end);
        end += extent.stored_length;
    }
    assert_eq!(end, bytes.len() as u64);
    assert_pages_once(head);

    let contents: Result<Vec<Vec<u8>>, _> = (0..head.parts.len()).map(|part| image.part(part)).collect();
    let manifest = image.manifest();
    assert_eq!(arrived.is_ok(), contents.is_ok() && manifest.is_ok());
    let (Ok(contents), Ok(manifest)) = (contents, manifest) else { return };
    assert_eq!(manifest.encode(), contents[0]);
    let chunks = arrived.iter().flatten().filter_map(|event| match event {
        Event::Chunk { contents, .. } => Some(contents.as_slice()),
        _ => None,
    });
    assert_eq!(chunks.collect::<Vec<_>>().concat(), contents[1..].concat());

    let own: SharedSource =
        Rc::new(head.find_kind(PartKind::Files).map_or_else(Vec::new, |part| contents[part].clone()));
    let archives: Vec<SharedSource> = manifest.archives.iter().map(|_| Rc::new(Vec::new()) as SharedSource).collect();
    let tree = manifest.files.restore(&own, &archives).expect("there are as many archives as the manifest lists");
    if let Ok(mut files) = FileSystem::from_tree(&tree) {
        let again = files.snapshot().expect("nothing was written").nodes;
        let numbers = |nodes: &[taipan_core::vfs::TreeNode]| {
            let mut numbers: Vec<u32> = nodes.iter().map(|node| node.inode).collect();
            numbers.sort_unstable();
            numbers
        };
        assert_eq!(numbers(&again), numbers(&tree.nodes));
    }
}

/// A manifest by itself: its chunk's hash keeps a fuzzer away from it in an image.
fn manifest(bytes: &[u8]) {
    let mut writer = ImageWriter::new(Manifest::default(), |_| None, |_| {});
    writer.part(PartKind::Module, "x", [b"\0asm"]);
    writer.part(PartKind::Files, "files", [b"contents"]);
    writer.memory(&vec![0; 1 << 16], None).expect("it is of whole pages");
    let head = writer.finish(Identity::default(), None, &IMAGE_LIMITS).expect("nothing contradicts itself").head;
    if let Ok(manifest) = Manifest::parse(bytes, &head) {
        assert_eq!(manifest.encode(), bytes);
    }
}

fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    if let Ok(length) = Head::length_of(&bytes, &IMAGE_LIMITS)
        && let Some(head) = bytes.get(..length as usize)
    {
        let id = ContentHash::of(&[&head[..24], &head[PREAMBLE_LENGTH..]].concat());
        bytes[24..PREAMBLE_LENGTH].copy_from_slice(&id.0);
    }
    bytes
}

fn assert_pages_once(head: &Head) {
    let mut copied = PageSet::default();
    let Ok(pieces) = resolve(&[head]) else {
        assert!(head.parent.is_some());
        return;
    };
    for piece in pieces {
        assert!(copied.insert_run(piece.run));
        assert!(piece.run.address() + piece.run.bytes() <= head.memory.length);
        let part = head.find_kind(PartKind::Memory).expect("it has pages");
        assert!(piece.offset + piece.run.bytes() <= head.parts[part].chunks[piece.chunk].length);
    }
}

/// A page of an index is read or refused, and what is in it can be used: the hash is one, candidates are the project's.
pub fn index(bytes: &[u8]) {
    let project: PackageName = "demo".parse().expect("a name");
    let tags = SupportedTags::cpython((3, 14), &["pyemscripten_2026_0_wasm32"]);
    for content_type in ["application/vnd.pypi.simple.v1+json", "text/html", ""] {
        let Ok(page) = ProjectPage::parse(&project, content_type, bytes) else { continue };
        for file in &page.files {
            assert!(file.sha256.as_ref().is_none_or(|hash| hash.len() == 64 && !hash.contains(|c: char| c.is_uppercase())));
            assert!(!file.url.contains('#'));
        }
        let count = page.files.len();
        let found = candidates(page, &project, &tags);
        assert!(found.len() <= count);
        for indexed in &found {
            assert_eq!(indexed.candidate.file, indexed.file.filename);
            assert_eq!(indexed.candidate.yanked, indexed.file.yanked.is_some());
        }
    }
}
