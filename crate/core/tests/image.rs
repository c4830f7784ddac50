//! Images: what is written is read, and nothing else is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use taipan_core::image::{
    ArchiveReference, Baked, Checksum, Chunk, Compression, ContentHash, Detached, Distribution, Event, FileBody,
    FileRecord, FileTree, Head, Identity, Image, ImageError, ImagePackage, ImageReader, ImageWriter, LayerReference,
    Limits, LinkedModule, Manifest, ModuleBytes, PAGE_SIZE, PREAMBLE_LENGTH, PageHashes, PageSet, PartKind, Placement,
    SHIM, TableEntry, Verify, detach, resolve,
};
use taipan_core::side_module::strip;
use taipan_core::source::{ByteSource, SharedSource};
use taipan_core::vfs::{Content, FileSystem, Layer, LayerEntry};

mod support;

/// Small enough that hostile numbers show.
const LIMITS: Limits = Limits {
    head_bytes: 1 << 20,
    manifest_bytes: 1 << 20,
    chunk_bytes: 2 << 20,
    part_bytes: 8 << 20,
    memory_bytes: 16 << 20,
};

fn identity() -> Identity {
    let hash = |text: &str| ContentHash::of(text.as_bytes());
    Identity {
        engine: "0.1.0".into(),
        python_files: hash("python files"),
        distribution: Distribution {
            version: "0.28.3".into(),
            abi: "2025_0".into(),
            glue: hash("glue"),
            module: hash("module"),
            standard_library: hash("standard library"),
        },
        features: BTreeMap::from([("jspi".into(), "yes".into())]),
        packages: BTreeMap::from([("numpy".into(), ImagePackage { version: "2.2.5".into(), archive: hash("numpy") })]),
    }
}

fn record(inode: u32, name: &str, body: FileBody) -> FileRecord {
    let layer = if inode == 5 { Some(1) } else { None };
    let (atime, mtime, ctime) = (1.5, 2.0, 1e12);
    FileRecord { inode, parent: 1, name: name.into(), permissions: 0o644, atime, mtime, ctime, layer, body }
}

