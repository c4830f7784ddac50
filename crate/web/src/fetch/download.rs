//! A file, whole, from whoever gives it.

use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use js_sys::Uint8Array;
use taipan_core::transfer::{Patience, Plan};
use web_sys::Response;

use super::attempt::{Attempts, Onlooker, Received};
use super::hash::sha256;
use super::progress::Transfer;
use super::receiver::{Pieces, Receiver};
use super::sources::Answers;
use super::{Fetcher, Label, Sources};
use crate::boundary::Stage;
use crate::error::{Code, Result};
use crate::global;

/// How long a download goes on: some seconds against a server that fails, more where it asks to be waited for.
const PATIENCE: Patience = Patience { attempts: 4, longest_wait: 30_000.0 };

/// A file's bytes, outside Rust's memory, and their SHA-256.
pub type Downloaded = (Uint8Array, String);

/// A download, which begins when it is polled.
pub type Downloading = LocalBoxFuture<'static, Result<Downloaded>>;

impl Fetcher {
    /// Downloads a file from one address, of which nobody knows what it must be.
    ///
    /// # Errors
    /// As [`Fetcher::download_from`].
    pub fn download(&self, url: &str, label: Label<'_>) -> impl Future<Output = Result<Uint8Array>> + use<> {
        let download = self.download_from(Sources::at(url), label);
        async move { Ok(download.await?.0) }
    }

    /// Downloads a file.
    ///
    /// A failure that may pass (no answer, a transfer that breaks off or stalls, a busy server) is tried again, and
    /// what has come already is not asked for again where the server can give the rest. What one mirror cannot give is
    /// asked of the next; bytes that are wrong are asked for once more past the HTTP cache. [`Plan`] has the rules.
    ///
    /// # Errors
    /// [`Code::LoadNetwork`] where there is no answer or not all of it, [`Code::LoadHttp`] where the answer is not a
    /// success, [`Code::Integrity`] where it is not the file, [`Code::Aborted`].
    pub fn download_from(&self, sources: Sources, label: Label<'_>) -> Downloading {
        hashed(self.persevere(sources, label, Rc::<Pieces>::default(), None))
    }

    /// As [`Fetcher::download_from`]; `onlooker` is given the first answer that is a success, before its body comes. It
    /// breaks off where the transfer does.
    ///
    /// # Errors
    /// As [`Fetcher::download_from`].
    pub fn download_watched(
        &self,
        sources: Sources,
        label: Label<'_>,
        onlooker: impl FnOnce(Response) + 'static,
    ) -> Downloading {
        hashed(self.persevere(sources, label, Rc::<Pieces>::default(), Some(Onlooker::Takes(Box::new(onlooker)))))
    }

    /// As [`Fetcher::download_from`]; `look` is shown the headers of the first answer that is a success.
    ///
    /// # Errors
    /// As [`Fetcher::download_from`].
    pub fn download_looking(
        &self,
        sources: Sources,
        label: Label<'_>,
        look: impl FnOnce(&Response) + 'static,
    ) -> Downloading {
        hashed(self.persevere(sources, label, Rc::<Pieces>::default(), Some(Onlooker::Looks(Box::new(look)))))
    }

    /// As [`Fetcher::download_from`]; `receiver` is given the bytes as they come. Bytes that it does not take are wrong.
    ///
    /// # Errors
    /// As [`Fetcher::download_from`], and those of the receiver.
    pub fn download_into(
        &self,
        sources: Sources,
        label: Label<'_>,
        receiver: Rc<dyn Receiver>,
    ) -> impl Future<Output = Result<()>> + use<> {
        let receiving = self.persevere(sources, label, receiver, None);
        async move { receiving.await.map(drop) }
    }

    fn persevere(
        &self,
        sources: Sources,
        label: Label<'_>,
        receiver: Rc<dyn Receiver>,
        onlooker: Option<Onlooker>,
    ) -> LocalBoxFuture<'static, Result<Received>> {
        let this = self.clone();
        let is_hurried = label.stage == Stage::Fetch;
        let transfer = Transfer::open(self.network.timeline(), label);
        let mut attempts = Attempts::new(transfer, self.network.stall(), receiver, onlooker);
        attempts.early = sources.mirrors.first().and_then(|url| self.network.timeline().early_answer(url));
        let download = async move {
            let work = async {
                let mut answers = Answers::new(sources.mirrors.len());
                let mut plan = Plan::new(sources.mirrors.len(), PATIENCE, sources.reload);
                let mut next = plan.first();
                while let Some(step) = next {
                    if step.wait > 0.0 {
                        global::sleep(step.wait).await;
                    }
                    let slot = this.network.slots().take(is_hurried).await;
                    let (error, failure) = match attempts.attempt(&sources, step).await {
                        Ok(whole) => return Ok(whole),
                        Err(failed) => failed,
                    };
                    drop(slot);
                    if error.code() == Code::OutOfMemory {
                        return Err(error);
                    }
                    answers.note(step.mirror, error);
                    next = plan.after(failure, global::now(), js_sys::Math::random());
                }
                Err(answers.into_error(attempts.transfer.name()))
            };
            this.unless_aborted(work).await
        };
        download.boxed_local()
    }
}

/// With the SHA-256 of what need not have had a certain one.
fn hashed(receiving: LocalBoxFuture<'static, Result<Received>>) -> Downloading {
    let download = async move {
        let (bytes, hash) = receiving.await?;
        let hash = match hash {
            Some(hash) => hash,
            None => sha256(&bytes).await,
        };
        Ok((bytes, hash))
    };
    download.boxed_local()
}
