//! What ends a start.

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::LocalBoxFuture;
use js_sys::Object;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use crate::emscripten::abi::set;
use crate::error::{Code, Error};

/// The first failure of a start, from whichever callback notices it.
#[derive(Clone)]
pub struct Failure {
    error: Rc<RefCell<Option<Error>>>,
    sender: Rc<RefCell<Option<oneshot::Sender<()>>>>,
    receiver: Rc<RefCell<Option<oneshot::Receiver<()>>>>,
}

impl Failure {
    /// None yet.
    pub fn new() -> Self {
        let (sender, receiver) = oneshot::channel();
        Self {
            error: Rc::default(),
            sender: Rc::new(RefCell::new(Some(sender))),
            receiver: Rc::new(RefCell::new(Some(receiver))),
        }
    }

    /// Notes a failure, unless there has been one before it.
    pub fn set(&self, error: Error) {
        self.error.borrow_mut().get_or_insert(error);
        if let Some(sender) = self.sender.borrow_mut().take() {
            // The start may have ended already.
            let _ = sender.send(());
        }
    }

    /// The failure, if there has been one.
    pub fn take(&self) -> Option<Error> {
        self.error.borrow_mut().take()
    }

    /// Waits for a failure, for ever if there is none. To be called once.
    pub fn wait(&self) -> LocalBoxFuture<'static, Error> {
        let (receiver, error) = (self.receiver.borrow_mut().take(), Rc::clone(&self.error));
        async move {
            if let Some(receiver) = receiver
                && receiver.await.is_ok()
                && let Some(error) = error.borrow_mut().take()
            {
                return error;
            }
            futures::future::pending().await
        }
        .boxed_local()
    }

    /// Notices that CPython aborts or exits, which Emscripten tells nobody but the settings.
    pub fn watch(&self, settings: &Object) {
        let on_abort = self.clone();
        let on_abort = Closure::<dyn Fn(JsValue)>::new(move |what: JsValue| {
            let reason = crate::fetch::reason(&what);
            on_abort.set(Error::new(Code::Fatal, format!("CPython aborted while it started: {reason}.")));
        });
        set(settings, "onAbort", &on_abort.into_js_value());
        let on_exit = self.clone();
        let on_exit = Closure::<dyn Fn(i32)>::new(move |code: i32| {
            on_exit.set(
                Error::new(Code::Fatal, format!("CPython exited with code {code} while it started."))
                    .hint("The standard library may be damaged or belong to another release."),
            );
        });
        set(settings, "onExit", &on_exit.into_js_value());
    }
}
