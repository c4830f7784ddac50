//! Downloads: typed failures, mirrors, resumed transfers, byte progress, hashes, cancellation.

mod abort;
mod ahead;
mod attempt;
mod body;
mod download;
mod early;
mod failure;
mod hash;
mod incoming;
mod integrity;
mod limit;
mod network;
mod now;
mod progress;
mod receiver;
mod request;
mod resume;
mod sources;
mod stall;
mod task;

use std::cell::Cell;
use std::pin::pin;
use std::rc::Rc;

use futures::future::{Either, select};
use web_sys::AbortSignal;

pub use self::abort::Leash;
use self::abort::{Aborted, aborted_error};
pub use self::ahead::fetch_ahead;
pub use self::body::Body;
use self::failure::stall_error;
pub use self::hash::{compare_sha256, sha256, sha256_now};
pub use self::incoming::Incoming;
pub use self::network::Network;
pub use self::receiver::Receiver;
pub use self::request::{answer_of, is_reused};
pub use self::sources::Sources;
use self::stall::stalled;
pub use self::task::{reason, settle, spawn};
use crate::boundary::Stage;
use crate::error::Result;
use crate::timeline::Timeline;

/// Fetches on behalf of one boot or one call, so that its `AbortSignal` reaches every request and every wait.
#[derive(Clone)]
pub struct Fetcher {
    network: Network,
    signal: Option<AbortSignal>,
}

/// What to say while bytes come.
#[derive(Debug, Clone, Copy)]
pub struct Label<'a> {
    /// Reported as `Progress.stage`. What is fetched for [`Stage::Fetch`] goes before what waits for other stages.
    pub stage: Stage,
    /// Reported as `Progress.name`.
    pub name: &'a str,
    /// Size where it is known beforehand, in bytes. A file of another size is a failure.
    pub size: Option<f64>,
}

impl Fetcher {
    /// Who is told of progress.
    pub fn timeline(&self) -> Rc<Timeline> {
        Rc::clone(self.network.timeline())
    }

    /// Fails if the caller has given up.
    ///
    /// # Errors
    /// [`crate::error::Code::Aborted`].
    pub fn check_aborted(&self) -> Result<()> {
        match &self.signal {
            Some(signal) if signal.aborted() => Err(aborted_error(signal)),
            _ => Ok(()),
        }
    }

    /// Drops a piece of work, whatever it waits for, as soon as the caller gives up.
    ///
    /// # Errors
    /// Those of the work, [`crate::error::Code::Aborted`].
    pub async fn unless_aborted<T>(&self, work: impl Future<Output = Result<T>>) -> Result<T> {
        self.check_aborted()?;
        let Some(signal) = &self.signal else { return work.await };
        match select(pin!(work), Aborted::new(signal)?).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right((error, _)) => Err(error),
        }
    }

    /// As [`Fetcher::unless_aborted`], and drops a request to `url` also if its `activity` has not changed for too long.
    ///
    /// # Errors
    /// Those of the request, [`crate::error::Code::Aborted`], [`crate::error::Code::LoadNetwork`].
    pub async fn unless_stalled<T>(
        &self,
        url: &str,
        activity: &Cell<u64>,
        request: impl Future<Output = Result<T>>,
    ) -> Result<T> {
        let limit = self.network.stall();
        self.unless_aborted(async {
            match select(pin!(request), pin!(stalled(activity, limit))).await {
                Either::Left((outcome, _)) => outcome,
                Either::Right(_) => Err(stall_error(url, limit)),
            }
        })
        .await
    }
}
