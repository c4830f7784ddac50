//! Which side modules have been at work since the run that linked them: their data is not what it was at its end.
//!
//! A module writes to its own data when it is called, mostly for the first time: what it has looked up, how often an object is
//! in use. Data that is as it was proves nothing; data that has changed means that the module is called, and will be again.

use std::cell::Cell;

use zlib_rs::crc32::crc32;

use super::LinkedModule;
use crate::emscripten::bindings::Module;
use crate::emscripten::snapshot::glue::{Glue, get, number};

/// What a side module's data was when it was looked at for the first time.
#[derive(Default)]
pub struct FirstLook(Cell<Option<(u32, u32)>>);

impl LinkedModule {
    /// Looks at its data, unless that has been done.
    pub(super) fn note_data(&self, module: &Module) {
        if self.first_look.0.get().is_none() {
            // Of a glue of another shape nothing is learnt.
            let size = Glue::new(module).side_module(&self.module).map(|said| number(&get(&said, "memorySize")));
            let length = size.ok().flatten().unwrap_or_default();
            self.first_look.0.set(Some((length, self.checksum(module, length))));
        }
    }

    /// Whether its data has changed since.
    pub(super) fn has_changed(&self, module: &Module) -> bool {
        self.first_look.0.get().is_some_and(|(length, checksum)| self.checksum(module, length) != checksum)
    }

    fn checksum(&self, module: &Module, length: u32) -> u32 {
        let start = self.memory_base;
        crc32(0, &module.heap_u8().subarray(start, start.saturating_add(length)).to_vec())
    }
}
