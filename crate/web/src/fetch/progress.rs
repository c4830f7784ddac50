//! How far a download is.

use std::cell::Cell;
use std::rc::Rc;

use taipan_core::transfer::TransferId;

use super::Label;
use crate::boundary::Stage;
use crate::timeline::Timeline;

/// A download that was asked for, until it is dropped.
pub struct Transfer {
    timeline: Rc<Timeline>,
    id: TransferId,
    stage: Stage,
    name: String,
    size: Option<u64>,
    /// What was reported last.
    reported: Cell<Option<(u64, Option<u64>)>>,
}

impl Transfer {
    /// Nothing has come yet.
    pub fn open(timeline: &Rc<Timeline>, label: Label<'_>) -> Self {
        let size = label.size.map(|size| size as u64);
        Self {
            timeline: Rc::clone(timeline),
            id: timeline.open_transfer(size),
            stage: label.stage,
            name: label.name.to_owned(),
            size,
            reported: Cell::default(),
        }
    }

    /// The name in reports.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The size that it must have.
    pub fn size(&self) -> Option<u64> {
        self.size
    }

    /// Bytes came off the network or out of the HTTP cache.
    pub fn count(&self, bytes: u32) {
        self.timeline.add_bytes(f64::from(bytes));
    }

    /// So much is there. `declared`: the length that the server speaks of; one that has been passed is no size.
    pub fn report(&self, loaded: u64, declared: Option<u64>) {
        let total = self.size.or(declared).filter(|total| *total >= loaded);
        self.reported.set(Some((loaded, total)));
        self.timeline.report_transfer(self.id, self.stage, &self.name, loaded, total);
    }

    /// All is there.
    pub fn finish(&self, loaded: u64) {
        if self.reported.get() != Some((loaded, Some(loaded))) {
            self.timeline.report_transfer(self.id, self.stage, &self.name, loaded, Some(loaded));
        }
    }
}

impl Drop for Transfer {
    fn drop(&mut self) {
        self.timeline.close_transfer(self.id);
    }
}
