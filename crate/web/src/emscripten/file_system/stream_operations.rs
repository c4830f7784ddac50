//! `stream_ops`: what is done to open files.

use js_sys::{Object, Uint8Array};
use taipan_core::vfs::{Errno, Inode};

use super::mount::RustMount;
use super::operation::{Thrown, operation};
use crate::emscripten::abi::set;
use crate::emscripten::bindings::FsStream;
use crate::emscripten::linker::is_linked_by_us;
use crate::emscripten::node::{self, NodeKind};
use crate::global::wall_clock;

/// What every WebAssembly module begins with.
const WASM_MAGIC: [u8; 4] = *b"\0asm";

/// `MAP_PRIVATE` of Emscripten's `mmap`.
const MAP_PRIVATE: u32 = 2;

impl RustMount {
    /// Fills the tables.
    pub(super) fn fill_stream_operations(&self) {
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
