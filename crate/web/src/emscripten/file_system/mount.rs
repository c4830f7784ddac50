//! What Emscripten calls a mount: a file-system type, and the nodes that it makes.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Object, Reflect};
use taipan_core::vfs::{Errno, Inode};
use wasm_bindgen::JsValue;

use super::SharedFileSystem;
use super::operation::{Thrown, operation};
use crate::emscripten::bindings::{Fs, FsNode, Module};
use crate::emscripten::node::NodeKind;

/// The pieces that every operation needs.
#[derive(Clone)]
pub struct RustMount {
    pub(super) module: Module,
    pub(super) fs: Fs,
    errno_error: Function,
    pub(super) files: SharedFileSystem,
    pub(super) operations: Rc<RefCell<Operations>>,
}

/// The tables of operations, per kind of node.
#[derive(Default)]
pub struct Operations {
    pub(super) directory_nodes: Object,
    pub(super) directory_streams: Object,
    pub(super) file_nodes: Object,
    pub(super) file_streams: Object,
    pub(super) link_nodes: Object,
    pub(super) device_nodes: Object,
    pub(super) device_streams: Object,
}

impl RustMount {
    /// With its operations.
    pub(super) fn new(module: &Module, files: &SharedFileSystem) -> Self {
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
    pub(super) fn into_type(self) -> Object {
        let file_system = Object::new();
        operation(&file_system, "mount", move |_mount: JsValue| -> JsValue {
            let root = self.files.borrow().root();
            // The root's parent is itself: Emscripten does that for a node without one.
            self.make_node(&JsValue::NULL, "/", root, 0o040_755, 0).into()
        });
        file_system
    }

    /// The exception that Emscripten expects.
    pub(super) fn throw(&self, errno: Errno) -> JsValue {
        Reflect::construct(&self.errno_error, &Array::of1(&errno.code().into())).unwrap_or_else(|thrown| thrown)
    }

    /// Throws what failed.
    pub(super) fn check<T>(&self, result: std::result::Result<T, Errno>) -> Thrown<T> {
        result.map_err(|errno| self.throw(errno))
    }

    /// Makes Emscripten's node for an inode.
    pub(super) fn make_node(&self, parent: &JsValue, name: &str, inode: Inode, mode: u32, rdev: u32) -> FsNode {
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

    /// Makes Emscripten's node for an inode that is there.
    pub(super) fn existing_node(&self, parent: &FsNode, name: &str, inode: Inode) -> Thrown<FsNode> {
        let metadata = self.check(self.files.borrow().metadata(inode))?;
        Ok(self.make_node(parent, name, inode, metadata.mode, metadata.rdev))
    }
}
