//! Prepared distributions: what their lock file and their archives say of files, believed only where it can be.

use std::cell::Cell;
use std::rc::Rc;

use proptest::prelude::*;
use serde_json::{Value, json};
use taipan_core::lock::{LockError, LockFile};
use taipan_core::prepared::{Detached, ManifestError};
use taipan_core::source::{ByteSource, SharedSource, SourceError};
use taipan_core::vfs::{FileSystem, Layer};

const NOW: f64 = 1.0;

fn hash() -> String {
    "ab".repeat(32)
}

fn lock(extension: &Value) -> Result<LockFile, LockError> {
    let document = json!({ "info": { "abi_version": "2025_0" }, "packages": {}, "taipan": extension });
    LockFile::parse(document.to_string().as_bytes())
}

fn listing(files: &Value) -> Result<Vec<Detached>, ManifestError> {
    Detached::parse(json!({ "files": files }).to_string().as_bytes())
}

fn file(name: &str, size: u64, contents: &Value) -> Value {
    json!({ "file_name": name, "size": size, "sha256": hash(), "contents": contents })
}

fn side_modules(size: u64, contents: &Value) -> Value {
    file("files/0/a.bin", size, contents)
}

/// Bytes that come when somebody asks for them, counted.
struct Counted {
    bytes: Vec<u8>,
    reads: Rc<Cell<u32>>,
}

impl ByteSource for Counted {
    fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        self.reads.set(self.reads.get() + 1);
        self.bytes.read_at(offset, buffer)
    }
}

#[test]
fn a_manifest_tells_sizes_hashes_side_modules_and_what_to_fetch_early() {
    let lock = lock(&json!({
        "inputs": "what it was made from",
        "files": { "pyodide.asm.js": { "size": 12, "sha256": hash() } },
        "side_modules": { hash(): [side_modules(5, &json!([["a/b.so", 3, 0, 420], ["c.so", 2, 0, 420]]))] },
        "prefetch": ["NumPy"],
        "image": { "inputs": "what it was made from", "file_name": "files/0/python.image", "size": 5, "sha256": hash() },
    }))
    .unwrap();
    let manifest = lock.manifest();
    assert_eq!(manifest.file("pyodide.asm.js").unwrap().size, 12);
    assert_eq!(manifest.file("other"), None);
    let [file] = manifest.side_modules(&hash()) else { panic!("there is one file") };
    assert_eq!(file.file.file_name, "files/0/a.bin");
    assert_eq!(file.contents().collect::<Vec<_>>(), [("a/b.so", 3), ("c.so", 2)]);
    assert!(manifest.side_modules("other").is_empty());
    assert_eq!(manifest.prefetch()[0].as_str(), "numpy");
    assert_eq!(manifest.image().map(|image| (&*image.file_name, image.size)), Some(("files/0/python.image", 5)));
}

#[test]
fn a_lock_file_without_a_manifest_has_an_empty_one() {
    let manifest = lock(&json!({})).unwrap();
    assert_eq!(manifest.manifest().files().count(), 0);
}

#[test]
fn addresses_that_lead_elsewhere_are_refused() {
    for bad in ["", "/etc", "../x", "a/../b", "a//b", "a/", "https://x/y", "a\\b", "a?b", "a#b", "%2e%2e/x", "a\0"] {
        let facts = json!({ "size": 1, "sha256": hash() });
        let error = lock(&json!({ "files": { bad: facts } })).unwrap_err();
        assert!(matches!(&error, LockError::Manifest(ManifestError::Address { .. })), "{bad:?}: {error}");
        let module = json!({ "file_name": bad, "size": 1, "sha256": hash(), "contents": [["a.so", 1, 0, 420]] });
        assert!(lock(&json!({ "side_modules": { hash(): [module] } })).is_err(), "{bad:?}");
        let image = json!({ "file_name": bad, "size": 1, "sha256": hash() });
        assert!(lock(&json!({ "image": image })).is_err(), "{bad:?}");
        assert!(matches!(listing(&json!([file(bad, 0, &json!([]))])), Err(ManifestError::Address { .. })), "{bad:?}");
    }
    let long = "a".repeat(3000);
    assert!(lock(&json!({ "files": { long: { "size": 1, "sha256": hash() } } })).is_err());
}

