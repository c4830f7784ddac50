//! The archives that files are slices of: which source is which archive.

use std::cell::RefCell;
use std::rc::Rc;

use taipan_core::image::ArchiveReference;
use taipan_core::source::SharedSource;

/// The archives of one interpreter.
#[derive(Clone, Default)]
pub struct Archives {
    known: RefCell<Vec<(SharedSource, ArchiveReference)>>,
}

impl Archives {
    /// Notes which archive a source is.
    pub fn note(&self, source: &SharedSource, reference: ArchiveReference) {
        self.known.borrow_mut().push((Rc::clone(source), reference));
    }

    /// Knows what was known at an earlier moment.
    pub fn roll_back(&self, earlier: &Self) {
        self.known.borrow_mut().clone_from(&earlier.known.borrow());
    }

    /// Every archive that is known, in the order in which they came.
    pub fn references(&self) -> Vec<ArchiveReference> {
        self.known.borrow().iter().map(|(_, reference)| reference.clone()).collect()
    }

    /// The number of the archive that a source is.
    pub fn find(&self, source: &SharedSource) -> Option<u32> {
        let number = self.known.borrow().iter().position(|(known, _)| Rc::ptr_eq(known, source))?;
        u32::try_from(number).ok()
    }
}
