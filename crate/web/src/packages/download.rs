//! Bringing a package's archive here.

use js_sys::Uint8Array;

use super::Wanted;
use crate::boundary::Stage;
use crate::error::Result;
use crate::fetch::{Fetcher, Label, compare_sha256, fetch_now, sha256, sha256_now};
use crate::timeline::Timeline;

/// Downloads a package's archive and checks its SHA-256, where the lock file has one. Gives both.
///
/// # Errors
/// Those of [`Fetcher::download`], and [`crate::error::Code::Integrity`].
pub async fn download(package: &Wanted, base_url: &str, fetcher: &Fetcher) -> Result<(Uint8Array, String)> {
    let url = address(package, base_url);
    let label = Label { stage: Stage::Download, name: package.name(), size: None };
    let bytes = fetcher.download(&url, label).await?;
    let hash = sha256(&bytes).await;
    check(package, &hash)?;
    Ok((bytes, hash))
}

/// As [`download`], while everything else waits: for an `import` statement.
///
/// # Errors
/// As [`download`], and [`crate::error::Code::NotSupported`] outside a worker.
pub fn download_now(package: &Wanted, base_url: &str, timeline: &Timeline) -> Result<(Uint8Array, String)> {
    let url = address(package, base_url);
    let bytes = fetch_now(&url)?;
    let size = f64::from(bytes.length());
    timeline.add_bytes(size);
    timeline.report(Stage::Import, package.name(), size, Some(size));
    let hash = sha256_now(&bytes);
    check(package, &hash)?;
    Ok((bytes, hash))
}

fn check(package: &Wanted, hash: &str) -> Result<()> {
    match package {
        // A caller that wants no check takes the hash out.
        Wanted::Locked(locked) if locked.sha256.is_empty() => Ok(()),
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
