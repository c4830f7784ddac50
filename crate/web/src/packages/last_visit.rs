//! What the last visit loaded of the lock file. The next start reads it from the store, and compiles its side modules, while
//! CPython starts. An archive that is not kept any more is not downloaded for that: it is a guess.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::rc::Rc;

use taipan_core::store::ContentHash;

use super::{Packages, Wanted, download, wanted};
use crate::boundary::{BootOptions, PackageInfo};
use crate::fetch::Fetcher;
use crate::global;

/// Milliseconds after which what nobody has asked for is let go of.
const PATIENCE: f64 = 60_000.0;

/// The most bytes of archives that are read: pandas with all it needs is 9 MB, with scikit-learn and matplotlib 40 MB.
const LIMIT: u64 = 64 << 20;

/// The note on it in the store: names, one a line.
pub struct LastVisit {
    name: String,
    /// What this visit has loaded.
    loaded: RefCell<BTreeSet<String>>,
}

impl LastVisit {
    /// That of starts with the distribution and the lock file of these options.
    pub fn of(options: &BootOptions) -> Self {
        let kind = options.of_distribution().join("\0");
        Self { name: format!("last-visit/{}", ContentHash::of(kind.as_bytes())), loaded: RefCell::default() }
    }
}

impl Packages {
    /// Notes what of the lock file this visit has loaded. The note is kept when there is time.
    pub fn note_visit(&self, new: &[PackageInfo]) {
        let mut loaded = self.last_visit.loaded.borrow_mut();
        loaded.extend(new.iter().filter(|info| info.source == "lock").map(|info| info.name.clone()));
        if !loaded.is_empty() {
            let names: Vec<&str> = loaded.iter().map(String::as_str).collect();
            self.parts.store.put_later(&self.last_visit.name, names.join("\n").as_bytes());
        }
    }

    /// Gets ready what the last visit loaded, as far as it is kept in this browser; not what these `names`, which are on
    /// their way already, bring.
    pub fn read_ahead(this: &Rc<Self>, names: &[String], fetcher: &Fetcher) {
        let coming = wanted::parse(&this.lock, names).unwrap_or_default();
        let (this, fetcher) = (Rc::clone(this), fetcher.clone());
        wasm_bindgen_futures::spawn_local(async move {
            let Some(note) = this.parts.store.get(&this.last_visit.name).await else { return };
            let note = String::from_utf8_lossy(&note.to_vec()).into_owned();
            let mut room = LIMIT;
            let mut begun = Vec::new();
            for name in note.lines().filter(|name| coming.iter().all(|package| package.name() != *name)) {
                let Some(locked) = name.parse().ok().and_then(|name| this.lock.file().get(&name)) else { continue };
                let size = locked.sha256.parse().ok().and_then(|hash| this.parts.store.size_of(&hash));
                let Some(left) = size.and_then(|size| room.checked_sub(size)) else { continue };
                room = left;
                let (packages, fetcher, wanted) = (Rc::clone(&this), fetcher.clone(), Wanted::from(locked.clone()));
                let ready = async move {
                    let archive = download::kept(&wanted, &fetcher, &packages.parts.store);
                    packages.make_ready(&wanted, &fetcher, archive).await
                };
                if this.prefetched.add(&locked.name, ready) {
                    begun.push(locked.name.clone());
                }
            }
            if begun.is_empty() {
                return;
            }
            global::sleep(PATIENCE).await;
            for name in begun {
                this.prefetched.forget(&name);
            }
        });
    }
}
