//! What all downloads of one interpreter share.

use std::rc::Rc;

use web_sys::AbortSignal;

use super::Fetcher;
use super::limit::Slots;
use crate::timeline::Timeline;

/// How many downloads run at a time. Browsers open six connections to a server of HTTP/1.1, and keep what is more
/// waiting where nobody can tell it from a stall.
const PARALLEL: usize = 6;

/// Milliseconds without a byte after which an attempt is given up, unless the page says otherwise.
const STALL: f64 = 30_000.0;

/// The way out of one interpreter.
#[derive(Clone)]
pub struct Network(Rc<Shared>);

struct Shared {
    timeline: Rc<Timeline>,
    slots: Slots,
    stall: f64,
}

impl Network {
    /// Nothing is under way. `stall`: milliseconds without a byte after which an attempt is given up.
    pub fn new(timeline: Rc<Timeline>, stall: Option<f64>) -> Self {
        Self(Rc::new(Shared { timeline, slots: Slots::new(PARALLEL), stall: stall.unwrap_or(STALL) }))
    }

    /// Downloads for one caller, who may give up.
    pub fn fetcher(&self, signal: Option<AbortSignal>) -> Fetcher {
        Fetcher { network: self.clone(), signal }
    }

    /// Who is told of progress.
    pub fn timeline(&self) -> &Rc<Timeline> {
        &self.0.timeline
    }

    /// The places for downloads.
    pub fn slots(&self) -> &Slots {
        &self.0.slots
    }

    /// Milliseconds without a byte that are too many.
    pub fn stall(&self) -> f64 {
        self.0.stall
    }
}
