//! The copy of an image at an address, which an earlier visit has kept.
//!
//! It is used while the server is asked whether it still has the same image: the first bytes of an image have its name, which
//! is the hash of its head and so of everything in it, and they are all that is fetched then. Nothing runs before they are there.

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use taipan_core::image::PREAMBLE_LENGTH;
use taipan_core::source::SharedSource;

use super::bytes::Confirmation;
use super::{ImageBytes, ImageDownload, OpenImage};
use crate::error::{Code, Error};
use crate::fetch::spawn;
use crate::store::Store;

/// A copy, and the image that it was made of.
pub struct ImageCopy {
    /// Nothing when it is of no use.
    kept: RefCell<Option<SharedSource>>,
    /// Fails with [`Code::WrongAbi`] if it is a copy of another image.
    comparison: Confirmation,
    begin: Box<dyn Fn() -> ImageDownload>,
    /// Nothing while nobody needs it.
    download: Rc<RefCell<Option<Rc<ImageDownload>>>>,
}

impl ImageCopy {
    /// Compares a copy with what is on its way, which is given up as soon as it is seen to be the same; `begin` begins to
    /// fetch it again.
    #[inline(never)]
    pub fn new(kept: SharedSource, download: ImageDownload, begin: Box<dyn Fn() -> ImageDownload>) -> Self {
        let first = download.first(PREAMBLE_LENGTH);
        let download = Rc::new(RefCell::new(Some(Rc::new(download))));
        let comparing = spawn({
            let (kept, download) = (Rc::clone(&kept), Rc::clone(&download));
            async move {
                let is_same = match first.await {
                    Ok(first) => first.is_some_and(|first| {
                        let mut buffer = vec![0; PREAMBLE_LENGTH];
                        kept.read_at(0, &mut buffer).is_ok() && buffer == first.to_vec()
                    }),
                    // Who is offline has what was there the last time.
                    Err(error) if error.code() == Code::LoadNetwork => true,
                    Err(error) => return Err(error),
                };
                if is_same {
                    download.take();
                    return Ok(());
                }
                Err(Error::new(Code::WrongAbi, "The server has another image now."))
            }
        });
        Self { kept: RefCell::new(Some(kept)), comparison: comparing.boxed_local().shared(), begin, download }
    }

    /// Its bytes; those of the image when it is of no use.
    #[inline(never)]
    pub fn bytes(&self) -> ImageBytes {
        match &*self.kept.borrow() {
            Some(kept) => ImageBytes::copied(Rc::clone(kept), self.comparison.clone()),
            None => self.download().bytes(),
        }
    }

    /// Whether there are other bytes now, or will be, than those that led to this error.
    #[inline(never)]
    pub fn comes_again<'a>(&'a self, bytes: &'a ImageBytes, error: &'a Error) -> LocalBoxFuture<'a, bool> {
        let comes_again = async move {
            if !bytes.are_kept() {
                return self.download().comes_again(bytes, error).await;
            }
            let comes_again = match self.comparison.clone().await {
                Ok(()) => matches!(error.code(), Code::BadArchive | Code::Integrity),
                Err(refusal) => refusal.code() == Code::WrongAbi,
            };
            if comes_again {
                self.kept.take();
            }
            comes_again
        };
        comes_again.boxed_local()
    }

    fn download(&self) -> Rc<ImageDownload> {
        Rc::clone(self.download.borrow_mut().get_or_insert_with(|| Rc::new((self.begin)())))
    }
}

impl OpenImage {
    /// Keeps a copy under a name, unless that would take the room of what the image was made of. One that is kept has none.
    pub async fn keep_copy(&self, store: &Store, name: &str) {
        if let Some(image) = self.source.fetched()
            && store.is_persistent()
            && store.can_spare(image.length()).await
        {
            store.put(name, &image).await;
        }
    }
}
