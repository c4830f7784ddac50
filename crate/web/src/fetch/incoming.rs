//! A file whose bytes are used as they come.

use std::cell::OnceCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{AbortHandle, LocalBoxFuture, Shared, abortable};
use js_sys::Uint8Array;

use super::receiver::{Pieces, Receiver};
use super::{Fetcher, Label, Sources, spawn};
use crate::error::{Code, Error, Result};

/// A download that goes on until this is dropped. What comes is kept until there is somebody who takes it.
pub struct Incoming {
    relay: Rc<Relay>,
    outcome: Shared<LocalBoxFuture<'static, Result<()>>>,
    is_compared: bool,
    handle: AbortHandle,
}

#[derive(Default)]
struct Relay {
    pieces: Pieces,
    receiver: OnceCell<Rc<dyn Receiver>>,
}

impl Incoming {
    /// Begins one. `keep` is given the file when it is whole.
    pub fn begin(
        fetcher: &Fetcher,
        sources: Sources,
        label: Label<'_>,
        keep: impl FnOnce(Uint8Array) + 'static,
    ) -> Self {
        let relay = Rc::<Relay>::default();
        let is_compared = sources.sha256.is_some();
        let receiving = fetcher.download_into(sources, label, Rc::clone(&relay) as Rc<dyn Receiver>);
        let (receiving, handle) = abortable(receiving);
        let outcome = spawn({
            let relay = Rc::clone(&relay);
            async move {
                receiving
                    .await
                    .unwrap_or_else(|_| Err(Error::new(Code::Aborted, "Nobody wants the file any more.")))?;
                keep(relay.whole());
                Ok(())
            }
        });
        Self { relay, outcome: outcome.boxed_local().shared(), is_compared, handle }
    }

    /// Gives what has come, and all that comes from now on, to a receiver. One that refuses something is to refuse what
    /// comes behind it too.
    pub fn connect(&self, receiver: Rc<dyn Receiver>) {
        for piece in self.relay.pieces.take() {
            let _ = receiver.receive(&piece);
        }
        // Nobody connects twice.
        let _ = self.relay.receiver.set(receiver);
    }

    /// What becomes of the download.
    pub fn outcome(&self) -> impl Future<Output = Result<()>> + use<> {
        self.outcome.clone()
    }

    /// Whether the file has to have a certain SHA-256.
    pub const fn is_compared(&self) -> bool {
        self.is_compared
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.handle.abort();
    }
}

impl Relay {
    fn receiver(&self) -> &dyn Receiver {
        self.receiver.get().map_or(&self.pieces, |receiver| &**receiver)
    }
}

impl Receiver for Relay {
    fn clear(&self) {
        self.receiver().clear();
    }

    fn receive(&self, bytes: &Uint8Array) -> Result<()> {
        self.receiver().receive(bytes)
    }

    fn whole(&self) -> Uint8Array {
        self.receiver().whole()
    }
}
