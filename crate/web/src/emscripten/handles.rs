//! What JavaScript holds of Python's: objects, iterators, and functions to be called once.
//!
//! When Python goes back to an earlier moment, addresses in its memory stand for what was there then. So whatever
//! JavaScript has been given since must not reach memory any more, and what it had then must be as good as it was.

mod callbacks;
mod proxies;
mod registrations;

use std::rc::Rc;

use js_sys::Object;

pub use self::callbacks::Callbacks;
use self::callbacks::SavedCallbacks;
use self::registrations::{Registrations, SavedRegistrations};
use super::bindings::Module;

/// Everything that JavaScript holds of one interpreter.
#[derive(Default)]
pub struct Handles {
    /// Functions to be called once, and timers.
    pub callbacks: Rc<Callbacks>,
    registrations: Rc<Registrations>,
}

/// What JavaScript held at one moment.
pub struct SavedHandles {
    callbacks: SavedCallbacks,
    registrations: SavedRegistrations,
}

impl Handles {
    /// Watches the imports through which CPython hands out functions.
    pub fn watch_imports(&self, imports: &Object) {
        Callbacks::watch_imports(&self.callbacks, imports);
    }

    /// Watches what is handed out from now on, to be freed when JavaScript has let go of it.
    pub fn watch_registrations(&self, module: &Module) {
        Registrations::watch(&self.registrations, module);
    }

    /// What there is now.
    pub fn save(&self) -> SavedHandles {
        SavedHandles { callbacks: self.callbacks.save(), registrations: self.registrations.save() }
    }

    /// Forgets what was noted for moments other than these.
    pub fn retain<'a>(&self, kept: impl Iterator<Item = &'a SavedHandles>) {
        self.callbacks.retain(kept.map(|saved| &saved.callbacks));
    }

    /// Ends what has to be ended while memory still is as it is. Says whether that needs what is due to run.
    pub fn prepare(&self, saved: &SavedHandles, module: &Module) -> bool {
        self.registrations.end_iterators(&saved.registrations, module)
    }

    /// Makes it be as it was, when memory already is.
    pub fn roll_back(&self, saved: &SavedHandles, module: &Module) {
        self.registrations.roll_back(&saved.registrations);
        Callbacks::roll_back(&self.callbacks, &saved.callbacks, module);
    }
}
