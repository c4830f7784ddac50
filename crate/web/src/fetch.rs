//! Downloads: typed failures, byte progress, hashes, cancellation.

mod download;
mod failure;
mod hash;
mod now;
mod request;
mod task;

use std::rc::Rc;

use web_sys::AbortSignal;

pub use self::hash::{compare_sha256, sha256, sha256_now};
pub use self::now::fetch_now;
pub use self::task::{reason, settle, spawn};
use crate::boundary::Stage;
use crate::error::{Code, Error, Result};
use crate::timeline::Timeline;

/// Fetches on behalf of one boot or one call, so that its `AbortSignal` reaches every request.
#[derive(Clone)]
pub struct Fetcher {
    timeline: Rc<Timeline>,
    signal: Option<AbortSignal>,
}

/// What to say while bytes come.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// Reported as `Progress.stage`.
    pub stage: Stage,
    /// Reported as `Progress.name`.
    pub name: &'a str,
    /// Size where it is known beforehand, in bytes.
    pub size: Option<f64>,
}

impl Fetcher {
    /// A fetcher whose requests end when `signal` is aborted.
    pub fn new(timeline: Rc<Timeline>, signal: Option<AbortSignal>) -> Self {
        Self { timeline, signal }
    }

    /// Who is told of progress.
    pub fn timeline(&self) -> Rc<Timeline> {
        Rc::clone(&self.timeline)
    }

    /// Fails if the caller has given up.
    ///
    /// # Errors
    /// [`Code::Aborted`].
    pub fn check_aborted(&self) -> Result<()> {
        match &self.signal {
            Some(signal) if signal.aborted() => {
                Err(Error::new(Code::Aborted, "The caller aborted this.").cause(signal.reason()))
            }
            _ => Ok(()),
        }
    }
}
