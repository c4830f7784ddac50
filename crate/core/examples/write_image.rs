//! Writes images, and what is in them: `tests/differential/image.py` reads them with a reader of its own and compares.
//! Prints one line of JSON for each. usage: `write_image SEED`

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use flate2::{Compress, Compression, FlushCompress};
use serde_json::{Value, json};
use taipan_core::image::{
    ArchiveReference, Baked, ContentHash, Distribution, FileBody, FileRecord, FileTree, Identity, ImagePackage,
    ImageWriter, LayerReference, Limits, LinkedModule, Manifest, ModuleBytes, PAGE_SIZE, PageHashes, PageSet, PartKind,
    TableEntry,
};

/// Numbers that look like chance and are not.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        // Marsaglia's xorshift64.
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % below.max(1)
    }

    /// A number of any size, small ones as often as large ones.
    fn number(&mut self) -> u64 {
        let bits = self.roll(64);
        self.roll(u64::MAX) >> bits
    }

    fn small(&mut self) -> u32 {
        self.roll(1 << 20) as u32
    }

    fn flip(&mut self) -> bool {
        self.roll(2) == 0
    }

    fn text(&mut self) -> String {
        const LETTERS: [&str; 6] = ["a", "Z", "_", "é", "漢", "🐍"];
        (0..self.roll(12)).map(|_| LETTERS[self.roll(LETTERS.len() as u64) as usize]).collect()
    }

    fn bytes(&mut self, length: u64) -> Vec<u8> {
        (0..length).map(|_| self.roll(256) as u8).collect()
    }

    fn hash(&mut self) -> ContentHash {
        ContentHash::of(&self.number().to_le_bytes())
    }

    fn list<T>(&mut self, at_most: u64, mut make: impl FnMut(&mut Self) -> T) -> Vec<T> {
        (0..self.roll(at_most + 1)).map(|_| make(self)).collect()
    }

    fn map<K: Ord, V>(&mut self, mut make: impl FnMut(&mut Self) -> (K, V)) -> BTreeMap<K, V> {
        self.list(8, |dice| make(dice)).into_iter().collect()
    }
}

const TABLE_LENGTH: u32 = 1000;
const ARCHIVE_LENGTH: u64 = 1 << 40;

fn identity(dice: &mut Dice) -> Identity {
    Identity {
        engine: dice.text(),
        python_files: dice.hash(),
        distribution: Distribution {
            version: dice.text(),
            abi: dice.text(),
            glue: dice.hash(),
            module: dice.hash(),
            standard_library: dice.hash(),
        },
        features: dice.map(|dice| (dice.text(), dice.text())),
        packages: dice.map(|dice| (dice.text(), ImagePackage { version: dice.text(), archive: dice.hash() })),
    }
}

fn body(dice: &mut Dice) -> FileBody {
    match dice.roll(6) {
        0 => FileBody::Directory,
        1 => FileBody::Symlink { target: dice.text() },
        2 => FileBody::Device { number: dice.small() },
        3 => FileBody::Own { offset: 0, length: dice.roll(2) },
        4 => FileBody::Stored { archive: 1, offset: dice.roll(ARCHIVE_LENGTH / 2), length: dice.roll(1 << 30) },
        _ => FileBody::Deflated {
            archive: 0,
            offset: dice.roll(ARCHIVE_LENGTH / 2),
            compressed_length: dice.roll(1 << 30),
            length: dice.number(),
            crc32: dice.number() as u32,
        },
    }
}

fn record(dice: &mut Dice) -> FileRecord {
    let time = |dice: &mut Dice| dice.number() as f64 / 1000.0;
    FileRecord {
        inode: dice.small(),
        parent: dice.small(),
        name: dice.text(),
        permissions: dice.roll(0o10_000) as u32,
        atime: time(dice),
        mtime: time(dice),
        ctime: time(dice),
        layer: dice.flip().then_some(7),
        body: body(dice),
    }
}

fn module(dice: &mut Dice) -> LinkedModule {
    LinkedModule {
        names: dice.list(3, Dice::text),
        handles: dice.list(2, Dice::small),
        sha256: dice.hash(),
        bytes: match dice.roll(3) {
            0 => ModuleBytes::Archive { archive: dice.roll(2) as u32, entry: dice.text() },
            1 => ModuleBytes::Part { name: "x.so".into() },
            _ => ModuleBytes::File {
                path: format!("modules/x_{}-y.wasm", dice.small()),
                length: dice.number(),
                sha256: dice.hash(),
            },
        },
        memory_base: dice.roll(PAGE_SIZE as u64) as u32,
        memory_size: 0,
        table_base: dice.roll(500) as u32,
        table_size: dice.roll(500) as u32,
        references: dice.flip().then(|| dice.small()),
        is_global: dice.flip(),
        is_dependency: dice.flip(),
        is_hot: dice.flip(),
        needed: dice.list(2, |_| 0),
    }
}