#[test]
fn hashes_sizes_and_names_that_cannot_be_are_refused() {
    for extension in [
        json!({ "files": { "a": { "size": 1, "sha256": "12" } } }),
        json!({ "files": { "a": { "size": 1, "sha256": "g".repeat(64) } } }),
        json!({ "files": { "a": { "size": -1, "sha256": hash() } } }),
        json!({ "files": { "a": { "size": 1.5, "sha256": hash() } } }),
        json!({ "files": { "a": { "size": u64::MAX, "sha256": hash() } } }),
        json!({ "files": { "a": { "sha256": hash() } } }),
        json!({ "files": [] }),
        json!({ "prefetch": ["a b"] }),
        json!({ "prefetch": "numpy" }),
        json!({ "side_modules": { hash(): [side_modules(1, &json!([["../a.so", 1, 0, 420]]))] } }),
        json!({ "side_modules": { hash(): [side_modules(2, &json!([["a.so", 1, 0, 420]]))] } }),
        json!({ "side_modules": { hash(): [side_modules(0, &json!([["a.so", u64::MAX, 0, 420], ["b.so", 1, 0, 420]]))] } }),
        json!({ "side_modules": { hash(): [{ "file_name": "a", "size": 1, "sha256": hash() }] } }),
    ] {
        assert!(lock(&extension).is_err(), "{extension}");
    }
}

#[test]
fn paths_of_a_listing_stay_below_their_directory_and_are_there_once() {
    for bad in ["", "/a", "../a", "a/./b", "a/", "a\0b", "c:a"] {
        let error = listing(&json!([file("x", 1, &json!([[bad, 1, 0, 420]]))])).unwrap_err();
        assert!(matches!(error, ManifestError::Path { .. }), "{bad:?}: {error}");
    }
    let twice = json!([file("x", 1, &json!([["a", 1, 0, 420]])), file("y", 1, &json!([["a", 1, 0, 420]]))]);
    assert!(matches!(listing(&twice), Err(ManifestError::Path { .. })));
}

#[test]
fn what_is_listed_has_to_fill_its_file_exactly() {
    for (size, contents) in [
        (2, json!([["a", 1, 0, 420]])),
        (1, json!([["a", 1, 0, 420], ["b", 1, 0, 420]])),
        (1, json!([])),
        (0, json!([["a", u64::MAX, 0, 420], ["b", 1, 0, 420]])),
    ] {
        assert!(matches!(listing(&json!([file("x", size, &contents)])), Err(ManifestError::Contents { .. })));
    }
    assert!(Detached::parse(b"[").is_err());
    assert!(matches!(Detached::parse(&vec![b' '; (16 << 20) + 1]), Err(ManifestError::TooMuch { .. })));
}

#[test]
fn detached_files_are_there_and_are_fetched_only_when_they_are_read() {
    let parts = listing(&json!([file("x", 5, &json!([["a/b.py", 2, 10, 0o4644], ["a/c.so", 3, 20, 0o200]]))])).unwrap();
    let reads = Rc::new(Cell::new(0));
    let source: SharedSource = Rc::new(Counted { bytes: b"12345".to_vec(), reads: Rc::clone(&reads) });
    let mut files = FileSystem::new(NOW);
    let root = files.root();
    files.mount_layer(root, &Layer::new(parts[0].entries("site/", &source)), NOW).unwrap();
    let module = files.resolve("/site/a/c.so", true).unwrap();
    let metadata = files.metadata(module).unwrap();
    assert_eq!((metadata.size, metadata.mtime, metadata.mode & 0o7777), (3, 20_000.0, 0o600));
    assert_eq!(reads.get(), 0);
    let mut bytes = [0; 3];
    files.read(module, 0, &mut bytes).unwrap();
    assert_eq!((&bytes, reads.get()), (b"345", 1));
    let first = files.resolve("/site/a/b.py", true).unwrap();
    assert_eq!(files.metadata(first).unwrap().mode & 0o7777, 0o644);
}

proptest! {
    #[test]
    fn no_listing_makes_the_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = Detached::parse(&bytes);
    }

    #[test]
    fn no_extension_makes_the_reader_panic(text in "[\\[\\]{}\":,a-z0-9]{0,80}") {
        let document = format!(r#"{{"info":{{"abi_version":"x"}},"packages":{{}},"taipan":{text}}}"#);
        let _ = LockFile::parse(document.as_bytes());
    }
}
