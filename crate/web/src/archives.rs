//! The archives that files are slices of: which source is which archive.

use std::cell::RefCell;
use std::rc::Rc;

use taipan_core::image::{ArchiveReference, Placement};
use taipan_core::source::SharedSource;

/// The archives of one interpreter.
#[derive(Clone, Default)]
pub struct Archives {
    known: RefCell<Vec<(SharedSource, ArchiveReference)>>,
    /// Those that cannot be fetched again.
    local: RefCell<Vec<SharedSource>>,
}

impl Archives {
    /// Notes which archive a source is.
    pub fn note(&self, source: &SharedSource, reference: ArchiveReference) {
        self.known.borrow_mut().push((Rc::clone(source), reference));
    }

    /// Notes a source that is an archive which cannot be fetched again.
    pub fn note_local(&self, source: &SharedSource) {
        self.local.borrow_mut().push(Rc::clone(source));
    }

    /// Knows what was known at an earlier moment.
    pub fn roll_back(&self, earlier: &Self) {
        self.known.borrow_mut().clone_from(&earlier.known.borrow());
        self.local.borrow_mut().clone_from(&earlier.local.borrow());
    }

    /// Every archive that can be fetched again, in the order in which they came.
    pub fn references(&self) -> Vec<ArchiveReference> {
        self.known.borrow().iter().map(|(_, reference)| reference.clone()).collect()
    }

    /// Where the bytes of a source go in an image.
    pub fn placement(&self, source: &SharedSource) -> Placement {
        let number = self.known.borrow().iter().position(|(known, _)| Rc::ptr_eq(known, source));
        if let Some(number) = number.and_then(|number| u32::try_from(number).ok()) {
            return Placement::Archive(number);
        }
        let is_local = self.local.borrow().iter().any(|known| Rc::ptr_eq(known, source));
        if is_local { Placement::Copy } else { Placement::Omit }
    }
}