/// A manifest with something of everything.
fn manifest() -> Manifest {
    let mut nodes = vec![record(1, "", FileBody::Directory)];
    nodes.push(record(2, "link", FileBody::Symlink { target: "mine".into() }));
    nodes.push(record(3, "null", FileBody::Device { number: 259 }));
    nodes.push(record(4, "mine", FileBody::Own { offset: 2, length: 3 }));
    let deflated =
        FileBody::Deflated { archive: 0, offset: 30, compressed_length: 50, length: 100, crc32: 0xfedc_ba98 };
    nodes.push(record(5, "theirs", deflated));
    nodes.push(record(6, "plain", FileBody::Stored { archive: 0, offset: 90, length: 10 }));
    let linked = LinkedModule {
        names: vec!["/lib/x.so".into(), "x.so".into()],
        handles: vec![4096],
        sha256: ContentHash::of(b"x.so"),
        bytes: ModuleBytes::Part { name: "x.so".into() },
        memory_base: 64,
        memory_size: 100,
        table_base: 10,
        table_size: 5,
        references: Some(2),
        is_global: true,
        is_dependency: false,
        is_hot: true,
        needed: vec![1],
    };
    let needed = LinkedModule {
        names: vec!["y.so".into()],
        bytes: ModuleBytes::Archive { archive: 0, entry: "y.so".into() },
        is_dependency: true,
        ..LinkedModule::default()
    };
    let beside = LinkedModule {
        names: vec!["z.so".into()],
        bytes: ModuleBytes::File { path: "modules/z-1.wasm".into(), length: 300, sha256: ContentHash::of(b"z") },
        ..LinkedModule::default()
    };
    Manifest {
        archives: vec![ArchiveReference {
            sha256: ContentHash::of(b"archive"),
            length: 100,
            file_name: "numpy-2.2.5.whl".into(),
        }],
        layers: BTreeMap::from([(
            1,
            LayerReference { role: "package".into(), name: "numpy".into(), archive: Some(0) },
        )]),
        files: FileTree { next_inode: 7, next_layer: 2, nodes },
        modules: vec![linked, needed, beside],
        table_length: 40,
        table: BTreeMap::from([
            (16, TableEntry::Null),
            (17, TableEntry::Main { name: "malloc".into() }),
            (18, TableEntry::Module { module: 1, name: "dgetrf_".into() }),
            (19, TableEntry::Glue { name: "__syscall_openat".into(), signature: "iiiii".into() }),
            (20, TableEntry::Engine { what: "argument counter".into() }),
        ]),
        free_slots: vec![39, 21],
        functions: BTreeMap::from([("malloc".into(), 17), ("missing".into(), -1)]),
        data: BTreeMap::from([("stdout".into(), 0x1234)]),
        numbers: BTreeMap::from([("stack pointer".into(), 1 << 40), ("z".into(), i64::MIN)]),
        states: BTreeMap::from([("hiwire".into(), br#"{"keys":[null]}"#.to_vec())]),
    }
}

fn memory_of(pages: &[Option<u8>]) -> Vec<u8> {
    let mut memory = vec![0; pages.len() * PAGE_SIZE];
    for (page, filler) in memory.chunks_mut(PAGE_SIZE).zip(pages) {
        if let Some(filler) = filler {
            page[usize::from(*filler) * 16] = filler | 1;
        }
    }
    memory
}

fn compressor(compress: bool) -> impl FnMut(&[u8]) -> Option<Vec<u8>> {
    move |bytes| compress.then(|| support::deflate(bytes))
}

/// An image with parts of every kind around a memory.
fn bake(memory: &Vec<u8>, compress: bool, changes: Option<(&PageSet, ContentHash)>) -> (Vec<u8>, Head) {
    let mut body = Vec::new();
    let mut writer = ImageWriter::new(manifest(), compressor(compress), |bytes| body.extend_from_slice(bytes));
    writer.part(PartKind::Module, "x.so", [b"\0asm", b"\x01\0\0\0"]);
    writer.memory(memory, changes.map(|(changed, _)| changed)).unwrap();
    writer.part(PartKind::Files, "files", [b"a", b"bcdefg".as_slice()]);
    writer.part(PartKind::Other, "nothing", [[0_u8; 0]; 2]);
    let Baked { bytes: mut image, head } =
        writer.finish(identity(), changes.map(|(_, parent)| parent), &LIMITS).unwrap();
    image.extend(body);
    (image, head)
}

fn small() -> Vec<u8> {
    bake(&memory_of(&[None, Some(3), None, Some(200), Some(3)]), true, None).0
}

fn open(bytes: &[u8], verify: Verify) -> Result<Image, ImageError> {
    Image::open(Rc::new(bytes.to_vec()), verify, &LIMITS)
}

/// Linear memory as an image without a parent has it.
fn memory_in(image: &Image) -> Vec<u8> {
    let mut memory = vec![0; image.head().memory.length as usize];
    let part = image.head().find_kind(PartKind::Memory).unwrap();
    for extent in image.extents(part) {
        let contents = image.chunk(extent).unwrap();
        for (offset, run) in image.head().chunk(extent).copies() {
            let bytes = &contents[offset as usize..(offset + run.bytes()) as usize];
            memory[run.address() as usize..][..bytes.len()].copy_from_slice(bytes);
        }
    }
    memory
}

/// Everything that can be read of an image, in either way, must be read to the end without a panic.
fn read_all(bytes: &[u8], verify: Verify) -> Result<(), ImageError> {
    let image = open(bytes, verify)?;
    image.manifest()?;
    for part in 0..image.head().parts.len() {
        let contents = image.part(part)?;
        assert_eq!(contents.len() as u64, image.head().parts[part].length());
    }
    Ok(())
}

fn stream_all(bytes: &[u8], piece: usize, verify: Verify) -> Result<Vec<Event>, ImageError> {
    let mut reader = ImageReader::new(verify, LIMITS);
    let mut events = Vec::new();
    for piece in bytes.chunks(piece) {
        match reader.push(piece) {
            Ok(more) => events.extend(more),
            Err(error) => {
                assert_eq!(reader.push(piece), Err(error.clone()), "a failure lasts");
                assert_eq!(reader.finish(), Err(error.clone()));
                return Err(error);
            }
        }
    }
    reader.finish().map(|()| events)
}

/// The head with a hash that is right again: what somebody can make who wants to be believed.
fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    if let Some(head) = bytes.get(..length).filter(|head| head.len() >= PREAMBLE_LENGTH) {
        let id = ContentHash::of(&[&head[..24], &head[PREAMBLE_LENGTH..]].concat());
        bytes[24..PREAMBLE_LENGTH].copy_from_slice(&id.0);
    }
    bytes
}

#[test]
fn what_is_written_is_read() {
    for verify in [Verify::Checksum, Verify::Sha256] {
        let image = open(&small(), verify).unwrap();
        assert_eq!(image.manifest(), Ok(manifest()));
        let head = image.head();
        assert_eq!((&head.identity, head.parent), (&identity(), None));
        assert_eq!(image.part(head.find("x.so").unwrap()).unwrap(), b"\0asm\x01\0\0\0");
        assert_eq!(image.part(head.find("files").unwrap()).unwrap(), b"abcdefg");
        assert_eq!(image.part(head.find("nothing").unwrap()).unwrap(), b"");
        assert_eq!(head.find("else"), Err(ImageError::NoPart { name: "else".into() }));
        assert_eq!(memory_in(&image), memory_of(&[None, Some(3), None, Some(200), Some(3)]));
    }
}

#[test]
fn stored_runs_lie_in_the_file_as_they_are() {
    let memory = memory_of(&[Some(1), None, Some(2), Some(3)]);
    let (bytes, head) = bake(&memory, false, None);
    let mut found = 0;
    for extent in head.extents().into_iter().filter(|extent| head.parts[extent.part].kind == PartKind::Memory) {
        let chunk = head.chunk(extent);
        assert_eq!(chunk.compression, Compression::None);
        let mut checksum = Checksum::default();
        for piece in bytes[extent.file_offset as usize..][..extent.stored_length as usize].chunks(1000) {
            checksum.update(piece);
        }
        assert_eq!(checksum.value(), chunk.checksum);
        for (offset, run) in chunk.copies() {
            let in_file = &bytes[(extent.file_offset + offset) as usize..][..run.bytes() as usize];
            assert_eq!(in_file, &memory[run.address() as usize..][..run.bytes() as usize]);
            found += run.count;
        }
    }
    assert_eq!(found, 3);
}

#[test]
fn every_spoilt_byte_is_noticed() {
    let image = small();
    for at in 0..image.len() {
        for flip in [1, 0x80, 0xff] {
            let mut spoilt = image.clone();
            spoilt[at] ^= flip;
            for verify in [Verify::Checksum, Verify::Sha256] {
                assert!(read_all(&spoilt, verify).is_err(), "byte {at} with {flip:#x}");
            }
            if flip == 1 {
                assert!(stream_all(&spoilt, 5000, Verify::Checksum).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn every_cut_and_everything_behind_is_noticed() {
    let image = small();
    for length in 0..image.len() {
        assert!(read_all(&image[..length], Verify::Checksum).is_err(), "{length}");
        assert!(stream_all(&image[..length], 3000, Verify::Checksum).is_err(), "{length}");
    }
    let longer = [image.as_slice(), b"\0"].concat();
    let expected = ImageError::Length { expected: image.len() as u64, actual: longer.len() as u64 };
    assert_eq!(read_all(&longer, Verify::Checksum), Err(expected.clone()));
    assert_eq!(stream_all(&longer, longer.len(), Verify::Checksum), Err(expected));
}

#[test]
fn an_image_that_arrives_is_given_in_order() {
    let image = small();
    let whole = open(&image, Verify::Sha256).unwrap();
    for piece in [1, 7, 4096, image.len()] {
        let mut events = stream_all(&image, piece, Verify::Sha256).unwrap().into_iter();
        assert_eq!(events.next(), Some(Event::Head(Rc::new(whole.head().clone()))));
        assert_eq!(events.next(), Some(Event::Manifest(Box::new(manifest()))));
        let rest: Vec<Event> = events.collect();
        let expected: Vec<Event> = whole
            .head()
            .extents()
            .into_iter()
            .filter(|extent| extent.part > 0)
            .map(|extent| Event::Chunk { extent, contents: whole.chunk(extent).unwrap() })
            .collect();
        assert_eq!(rest, expected);
    }
}

#[test]
fn other_files_and_versions_are_told_apart() {
    assert_eq!(read_all(b"", Verify::Checksum), Err(ImageError::NotImage));
    assert_eq!(read_all(&[b'P'; 5000], Verify::Checksum), Err(ImageError::NotImage));
    let mut newer = small();
    newer[8] = 3;
    let expected = ImageError::Version { found: 3, known: 2 };
    assert_eq!(read_all(&newer, Verify::Checksum), Err(expected.clone()));
    assert_eq!(expected.to_string(), "it is an image of format 3, this reader knows format 2");
}

/// Places in the head where numbers stand, by what is there in an image of one page.
fn hostile(change: impl Fn(&mut Vec<Chunk>, &mut HeadParts)) -> Result<(), ImageError> {
    let page = memory_of(&[Some(1)]);
    let (image, head) = bake(&page, false, None);
    let memory = head.find_kind(PartKind::Memory).unwrap();
    let mut parts = HeadParts {
        has_parent: false,
        memory_length: head.memory.length,
        zeroed: vec![0],
        manifest_runs: vec![0],
        behind_head: image.len() as u64 - head.head_length,
    };
    let mut chunks = head.parts[memory].chunks.clone();
    change(&mut chunks, &mut parts);
    let rebuilt = parts.encode(&head, memory, &chunks);
    read_all(&sealed([&rebuilt, &image[head.head_length as usize..]].concat()), Verify::Checksum)
}

/// What a hostile head says, written by hand: the writer would not.
struct HeadParts {
    has_parent: bool,
    memory_length: u64,
    zeroed: Vec<u8>,
    manifest_runs: Vec<u8>,
    behind_head: u64,
}

fn number(mut value: u64, out: &mut Vec<u8>) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

fn text(value: &str, out: &mut Vec<u8>) {
    number(value.len() as u64, out);
    out.extend(value.bytes());
}

impl HeadParts {
    fn encode(&self, head: &Head, memory: usize, chunks: &[Chunk]) -> Vec<u8> {
        let mut out = b"\x89TAIPAN\n\x02\0\0\0\0\0\0\0".to_vec();
        out.extend([0; 40]);
        let identity = &head.identity;
        text(&identity.engine, &mut out);
        out.extend(identity.python_files.0);
        text(&identity.distribution.version, &mut out);
        text(&identity.distribution.abi, &mut out);
        for hash in [identity.distribution.glue, identity.distribution.module, identity.distribution.standard_library] {
            out.extend(hash.0);
        }
        number(identity.features.len() as u64, &mut out);
        for (name, value) in &identity.features {
            text(name, &mut out);
            text(value, &mut out);
        }
        number(identity.packages.len() as u64, &mut out);
        for (name, package) in &identity.packages {
            text(name, &mut out);
            text(&package.version, &mut out);
            out.extend(package.archive.0);
        }
        out.push(u8::from(self.has_parent));
        out.extend(if self.has_parent { vec![7; 32] } else { Vec::new() });
        number(self.memory_length, &mut out);
        out.extend(&self.zeroed);
        number(head.parts.len() as u64, &mut out);
        for (index, part) in head.parts.iter().enumerate() {
            out.push(part.kind as u8);
            text(&part.name, &mut out);
            let chunks = if index == memory { chunks } else { &part.chunks };
            number(chunks.len() as u64, &mut out);
            for chunk in chunks {
                out.push(u8::from(chunk.compression == Compression::Deflate));
                number(chunk.stored_length, &mut out);
                number(chunk.length, &mut out);
                out.extend(chunk.checksum.to_le_bytes());
                out.extend(chunk.sha256.0);
                if part.kind == PartKind::Manifest {
                    out.extend(&self.manifest_runs);
                    continue;
                }
                number(chunk.runs.len() as u64, &mut out);
                let mut end = 0;
                for run in &chunk.runs {
                    number(u64::from(run.first.wrapping_sub(end)), &mut out);
                    number(u64::from(run.count), &mut out);
                    end = run.first.wrapping_add(run.count);
                }
            }
        }
        let length = out.len() as u64;
        out[12..16].copy_from_slice(&(length as u32).to_le_bytes());
        out[16..24].copy_from_slice(&(length + self.behind_head).to_le_bytes());
        out
    }
}

#[test]
fn a_head_that_is_written_by_hand_is_the_writers() {
    assert_eq!(hostile(|_, _| {}), Ok(()), "or the cases below show nothing");
}

#[test]
fn heads_that_lie_are_refused() {
    let inconsistent = |result: Result<(), ImageError>| matches!(result, Err(ImageError::Inconsistent { .. }));
    let too_much = |result: Result<(), ImageError>| matches!(result, Err(ImageError::TooMuch { .. }));
    let damaged = |result: Result<(), ImageError>| matches!(result, Err(ImageError::Damaged { .. }));
    let wrong_length = |result: Result<(), ImageError>| matches!(result, Err(ImageError::Length { .. }));

    assert!(too_much(hostile(|_, parts| parts.memory_length = 1 << 40)), "memory of a terabyte");
    assert!(inconsistent(hostile(|_, parts| parts.memory_length = 4097)), "memory of parts of pages");
    assert!(too_much(hostile(|_, parts| parts.memory_length = 0)), "pages without a memory");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].runs[0].first = 1)), "a page outside");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].runs[0].count = 2)), "pages that are not there");
    assert!(damaged(hostile(|chunks, _| chunks[0].runs[0].count = 0)), "a run of nothing");
    assert!(damaged(hostile(|chunks, _| chunks[0].runs[0].count = u32::MAX)), "pages beyond 4 GiB");
    assert!(damaged(hostile(|chunks, _| chunks[0].runs[0].first = u32::MAX)), "a page beyond 4 GiB");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].runs.clear())), "bytes of no page");
    let touching = |chunks: &mut Vec<Chunk>, _: &mut HeadParts| {
        let run = chunks[0].runs[0];
        chunks[0].runs.push(run);
        chunks[0].runs[1].first = 1;
    };
    assert!(damaged(hostile(touching)), "runs that touch");
    let twice = |chunks: &mut Vec<Chunk>, parts: &mut HeadParts| {
        chunks.push(chunks[0].clone());
        parts.memory_length = 2 * PAGE_SIZE as u64;
    };
    assert!(inconsistent(hostile(twice)), "a page in two chunks");
    assert!(too_much(hostile(|chunks, _| chunks[0].length = u64::MAX)), "a chunk of everything");
    assert!(too_much(hostile(|chunks, _| chunks[0].stored_length = 1 << 62)), "a chunk of everything, stored");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].length = 0)), "a chunk of nothing");
    assert!(inconsistent(hostile(|chunks, _| chunks[0].stored_length -= 1)), "a stored chunk of two lengths");
    assert!(wrong_length(hostile(|_, parts| parts.behind_head += 1)), "an image that is longer than its parts");
    let backwards = |chunks: &mut Vec<Chunk>, parts: &mut HeadParts| {
        chunks.push(chunks[0].clone());
        chunks[0].runs[0].first = 1;
        parts.memory_length = 2 * PAGE_SIZE as u64;
    };
    assert!(inconsistent(hostile(backwards)), "pages that do not ascend");
    assert!(inconsistent(hostile(|_, parts| parts.manifest_runs = vec![1, 0, 1])), "pages of a manifest");
    let zeroed = |has_parent: bool, zeroed: [u8; 3]| {
        hostile(|_, parts| {
            (parts.has_parent, parts.zeroed) = (has_parent, zeroed.to_vec());
            parts.memory_length = 2 * PAGE_SIZE as u64;
        })
    };
    assert_eq!(zeroed(true, [1, 1, 1]), Ok(()));
    assert!(inconsistent(zeroed(false, [1, 1, 1])), "changes since nothing");
    assert!(inconsistent(zeroed(true, [1, 0, 1])), "a page that is zero and is not");
    assert!(inconsistent(zeroed(true, [1, 2, 1])), "zeros outside");
    assert!(wrong_length(hostile(|chunks, _| chunks.clear())), "a body that nothing accounts for");
    let impossible = |chunks: &mut Vec<Chunk>, _: &mut HeadParts| {
        chunks[0].compression = Compression::Deflate;
        chunks[0].stored_length = 3;
    };
    assert!(inconsistent(hostile(impossible)), "more than DEFLATE can do");
    let not_deflate = |chunks: &mut Vec<Chunk>, _: &mut HeadParts| chunks[0].compression = Compression::Deflate;
    let expected = ImageError::Chunk { part: "memory".into(), chunk: 0 };
    assert_eq!(hostile(not_deflate), Err(expected), "pages that are not DEFLATE data");
}

