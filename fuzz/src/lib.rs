//! What must hold for every input. The targets in `targets/` feed these with libFuzzer's inputs.

use std::rc::Rc;

use taipan_core::archive::{Archive, Entry, EntryKind, Limits};
use taipan_core::index::{ProjectPage, candidates};
use taipan_core::lock::LockFile;
use taipan_core::name::PackageName;
use taipan_core::side_module::SideModule;
use taipan_core::tag::SupportedTags;
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

/// A `dylink.0` section is read or refused, and nothing after it changes that.
pub fn side_module(bytes: &[u8]) {
    let section = SideModule::parse(bytes);
    if section.is_ok() {
        assert_eq!(SideModule::parse(&[bytes, b"\x01\x00"].concat()), section);
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
