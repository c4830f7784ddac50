//! `node_ops`: what is done to inodes and the names in directories.

use js_sys::{Array, Object};
use taipan_core::vfs::{AttributeChange, Inode};

use super::mount::RustMount;
use super::operation::{Thrown, operation};
use crate::emscripten::bindings::{FsAttributes, FsNode};
use crate::emscripten::node::{self, Attributes};
use crate::global::wall_clock;

impl RustMount {
    /// Fills the tables.
    pub(super) fn fill_node_operations(&self) {
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
}
