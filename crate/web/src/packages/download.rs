//! Bringing a package's files here.

use js_sys::Uint8Array;
use taipan_core::store::ContentHash;

use super::Wanted;
use crate::boundary::Stage;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Label, Sources, compare_sha256, sha256, sha256_now};
use crate::store::Store;

/// Gets a package's archive, from the store or the network, and checks its SHA-256, where the lock file has one. Gives
/// both.
///
/// # Errors
/// Those of [`Fetcher::download_from`].
pub async fn download(
    package: &Wanted,
    base_urls: &[String],
    fetcher: &Fetcher,
    store: &Store,
) -> Result<(Uint8Array, String)> {
    if let Some(bytes) = package.bytes() {
        let hash = sha256(bytes).await;
        if let Some(expected) = package.sha256() {
            compare_sha256(&package.file_name(), &hash, expected)?;
        }
        keep(store, expected_hash(package), bytes);
        return Ok((bytes.clone(), hash));
    }
    let label = Label { stage: Stage::Download, name: package.name(), size: None };
    download_file(sources(package, base_urls), label, fetcher, store).await
}

/// Gets a package's archive from the store, and its SHA-256.
///
/// # Errors
/// [`Code::LoadNetwork`] if it is not there.
pub async fn kept(package: &Wanted, fetcher: &Fetcher, store: &Store) -> Result<(Uint8Array, String)> {
    let label = Label { stage: Stage::Download, name: package.name(), size: None };
    from_store(expected_hash(package), &label, fetcher, store)
        .await?
        .ok_or_else(|| Error::new(Code::LoadNetwork, format!("{} is not kept.", package.name())))
}

/// Gets a file, from the store or the network, and its SHA-256.
///
/// # Errors
/// Those of [`Fetcher::download_from`].
pub async fn download_file(
    sources: Sources,
    label: Label<'_>,
    fetcher: &Fetcher,
    store: &Store,
) -> Result<(Uint8Array, String)> {
    let expected = sources.sha256.as_deref().and_then(|sha256| sha256.parse().ok());
    if let Some(kept) = from_store(expected, &label, fetcher, store).await? {
        return Ok(kept);
    }
    let (bytes, hash) = fetcher.download_from(sources, label).await?;
    keep(store, expected, &bytes);
    Ok((bytes, hash))
}

/// A file that has a SHA-256, and that, from the store, if it is there.
async fn from_store(
    expected: Option<ContentHash>,
    label: &Label<'_>,
    fetcher: &Fetcher,
    store: &Store,
) -> Result<Option<(Uint8Array, String)>> {
    let Some(expected) = expected else { return Ok(None) };
    let Some(bytes) = store.get_content(&expected).await else { return Ok(None) };
    fetcher.check_aborted()?;
    report(fetcher, label.stage, label.name, &bytes);
    Ok(Some((bytes, expected.to_string())))
}

/// As [`download`], while everything else waits: for an `import` statement.
///
/// # Errors
/// Those of [`Fetcher::download_now`].
pub fn download_now(
    package: &Wanted,
    base_urls: &[String],
    fetcher: &Fetcher,
    store: &Store,
) -> Result<(Uint8Array, String)> {
    let expected = expected_hash(package);
    if let Some(expected) = expected
        && let Some(bytes) = store.get_content_now(&expected)
    {
        report(fetcher, Stage::Import, package.name(), &bytes);
        return Ok((bytes, expected.to_string()));
    }
    if let Some(bytes) = package.bytes() {
        let hash = sha256_now(bytes);
        if let Some(expected) = package.sha256() {
            compare_sha256(&package.file_name(), &hash, expected)?;
        }
        keep(store, expected, bytes);
        return Ok((bytes.clone(), hash));
    }
    let label = Label { stage: Stage::Import, name: package.name(), size: None };
    let (bytes, hash) = fetcher.download_now(&sources(package, base_urls), label)?;
    keep(store, expected, &bytes);
    Ok((bytes, hash))
}

/// What the lock file or an index says; a wheel that is named by its address alone may be another one tomorrow.
fn expected_hash(package: &Wanted) -> Option<ContentHash> {
    package.sha256()?.parse().ok()
}

fn keep(store: &Store, hash: Option<ContentHash>, bytes: &Uint8Array) {
    if let Some(hash) = hash {
        store.put_content_later(None, hash, bytes);
    }
}

fn report(fetcher: &Fetcher, stage: Stage, name: &str, bytes: &Uint8Array) {
    let size = f64::from(bytes.length());
    fetcher.timeline().report(stage, name, size, Some(size));
}

fn sources(package: &Wanted, base_urls: &[String]) -> Sources {
    match package {
        // A caller that wants no check takes the hash out.
        Wanted::Locked { locked, .. } if locked.sha256.is_empty() => Sources::in_folders(base_urls, &locked.file_name),
        Wanted::Locked { locked, .. } => Sources::in_folders(base_urls, &locked.file_name).with_sha256(&locked.sha256),
        Wanted::Wheel { url, .. } => match package.sha256() {
            Some(sha256) => Sources::at(url).with_sha256(sha256),
            None => Sources::at(url),
        },
    }
}
