//! A file whose bytes are used as they come.

use std::cell::{OnceCell, RefCell};
use std::rc::Rc;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{AbortHandle, Either, LocalBoxFuture, Shared, abortable, select};
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
    /// Who waits for how many of the first bytes.
    waiting: RefCell<Option<(u32, oneshot::Sender<Uint8Array>)>>,
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

    /// The first bytes, which nobody has taken; nothing if the file has fewer. They stay for whoever takes them.
    ///
    /// # Errors
    /// What keeps them from coming.
    pub fn first(&self, length: u32) -> impl Future<Output = Result<Option<Uint8Array>>> + use<> {
        let (sender, receiver) = oneshot::channel();
        self.relay.waiting.replace(Some((length, sender)));
        self.relay.tell();
        let outcome = self.outcome();
        async move {
            match select(receiver, outcome.boxed_local()).await {
                Either::Left((first, _)) => Ok(first.ok()),
                Either::Right((outcome, _)) => outcome.map(|()| None),
            }
        }
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

    fn tell(&self) {
        let waiting = &mut *self.waiting.borrow_mut();
        if let Some(first) = waiting.as_ref().and_then(|(length, _)| self.pieces.first(*length))
            && let Some((_, sender)) = waiting.take()
        {
            // Nobody waits any more when another part of the start has failed.
            let _ = sender.send(first);
        }
    }
}

impl Receiver for Relay {
    fn clear(&self) {
        self.receiver().clear();
    }

    fn receive(&self, bytes: &Uint8Array) -> Result<()> {
        self.receiver().receive(bytes)?;
        self.tell();
        Ok(())
    }

    fn whole(&self) -> Uint8Array {
        self.receiver().whole()
    }
}