#[test]
fn a_bomb_is_not_inflated_past_its_length() {
    let bomb = support::deflate(&vec![0; 64 << 20]);
    let followed = [support::deflate(&[7; 9000]), vec![0]].concat();
    let cases =
        [(bomb, 900_000), (support::deflate(b"less"), 6000), (followed, 9000), (support::deflate(&[7; 8999]), 9000)];
    for (packed, length) in cases {
        // A compressor that says what it likes stands for somebody who writes images by hand.
        let compress = |bytes: &[u8]| (bytes.len() == length).then(|| packed.clone());
        let mut body = Vec::new();
        let mut writer = ImageWriter::new(Manifest::default(), compress, |bytes| body.extend_from_slice(bytes));
        writer.part(PartKind::Other, "bomb", [vec![7; length]]);
        let Baked { bytes, .. } = writer.finish(identity(), None, &LIMITS).unwrap();
        let image = open(&[bytes, body].concat(), Verify::Sha256).unwrap();
        assert_eq!(image.head().parts[1].chunks[0].compression, Compression::Deflate);
        let expected = ImageError::Chunk { part: "bomb".into(), chunk: 0 };
        assert_eq!(image.part(1), Err(expected), "{length} bytes");
    }
}

fn refused(change: impl Fn(&mut Manifest)) -> bool {
    let mut body = Vec::new();
    let mut changed = manifest();
    change(&mut changed);
    let encoded = changed.encode();
    let mut writer = ImageWriter::new(changed, |_| None, |bytes| body.extend_from_slice(bytes));
    writer.part(PartKind::Module, "x.so", [b"\0asm"]);
    writer.part(PartKind::Files, "files", [b"abcdefg"]);
    writer.memory(&memory_of(&[None, Some(1), None]), None).unwrap();
    let written = writer.finish(identity(), None, &LIMITS);
    // The reader must refuse the same by itself: its manifest is not the writer's.
    let mut other = Vec::new();
    let mut writer = ImageWriter::new(manifest(), |_| None, |bytes| other.extend_from_slice(bytes));
    writer.part(PartKind::Module, "x.so", [b"\0asm"]);
    writer.part(PartKind::Files, "files", [b"abcdefg"]);
    writer.memory(&memory_of(&[None, Some(1), None]), None).unwrap();
    let head = writer.finish(identity(), None, &LIMITS).unwrap().head;
    let read = Manifest::parse(&encoded, &head);
    assert_eq!(written.is_err(), read.is_err());
    read.is_err()
}

