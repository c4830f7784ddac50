//! Where the image comes from that Python may start from.

use std::rc::Rc;

use js_sys::Uint8Array;

use super::files::DistributionFiles;
use super::ground::{Ground, OpeningStore};
use crate::boundary::{BootOptions, ImageOrigin, Stage};
use crate::error::{Code, Error, Result};
use crate::fetch::{Incoming, Label, Sources};
use crate::image::{AutomaticImage, Beside, ImageBytes, ImageCopy, ImageDownload, content_hash, stored_name};
use crate::part::Part;
use crate::store::Store;

/// An image that may be there.
pub enum ImageSource {
    /// At an address that the page gave.
    Address(String),
    /// Kept under a name that the page gave.
    Name(String),
    /// Made by Taipan on an earlier visit.
    Automatic(AutomaticImage),
    /// Named by the lock file.
    Distribution,
}

/// An image that has been found.
pub enum FoundImage {
    /// It is kept in this browser.
    Kept(ImageBytes),
    /// It is on its way.
    Fetched(ImageDownload),
    /// It may be what this browser has a copy of.
    Copied(ImageCopy),
}

impl FoundImage {
    /// Whether this browser has one, as far as is known.
    pub const fn is_kept(&self) -> bool {
        matches!(self, Self::Kept(_) | Self::Copied(_))
    }

    /// Its bytes, as far as they are there.
    pub fn bytes(&self) -> ImageBytes {
        match self {
            Self::Kept(bytes) => bytes.clone(),
            Self::Fetched(download) => download.bytes(),
            Self::Copied(copy) => copy.bytes(),
        }
    }

    /// Whether there are other bytes now, or will be, than those that led to this error.
    pub async fn comes_again(&self, bytes: &ImageBytes, error: &Error) -> bool {
        match self {
            Self::Kept(_) => false,
            Self::Fetched(download) => download.comes_again(bytes, error).await,
            Self::Copied(copy) => copy.comes_again(bytes, error).await,
        }
    }
}

impl ImageSource {
    /// The images to be tried, in that order.
    pub fn all(options: &BootOptions) -> Vec<Self> {
        let named = options.image_name.clone().map(Self::Name);
        let given = named.or_else(|| options.image.clone().map(Self::Address));
        let automatic = options.automatic_image.then(|| Self::Automatic(AutomaticImage::of(options)));
        let distribution = options.distribution_image.then_some(Self::Distribution);
        given.into_iter().chain(automatic).chain(distribution).collect()
    }

    /// What `Timings.image` says of it.
    pub const fn origin(&self) -> ImageOrigin {
        match self {
            Self::Address(_) => ImageOrigin::Address,
            Self::Name(_) => ImageOrigin::Name,
            Self::Automatic(_) => ImageOrigin::Automatic,
            Self::Distribution => ImageOrigin::Distribution,
        }
    }

    /// What it is called in the store.
    pub fn stored_name(&self, options: &BootOptions) -> String {
        match self {
            Self::Address(url) => copy_name(url),
            Self::Name(name) => stored_name(name),
            Self::Automatic(image) => image.name(),
            Self::Distribution => format!("distribution-image/{}", options.index_url),
        }
    }

    /// Whether there is one, as far as can be known before its bytes are there.
    pub async fn may_be_there(&self, ground: &Ground, distribution: &mut DistributionFiles) -> Result<bool> {
        Ok(match self {
            Self::Address(_) | Self::Name(_) => true,
            Self::Automatic(image) => image.is_in(&ground.store.clone().await),
            Self::Distribution => {
                let lock = distribution.lock_file().await?;
                lock.file().manifest().image().is_some()
            }
        })
    }

    /// Finds it, or begins to fetch it.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if there is none.
    pub async fn find(&self, ground: &Ground, distribution: &mut DistributionFiles) -> Result<FoundImage> {
        match self {
            Self::Address(url) => at_address(ground, url).await,
            Self::Name(name) => {
                let kept = ground.store.clone().await.open_unchecked(&stored_name(name)).await;
                let missing = || Error::new(Code::BadArgument, format!("No image {name:?} is kept in this browser."));
                Ok(FoundImage::Kept(ImageBytes::stored(kept.ok_or_else(missing)?)))
            }
            Self::Automatic(image) => {
                let kept = image.read(&ground.store.clone().await).await;
                let missing = || Error::new(Code::BadArgument, "The image is not kept any more.");
                Ok(FoundImage::Kept(ImageBytes::stored(kept.ok_or_else(missing)?)))
            }
            Self::Distribution => of_distribution(ground, distribution).await,
        }
    }

