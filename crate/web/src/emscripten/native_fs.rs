//! `FS.filesystems.NATIVEFS_ASYNC`: a directory of the user's, behind Pyodide's `mountNativeFS`.
//!
//! Pyodide's loader brings this file-system type along, the glue does not have it. Python works on a copy in memory
//! (Emscripten's `MEMFS`); `syncfs` makes one side like the other: what is newer or missing is copied, what the source
//! does not have is removed. Times decide, as in Emscripten's `IDBFS` (`src/lib/libidbfs.js`).

use std::collections::BTreeMap;

use js_sys::{ArrayBuffer, Function, Object, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::Blob;

use super::abi::set;
use super::bindings::{Fs, FsStat};
use super::node::NodeKind;
use crate::directory_handle::{Handle, Writable, next_child};

type Thrown<T> = Result<T, JsValue>;

/// Permissions of what comes from the user's directory.
const DIRECTORY_MODE: u32 = 0o040_777;
const FILE_MODE: u32 = 0o100_777;

/// A file or directory on one side.
struct Entry {
    is_directory: bool,
    /// Milliseconds since 1970.
    modified: f64,
    /// The user's side has one.
    handle: Option<Handle>,
}

/// What is on one side, by path below the mount.
type Entries = BTreeMap<String, Entry>;

/// Adds the file-system type.
pub fn add(fs: &Fs) {
    let file_systems = fs.filesystems();
    let native = Object::new();
    let memory = get(&file_systems, "MEMFS");
    let mount = Closure::<dyn Fn(JsValue) -> Thrown<JsValue>>::new(move |mount: JsValue| {
        if get(&get(&mount, "opts"), "fileSystemHandle").is_falsy() {
            return Err(js_sys::Error::new("opts.fileSystemHandle is required").into());
        }
        get(&memory, "mount").unchecked_into::<Function>().call1(&memory, &mount)
    });
    set(&native, "mount", &mount.into_js_value());
    let fs = fs.clone();
    let synchronise =
        Closure::<dyn Fn(JsValue, bool, Function)>::new(move |mount: JsValue, populate: bool, done: Function| {
            let fs = fs.clone();
            wasm_bindgen_futures::spawn_local(async move {
                let outcome = synchronise(&fs, &mount, populate).await;
                // Whoever is told has no way to object.
                let _ = done.call1(&JsValue::UNDEFINED, &outcome.err().unwrap_or(JsValue::NULL));
            });
        });
    set(&native, "syncfs", &synchronise.into_js_value());
    set(&native, "DIR_MODE", &DIRECTORY_MODE.into());
    set(&native, "FILE_MODE", &FILE_MODE.into());
    set(&file_systems, "NATIVEFS_ASYNC", &native);
}

async fn synchronise(fs: &Fs, mount: &JsValue, populate: bool) -> Thrown<()> {
    let at = get(mount, "mountpoint").as_string().unwrap_or_default();
    let root: Handle = get(&get(mount, "opts"), "fileSystemHandle").unchecked_into();
    let local = local_entries(fs, &at)?;
    let mut remote = remote_entries(&root).await?;
    let (source, target) = if populate { (&remote, &local) } else { (&local, &remote) };
    // Paths are in order, so that a directory comes before what is in it, and after it from the back.
    let gone: Vec<String> = target.keys().rev().filter(|path| is_gone(source, target, path)).cloned().collect();
    let new: Vec<String> = source.keys().filter(|path| is_new(source, target, path)).cloned().collect();
    for path in gone {
        if populate {
            let is_directory = local.get(&path).is_some_and(|entry| entry.is_directory);
            let path = join(&at, &path);
            if is_directory { fs.rmdir(&path)? } else { fs.unlink(&path)? }
        } else {
            let (folder, name) = split(&path);
            JsFuture::from(handle_of(&remote, &root, folder).remove_entry(name)?).await?;
            remote.remove(&path);
        }
    }
    for path in new {
        if populate {
            if let Some(entry) = remote.get(&path) {
                bring(fs, &join(&at, &path), entry).await?;
            }
        } else if let Some(entry) = local.get(&path) {
            let (folder, name) = split(&path);
            let handle = send(fs, &join(&at, &path), entry, &handle_of(&remote, &root, folder), name).await?;
            remote.insert(path, Entry { handle: Some(handle), ..*entry });
        }
    }
    Ok(())
}

fn is_gone(source: &Entries, target: &Entries, path: &str) -> bool {
    let is_directory = |side: &Entries| side.get(path).map(|entry| entry.is_directory);
    is_directory(source) != is_directory(target)
}

fn is_new(source: &Entries, target: &Entries, path: &str) -> bool {
    is_gone(source, target, path)
        || source
            .get(path)
            .zip(target.get(path))
            .is_some_and(|(new, old)| !new.is_directory && new.modified > old.modified)
}

/// The handle of a directory on the user's side.
fn handle_of(remote: &Entries, root: &Handle, path: &str) -> Handle {
    remote.get(path).and_then(|entry| entry.handle.clone()).unwrap_or_else(|| root.clone())
}

/// From the user's directory into memory.
async fn bring(fs: &Fs, path: &str, entry: &Entry) -> Thrown<()> {
    if entry.is_directory {
        fs.mkdir(path)?;
        fs.chmod(path, DIRECTORY_MODE)?;
    } else if let Some(handle) = &entry.handle {
        let file: Blob = JsFuture::from(handle.get_file()?).await?.unchecked_into();
        let buffer: ArrayBuffer = JsFuture::from(file.array_buffer()).await?.unchecked_into();
        fs.write_file(path, &Uint8Array::new(&buffer))?;
        fs.chmod(path, FILE_MODE)?;
    }
    fs.utime(path, entry.modified, entry.modified)
}

/// From memory into a directory of the user's.
async fn send(fs: &Fs, path: &str, entry: &Entry, folder: &Handle, name: &str) -> Thrown<Handle> {
    let options = Object::new();
    set(&options, "create", &true.into());
    if entry.is_directory {
        return Ok(JsFuture::from(folder.get_directory_handle(name, &options)?).await?.unchecked_into());
    }
    let handle: Handle = JsFuture::from(folder.get_file_handle(name, &options)?).await?.unchecked_into();
    let writable: Writable = JsFuture::from(handle.create_writable()?).await?.unchecked_into();
    JsFuture::from(writable.write(&fs.read_file(path)?)?).await?;
    JsFuture::from(writable.close()?).await?;
    Ok(handle)
}

fn local_entries(fs: &Fs, at: &str) -> Thrown<Entries> {
    let mut entries = Entries::new();
    let mut open = vec![String::new()];
    while let Some(folder) = open.pop() {
        for name in fs.readdir(&join(at, &folder))?.iter() {
            let name = name.as_string().unwrap_or_default();
            if name == "." || name == ".." {
                continue;
            }
            let path = join(&folder, &name);
            let stat: FsStat = fs.stat(&join(at, &path))?;
            let is_directory = NodeKind::of(stat.stat_mode()) == NodeKind::Directory;
            if is_directory {
                open.push(path.clone());
            }
            entries.insert(path, Entry { is_directory, modified: stat.stat_mtime().get_time(), handle: None });
        }
    }
    Ok(entries)
}

/// What the user's directory has.
async fn remote_entries(root: &Handle) -> Thrown<Entries> {
    let mut entries = Entries::new();
    let mut open = vec![(String::new(), root.clone())];
    while let Some((folder, handle)) = open.pop() {
        let children = handle.values()?;
        while let Some(child) = next_child(&children).await? {
            let path = join(&folder, &child.name().unwrap_or_default());
            let is_directory = child.is_directory();
            let modified = if is_directory {
                open.push((path.clone(), child.clone()));
                js_sys::Date::now()
            } else {
                let file: Handle = JsFuture::from(child.get_file()?).await?.unchecked_into();
                file.last_modified().unwrap_or_default()
            };
            entries.insert(path, Entry { is_directory, modified, handle: Some(child) });
        }
    }
    Ok(entries)
}

fn join(folder: &str, name: &str) -> String {
    if folder.is_empty() || name.is_empty() { format!("{folder}{name}") } else { format!("{folder}/{name}") }
}

/// The folder that a path is in, and its name there.
fn split(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

fn get(object: &JsValue, name: &str) -> JsValue {
    Reflect::get(object, &name.into()).unwrap_or(JsValue::UNDEFINED)
}
