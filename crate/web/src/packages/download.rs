//! Bringing a package's archive here.

use js_sys::Uint8Array;

use super::Wanted;
use crate::boundary::Stage;
use crate::error::Result;
use crate::fetch::{Fetcher, Label, Sources};

/// Downloads a package's archive and checks its SHA-256, where the lock file has one. Gives both.
///
/// # Errors
/// Those of [`Fetcher::download_from`].
pub async fn download(package: &Wanted, base_urls: &[String], fetcher: &Fetcher) -> Result<(Uint8Array, String)> {
    let label = Label { stage: Stage::Download, name: package.name(), size: None };
    fetcher.download_from(sources(package, base_urls), label).await
}

/// As [`download`], while everything else waits: for an `import` statement.
///
/// # Errors
/// Those of [`Fetcher::download_now`].
pub fn download_now(package: &Wanted, base_urls: &[String], fetcher: &Fetcher) -> Result<(Uint8Array, String)> {
    let label = Label { stage: Stage::Import, name: package.name(), size: None };
    fetcher.download_now(&sources(package, base_urls), label)
}

/// A lock file names a file in the folders of the wheels, or a whole address.
fn sources(package: &Wanted, base_urls: &[String]) -> Sources {
    match package {
        Wanted::Locked(locked) => Sources::in_folders(base_urls, &locked.file_name).with_sha256(&locked.sha256),
        Wanted::Wheel { url, .. } => Sources::at(url),
    }
}
