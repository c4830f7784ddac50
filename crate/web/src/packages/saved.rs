//! What is known of packages at one moment, to go back to.

use std::collections::BTreeMap;

use super::Packages;
use crate::archives::Archives;
use crate::boundary::PackageInfo;

/// The packages of one moment.
pub struct SavedPackages {
    loaded: BTreeMap<String, PackageInfo>,
    archives: Archives,
}

impl Packages {
    /// What there is now.
    pub fn save(&self) -> SavedPackages {
        SavedPackages { loaded: self.loaded.borrow().clone(), archives: (*self.parts.archives).clone() }
    }

    /// Goes back to an earlier moment. Their files are for others to put back.
    pub fn roll_back(&self, saved: &SavedPackages) {
        self.loaded.borrow_mut().clone_from(&saved.loaded);
        self.parts.archives.roll_back(&saved.archives);
    }
}
