//! Bringing a package's archive here.

use js_sys::Uint8Array;

use taipan_core::store::ContentHash;

use super::Wanted;
use crate::boundary::Stage;
use crate::error::Result;
use crate::fetch::{Fetcher, Label, compare_sha256, fetch_now, sha256, sha256_now};
use crate::store::Store;
use crate::timeline::Timeline;

/// Gets a package's archive, from the store or the network, and checks its SHA-256, where the lock file has one. Gives
/// both.
///
/// # Errors
/// Those of [`Fetcher::download`], and [`crate::error::Code::Integrity`].
pub async fn download(
    package: &Wanted,
    base_url: &str,
    fetcher: &Fetcher,
    store: &Store,
) -> Result<(Uint8Array, String)> {
    let expected = expected_hash(package);
    if let Some(expected) = expected
        && let Some(bytes) = store.get_content(&expected).await
    {
        fetcher.check_aborted()?;
        report(&fetcher.timeline(), Stage::Download, package, &bytes);
        return Ok((bytes, expected.to_string()));
    }
    let url = address(package, base_url);
    let label = Label { stage: Stage::Download, name: package.name(), size: None };
    let bytes = fetcher.download(&url, label).await?;
    let hash = sha256(&bytes).await;
    check(package, &hash)?;
    keep(store, expected, &bytes);
    Ok((bytes, hash))
}

/// As [`download`], while everything else waits: for an `import` statement.
///
/// # Errors
/// As [`download`], and [`crate::error::Code::NotSupported`] outside a worker.
pub fn download_now(
    package: &Wanted,
    base_url: &str,
    timeline: &Timeline,
    store: &Store,
) -> Result<(Uint8Array, String)> {
    let expected = expected_hash(package);
    if let Some(expected) = expected
        && let Some(bytes) = store.get_content_now(&expected)
    {
        report(timeline, Stage::Import, package, &bytes);
        return Ok((bytes, expected.to_string()));
    }
    let url = address(package, base_url);
    let bytes = fetch_now(&url)?;
    timeline.add_bytes(f64::from(bytes.length()));
    report(timeline, Stage::Import, package, &bytes);
    let hash = sha256_now(&bytes);
    check(package, &hash)?;
    keep(store, expected, &bytes);
    Ok((bytes, hash))
}

/// What the lock file says; a wheel that is named by its address alone may be another one tomorrow.
fn expected_hash(package: &Wanted) -> Option<ContentHash> {
    match package {
        Wanted::Locked(locked) => locked.sha256.parse().ok(),
        Wanted::Wheel { .. } => None,
    }
}

fn keep(store: &Store, hash: Option<ContentHash>, bytes: &Uint8Array) {
    if let Some(hash) = hash {
        store.put_content_later(hash, bytes);
    }
}

fn report(timeline: &Timeline, stage: Stage, package: &Wanted, bytes: &Uint8Array) {
    let size = f64::from(bytes.length());
    timeline.report(stage, package.name(), size, Some(size));
}

fn check(package: &Wanted, hash: &str) -> Result<()> {
    match package {
        Wanted::Locked(locked) => compare_sha256(&locked.file_name, hash, &locked.sha256),
        Wanted::Wheel { .. } => Ok(()),
    }
}

fn address(package: &Wanted, base_url: &str) -> String {
    match package {
        Wanted::Locked(locked) => resolve(base_url, &locked.file_name),
        Wanted::Wheel { url, .. } => url.clone(),
    }
}

/// A lock file names a file in the folder of the wheels, or a whole address.
fn resolve(base_url: &str, file_name: &str) -> String {
    if file_name.contains("://") { file_name.to_owned() } else { format!("{base_url}{file_name}") }
}

#[cfg(test)]
mod tests {
    use super::resolve;

    #[test]
    fn file_names_are_taken_from_the_folder_of_the_wheels_unless_they_are_addresses() {
        assert_eq!(resolve("https://example.org/a/", "b.whl"), "https://example.org/a/b.whl");
        assert_eq!(resolve("https://example.org/a/", "https://example.com/b.whl"), "https://example.com/b.whl");
    }
}
