//! The lock file on its way in.

use std::rc::Rc;

use super::files::{Incoming, share};
use crate::boundary::{BootOptions, Stage};
use crate::distribution::LOCK_FILE;
use crate::error::{Code, Error};
use crate::fetch::{Fetcher, Label};
use crate::packages::Lock;

/// Asks for it, unless the caller has it.
pub fn lock_text(options: &BootOptions, fetcher: &Fetcher) -> Incoming<Rc<str>> {
    if let Some(contents) = options.lock_file_contents.clone() {
        return share(async move { Ok(contents.into()) });
    }
    let default = || format!("{}{LOCK_FILE}", options.index_url);
    let url = options.lock_file_url.clone().unwrap_or_else(default);
    let label = || Label { stage: Stage::Fetch, name: LOCK_FILE, size: None };
    // Where an earlier visit has noted something, it has come before.
    let (fetcher, has_come) = (fetcher.clone(), options.known.is_some());
    share(async move {
        let early = if has_come { fetcher.early(&url, label()).await } else { None };
        let bytes = match early {
            Some(bytes) => bytes,
            None => fetcher.download(&url, label()).await?,
        };
        String::from_utf8(bytes.to_vec())
            .map(Rc::from)
            .map_err(|_| Error::new(Code::BadLockFile, format!("{url} is not text in UTF-8.")))
    })
}

/// Reads the lock file. From then on, progress on the files of a prepared distribution has totals.
pub fn lock_file(text: Incoming<Rc<str>>, fetcher: &Fetcher) -> Incoming<Lock> {
    let timeline = fetcher.timeline();
    share(async move {
        let lock = Lock::parse(text.await?)?;
        for (name, facts) in lock.file().manifest().files() {
            timeline.expect(name, facts.size);
        }
        Ok(lock)
    })
}
