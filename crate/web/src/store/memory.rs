//! A store that ends with its interpreter.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::store::ContentHash;

use super::place::Place;

/// Bytes by place. What is put is not copied.
#[derive(Clone, Default)]
pub struct Memory {
    files: Rc<RefCell<Vec<(Place, Uint8Array)>>>,
}

impl Memory {
    pub fn read(&self, place: Place) -> Option<Uint8Array> {
        self.files.borrow().iter().find(|(known, _)| *known == place).map(|(_, bytes)| bytes.clone())
    }

    pub fn write(&self, place: Place, bytes: &Uint8Array) {
        self.remove(place);
        self.files.borrow_mut().push((place, bytes.clone()));
    }

    pub fn remove(&self, place: Place) {
        self.files.borrow_mut().retain(|(known, _)| *known != place);
    }

    pub fn content(&self) -> Vec<(ContentHash, u64)> {
        let files = self.files.borrow();
        let content = files.iter().filter_map(|(place, bytes)| match place {
            Place::Content(hash) => Some((*hash, u64::from(bytes.length()))),
            Place::Index(_) => None,
        });
        content.collect()
    }
}