#[test]
fn manifests_that_refer_to_what_is_not_there_are_refused() {
    assert!(!refused(|_| {}));
    assert!(refused(|manifest| manifest.archives.clear()));
    assert!(refused(|manifest| manifest.layers.clear()));
    assert!(refused(|manifest| manifest.layers.get_mut(&1).unwrap().archive = Some(1)));
    assert!(refused(|manifest| manifest.modules[0].bytes = ModuleBytes::Part { name: "files".into() }));
    assert!(refused(|manifest| manifest.modules[1].bytes = ModuleBytes::Archive { archive: 9, entry: "y".into() }));
    assert!(refused(|manifest| manifest.modules[0].needed = vec![3]));
    for path in ["", "/x", "x/", "a//b", "../x", "a/..", ".x", "a/./b", "http:x", "x?y", "a\\b", "x%2e", "é"] {
        let bytes = ModuleBytes::File { path: path.into(), length: 1, sha256: ContentHash::default() };
        assert!(refused(|manifest| manifest.modules[2].bytes = bytes.clone()), "{path}");
    }
    assert!(refused(|manifest| manifest.modules[0].memory_base = 3 * 4096 - 99));
    assert!(refused(|manifest| manifest.modules[0].memory_size = u32::MAX));
    assert!(refused(|manifest| manifest.modules[0].table_size = 31));
    assert!(refused(|manifest| manifest.free_slots = vec![40]));
    assert!(refused(|manifest| drop(manifest.table.insert(40, TableEntry::Null))));
    let foreign = TableEntry::Module { module: 3, name: "f".into() };
    assert!(refused(|manifest| drop(manifest.table.insert(30, foreign.clone()))));
    assert!(refused(|manifest| manifest.files.nodes[3].body = FileBody::Own { offset: 5, length: 3 }));
    assert!(refused(|manifest| manifest.files.nodes[3].body = FileBody::Own { offset: u64::MAX, length: 3 }));
    let shared = |manifest: &mut Manifest| {
        let twin = FileRecord { name: "twin".into(), ..manifest.files.nodes[3].clone() };
        manifest.files.nodes.push(twin);
    };
    assert!(refused(shared), "a file of which there are many, and bytes of which there are few");
    let past = FileBody::Stored { archive: 0, offset: 99, length: 2 };
    assert!(refused(|manifest| manifest.files.nodes[5].body = past.clone()));
}

