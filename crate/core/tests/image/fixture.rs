//! Images to test with, and ways to read them.

use std::collections::BTreeMap;
use std::rc::Rc;

use taipan_core::image::{
    ArchiveReference, Baked, ContentHash, Distribution, Event, FileBody, FileRecord, FileTree, Head, Identity, Image,
    ImageError, ImagePackage, ImageReader, ImageWriter, LayerReference, Limits, LinkedModule, Manifest, ModuleBytes,
    PAGE_SIZE, PREAMBLE_LENGTH, PageSet, PartKind, TableEntry, Verify,
};

use crate::support;

/// Small enough that hostile numbers show.
pub const LIMITS: Limits = Limits {
    head_bytes: 1 << 20,
    manifest_bytes: 1 << 20,
    chunk_bytes: 2 << 20,
    part_bytes: 8 << 20,
    memory_bytes: 16 << 20,
};

pub fn identity() -> Identity {
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

pub fn record(inode: u32, name: &str, body: FileBody) -> FileRecord {
    let layer = if inode == 5 { Some(1) } else { None };
    let (atime, mtime, ctime) = (1.5, 2.0, 1e12);
    FileRecord { inode, parent: 1, name: name.into(), permissions: 0o644, atime, mtime, ctime, layer, body }
}

/// A manifest with something of everything.
pub fn manifest() -> Manifest {
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

pub fn memory_of(pages: &[Option<u8>]) -> Vec<u8> {
    let mut memory = vec![0; pages.len() * PAGE_SIZE];
    for (page, filler) in memory.chunks_mut(PAGE_SIZE).zip(pages) {
        if let Some(filler) = filler {
            page[usize::from(*filler) * 16] = filler | 1;
        }
    }
    memory
}

pub fn compressor(compress: bool) -> impl FnMut(&[u8]) -> Option<Vec<u8>> {
    move |bytes| compress.then(|| support::deflate(bytes))
}

/// An image with parts of every kind around a memory.
pub fn bake(memory: &Vec<u8>, compress: bool, changes: Option<(&PageSet, ContentHash)>) -> (Vec<u8>, Head) {
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

pub fn small() -> Vec<u8> {
    bake(&memory_of(&[None, Some(3), None, Some(200), Some(3)]), true, None).0
}

pub fn open(bytes: &[u8], verify: Verify) -> Result<Image, ImageError> {
    Image::open(Rc::new(bytes.to_vec()), verify, &LIMITS)
}

/// Linear memory as an image without a parent has it.
pub fn memory_in(image: &Image) -> Vec<u8> {
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
pub fn read_all(bytes: &[u8], verify: Verify) -> Result<(), ImageError> {
    let image = open(bytes, verify)?;
    image.manifest()?;
    for part in 0..image.head().parts.len() {
        let contents = image.part(part)?;
        assert_eq!(contents.len() as u64, image.head().parts[part].length());
    }
    Ok(())
}

pub fn stream_all(bytes: &[u8], piece: usize, verify: Verify) -> Result<Vec<Event>, ImageError> {
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
pub fn sealed(mut bytes: Vec<u8>) -> Vec<u8> {
    let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
    if let Some(head) = bytes.get(..length).filter(|head| head.len() >= PREAMBLE_LENGTH) {
        let id = ContentHash::of(&[&head[..24], &head[PREAMBLE_LENGTH..]].concat());
        bytes[24..PREAMBLE_LENGTH].copy_from_slice(&id.0);
    }
    bytes
}