    /// Where files beside it are. One that this browser has made itself is whole.
    ///
    /// # Errors
    /// What keeps the lock file from being read.
    pub async fn beside(&self, ground: &Ground, distribution: &mut DistributionFiles) -> Result<Beside> {
        let network = ground.network.clone();
        Ok(match self {
            Self::Name(_) | Self::Automatic(_) => Beside { folders: Vec::new(), network, store: None },
            Self::Address(url) => {
                let folders = vec![folder_of(url).to_owned()];
                Beside { folders, network, store: Some(ground.store.clone().await) }
            }
            Self::Distribution => {
                let lock = distribution.lock_file().await?;
                let name = lock.file().manifest().image().map_or("", |file| &file.file_name);
                let folders = Sources::in_folders(&ground.options.base_urls(), name).mirrors;
                let folders = folders.iter().map(|url| folder_of(url).to_owned()).collect();
                Beside { folders, network, store: Some(ground.store.clone().await) }
            }
        })
    }

    /// What is of no use is forgotten where it will be made again, and what is damaged in any case.
    pub async fn refuse(&self, error: &Error, store: &Store) {
        if !matches!(error.code(), Code::LoadNetwork | Code::LoadHttp) {
            self.forget(store).await;
        }
        if let Self::Name(name) = self {
            // Reading it in this way compares it with its hash, and removes it where that is another.
            drop(store.get(&stored_name(name)).await);
        }
    }

    /// Forgets a copy that is of no use.
    pub async fn forget_copy(&self, store: &Store) {
        if let Self::Address(url) = self {
            store.remove(&copy_name(url)).await;
        }
    }

    /// Forgets it if it is one that makes itself.
    pub async fn forget(&self, store: &Store) {
        if let Self::Automatic(image) = self {
            image.forget(store).await;
        }
    }
}

/// The folder that an address is in, with the slash at its end.
fn folder_of(url: &str) -> &str {
    let path = url.split(['?', '#']).next().unwrap_or_default();
    &path[..path.rfind('/').map_or(0, |slash| slash + 1)]
}

/// The image at an address: on its way, and compared with the copy of it that is kept, if there is one.
async fn at_address(ground: &Ground, url: &str) -> Result<FoundImage> {
    let begin = {
        let (fetcher, held, url) = (ground.fetcher.clone(), Rc::clone(&ground.held), url.to_owned());
        move || {
            let label = Label { stage: Stage::Image, name: "", size: None };
            ImageDownload::new(Incoming::begin(&fetcher, Sources::at(&url), label, |_| ()), &held)
        }
    };
    // The image has been asked for before there was an engine. On a first visit it is read at once, and later when it can be
    // compared, because what comes until then would come in vain.
    let early = ground.options.known.is_none().then(&begin);
    let (store, name) = (ground.store.clone().await, copy_name(url));
    if store.contains(&name)
        && let Some(kept) = store.open_unchecked(&name).await
    {
        Part::Image.load(&ground.host).await?;
        return Ok(FoundImage::Copied(ImageCopy::new(kept, early.unwrap_or_else(&begin), Box::new(begin))));
    }
    Ok(FoundImage::Fetched(early.unwrap_or_else(begin)))
}

/// What the copy of an image at an address is called in the store.
fn copy_name(url: &str) -> String {
    format!("image-copy/{url}")
}

/// The image that the lock file names: as it is kept, or from the server, and then it is kept when there is time.
async fn of_distribution(ground: &Ground, distribution: &mut DistributionFiles) -> Result<FoundImage> {
    let lock = distribution.lock_file().await?;
    let missing = || Error::new(Code::BadArgument, "The lock file names no image.");
    let file = lock.file().manifest().image().ok_or_else(missing)?;
    let store = ground.store.clone().await;
    let hash = content_hash(&file.sha256)?;
    if let Some(kept) = store.open_content_unchecked(hash).await {
        return Ok(FoundImage::Kept(ImageBytes::stored(kept)));
    }
    let sources = Sources::in_folders(&ground.options.base_urls(), &file.file_name).with_sha256(&file.sha256);
    let label = Label { stage: Stage::Image, name: "", size: Some(file.size as f64) };
    let name = ImageSource::Distribution.stored_name(&ground.options);
    let keep = move |bytes: Uint8Array| store.put_content_later(Some(name), hash, &bytes);
    let incoming = Incoming::begin(&ground.fetcher, sources, label, keep);
    Ok(FoundImage::Fetched(ImageDownload::new(incoming, &ground.held)))
}

/// Whether what the HTTP cache has of the distribution may do: there seems to be an image that is kept in this browser, or one
/// comes and an earlier visit has seen the files. The image says which glue and which module it needs. What it will need is
/// begun before that can be told.
pub async fn may_need_no_core(
    sources: &[ImageSource],
    options: &BootOptions,
    distribution: &DistributionFiles,
    store: &OpeningStore,
) -> bool {
    if options.forget_image || sources.is_empty() {
        return false;
    }
    if options.known.is_some() {
        distribution.evaluate_known_glue();
    }
    // With an image at an address nobody waits for the store: what turns out to be missing is asked for then.
    if matches!(sources, [ImageSource::Address(_), ..]) {
        return options.known.is_some();
    }
    let store = store.clone().await;
    sources.iter().any(|source| store.contains(&source.stored_name(options)))
}