/// An image with these side modules, all in it.
fn with_modules(modules: &[(&str, &[u8])]) -> Image {
    let linked = modules.iter().map(|(name, _)| LinkedModule {
        names: vec![format!("/lib/{name}.cpython.so")],
        bytes: ModuleBytes::Part { name: (*name).into() },
        table_base: 10,
        table_size: 5,
        ..LinkedModule::default()
    });
    let manifest = Manifest { modules: linked.collect(), table_length: 40, ..Manifest::default() };
    let mut body = Vec::new();
    let mut writer = ImageWriter::new(manifest, compressor(true), |bytes| body.extend_from_slice(bytes));
    for (name, bytes) in modules {
        writer.part(PartKind::Module, name, [bytes]);
    }
    writer.part(PartKind::Module, SHIM, [b"for all"]);
    writer.memory(&memory_of(&[None, Some(3), Some(7)]), None).unwrap();
    let Baked { bytes: mut image, .. } = writer.finish(identity(), None, &LIMITS).unwrap();
    image.extend(body);
    open(&image, Verify::Sha256).unwrap()
}

#[test]
fn side_modules_that_are_not_called_become_files_beside_the_image() {
    let library = support::module::library();
    let stripped = strip(&library).unwrap();
    let whole = with_modules(&[("first_one", &stripped), ("second", &stripped), ("odd", b"not one at all")]);
    let Detached { image, files } = detach(&whole, |name| name == "/lib/second.cpython.so", &LIMITS).unwrap();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!((file.bytes.as_slice(), file.sha256), (stripped.as_slice(), ContentHash::of(&stripped)));
    assert_eq!(file.path, format!("modules/first_one-{}.wasm", &file.sha256.to_string()[..16]));

    let left = open(&image, Verify::Sha256).unwrap();
    let manifest = left.manifest().unwrap();
    let hot: Vec<bool> = manifest.modules.iter().map(|module| module.is_hot).collect();
    assert_eq!(hot, [false, true, true], "what cannot be linked later is linked at once");
    let expected = ModuleBytes::File { path: file.path.clone(), length: file.bytes.len() as u64, sha256: file.sha256 };
    assert_eq!(manifest.modules[0].bytes, expected);
    assert_eq!(left.part(left.head().find("second").unwrap()).unwrap(), stripped);
    assert!(left.head().find("first_one").is_err());
    assert_ne!(left.part(left.head().find(SHIM).unwrap()).unwrap(), b"for all", "it stands in for the one that left");
    assert_eq!(memory_in(&left), memory_in(&whole));
    assert_ne!(left.head().id, whole.head().id);
    assert_eq!(detach(&whole, |name| name == "/lib/second.cpython.so", &LIMITS).unwrap().image, image);
    assert!(matches!(detach(&left, |_| true, &LIMITS), Err(ImageError::Inconsistent { what: "side modules", .. })));

    let all = detach(&whole, |_| true, &LIMITS).unwrap();
    assert!(all.files.is_empty());
    assert!(open(&all.image, Verify::Sha256).unwrap().head().find(SHIM).is_err(), "nothing is left to stand in for");
}

