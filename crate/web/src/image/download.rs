//! An image on its way from a server.

use std::cell::{Cell, OnceCell, RefCell};
use std::rc::Rc;

use js_sys::Uint8Array;

use super::arrival::Arrival;
use super::bytes::ImageBytes;
use crate::error::{Code, Error, Result};
use crate::fetch::{Incoming, Receiver};

/// An image that is fetched until this is dropped. Each transfer that begins anew is another [`Arrival`], so that whoever
/// has begun to use one never gets bytes of two.
pub struct ImageDownload {
    incoming: Incoming,
    held: Rc<Cell<u64>>,
    /// Where the bytes are, from when somebody asks for them.
    landing: OnceCell<Rc<Landing>>,
}

struct Landing {
    current: RefCell<Rc<Arrival>>,
    held: Rc<Cell<u64>>,
}

impl ImageDownload {
    /// Of a file that may be one. `held` counts bytes outside Rust's linear memory.
    pub fn new(incoming: Incoming, held: &Rc<Cell<u64>>) -> Self {
        Self { incoming, held: Rc::clone(held), landing: OnceCell::new() }
    }

    /// The first bytes, as long as nobody has asked for all; nothing if there are fewer.
    ///
    /// # Errors
    /// What keeps them from coming.
    pub fn first(&self, length: usize) -> impl Future<Output = Result<Option<Uint8Array>>> + use<> {
        self.incoming.first(length as u32)
    }

    /// The bytes of the transfer that is under way.
    pub fn bytes(&self) -> ImageBytes {
        ImageBytes::arriving(self.landing().current(), self.incoming.is_compared())
    }

    /// Whether there are other bytes now than those that led to this error, or there will be: what is seen not to be the
    /// file that it has to be is asked for again.
    pub async fn comes_again(&self, bytes: &ImageBytes, error: &Error) -> bool {
        let landing = self.landing();
        let is_damaged = matches!(error.code(), Code::BadArchive | Code::Integrity);
        if is_damaged && self.incoming.is_compared() && bytes.is_of(&landing.current()) {
            // It is compared at the end.
            let _ = landing.current().whole().await;
        }
        !bytes.is_of(&landing.current())
    }

    fn landing(&self) -> &Rc<Landing> {
        self.landing.get_or_init(|| {
            let current = RefCell::new(Rc::new(Arrival::new(&self.held)));
            let landing = Rc::new(Landing { current, held: Rc::clone(&self.held) });
            self.incoming.connect(Rc::clone(&landing) as Rc<dyn Receiver>);
            wasm_bindgen_futures::spawn_local({
                let (outcome, landing) = (self.incoming.outcome(), Rc::clone(&landing));
                async move { landing.finish(outcome.await) }
            });
            landing
        })
    }
}

impl Landing {
    fn current(&self) -> Rc<Arrival> {
        Rc::clone(&self.current.borrow())
    }

    fn finish(&self, outcome: Result<()>) {
        self.current().finish(outcome);
    }
}

impl Receiver for Landing {
    fn clear(&self) {
        if !self.current().is_untouched() {
            self.current.replace(Rc::new(Arrival::new(&self.held))).clear();
        }
    }

    fn receive(&self, bytes: &Uint8Array) -> Result<()> {
        self.current().push(bytes)
    }

    fn whole(&self) -> Uint8Array {
        self.current().all()
    }
}
