//! Giving up: because the caller does, or because an attempt leads nowhere.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::channel::oneshot;
use wasm_bindgen::prelude::*;
use web_sys::{AbortController, AbortSignal};

use crate::error::{Code, Error, Result};

const EVENT: &str = "abort";

/// The error of what was given up because of a signal.
pub fn aborted_error(signal: &AbortSignal) -> Error {
    Error::new(Code::Aborted, "The caller aborted this.").cause(signal.reason())
}

/// Ends when a signal is aborted. One that listens no more leaves nothing at the signal, which may live long.
pub struct Aborted {
    signal: AbortSignal,
    listener: Closure<dyn FnMut()>,
    heard: oneshot::Receiver<()>,
}

impl Aborted {
    /// Listens to a signal that has not been aborted yet.
    pub fn new(signal: &AbortSignal) -> Result<Self> {
        let (sender, heard) = oneshot::channel();
        let mut sender = Some(sender);
        let listener = Closure::new(move || {
            if let Some(sender) = sender.take() {
                // The receiver is there as long as the listener is.
                let _ = sender.send(());
            }
        });
        signal
            .add_event_listener_with_callback(EVENT, listener.as_ref().unchecked_ref())
            .map_err(|thrown| Error::from_js(Code::BadArgument, "The signal cannot be listened to", thrown))?;
        Ok(Self { signal: signal.clone(), listener, heard })
    }
}

impl Future for Aborted {
    type Output = Error;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Error> {
        self.heard.poll_unpin(context).map(|_| aborted_error(&self.signal))
    }
}

impl Drop for Aborted {
    fn drop(&mut self) {
        // A listener that cannot be removed does nothing any more.
        let _ = self.signal.remove_event_listener_with_callback(EVENT, self.listener.as_ref().unchecked_ref());
    }
}

/// Ends the request of an attempt that is dropped before it is done.
pub struct Leash(Option<AbortController>);

impl Leash {
    /// For one request.
    pub fn new() -> Self {
        // Every browser that has WebAssembly's streaming compilation has it.
        Self(AbortController::new().ok())
    }

    /// What the request listens to.
    pub fn signal(&self) -> Option<AbortSignal> {
        self.0.as_ref().map(AbortController::signal)
    }

    /// The request is done. To abort it now would take the body from others who still read a copy of it.
    pub fn let_go(&mut self) {
        self.0 = None;
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        if let Some(controller) = &self.0 {
            controller.abort();
        }
    }
}
