//! What CPython's `import` asks of the file system, answered in one system call.
//!
//! `importlib` finds a module by listing directories and asking for one file after another, a dozen system calls through
//! Emscripten's resolution of paths; `_taipan/modules.py` asks once, by reading a symbolic link that no directory lists:
//!
//! - `/proc/taipan/module/FOLDER/NAME`: the file in `FOLDER` that the module `NAME` comes from, as
//!   [`taipan_core::imports::ModuleFile`] has it: a path from the folder, nothing, or `?` where it cannot be told.
//! - `/proc/taipan/bytecode/SOURCE.py`: the time (whole seconds) and the size of the source, the size of its bytecode and
//!   the path of that, with blanks between; nothing where there is no bytecode.
//!
//! A link, because Python can read one before there is a bridge to JavaScript, and gets text with no object in between.

use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use taipan_core::imports::{ModuleFile, bytecode_path};
use taipan_core::vfs::{FileKind, FileSystem};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::abi::{Abi, set};
use super::bindings::Module;
use super::file_system::SharedFileSystem;

/// The import through which CPython reads a symbolic link: directory descriptor, path, buffer and its length.
const READ_LINK: &str = "__syscall_readlinkat";

/// What all questions begin with.
const ROOT: &[u8] = b"/proc/taipan/";

/// No path is longer, its terminating NUL included (`PATH_MAX`).
const PATH_MAX: u32 = 4096;

type ReadLink = dyn Fn(i32, u32, u32, u32) -> Result<JsValue, JsValue>;

/// Answers CPython's questions about modules.
pub struct ModuleLookup {
    files: SharedFileSystem,
    extension_suffixes: Vec<String>,
    cache_tag: String,
}

impl ModuleLookup {
    /// For the CPython of an ABI.
    pub fn new(abi: Abi, files: &SharedFileSystem) -> Self {
        let (files, cache_tag) = (Rc::clone(files), abi.cache_tag());
        let suffixes = [&format!(".{cache_tag}-wasm32-emscripten.so"), ".abi3.so", ".so"];
        Self { files, extension_suffixes: suffixes.map(str::to_owned).into(), cache_tag }
    }

    /// Takes the questions out of the links that CPython reads.
    pub fn watch_imports(self, imports: &Object, emscripten: &Module) {
        let Ok(env) = Reflect::get(imports, &"env".into()) else { return };
        let Some(read_link) = Reflect::get(&env, &READ_LINK.into()).ok().and_then(|f| f.dyn_into::<Function>().ok())
        else {
            return;
        };
        let emscripten = emscripten.clone();
        let watched = Closure::<ReadLink>::new(move |directory: i32, path: u32, buffer: u32, size: u32| {
            let heap = emscripten.heap_u8();
            if let Some(answer) = question(&heap, path).and_then(|question| self.answer(&question)) {
                let length = answer.len().min(size as usize);
                heap.subarray(buffer, buffer + length as u32).copy_from(&answer.as_bytes()[..length]);
                return Ok(JsValue::from(length as u32));
            }
            let arguments = Array::of4(&directory.into(), &path.into(), &buffer.into(), &size.into());
            read_link.apply(&JsValue::UNDEFINED, &arguments)
        });
        set(env.unchecked_ref(), READ_LINK, &watched.into_js_value());
    }

    fn answer(&self, question: &str) -> Option<String> {
        let files = self.files.borrow();
        let (kind, path) = question.split_at(question.find('/')?);
        match kind {
            "module" => {
                let (folder, name) = path.rsplit_once('/')?;
                Some(match ModuleFile::find(&files, folder, name, &self.extension_suffixes) {
                    ModuleFile::Found(file) => file,
                    ModuleFile::Missing => String::new(),
                    ModuleFile::Unclear => "?".to_owned(),
                })
            }
            "bytecode" => Some(self.bytecode(&files, path).unwrap_or_default()),
            _ => None,
        }
    }

    fn bytecode(&self, files: &FileSystem, source: &str) -> Option<String> {
        let bytecode = bytecode_path(source, &self.cache_tag)?;
        let metadata = |path: &str| files.metadata(files.resolve(path, true).ok()?).ok();
        let (source, compiled) = (metadata(source)?, metadata(&bytecode)?);
        let is_file = |mode| FileKind::of(mode) == Some(FileKind::File);
        let seconds = (source.mtime / 1000.0).floor() as i64;
        (is_file(source.mode) && is_file(compiled.mode))
            .then(|| format!("{seconds} {} {} {bytecode}", source.size, compiled.size))
    }
}

/// The question in a path at an address, without what all begin with; `None` where it is another path.
fn question(heap: &Uint8Array, path: u32) -> Option<String> {
    let start = path + ROOT.len() as u32;
    if heap.subarray(path, start).to_vec() != ROOT {
        return None;
    }
    let rest = heap.subarray(start, start + PATH_MAX);
    let end = u32::try_from(rest.index_of(0, 0)).ok()?;
    String::from_utf8(rest.subarray(0, end).to_vec()).ok()
}
