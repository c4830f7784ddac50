//! Open files and the current directory, which Emscripten's `FS` keeps.

use js_sys::Array;
use taipan_core::vfs::Inode;
use wasm_bindgen::{JsCast, JsValue};

use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Fs, FsNode};
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::snapshot::glue::get;
use crate::error::{Code, Error, Result};

/// What of an open file changes.
const STREAM: [&str; 3] = ["fd", "node", "getdents"];

/// What descriptors made by `dup` have in common.
const SHARED: [&str; 2] = ["flags", "position"];

/// Where the file is.
const NODE: [&str; 3] = ["name", "parent", "mode"];

/// Open files at one moment.
pub struct Streams {
    /// By descriptor; `null` for one that is not open.
    descriptors: Vec<JsValue>,
    /// Objects, and the properties that they had.
    properties: Vec<(JsValue, &'static [&'static str], Vec<JsValue>)>,
    directory: String,
}

impl Streams {
    /// The files that are open now.
    ///
    /// # Errors
    /// [`Code::NotSupported`] if one is a pipe or something else that is not in the file system.
    pub fn now(fs: &Fs) -> Result<Self> {
        let streams: Array = get(fs, "streams").unchecked_into();
        let mut properties = Vec::new();
        let mut keep = |object: JsValue, names: &'static [&'static str]| {
            let values = names.iter().map(|name| get(&object, name)).collect();
            properties.push((object, names, values));
        };
        for (descriptor, stream) in streams.iter().enumerate().filter(|(_, stream)| stream.is_object()) {
            let node = get(&stream, "node");
            if get(&node, "inode").is_undefined() {
                let path = get(&stream, "path").as_string().unwrap_or_else(|| "a pipe".to_owned());
                return Err(Error::new(
                    Code::NotSupported,
                    format!("Descriptor {descriptor} ({path}) is open, which is not a file that one could go back to."),
                )
                .hint("Close it and try again."));
            }
            keep(get(&stream, "shared"), &SHARED);
            keep(node, &NODE);
            keep(stream, &STREAM);
        }
        Ok(Self { descriptors: streams.to_vec(), properties, directory: fs.cwd() })
    }

    /// Opens and closes files as they were, when the file system is as it was.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the current directory of then is not there.
    pub fn roll_back(&self, fs: &Fs, files: &SharedFileSystem) -> Result<()> {
        for (object, names, values) in &self.properties {
            for (name, value) in names.iter().zip(values) {
                set(object.unchecked_ref(), name, value);
            }
        }
        let streams: Array = get(fs, "streams").unchecked_into();
        streams.set_length(self.descriptors.len() as u32);
        for (descriptor, stream) in (0..).zip(&self.descriptors) {
            streams.set(descriptor, stream.clone());
        }
        forget_changed_nodes(fs, files);
        fs.chdir(&self.directory)
            .map_err(|thrown| Error::from_js(Code::Fatal, "The current directory cannot be gone back to", thrown))
    }
}

/// Takes nodes out of Emscripten's table of names whose names stand for something else, or for nothing.
fn forget_changed_nodes(fs: &Fs, files: &SharedFileSystem) {
    let files = files.borrow();
    let table = fs.name_table();
    let nodes: Vec<FsNode> = table
        .iter()
        .flat_map(|bucket| {
            std::iter::successors(Some(bucket).filter(JsValue::is_object), |node| {
                Some(node.unchecked_ref::<FsNode>().name_next()).filter(JsValue::is_object)
            })
        })
        .map(JsCast::unchecked_into)
        .collect();
    let is_current = |node: &FsNode| {
        let mut node = node.clone();
        loop {
            let parent = node.parent();
            // What is mounted by others, and Emscripten's own devices, have no inode of ours.
            let Some(inode) = node.known_inode() else { return true };
            if parent == node {
                return true;
            }
            let Some(directory) = parent.known_inode() else { return true };
            if files.lookup(Inode::from(directory), &node.name()) != Ok(Inode::from(inode)) {
                return false;
            }
            node = parent;
        }
    };
    let current: Vec<FsNode> = nodes.into_iter().filter(is_current).collect();
    // A node that was renamed since is in the bucket of its later name, so buckets are filled anew.
    table.fill(&JsValue::UNDEFINED, 0, table.length());
    for node in current {
        if let Some(metadata) = node.known_inode().and_then(|inode| files.metadata(Inode::from(inode)).ok()) {
            node.set_mode(metadata.mode);
        }
        fs.hash_add_node(&node);
    }
}
