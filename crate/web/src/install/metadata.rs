//! Metadata of wheels that are not here.

use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::source::{ByteSource as _, SparseSource};
use taipan_core::wheel::read_metadata;

use crate::archive_bytes::ArchiveBytes;
use crate::boundary::Stage;
use crate::error::Result;
use crate::fetch::{Fetcher, Label, Sources};
use crate::index_client::IndexClient;

/// A wheel that is no larger is fetched as a whole: that is one request instead of three.
const SMALL: u64 = 96 << 10;

/// The least that is asked for at a time.
const CHUNK: u64 = 32 << 10;

/// How many parts are asked for before the whole wheel is fetched.
const MOST_PARTS: u32 = 6;

/// `METADATA` of a wheel, as text, and the whole wheel if it had to be fetched.
pub struct Found {
    /// The text, or what is wrong with the wheel.
    pub text: Result<String, String>,
    /// All bytes of the wheel.
    pub wheel: Option<Uint8Array>,
}

/// Gets the metadata of a wheel by as few bytes as the server allows. `size` is what the index says.
///
/// # Errors
/// Those of [`Fetcher::download`].
pub async fn fetch(url: &str, size: Option<u64>, client: &IndexClient, fetcher: &Fetcher) -> Result<Found> {
    let size = match size {
        Some(size) => Some(size),
        None => client.size(url).await,
    };
    if let Some(size) = size.filter(|size| *size > SMALL)
        && let Some(found) = in_parts(url, size, client).await
    {
        return Ok(found);
    }
    let name = url.rsplit('/').next().unwrap_or(url);
    if client.is_blocking {
        let (wheel, _) = fetcher.download_now(&Sources::at(url), Label { stage: Stage::Import, name, size: None })?;
        return Ok(of_wheel(wheel));
    }
    let wheel = fetcher.download(url, Label { stage: Stage::Download, name, size: None }).await?;
    Ok(of_wheel(wheel))
}

/// The metadata in a whole wheel.
pub fn of_wheel(wheel: Uint8Array) -> Found {
    let source = ArchiveBytes::new(wheel.clone(), &Rc::default());
    let text = read_metadata(Rc::new(source)).map_err(|error| error.to_string());
    Found { text, wheel: Some(wheel) }
}

/// `None` where the server has no parts to give, or other ones than were asked for.
async fn in_parts(url: &str, size: u64, client: &IndexClient) -> Option<Found> {
    let source = Rc::new(SparseSource::new(size));
    for _ in 0..MOST_PARTS {
        let shared: Rc<SparseSource> = Rc::clone(&source);
        let error = match read_metadata(shared) {
            Ok(text) => return Some(Found { text: Ok(text), wheel: None }),
            Err(error) => error,
        };
        let Some((offset, length)) = source.missing() else {
            return Some(Found { text: Err(error.to_string()), wheel: None });
        };
        let end = offset.saturating_add(length.max(CHUNK)).min(source.len());
        let range = format!("bytes={offset}-{}", end - 1);
        // A server that knows no ranges sends everything: that is kept.
        let answer =
            client.get(url, Some(("Range", &range)), usize::try_from(size).unwrap_or(usize::MAX)).await.ok()?;
        let received = u64::from(answer.bytes.length());
        match answer.status {
            206 if received == end - offset => source.add(offset, answer.bytes.to_vec()),
            200 if received == size => return Some(of_wheel(answer.bytes)),
            _ => return None,
        }
    }
    None
}
