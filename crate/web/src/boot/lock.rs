//! The lock file on its way in.

use js_sys::Uint8Array;

use super::files::{Incoming, share};
use crate::boundary::{BootOptions, Stage};
use crate::distribution::LOCK_FILE;
use crate::fetch::{Fetcher, Label};
use crate::packages::Lock;

/// Asks for it, unless the caller has it.
pub fn lock_bytes(options: &BootOptions, fetcher: &Fetcher) -> Incoming<Uint8Array> {
    if let Some(contents) = &options.lock_file_contents {
        let bytes = Uint8Array::from(contents.as_bytes());
        return share(async move { Ok(bytes) });
    }
    let default = || format!("{}{LOCK_FILE}", options.index_url);
    let url = options.lock_file_url.clone().unwrap_or_else(default);
    let label = || Label { stage: Stage::Fetch, name: LOCK_FILE, size: None };
    // Where an earlier visit has noted something, it has come before.
    let (fetcher, has_come) = (fetcher.clone(), options.known.is_some());
    share(async move {
        let early = if has_come { fetcher.early(&url, label()).await } else { None };
        match early {
            Some(bytes) => Ok(bytes),
            None => fetcher.download(&url, label()).await,
        }
    })
}

/// Reads the lock file. From then on, progress on the files of a prepared distribution has totals.
pub fn lock_file(bytes: Incoming<Uint8Array>, fetcher: &Fetcher) -> Incoming<Lock> {
    let timeline = fetcher.timeline();
    share(async move {
        let lock = Lock::parse(bytes.await?)?;
        for (name, facts) in lock.file().manifest().files() {
            timeline.expect(name, facts.size);
        }
        Ok(lock)
    })
}
