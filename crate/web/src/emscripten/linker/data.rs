//! Which side modules are at work: their data is not what it was at an earlier moment.
//!
//! A module writes to its own data when it is called, mostly for the first time: what it has looked up, how often an object is
//! in use. Data that is as it was proves nothing; data that has changed means that the module is called, and will be again.

use std::cell::Cell;

use zlib_rs::crc32::crc32;

use super::LinkedModule;
use crate::emscripten::snapshot::glue::{Glue, get, number};

/// What a side module's data was when it was looked at for the first time: its length and its checksum.
#[derive(Default)]
pub struct FirstLook(Cell<Option<(u32, u32)>>);

impl LinkedModule {
    /// Looks at its data, unless that has been done.
    pub(super) fn note_data(&self, glue: &Glue) {
        if self.first_look.0.get().is_none() {
            // Of a glue of another shape nothing is learnt.
            let size = glue.side_module(&self.module).map(|said| number(&get(&said, "memorySize")));
            let length = size.ok().flatten().unwrap_or_default();
            self.first_look.0.set(Some((length, self.checksum(glue, length))));
        }
    }

    /// Whether its data has changed since, or has not been looked at.
    pub(super) fn is_at_work(&self, glue: &Glue) -> bool {
        self.first_look.0.get().is_none_or(|(length, checksum)| self.checksum(glue, length) != checksum)
    }

    fn checksum(&self, glue: &Glue, length: u32) -> u32 {
        let start = self.memory_base;
        crc32(0, &glue.heap().subarray(start, start.saturating_add(length)).to_vec())
    }
}
