//! One attempt to get a file from one mirror.

use std::cell::Cell;
use std::rc::Rc;

use futures::future::{Either, select};
use js_sys::{Promise, Uint8Array};
use taipan_core::transfer::{Failure, Resumed, Step, check_length, parse_retry_after};
use web_sys::Response;

use super::Sources;
use super::abort::Leash;
use super::body::Body;
use super::failure::{http_error, length_error, network_error, page_error, stall_error};
use super::hash::{compare_sha256, sha256};
use super::progress::Transfer;
use super::receiver::Receiver;
use super::request::{answer, header, is_page, request};
use super::resume::Partial;
use super::stall::stalled;
use crate::error::{Code, Error, Result};
use crate::global::wall_clock;

/// Shown the first answer that is a success.
pub enum Onlooker {
    /// Takes it, with a body of its own.
    Takes(Box<dyn FnOnce(Response)>),
    /// Looks at its headers.
    Looks(Box<dyn FnOnce(&Response)>),
}

/// The bytes of a file, and their SHA-256 if it had to be a certain one.
pub type Received = (Uint8Array, Option<String>);

/// A download under way.
pub struct Attempts {
    pub transfer: Transfer,
    /// Milliseconds without a byte that are too many.
    pub stall: f64,
    pub onlooker: Option<Onlooker>,
    /// The answer to a first request that has been made already.
    pub early: Option<Promise>,
    receiver: Rc<dyn Receiver>,
    partial: Option<Partial>,
    /// How far any attempt has come.
    reached: u64,
}

/// How an attempt failed: for the caller, and for the plan.
pub type Failed = (Error, Failure);

impl Attempts {
    /// None has been made.
    pub fn new(transfer: Transfer, stall: f64, receiver: Rc<dyn Receiver>, onlooker: Option<Onlooker>) -> Self {
        Self { transfer, stall, onlooker, early: None, receiver, partial: None, reached: 0 }
    }

    /// Makes one.
    pub async fn attempt(&mut self, sources: &Sources, step: Step) -> Result<Received, Failed> {
        let url = &sources.mirrors[step.mirror];
        let before = self.reached;
        let outcome = match self.receive(url, step).await {
            Ok(()) => self.check(url, sources).await,
            Err(failed) => Err(failed),
        };
        let partial = self.partial.as_ref().filter(|partial| partial.can_be_resumed());
        let loaded = partial.map_or(0, |partial| partial.loaded);
        self.reached = before.max(loaded);
        match outcome {
            Err((error, Failure::Lost { .. })) => {
                if partial.is_none() {
                    self.forget();
                }
                Err((error, Failure::Lost { gained: self.reached - before }))
            }
            Err(failed) => {
                self.forget();
                Err(failed)
            }
            got => got,
        }
    }

    /// What has come is of no use any more.
    fn forget(&mut self) {
        self.partial = None;
        self.receiver.clear();
    }

    /// Receives all there is, unless it stalls.
    async fn receive(&mut self, url: &str, step: Step) -> Result<(), Failed> {
        let activity = Cell::new(0);
        let stall = self.stall;
        let transfer = std::pin::pin!(self.transfer(url, step, &activity));
        match select(transfer, std::pin::pin!(stalled(&activity, stall))).await {
            Either::Left((outcome, _)) => outcome,
            Either::Right(_) => Err(lost(stall_error(url, stall))),
        }
    }

    async fn transfer(&mut self, url: &str, step: Step, activity: &Cell<u64>) -> Result<(), Failed> {
        let mut leash = Leash::new();
        let response = self.open(url, step, &leash).await?;
        let body = Body::of(&response);
        let Some(partial) = &mut self.partial else { return Ok(()) };
        loop {
            activity.set(activity.get() + 1);
            let Some(chunk) = body.next().await.map_err(|thrown| network(url, thrown))? else { break };
            partial.loaded += u64::from(chunk.length());
            self.receiver.receive(&chunk).map_err(|error| (error, Failure::Wrong))?;
            self.transfer.count(chunk.length());
            self.transfer.report(partial.loaded, partial.declared);
        }
        leash.let_go();
        check_length(partial.loaded, &[partial.declared])
            .map_err(|wrong| lost(length_error(url, Code::LoadNetwork, wrong)))
    }

    /// Asks for the file, or for the rest of it, until there is an answer whose body goes on where `self.partial` ends.
    async fn open(&mut self, url: &str, step: Step, leash: &Leash) -> Result<Response, Failed> {
        let signal = leash.signal();
        let ask = async |resumption| request(url, signal.as_ref(), step.reload, resumption).await.map_err(lost);
        if let Some(partial) = self.partial.as_mut().filter(|partial| partial.mirror == step.mirror) {
            let response = ask(partial.resumption()).await?;
            match partial.read(&response) {
                Resumed::Rest { total } => {
                    partial.declared = total.or(partial.declared);
                    return Ok(response);
                }
                Resumed::Whole => return self.begin(url, step, response),
                Resumed::Nothing => {}
            }
        }
        let response = match self.early.take().filter(|_| step.mirror == 0 && !step.reload) {
            Some(early) => answer(url, early).await.map_err(lost)?,
            None => ask(None).await?,
        };
        self.begin(url, step, response)
    }

    /// Looks at the headers of an answer that holds the whole file, if anything.
    fn begin(&mut self, url: &str, step: Step, response: Response) -> Result<Response, Failed> {
        if !response.ok() {
            let retry_after = header(&response, "retry-after").and_then(|text| parse_retry_after(&text, wall_clock()));
            let error = http_error(url, response.status(), &response.status_text());
            return Err((error, Failure::Status { status: response.status(), retry_after }));
        }
        if is_page(&response) {
            return Err((page_error(url), Failure::Absent));
        }
        self.forget();
        self.partial = Some(Partial::new(step.mirror, &response));
        match self.onlooker.take() {
            Some(Onlooker::Takes(take)) => {
                let Ok(copy) = response.clone() else { return Ok(response) };
                // The browser keeps what it makes of the original with it.
                take(response);
                Ok(copy)
            }
            Some(Onlooker::Looks(look)) => {
                look(&response);
                Ok(response)
            }
            None => Ok(response),
        }
    }

    /// What has come, if it is what it must be.
    async fn check(&self, url: &str, sources: &Sources) -> Result<Received, Failed> {
        let length = self.partial.as_ref().map_or(0, |partial| partial.loaded);
        let wrong = |error| (error, Failure::Wrong);
        check_length(length, &[self.transfer.size()])
            .map_err(|found| wrong(length_error(url, Code::Integrity, found)))?;
        let bytes = self.receiver.whole();
        let mut hash = None;
        if let Some(expected) = &sources.sha256 {
            let actual = sha256(&bytes).await;
            compare_sha256(url, &actual, expected).map_err(wrong)?;
            hash = Some(actual);
        }
        self.transfer.finish(length);
        Ok((bytes, hash))
    }
}

fn lost(error: Error) -> Failed {
    (error, Failure::Lost { gained: 0 })
}

fn network(url: &str, thrown: wasm_bindgen::JsValue) -> Failed {
    lost(network_error(url, thrown))
}