fn entry(dice: &mut Dice, modules: u64) -> TableEntry {
    match dice.roll(5) {
        1 => TableEntry::Main { name: dice.text() },
        2 if modules > 0 => TableEntry::Module { module: dice.roll(modules) as u32, name: dice.text() },
        3 => TableEntry::Glue { name: dice.text(), signature: dice.text() },
        4 => TableEntry::Engine { what: dice.text() },
        _ => TableEntry::Null,
    }
}

fn manifest(dice: &mut Dice) -> Manifest {
    let archive =
        |dice: &mut Dice| ArchiveReference { sha256: dice.hash(), length: ARCHIVE_LENGTH, file_name: dice.text() };
    let layer =
        |dice: &mut Dice| LayerReference { role: dice.text(), name: dice.text(), archive: dice.flip().then_some(1) };
    let modules = dice.list(4, module);
    let count = modules.len() as u64;
    let mut nodes = dice.list(9, record);
    let mut end = 0;
    for node in &mut nodes {
        if let FileBody::Own { offset, length } = &mut node.body {
            *offset = end + dice.roll(2);
            end = *offset + *length;
        }
    }
    let mut layers = dice.map(|dice| (dice.small(), layer(dice)));
    layers.insert(7, layer(dice));
    Manifest {
        archives: vec![archive(dice), archive(dice)],
        layers,
        files: FileTree { next_inode: dice.small(), next_layer: dice.small(), nodes },
        modules,
        table_length: TABLE_LENGTH,
        table: dice.map(|dice| (dice.roll(u64::from(TABLE_LENGTH)) as u32, entry(dice, count))),
        free_slots: dice.list(5, |dice| dice.roll(u64::from(TABLE_LENGTH)) as u32),
        functions: dice.map(|dice| (dice.text(), dice.number() as i32)),
        data: dice.map(|dice| (dice.text(), dice.number() as i32)),
        numbers: dice.map(|dice| (dice.text(), dice.number().cast_signed())),
        states: dice.map(|dice| {
            let length = dice.roll(20);
            (dice.text(), dice.bytes(length))
        }),
    }
}

fn bytes_json(bytes: &[u8]) -> Value {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        text.extend([byte >> 4, byte & 15].map(|digit| char::from(b"0123456789abcdef"[usize::from(digit)])));
    }
    json!(text)
}

fn record_json(record: &FileRecord) -> Value {
    let body = match &record.body {
        FileBody::Directory => json!([0]),
        FileBody::Symlink { target } => json!([1, target]),
        FileBody::Device { number } => json!([2, number]),
        FileBody::Own { offset, length } => json!([3, offset, length]),
        FileBody::Stored { archive, offset, length } => json!([4, archive, offset, length]),
        FileBody::Deflated { archive, offset, compressed_length, length, crc32 } => {
            json!([5, archive, offset, compressed_length, length, crc32])
        }
    };
    let times = [record.atime, record.mtime, record.ctime];
    json!([record.inode, record.parent, record.name, record.permissions, times, record.layer, body])
}

fn module_json(module: &LinkedModule) -> Value {
    let bytes = match &module.bytes {
        ModuleBytes::Archive { archive, entry } => json!([0, archive, entry]),
        ModuleBytes::Part { name } => json!([1, name]),
        ModuleBytes::File { path, length, sha256 } => json!([2, path, length, sha256.to_string()]),
    };
    json!([
        module.names,
        module.handles,
        module.sha256.to_string(),
        bytes,
        [module.memory_base, module.memory_size, module.table_base, module.table_size],
        module.references,
        [module.is_global, module.is_dependency, module.is_hot],
        module.needed,
    ])
}

fn entry_json(entry: &TableEntry) -> Value {
    match entry {
        TableEntry::Null => json!([0]),
        TableEntry::Main { name } => json!([1, name]),
        TableEntry::Module { module, name } => json!([2, module, name]),
        TableEntry::Glue { name, signature } => json!([3, name, signature]),
        TableEntry::Engine { what } => json!([4, what]),
    }
}