#[test]
fn memory_that_is_none_is_not_written() {
    let mut writer = ImageWriter::new(Manifest::default(), |_| None, |_| {});
    let order = |result| matches!(result, Err(ImageError::Order(_)));
    assert!(order(writer.memory(&vec![0_u8; 100], None)));
    let mut outside = PageSet::default();
    outside.insert(1);
    assert!(order(writer.memory(&vec![0_u8; PAGE_SIZE], Some(&outside))));
    writer.memory(&vec![0_u8; PAGE_SIZE], None).unwrap();
    writer.memory(&vec![0_u8; PAGE_SIZE], None).unwrap();
    let twice = writer.finish(identity(), None, &LIMITS).map(|baked| baked.head.id);
    assert_eq!(twice, Err(ImageError::Inconsistent { what: "parts", reason: "one is there twice" }));
}

#[test]
fn the_same_input_is_the_same_image() {
    let memory = memory_of(&(0..700).map(|page| (page % 3 > 0).then_some((page % 251) as u8)).collect::<Vec<_>>());
    let (first, head) = bake(&memory, true, None);
    assert_eq!(first, bake(&memory, true, None).0);
    let part = head.find_kind(PartKind::Memory).unwrap();
    let lengths: Vec<u64> = head.parts[part].chunks.iter().map(|chunk| chunk.length).collect();
    assert_eq!(lengths, [1 << 20, (466 - 256) * 4096], "chunks are full before the next begins");
}

/// What the memory is after all of a chain has been laid over each other, by way of the index.
fn restored(chain: &[Image]) -> Result<Vec<u8>, ImageError> {
    let heads: Vec<&Head> = chain.iter().map(Image::head).collect();
    let mut memory = vec![0; heads.last().unwrap().memory.length as usize];
    for piece in resolve(&heads)? {
        let image = &chain[piece.image];
        let part = image.head().find_kind(PartKind::Memory).unwrap();
        let extent = image.extents(part).nth(piece.chunk).unwrap();
        let contents = image.chunk(extent)?;
        let bytes = &contents[piece.offset as usize..][..piece.run.bytes() as usize];
        let target = &mut memory[piece.run.address() as usize..][..bytes.len()];
        assert!(target.iter().all(|byte| *byte == 0), "no page is copied twice");
        target.copy_from_slice(bytes);
    }
    Ok(memory)
}

#[test]
fn chains_that_do_not_fit_are_refused() {
    let first = memory_of(&[Some(1)]);
    let (base, base_head) = bake(&first, false, None);
    let changed = PageSet::default();
    let (next, _) = bake(&first, false, Some((&changed, base_head.id)));
    let (base, next) = (open(&base, Verify::Sha256).unwrap(), open(&next, Verify::Sha256).unwrap());
    assert!(resolve(&[base.head(), next.head()]).is_ok());
    for chain in [&[next.head()][..], &[base.head(), base.head()], &[base.head(), next.head(), next.head()]] {
        assert!(matches!(resolve(chain), Err(ImageError::Parent { .. })));
    }
    let mut other = next.head().clone();
    other.identity.distribution.version = "314.0.7".into();
    assert!(matches!(resolve(&[base.head(), &other]), Err(ImageError::Inconsistent { .. })));
}

