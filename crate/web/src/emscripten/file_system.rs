//! The Rust file system as a file-system type of Emscripten's, mounted as its root.
//!
//! Emscripten resolves paths, checks permissions and keeps file descriptors; every question about an inode goes to
//! [`taipan_core::vfs::FileSystem`]. The operations are those of Emscripten's `MEMFS` (`src/lib/libmemfs.js`):
//! `node_ops` act on nodes, `stream_ops` on open files, and failures are thrown as `FS.ErrnoError`.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use taipan_core::vfs::{AttributeChange, Errno, FileSystem, Inode};
use wasm_bindgen::closure::{Closure, IntoWasmClosure, WasmClosure};
use wasm_bindgen::{JsCast, JsValue};

use super::abi::set;
use super::bindings::{Fs, FsAttributes, FsNode, FsStream, Module};
use super::linker::is_linked_by_us;
use super::node::{self, Attributes, NodeKind};
use crate::error::{Code, Error, Result};
use crate::global::wall_clock;

/// The file system, shared by CPython, the package loader and the page.
pub type SharedFileSystem = Rc<RefCell<FileSystem>>;

/// What every WebAssembly module begins with.
const WASM_MAGIC: [u8; 4] = *b"\0asm";

/// `MAP_PRIVATE` of Emscripten's `mmap`.
const MAP_PRIVATE: u32 = 2;

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

/// Adds an operation to a table of operations. It lives as long as the engine.
fn operation<F, Arguments>(table: &Object, name: &str, function: F)
where
    F: IntoClosure<Arguments>,
{
    set(table, name, &function.into_closure());
}

/// A Rust function that can be handed to Emscripten.
trait IntoClosure<Arguments> {
    fn into_closure(self) -> JsValue;
}

macro_rules! into_closure {
    ($($argument:ident),*) => {
        impl<F, $($argument,)* R> IntoClosure<($($argument,)*)> for F
        where
            F: Fn($($argument,)*) -> R + 'static,
            F: IntoWasmClosure<dyn Fn($($argument,)*) -> R>,
            dyn Fn($($argument,)*) -> R: WasmClosure,
        {
            fn into_closure(self) -> JsValue {
                Closure::<dyn Fn($($argument,)*) -> R>::new(self).into_js_value()
            }
        }
    };
}

into_closure!(A);
into_closure!(A, B);
into_closure!(A, B, C);
into_closure!(A, B, C, D);
into_closure!(A, B, C, D, E);

type Thrown<T> = std::result::Result<T, JsValue>;

/// The pieces that every operation needs.
#[derive(Clone)]
struct RustMount {
    module: Module,
    fs: Fs,
    errno_error: Function,
    files: SharedFileSystem,
    operations: Rc<RefCell<Operations>>,
}

/// The tables of operations, per kind of node.
#[derive(Default)]
struct Operations {
    directory_nodes: Object,
    directory_streams: Object,
    file_nodes: Object,
    file_streams: Object,
    link_nodes: Object,
    device_nodes: Object,
    device_streams: Object,
}

impl RustMount {
    fn new(module: &Module, files: &SharedFileSystem) -> Self {
        let fs = module.fs();
        let mount = Self {
            module: module.clone(),
            errno_error: fs.errno_error(),
            files: Rc::clone(files),
            operations: Rc::default(),
            fs,
        };
        mount.fill_node_operations();
        mount.fill_stream_operations();
        mount
    }

    /// The object that `FS.mount` takes.
    fn into_type(self) -> Object {
        let file_system = Object::new();
        operation(&file_system, "mount", move |_mount: JsValue| -> JsValue {
            let root = self.files.borrow().root();
            // The root's parent is itself: Emscripten does that for a node without one.
            self.make_node(&JsValue::NULL, "/", root, 0o040_755, 0).into()
        });
        file_system
    }

    fn throw(&self, errno: Errno) -> JsValue {
        Reflect::construct(&self.errno_error, &Array::of1(&errno.code().into())).unwrap_or_else(|thrown| thrown)
    }

    fn check<T>(&self, result: std::result::Result<T, Errno>) -> Thrown<T> {
        result.map_err(|errno| self.throw(errno))
    }

    /// Makes Emscripten's node for an inode.
    fn make_node(&self, parent: &JsValue, name: &str, inode: Inode, mode: u32, rdev: u32) -> FsNode {
        let node = self.fs.create_node(parent, name, mode, rdev);
        node.set_inode(inode.get());
        let operations = self.operations.borrow();
        let (node_ops, stream_ops) = match NodeKind::of(mode) {
            NodeKind::Directory => (&operations.directory_nodes, &operations.directory_streams),
            NodeKind::Symlink => (&operations.link_nodes, &operations.directory_streams),
            NodeKind::Device => (&operations.device_nodes, &operations.device_streams),
            NodeKind::File => (&operations.file_nodes, &operations.file_streams),
        };
        node.set_node_ops(node_ops);
        node.set_stream_ops(stream_ops);
        node
    }

