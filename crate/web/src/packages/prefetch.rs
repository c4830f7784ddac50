//! Packages on their way before anybody has asked for them.

use std::cell::RefCell;
use std::collections::HashMap;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;

use super::PreparedPackage;
use crate::error::Result;
use crate::fetch::spawn;

/// Packages by name, each until somebody takes it.
#[derive(Default)]
pub struct Prefetch {
    coming: RefCell<HashMap<String, LocalBoxFuture<'static, Result<PreparedPackage>>>>,
}

impl Prefetch {
    /// Lets a package come from now on, unless it is coming already. Says whether it was not.
    pub fn add(&self, name: &str, package: impl Future<Output = Result<PreparedPackage>> + 'static) -> bool {
        let mut coming = self.coming.borrow_mut();
        let is_new = !coming.contains_key(name);
        if is_new {
            coming.insert(name.to_owned(), spawn(package).boxed_local());
        }
        is_new
    }

    /// Lets go of a package that nobody has taken.
    pub fn forget(&self, name: &str) {
        self.coming.borrow_mut().remove(name);
    }

    /// Waits for a package that was begun. `None` if it was not, or went wrong: then it has to be fetched anew.
    pub async fn take(&self, name: &str) -> Option<PreparedPackage> {
        let coming = self.coming.borrow_mut().remove(name)?;
        coming.await.ok()
    }

    /// A package that is there already.
    pub fn take_finished(&self, name: &str) -> Option<PreparedPackage> {
        let mut coming = self.coming.borrow_mut();
        let outcome = coming.get_mut(name)?.now_or_never()?;
        coming.remove(name);
        outcome.ok()
    }
}
