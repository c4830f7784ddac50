//! What JavaScript holds of Python's: objects, and functions to be called once.
//!
//! When Python goes back to an earlier moment, addresses in its memory stand for what was there then. So whatever
//! JavaScript has been given since must not reach memory any more, and what it had then must be as good as it was.

mod callbacks;
mod proxies;

use std::rc::Rc;

use js_sys::Object;

pub use self::callbacks::Callbacks;
use self::callbacks::SavedCallbacks;
use self::proxies::{Proxies, SavedProxies};
use super::bindings::Module;

/// Everything that JavaScript holds of one interpreter.
#[derive(Default)]
pub struct Handles {
    /// Functions to be called once, and timers.
    pub callbacks: Rc<Callbacks>,
    proxies: Rc<Proxies>,
}

/// What JavaScript held at one moment.
pub struct SavedHandles {
    callbacks: SavedCallbacks,
    proxies: SavedProxies,
}

impl Handles {
    /// Watches the imports through which CPython hands out functions.
    pub fn watch_imports(&self, imports: &Object) {
        Callbacks::watch_imports(&self.callbacks, imports);
    }

    /// Watches the objects that are handed out from now on.
    pub fn watch_proxies(&self, module: &Module) {
        Proxies::watch(&self.proxies, module);
    }

    /// What there is now.
    pub fn save(&self) -> SavedHandles {
        SavedHandles { callbacks: self.callbacks.save(), proxies: self.proxies.save() }
    }

    /// Forgets what was noted for moments other than these.
    pub fn retain<'a>(&self, kept: impl Iterator<Item = &'a SavedHandles>) {
        self.callbacks.retain(kept.map(|saved| &saved.callbacks));
    }

    /// Makes it be as it was, when memory already is.
    pub fn roll_back(&self, saved: &SavedHandles, module: &Module) {
        self.proxies.roll_back(&saved.proxies);
        Callbacks::roll_back(&self.callbacks, &saved.callbacks, module);
    }
}