    fn existing_node(&self, parent: &FsNode, name: &str, inode: Inode) -> Thrown<FsNode> {
        let metadata = self.check(self.files.borrow().metadata(inode))?;
        Ok(self.make_node(parent, name, inode, metadata.mode, metadata.rdev))
    }

    fn fill_node_operations(&self) {
        let operations = self.operations.borrow();
        for table in
            [&operations.directory_nodes, &operations.file_nodes, &operations.link_nodes, &operations.device_nodes]
        {
            let mount = self.clone();
            operation(table, "getattr", move |node: FsNode| -> Thrown<Attributes> {
                let inode = Inode::from(node.inode());
                let metadata = mount.check(mount.files.borrow().metadata(inode))?;
                Ok(node::attributes(inode, &metadata))
            });
            let mount = self.clone();
            operation(table, "setattr", move |node: FsNode, attributes: FsAttributes| -> Thrown<()> {
                mount.set_attributes(&node, &attributes)
            });
        }
        let mount = self.clone();
        operation(&operations.link_nodes, "readlink", move |node: FsNode| -> Thrown<String> {
            let files = mount.files.borrow();
            mount.check(files.read_link(Inode::from(node.inode())).map(str::to_owned))
        });
        self.fill_directory_operations(&operations.directory_nodes);
    }

    fn fill_directory_operations(&self, table: &Object) {
        let mount = self.clone();
        operation(table, "lookup", move |parent: FsNode, name: String| -> Thrown<FsNode> {
            let inode = mount.files.borrow().lookup(Inode::from(parent.inode()), &name);
            let inode = mount.check(inode)?;
            mount.existing_node(&parent, &name, inode)
        });
        let mount = self.clone();
        operation(
            table,
            "mknod",
            move |parent: FsNode, name: String, mode: u32, rdev: Option<u32>| -> Thrown<FsNode> {
                let rdev = rdev.unwrap_or(0);
                let directory = Inode::from(parent.inode());
                let made = mount.files.borrow_mut().make_node(directory, &name, mode, rdev, wall_clock());
                Ok(mount.make_node(&parent, &name, mount.check(made)?, mode, rdev))
            },
        );
        let mount = self.clone();
        operation(table, "rename", move |old: FsNode, directory: FsNode, name: String| -> Thrown<()> {
            mount.rename(&old, &directory, &name)
        });
        let mount = self.clone();
        operation(table, "unlink", move |parent: FsNode, name: String| -> Thrown<()> {
            let removed = mount.files.borrow_mut().unlink(Inode::from(parent.inode()), &name, wall_clock());
            mount.check(removed)
        });
        let mount = self.clone();
        operation(table, "rmdir", move |parent: FsNode, name: String| -> Thrown<()> {
            let removed = mount.files.borrow_mut().remove_directory(Inode::from(parent.inode()), &name, wall_clock());
            mount.check(removed)
        });
        let mount = self.clone();
        operation(table, "readdir", move |node: FsNode| -> Thrown<Array> {
            let entries = mount.check(mount.files.borrow().read_directory(Inode::from(node.inode())))?;
            let names = Array::of2(&".".into(), &"..".into());
            for entry in entries {
                names.push(&entry.name.as_str().into());
            }
            Ok(names)
        });
        let mount = self.clone();
        operation(table, "symlink", move |parent: FsNode, name: String, target: String| -> Thrown<FsNode> {
            let made = mount.files.borrow_mut().symlink(Inode::from(parent.inode()), &name, &target, wall_clock());
            let inode = mount.check(made)?;
            mount.existing_node(&parent, &name, inode)
        });
    }

    fn rename(&self, old: &FsNode, directory: &FsNode, name: &str) -> Thrown<()> {
        // What the new name stood for so far has to leave Emscripten's table of names too.
        let replaced = self.fs.lookup_node(directory, name).ok();
        let renamed = self.files.borrow_mut().rename(
            Inode::from(old.parent().inode()),
            &old.name(),
            Inode::from(directory.inode()),
            name,
            wall_clock(),
        );
        self.check(renamed)?;
        if let Some(replaced) = replaced {
            self.fs.hash_remove_node(&replaced);
        }
        old.set_name(name);
        Ok(())
    }

    fn set_attributes(&self, node: &FsNode, attributes: &FsAttributes) -> Thrown<()> {
        let change = AttributeChange {
            mode: attributes.mode(),
            size: attributes.size().map(|size| size.max(0.0) as u64),
            atime: node::milliseconds(&attributes.atime()),
            mtime: node::milliseconds(&attributes.mtime()),
            ctime: node::milliseconds(&attributes.ctime()),
        };
        let changed = self.files.borrow_mut().set_attributes(Inode::from(node.inode()), &change, wall_clock());
        self.check(changed)?;
        if let Some(mode) = change.mode {
            node.set_mode(mode);
        }
        Ok(())
    }