fn manifest_json(manifest: &Manifest) -> Value {
    let archive = |archive: &ArchiveReference| json!([archive.sha256.to_string(), archive.length, archive.file_name]);
    let layer = |(number, layer): (&u32, &LayerReference)| json!([number, [layer.role, layer.name, layer.archive]]);
    let files = &manifest.files;
    json!({
        "archives": manifest.archives.iter().map(archive).collect::<Vec<_>>(),
        "layers": manifest.layers.iter().map(layer).collect::<Vec<_>>(),
        "files": [files.next_inode, files.next_layer, files.nodes.iter().map(record_json).collect::<Vec<_>>()],
        "modules": manifest.modules.iter().map(module_json).collect::<Vec<_>>(),
        "table_length": manifest.table_length,
        "table": manifest.table.iter().map(|(slot, entry)| json!([slot, entry_json(entry)])).collect::<Vec<_>>(),
        "free_slots": manifest.free_slots,
        "functions": manifest.functions.iter().collect::<Vec<_>>(),
        "data": manifest.data.iter().collect::<Vec<_>>(),
        "numbers": manifest.numbers.iter().collect::<Vec<_>>(),
        "states": manifest.states.iter().map(|(name, state)| json!([name, bytes_json(state)])).collect::<Vec<_>>(),
    })
}

fn identity_json(identity: &Identity) -> Value {
    let distribution = &identity.distribution;
    let package =
        |(name, package): (&String, &ImagePackage)| json!([name, [package.version, package.archive.to_string()]]);
    json!([
        identity.engine,
        identity.python_files.to_string(),
        distribution.version,
        distribution.abi,
        distribution.glue.to_string(),
        distribution.module.to_string(),
        distribution.standard_library.to_string(),
        identity.features.iter().collect::<Vec<_>>(),
        identity.packages.iter().map(package).collect::<Vec<_>>(),
    ])
}

fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut packed = Vec::with_capacity(bytes.len() + 1024);
    Compress::new(Compression::default(), false).compress_vec(bytes, &mut packed, FlushCompress::Finish).ok()?;
    Some(packed)
}

/// A chain of images: the first whole, the others of what has changed.
fn chain(dice: &mut Dice) -> Result<Vec<Value>, Box<dyn std::error::Error>> {
    let (mut memory, mut hashes, mut parent) = (Vec::new(), PageHashes::default(), None);
    let identity = identity(dice);
    let mut described = Vec::new();
    for _ in 0..3 {
        memory.resize(memory.len() + PAGE_SIZE * (1 + dice.roll(300)) as usize, 0);
        for page in memory.chunks_mut(PAGE_SIZE) {
            match dice.roll(5) {
                0 => page.fill(0),
                1 => page[..64].copy_from_slice(&dice.bytes(64)),
                _ => {}
            }
        }
        let mut changed = PageSet::default();
        hashes.update(0, &memory, &mut changed)?;
        let (manifest, compresses) = (manifest(dice), dice.flip());
        let mut parts = vec![(PartKind::Module, "x.so", dice.bytes(40)), (PartKind::Files, "files", dice.bytes(18))];
        let other_length = dice.number() % (3 << 19);
        parts.push((PartKind::Other, "other", dice.bytes(other_length)));
        let manifest_described = manifest_json(&manifest);
        let mut body = Vec::new();
        let compress = |bytes: &[u8]| if compresses { deflate(bytes) } else { None };
        let mut writer = ImageWriter::new(manifest, compress, |bytes| body.extend_from_slice(bytes));
        for (index, (kind, name, contents)) in parts.iter().enumerate() {
            writer.part(*kind, name, [contents]);
            if index == 0 {
                writer.memory(&memory, parent.map(|_| &changed))?;
            }
        }
        let Baked { bytes, head } = writer.finish(identity.clone(), parent, &Limits::default())?;
        described.push(json!({
            "image": bytes_json(&[bytes, body].concat()),
            "expected": {
                "id": head.id.to_string(),
                "parent": parent.map(|parent| parent.to_string()),
                "identity": identity_json(&identity),
                "manifest": manifest_described,
                "parts": parts.iter().map(|(_, name, contents)| json!([name, ContentHash::of(contents).to_string()]))
                    .collect::<Vec<_>>(),
                "memory": [memory.len(), ContentHash::of(&memory).to_string()],
            },
        }));
        parent = Some(head.id);
    }
    Ok(described)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut hasher = DefaultHasher::new();
    std::env::args().nth(1).unwrap_or_default().hash(&mut hasher);
    let mut dice = Dice(hasher.finish() | 1);
    for _ in 0..8 {
        println!("{}", Value::Array(chain(&mut dice)?));
    }
    Ok(())
}
