//! Where modules are found: the cases that `importlib.machinery.FileFinder` tells apart. A test in a browser compares all
//! modules of a distribution with what CPython finds itself.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use taipan_core::imports::{ModuleFile, bytecode_path};
use taipan_core::vfs::FileSystem;

const FOLDER: &str = "/lib/python3.13";

fn tree(paths: &[&str]) -> FileSystem {
    let mut files = FileSystem::new(0.0);
    for path in paths {
        let path = format!("{FOLDER}/{path}");
        let (folder, _) = path.rsplit_once('/').unwrap();
        files.create_directories(folder, 0o755, 0.0).unwrap();
        if !path.ends_with('/') {
            files.write_file(&path, b"", 0.0).unwrap();
        }
    }
    files
}

fn find(files: &FileSystem, name: &str) -> ModuleFile {
    let suffixes = [".cpython-313-wasm32-emscripten.so", ".abi3.so", ".so"].map(str::to_owned);
    ModuleFile::find(files, FOLDER, name, &suffixes)
}

fn found(path: &str) -> ModuleFile {
    ModuleFile::Found(path.to_owned())
}

#[test]
fn a_package_comes_before_a_module_and_an_extension_before_a_source() {
    let files = tree(&["both/__init__.py", "both.py", "fast.py", "fast.so", "fast.cpython-313-wasm32-emscripten.so"]);
    assert_eq!(find(&files, "both"), found("both/__init__.py"));
    assert_eq!(find(&files, "fast"), found("fast.cpython-313-wasm32-emscripten.so"));
    assert_eq!(find(&files, "fas"), ModuleFile::Missing);
}

#[test]
fn a_directory_without_init_gives_way_to_a_module_and_is_unclear_by_itself() {
    let files = tree(&["plain/data.txt", "plain.py", "namespace/part.py", "odd/__init__.py/"]);
    assert_eq!(find(&files, "plain"), found("plain.py"));
    assert_eq!(find(&files, "namespace"), ModuleFile::Unclear);
    assert_eq!(find(&files, "odd"), ModuleFile::Unclear);
}

#[test]
fn bytecode_without_a_source_is_left_to_importlib() {
    let files = tree(&["alone.pyc", "package/__init__.pyc"]);
    assert_eq!(find(&files, "alone"), ModuleFile::Unclear);
    assert_eq!(find(&files, "package"), ModuleFile::Unclear);
}

#[test]
fn links_are_followed() {
    let mut files = tree(&["real.py", "folder/__init__.py"]);
    let directory = files.resolve(FOLDER, true).unwrap();
    for (name, target) in [("linked.py", "real.py"), ("linked", "folder"), ("broken.py", "nowhere.py")] {
        files.symlink(directory, name, target, 0.0).unwrap();
    }
    assert_eq!(find(&files, "linked"), found("linked/__init__.py"));
    assert_eq!(find(&files, "broken"), ModuleFile::Missing);
}

#[test]
fn what_is_no_directory_here_is_unclear_and_what_is_not_there_is_missing() {
    let mut files = tree(&["archive.zip", "mounted/module.py"]);
    let at = |files: &FileSystem, folder: &str| ModuleFile::find(files, folder, "module", &[]);
    assert_eq!(at(&files, "/lib/python3.13/archive.zip"), ModuleFile::Unclear);
    assert_eq!(at(&files, "/lib/python313.zip"), ModuleFile::Missing);
    assert_eq!(at(&files, "/lib/python3.13/mounted"), found("module.py"));
    let mounted = files.resolve("/lib/python3.13/mounted", true).unwrap();
    files.cover(mounted);
    assert_eq!(at(&files, "/lib/python3.13/mounted"), ModuleFile::Unclear);
    files.uncover(mounted);
    assert_eq!(at(&files, "/lib/python3.13/mounted"), found("module.py"));
}

#[test]
fn bytecode_is_where_pep_3147_has_it() {
    let path = |source| bytecode_path(source, "cpython-313");
    assert_eq!(path("/a/b.py").as_deref(), Some("/a/__pycache__/b.cpython-313.pyc"));
    assert_eq!(path("/a/b.c.py").as_deref(), Some("/a/__pycache__/b.c.cpython-313.pyc"));
    assert_eq!(path("/a/b.pyw"), None);
    assert_eq!(path("/a/.py"), None);
}