    fn fill_stream_operations(&self) {
        let mut operations = self.operations.borrow_mut();
        operations.device_streams = self.fs.chrdev_stream_ops();
        for table in [&operations.directory_streams, &operations.file_streams] {
            let mount = self.clone();
            operation(table, "llseek", move |stream: FsStream, offset: f64, whence: u32| -> Thrown<f64> {
                mount.seek(&stream, offset, whence)
            });
        }
        let table = &operations.file_streams;
        // An unlinked file lives until its last descriptor is closed, so descriptors are counted.
        for name in ["open", "dup"] {
            let mount = self.clone();
            operation(table, name, move |stream: FsStream| {
                mount.files.borrow_mut().open(Inode::from(stream.node().inode()));
            });
        }
        let mount = self.clone();
        operation(table, "close", move |stream: FsStream| {
            mount.files.borrow_mut().close(Inode::from(stream.node().inode()));
        });
        let mount = self.clone();
        operation(
            table,
            "read",
            move |stream: FsStream, buffer: Uint8Array, offset: u32, length: u32, position: f64| -> Thrown<u32> {
                let target = node::window(&buffer, offset, length);
                mount.read(&stream, &target, position)
            },
        );
        let mount = self.clone();
        operation(
            table,
            "write",
            move |stream: FsStream, buffer: Uint8Array, offset: u32, length: u32, position: f64| -> Thrown<u32> {
                let bytes = node::window(&buffer, offset, length).to_vec();
                let inode = Inode::from(stream.node().inode());
                let written = mount.files.borrow_mut().write(inode, position as u64, &bytes, wall_clock());
                Ok(mount.check(written)? as u32)
            },
        );
        let mount = self.clone();
        operation(
            table,
            "mmap",
            move |stream: FsStream, length: u32, position: f64, _protection: u32, _flags: u32| -> Thrown<Object> {
                mount.map(&stream, length, position)
            },
        );
        let mount = self.clone();
        operation(
            table,
            "msync",
            move |stream: FsStream, buffer: Uint8Array, offset: f64, length: u32, flags: u32| -> Thrown<u32> {
                if flags & MAP_PRIVATE == 0 {
                    let bytes = node::window(&buffer, 0, length).to_vec();
                    let inode = Inode::from(stream.node().inode());
                    let written = mount.files.borrow_mut().write(inode, offset as u64, &bytes, wall_clock());
                    mount.check(written)?;
                }
                Ok(0)
            },
        );
    }

    fn read(&self, stream: &FsStream, target: &Uint8Array, position: f64) -> Thrown<u32> {
        let inode = Inode::from(stream.node().inode());
        if position == 0.0 && self.is_read_to_be_linked(stream, inode, target) {
            // A read may be short. `dlopen` takes that for a file that it cannot have in memory and leaves it to the
            // linker, which gets it as a module; whoever wants the bytes goes on reading.
            target.subarray(0, WASM_MAGIC.len() as u32).copy_from(&WASM_MAGIC);
            return Ok(WASM_MAGIC.len() as u32);
        }
        self.copy(inode, target, position)
    }

    fn copy(&self, inode: Inode, target: &Uint8Array, position: f64) -> Thrown<u32> {
        let copied = self.files.borrow_mut().with_bytes(inode, position as u64, target.length() as usize, |bytes| {
            target.subarray(0, bytes.len() as u32).copy_from(bytes);
            bytes.len() as u32
        });
        self.check(copied)
    }

    /// Whether this is Emscripten's `dlopen` (`system/lib/libc/dynlink.c`), which reads a whole library into CPython's
    /// memory at once before it asks for it to be linked, and the library is one that it gets as a module.
    fn is_read_to_be_linked(&self, stream: &FsStream, inode: Inode, target: &Uint8Array) -> bool {
        let length = u64::from(target.length());
        length > WASM_MAGIC.len() as u64
            && self.files.borrow().metadata(inode).is_ok_and(|metadata| metadata.size == length)
            && stream.path().is_some_and(|path| is_linked_by_us(&path, self.files.borrow().layer_of(inode)))
            && *target.buffer() == *self.module.heap8().buffer()
    }

    fn seek(&self, stream: &FsStream, offset: f64, whence: u32) -> Thrown<f64> {
        const SEEK_CURRENT: u32 = 1;
        const SEEK_END: u32 = 2;
        let position = match whence {
            SEEK_CURRENT => stream.position() + offset,
            SEEK_END => {
                let inode = Inode::from(stream.node().inode());
                let metadata = self.check(self.files.borrow().metadata(inode))?;
                let size = if NodeKind::of(metadata.mode) == NodeKind::File { metadata.size as f64 } else { 0.0 };
                size + offset
            }
            _ => offset,
        };
        if position < 0.0 { Err(self.throw(Errno::EINVAL)) } else { Ok(position) }
    }

    /// `mmap` by copying: linear memory cannot show a file.
    fn map(&self, stream: &FsStream, length: u32, position: f64) -> Thrown<Object> {
        let address = self.module.mmap_alloc(length)?;
        if address == 0 {
            return Err(self.throw(Errno::ENOMEM));
        }
        let heap = self.module.heap8();
        let target = Uint8Array::new_with_byte_offset_and_length(&heap.buffer(), address, length);
        self.copy(Inode::from(stream.node().inode()), &target, position)?;
        let mapping = Object::new();
        set(&mapping, "ptr", &address.into());
        set(&mapping, "allocated", &true.into());
        Ok(mapping)
    }
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
