//! The Rust file system as a file-system type of Emscripten's, mounted as its root.
//!
//! Emscripten resolves paths, checks permissions and keeps file descriptors; every question about an inode goes to
//! [`taipan_core::vfs::FileSystem`]. The operations are those of Emscripten's `MEMFS` (`src/lib/libmemfs.js`):
//! `node_ops` act on nodes, `stream_ops` on open files, and failures are thrown as `FS.ErrnoError`.

mod mount;
mod node_operations;
mod operation;
mod stream_operations;

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use taipan_core::vfs::{Errno, FileSystem, Inode};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use self::mount::RustMount;
use self::operation::Thrown;
use super::abi::set;
use super::bindings::{Fs, FsNode, Module};
use crate::error::{Code, Error, Result};

/// The file system, shared by CPython, the package loader and the page.
pub type SharedFileSystem = Rc<RefCell<FileSystem>>;

/// Makes the Rust file system the root of a module's file system. To be called before CPython starts, in `preRun`:
/// what Emscripten had put into its own root (`/tmp`, `/home`, `/dev`, `/proc`) is made again in ours.
///
/// # Errors
/// [`Code::FileSystem`] if Emscripten refuses.
pub fn mount_root(module: &Module, files: &SharedFileSystem) -> Result<()> {
    let fs = module.fs();
    let failed = |thrown| Error::from_js(Code::FileSystem, "The file system cannot be mounted", thrown);
    let mount = RustMount::new(module, files);
    fs.set_root(&JsValue::NULL);
    fs.set_name_table(&Array::new_with_length(4096));
    fs.mount(&mount.into_type(), &Object::new(), "/").map_err(failed)?;
    watch_mounts(&fs, files);
    fs.create_default_directories().map_err(failed)?;
    fs.create_default_devices().map_err(failed)?;
    fs.create_special_directories().map_err(failed)?;
    Ok(())
}

/// Tells the Rust file system which of its directories others are mounted over from now on.
fn watch_mounts(fs: &Fs, files: &SharedFileSystem) {
    type Watched = dyn Fn(JsValue, JsValue, JsValue) -> Thrown<JsValue>;
    for (name, is_mounting) in [("mount", true), ("unmount", false)] {
        let function = Reflect::get(fs, &name.into()).ok().and_then(|function| function.dyn_into::<Function>().ok());
        let Some(function) = function else { continue };
        let (fs_object, files) = (fs.clone(), Rc::clone(files));
        // `FS.mount(type, options, path)`, `FS.unmount(path)`.
        let watched = Closure::<Watched>::new(move |first: JsValue, options: JsValue, third: JsValue| {
            let done = function.call3(&fs_object, &first, &options, &third)?;
            let path = if is_mounting { third } else { first };
            let node = path.as_string().and_then(|path| fs_object.mount_point(&path));
            if let Some(inode) = node.and_then(|node| node.known_inode()) {
                let mut files = files.borrow_mut();
                if is_mounting { files.cover(inode.into()) } else { files.uncover(inode.into()) }
            }
            Ok(done)
        });
        set(fs.unchecked_ref(), name, &watched.into_js_value());
    }
}

/// Takes nodes out of Emscripten's table of names that are not what is found under their names any more. To be called after
/// layers were unmounted, or took the place of files: that happens without Emscripten's knowing.
pub fn forget_stale_nodes(fs: &Fs, files: &SharedFileSystem) {
    let files = files.borrow();
    for bucket in fs.name_table().iter() {
        let mut next: JsValue = bucket;
        while next.is_object() {
            let node: FsNode = next.unchecked_into();
            next = node.name_next();
            // Devices of Emscripten's own have no inode of ours, nor have nodes of other file systems.
            let (Some(inode), Some(parent)) = (node.known_inode(), node.parent().known_inode()) else { continue };
            let is_root = inode == parent;
            // One that is gone may still be open.
            if !is_root && files.lookup(Inode::from(parent), &node.name()) != Ok(Inode::from(inode)) {
                fs.hash_remove_node(&node);
            }
        }
    }
}

/// The error for a failed call of `FS`, with the errno's name and the path that Python's `OSError` would have.
pub fn file_error(thrown: JsValue, call: &str, path: &str) -> Error {
    let errno = Reflect::get(&thrown, &"errno".into()).ok().and_then(|errno| errno.as_f64()).map(|code| code as i32);
    match errno.and_then(Errno::from_code) {
        Some(errno) => Error::new(Code::FileSystem, format!("{call} failed: {errno}: {path}"))
            .field("errno", errno.name())
            .field("path", path),
        None => Error::from_js(Code::FileSystem, &format!("{call} failed for {path}"), thrown.clone())
            .cause(thrown.unchecked_into()),
    }
}