#[test]
fn what_is_above_the_memory_of_a_parent_is_zeros() {
    let of_length = |pages: usize, set: usize| {
        let set = |page| (page == set).then_some(7);
        memory_of(&(0..pages).map(set).collect::<Vec<_>>())
    };
    let (long, short, again) = (of_length(100, 80), of_length(50, 10), of_length(100, 20));
    let changed = |page| {
        let mut changed = PageSet::default();
        changed.insert(page);
        changed
    };
    let (first, first_head) = bake(&long, false, None);
    let (second, second_head) = bake(&short, false, Some((&changed(10), first_head.id)));
    let (third, _) = bake(&again, false, Some((&changed(20), second_head.id)));
    let chain = [first, second, third].map(|image| open(&image, Verify::Sha256).unwrap());
    let mut expected = again;
    expected[10 * PAGE_SIZE..][..PAGE_SIZE].copy_from_slice(&short[10 * PAGE_SIZE..][..PAGE_SIZE]);
    assert!(restored(&chain).unwrap() == expected, "page 80 of the first is not seen through the second");
    assert!(restored(&chain[..2]).unwrap() == short);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn memory_comes_back(
        pages in prop::collection::vec(prop::option::of(any::<u8>()), 1..600),
        compress in any::<bool>(),
        piece in 1..200_000_usize,
    ) {
        let memory = memory_of(&pages);
        let (image, _) = bake(&memory, compress, None);
        let opened = open(&image, Verify::Checksum).unwrap();
        prop_assert_eq!(memory_in(&opened), memory);
        let events = stream_all(&image, piece, Verify::Checksum).unwrap();
        prop_assert_eq!(events.len(), 1 + opened.head().extents().len());
    }

    #[test]
    fn checkpoints_restore_what_was_there(
        states in prop::collection::vec(prop::collection::vec(prop::option::of(0..4_u8), 1..40), 1..6),
        compress in any::<bool>(),
    ) {
        let mut hashes = PageHashes::default();
        let (mut chain, mut memories): (Vec<Image>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
        for state in &states {
            let mut memory = memory_of(state);
            // Memory never shrinks.
            let length = memory.len().max(memories.last().map_or(0, Vec::len));
            memory.resize(length, 0);
            let mut changed = PageSet::default();
            hashes.update(0, &memory, &mut changed).unwrap();
            let parent = chain.last().map(|image| (&changed, image.head().id));
            let (image, _) = bake(&memory, compress, parent);
            chain.push(open(&image, Verify::Sha256).unwrap());
            memories.push(memory);
        }
        for length in 1..=chain.len() {
            prop_assert_eq!(&restored(&chain[..length]).unwrap(), &memories[length - 1], "checkpoint {}", length);
        }
    }

    #[test]
    fn sealed_nonsense_never_panics(
        spots in prop::collection::vec((0..5000_usize, any::<u8>()), 1..8),
        insert in prop::option::of((PREAMBLE_LENGTH..400, any::<u8>())),
    ) {
        let mut image = small();
        if let Some((at, byte)) = insert {
            image.insert(at, byte);
        }
        let length = image.len();
        for (at, byte) in spots {
            image[at % length] = byte;
        }
        let image = sealed(image);
        let _ = read_all(&image, Verify::Checksum);
        let _ = stream_all(&image, 777, Verify::Checksum);
    }

    #[test]
    fn manifests_of_nonsense_never_panic(spots in prop::collection::vec((0..2000_usize, any::<u8>()), 1..6)) {
        let head = open(&small(), Verify::Checksum).unwrap().head().clone();
        let mut encoded = manifest().encode();
        let length = encoded.len();
        for (at, byte) in spots {
            encoded[at % length] = byte;
        }
        if let Ok(manifest) = Manifest::parse(&encoded, &head) {
            prop_assert_eq!(manifest.encode(), encoded, "a manifest has one form");
        }
    }
}

/// Whether two sources are one.
fn is_same(left: &SharedSource, right: &SharedSource) -> bool {
    std::ptr::addr_eq(Rc::as_ptr(left), Rc::as_ptr(right))
}

#[test]
fn a_file_system_comes_back() {
    let text = b"print(1)\n".repeat(50);
    let items = [support::Item::file("pkg/a.py", &text), support::Item::stored("pkg/b.txt", b"plain")];
    let zip: SharedSource = Rc::new(support::Zip::of(&items).bytes);
    let archive = taipan_core::archive::Archive::open(Rc::clone(&zip), &taipan_core::archive::Limits::default());
    let dropped: SharedSource = Rc::new(b"dropped on the page".to_vec());
    let mounted = |name: &str| {
        let content = Content::Stored { source: Rc::clone(&dropped), offset: 0, length: dropped.len() };
        Layer::new(vec![LayerEntry::file(name, 0o600, 3.0, content)])
    };
    let mut files = FileSystem::new(1.0);
    let root = files.root();
    let package = files.mount_layer(root, &archive.unwrap().layer(|entry| Some(entry.path.clone())), 1.0).unwrap();
    files.write_file("/pkg/mine", b"mine", 2.0).unwrap();
    files.write_file("/empty", b"", 2.0).unwrap();
    files.symlink(root, "link", "pkg/a.py", 2.0).unwrap();
    files.make_node(root, "null", 0o020_666, 259, 2.0).unwrap();
    let left_out = files.mount_layer(root, &mounted("left out"), 2.0).unwrap();

    let bake = |files: &mut FileSystem, others: Placement| {
        let place = |source: &SharedSource| if is_same(source, &zip) { Placement::Archive(0) } else { others };
        let (tree, own) = FileTree::of(&files.snapshot().unwrap(), place).unwrap();
        let layer = LayerReference { role: "package".into(), name: "pkg".into(), archive: Some(0) };
        let layers = [package, left_out].map(|id| (id.get(), layer.clone())).into();
        let sha256 = ContentHash::of(b"any");
        let archives = vec![ArchiveReference { sha256, length: zip.len(), file_name: "pkg.zip".into() }];
        let mut body = Vec::new();
        let manifest = Manifest { files: tree, archives, layers, ..Manifest::default() };
        let mut writer = ImageWriter::new(manifest, |_| None, |bytes| body.extend_from_slice(bytes));
        writer.part(PartKind::Files, "files", &own);
        let baked = writer.finish(identity(), None, &LIMITS).unwrap();
        open(&[baked.bytes, body].concat(), Verify::Sha256).unwrap()
    };
    let restore = |image: &Image| {
        let own: SharedSource = Rc::new(image.part(image.head().find("files").unwrap()).unwrap());
        let manifest = image.manifest().unwrap();
        assert!(matches!(manifest.files.restore(&own, &[]), Err(ImageError::Inconsistent { .. })));
        FileSystem::from_tree(&manifest.files.restore(&own, &[Rc::clone(&zip)]).unwrap()).unwrap()
    };
    let described = |files: &FileSystem| -> Vec<_> {
        let entries = files.walk(files.root()).unwrap().into_iter();
        entries.map(|entry| (entry.path, entry.inode, entry.metadata, entry.layer)).collect()
    };

    let copied = bake(&mut files, Placement::Copy);
    let mut restored = restore(&copied);
    assert_eq!(described(&restored), described(&files));
    let contents = [
        ("/pkg/a.py", text.as_slice()),
        ("/pkg/b.txt", b"plain"),
        ("/pkg/mine", b"mine"),
        ("/empty", b""),
        ("/link", &text),
        ("/left out", b"dropped on the page"),
    ];
    for (path, expected) in contents {
        assert_eq!(restored.read_file(path).unwrap(), expected, "{path}");
    }
    let inode = restored.resolve("/pkg/mine", true).unwrap();
    restored.write(inode, 4, b"!", 5.0).unwrap();
    assert_eq!(restored.read_file("/pkg/mine").unwrap(), b"mine!");
    assert_eq!(copied.head().parts[1].length(), 4 + dropped.len(), "archives are not copied");

    let again = bake(&mut restored, Placement::Omit);
    assert_eq!(restore(&again).read_file("/pkg/mine").unwrap(), b"mine!", "what was restored is still the user's own");
    assert_eq!(restored.usage().bytes_written, 5);

    let omitted = bake(&mut files, Placement::Omit);
    assert!(!restore(&omitted).exists("/left out"));
    assert!(restore(&omitted).exists("/pkg/b.txt"));
}

/// The bytes of a dump as `hexdump -C` prints it.
fn bytes_of_dump(dump: &str) -> Vec<u8> {
    let (mut bytes, mut line): (Vec<u8>, Vec<u8>) = (Vec::new(), Vec::new());
    let mut repeats = false;
    for text in dump.lines() {
        if text == "*" {
            repeats = true;
            continue;
        }
        let offset = usize::from_str_radix(&text[..8], 16).unwrap();
        while repeats && bytes.len() < offset {
            bytes.extend(&line);
        }
        repeats = false;
        assert_eq!(bytes.len(), offset);
        let digits = text[8..].split('|').next().unwrap().split_whitespace();
        line = digits.map(|byte| u8::from_str_radix(byte, 16).unwrap()).collect();
        bytes.extend(&line);
    }
    bytes
}

#[test]
fn the_example_of_the_specification_is_what_is_written_and_read() {
    let specification = include_str!("../../../docs/image-format.md");
    let dump = specification.split("```hexdump\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    let example = bytes_of_dump(dump);

    let mut memory = vec![0; PAGE_SIZE];
    memory[..5].copy_from_slice(b"hello");
    let distribution = Distribution { version: "0.28.3".into(), abi: "2025_0".into(), ..Distribution::default() };
    let identity = Identity { engine: "0.1.0".into(), distribution, ..Identity::default() };
    let mut body = Vec::new();
    let mut writer = ImageWriter::new(Manifest::default(), |_| None, |bytes| body.extend_from_slice(bytes));
    writer.memory(&memory, None).unwrap();
    let written = [writer.finish(identity.clone(), None, &LIMITS).unwrap().bytes, body].concat();
    assert!(example == written, "written:\n{}", dump_of(&written));

    let image = open(&example, Verify::Sha256).unwrap();
    assert_eq!(image.head().identity, identity);
    assert_eq!(image.manifest(), Ok(Manifest::default()));
    assert_eq!(memory_in(&image), memory);
}

/// As `hexdump -C` prints bytes.
fn dump_of(bytes: &[u8]) -> String {
    let mut lines: Vec<String> = Vec::new();
    let chunks: Vec<&[u8]> = bytes.chunks(16).collect();
    for (index, chunk) in chunks.iter().enumerate() {
        if index > 0 && chunks[index - 1] == *chunk {
            if lines.last().is_some_and(|line| line != "*") {
                lines.push("*".into());
            }
            continue;
        }
        let hex: Vec<String> = chunk.iter().map(|byte| format!("{byte:02x}")).collect();
        let (left, right) = hex.split_at(hex.len().min(8));
        let text: String =
            chunk.iter().map(|byte| if (b' '..=b'~').contains(byte) { char::from(*byte) } else { '.' }).collect();
        lines.push(format!("{:08x}  {:<48}  |{text}|", index * 16, format!("{}  {}", left.join(" "), right.join(" "))));
    }
    lines.push(format!("{:08x}", bytes.len()));
    lines.join("\n")
}

/// A host that fails.
struct Broken(u64);

impl ByteSource for Broken {
    fn len(&self) -> u64 {
        self.0
    }

    fn read_at(&self, _: u64, _: &mut [u8]) -> Result<(), taipan_core::source::SourceError> {
        Err(taipan_core::source::SourceError::Host("it is gone".into()))
    }
}

#[test]
fn a_host_that_cannot_read_is_named() {
    let error = Image::open(Rc::new(Broken(1 << 20)), Verify::Checksum, &LIMITS).map(|_| ()).unwrap_err();
    assert_eq!(error.to_string(), "the host could not read: it is gone");
    let mut writer = ImageWriter::new(Manifest::default(), |_| None, |_| {});
    assert!(matches!(writer.memory(&Broken(PAGE_SIZE as u64), None), Err(ImageError::Source(_))));
}
