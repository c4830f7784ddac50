//! Which side modules are at work: their data is not what it was at an earlier moment.
//!
//! A module writes to its own data when it is called, mostly for the first time: what it has looked up, how often an object is
//! in use. Data that is as it was proves nothing; data that has changed means that the module is called, and will be again.

use std::cell::Cell;

use js_sys::Uint8Array;
use zlib_rs::crc32::crc32;

use super::LinkedModule;
use crate::emscripten::snapshot::glue::{Glue, get, number};

/// The data of a side module at one moment.
#[derive(Debug, Clone, Copy)]
pub struct DataThen {
    start: u32,
    length: u32,
    checksum: u32,
}

impl DataThen {
    /// What the data at a place in linear memory is now.
    pub fn now(heap: &Uint8Array, start: u32, length: u32) -> Self {
        let data = heap.subarray(start, start.saturating_add(length)).to_vec();
        Self { start, length, checksum: crc32(0, &data) }
    }

    /// Whether it has changed.
    pub fn has_changed(&self, heap: &Uint8Array) -> bool {
        Self::now(heap, self.start, self.length).checksum != self.checksum
    }
}

/// What a side module's data was when it was looked at for the first time.
#[derive(Default)]
pub struct FirstLook(Cell<Option<DataThen>>);

impl LinkedModule {
    /// Looks at its data, unless that has been done.
    pub(super) fn note_data(&self, glue: &Glue) {
        if self.first_look.0.get().is_none() {
            // Of a glue of another shape nothing is learnt.
            let size = glue.side_module(&self.module).map(|said| number(&get(&said, "memorySize")));
            let length = size.ok().flatten().unwrap_or_default();
            self.first_look.0.set(Some(DataThen::now(&glue.heap(), self.memory_base, length)));
        }
    }

    /// Whether its data has changed since.
    pub(super) fn has_changed(&self, glue: &Glue) -> bool {
        self.first_look.0.get().is_some_and(|then| then.has_changed(&glue.heap()))
    }
}
