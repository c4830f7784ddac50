//! How far a download is.

use std::cell::Cell;
use std::rc::Rc;

use taipan_core::transfer::TransferId;

use super::Label;
use crate::boundary::Stage;
use crate::global;
use crate::timeline::Timeline;

/// Milliseconds between two reports of one download: more than people see, and each is a message to the page.
const INTERVAL: f64 = 40.0;

/// A download that was asked for, until it is dropped.
pub struct Transfer {
    timeline: Rc<Timeline>,
    id: TransferId,
    stage: Stage,
    name: String,
    size: Option<u64>,
    /// What was reported last.
    reported: Cell<Option<(u64, Option<u64>)>>,
    /// And when.
    last: Cell<f64>,
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
            last: Cell::new(f64::NEG_INFINITY),
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

    /// So much is there. `declared`: the length that the server speaks of; one that has been passed is no size. Told when
    /// the last report was a while ago.
    pub fn report(&self, loaded: u64, declared: Option<u64>) {
        let now = global::now();
        if now - self.last.get() < INTERVAL {
            return;
        }
        self.last.set(now);
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
