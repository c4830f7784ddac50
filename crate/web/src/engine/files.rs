//! `python.fs`: the interpreter's file system, from outside.
//!
//! Calls go through Emscripten's `FS`, which keeps nodes of its own for what CPython has looked at; going past it
//! would leave those stale.

use js_sys::{Array, JsString, Uint8Array};
use wasm_bindgen::prelude::*;

use super::{Engine, FileStatObject, Thrown};
use crate::boundary::{FileStat, to_js};
use crate::emscripten::bindings::{Fs, FsStat};
use crate::emscripten::file_system::file_error;
use crate::emscripten::node::NodeKind;

#[wasm_bindgen]
impl Engine {
    /// The contents of a file.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    #[wasm_bindgen(js_name = readFile)]
    pub fn read_file(&self, path: &str) -> Thrown<Uint8Array> {
        self.file_call("readFile", path, |fs| fs.read_file(path))
    }

    /// Writes a file, over what was there.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    #[wasm_bindgen(js_name = writeFile)]
    pub fn write_file(&self, path: &str, data: &Uint8Array) -> Thrown<()> {
        self.file_call("writeFile", path, |fs| fs.write_file(path, data))
    }

    /// Makes a directory; `recursive` also makes those above it and accepts one that exists.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    pub fn mkdir(&self, path: &str, recursive: bool) -> Thrown<()> {
        self.file_call("mkdir", path, |fs| if recursive { fs.mkdir_tree(path) } else { fs.mkdir(path).map(drop) })
    }

    /// The names in a directory, in the order in which they were made.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    pub fn readdir(&self, path: &str) -> Thrown<Vec<JsString>> {
        let names: Array = self.file_call("readdir", path, |fs| fs.readdir(path))?;
        Ok(names
            .iter()
            .filter_map(|name| name.dyn_into::<JsString>().ok())
            .filter(|name| *name != "." && *name != "..")
            .collect())
    }

    /// What a path stands for; symbolic links are followed.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    pub fn stat(&self, path: &str) -> Thrown<FileStatObject> {
        self.file_call("stat", path, |fs| fs.stat(path)).map(|stat| file_stat(&stat))
    }

    /// What a path stands for; a symbolic link is itself.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    pub fn lstat(&self, path: &str) -> Thrown<FileStatObject> {
        self.file_call("lstat", path, |fs| fs.lstat(path)).map(|stat| file_stat(&stat))
    }

    /// Renames, over what is there, as `os.replace` does.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    pub fn rename(&self, from: &str, to: &str) -> Thrown<()> {
        self.file_call("rename", from, |fs| fs.rename(from, to))
    }

    /// Removes a file.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    pub fn unlink(&self, path: &str) -> Thrown<()> {
        self.file_call("unlink", path, |fs| fs.unlink(path))
    }

    /// Removes an empty directory.
    ///
    /// # Errors
    /// `FILE_SYSTEM` with the errno that Python would give.
    pub fn rmdir(&self, path: &str) -> Thrown<()> {
        self.file_call("rmdir", path, |fs| fs.rmdir(path))
    }

    fn file_call<T>(&self, call: &str, path: &str, run: impl FnOnce(&Fs) -> Thrown<T>) -> Thrown<T> {
        run(&self.interpreter.module.fs()).map_err(|thrown| file_error(thrown, call, path).into())
    }
}

fn file_stat(stat: &FsStat) -> FileStatObject {
    let mode = stat.stat_mode();
    let stat = FileStat {
        kind: NodeKind::of(mode).as_str(),
        size: stat.stat_size(),
        mode: mode & 0o7777,
        accessed: stat.stat_atime().get_time(),
        modified: stat.stat_mtime().get_time(),
        changed: stat.stat_ctime().get_time(),
        inode: stat.stat_inode(),
    };
    to_js(&stat).unchecked_into()
}
