//! Emscripten's glue: a script that defines the function which makes CPython's module.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, RequestCache, Response, Url};

use super::files::{Hashed, Incoming, share};
use crate::boundary::{EngineHost, Stage};
use crate::emscripten::abi::Abi;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Label, Sources, answer_of, compare_sha256, is_reused};

/// Where the glue of an ABI is.
#[derive(Clone)]
pub struct GlueSource {
    fetcher: Fetcher,
    host: EngineHost,
    abi: Abi,
    url: String,
    seen: Rc<RefCell<Seen>>,
}

/// What is seen of the answer in which it came.
#[derive(Default)]
struct Seen {
    /// Whether the browser gives the same bytes again when the script is asked for.
    is_kept: bool,
    /// What [`answer_of`] says of it.
    answer: Option<String>,
}

/// The glue, on its way in.
#[derive(Clone)]
pub struct Glue {
    pub source: GlueSource,
    pub bytes: Incoming<Hashed>,
}

impl Glue {
    /// Evaluates it, whose bytes are those that have come and have been checked: from its own address where the HTTP cache
    /// gives them again, for then the browser has what it made of the script on the visits before.
    ///
    /// # Errors
    /// As [`GlueSource::evaluate_bytes`].
    pub async fn evaluate(&self, bytes: &Uint8Array) -> Result<Function> {
        let Self { source, .. } = self;
        if source.seen.borrow().is_kept
            && let Ok(namespace) = source.import(&source.url).await
        {
            return source.abi.factory(&namespace);
        }
        source.evaluate_bytes(bytes).await
    }
}

impl GlueSource {
    /// In the folder of a distribution.
    pub fn new(fetcher: &Fetcher, host: &EngineHost, folder: &str, abi: Abi) -> Self {
        let url = format!("{folder}{}", abi.glue_file());
        Self { fetcher: fetcher.clone(), host: host.clone(), abi, url, seen: Rc::default() }
    }

    /// What tells the answer in which it came to this thread from others, if it did.
    pub fn answer(&self) -> Option<String> {
        self.seen.borrow().answer.clone()
    }

    /// Asks for it.
    pub fn request(&self) -> Glue {
        let this = self.clone();
        let label = Label { stage: Stage::Fetch, name: self.abi.glue_file(), size: None };
        let look = move |response: &Response| this.look(response);
        let bytes = share(self.fetcher.download_looking(Sources::at(&self.url), label, look));
        Glue { source: self.clone(), bytes }
    }

    /// Evaluates it if it has this SHA-256, however old the HTTP cache's is.
    ///
    /// # Errors
    /// [`Code::Integrity`] if it has another, those of [`Fetcher::download_from`] and [`GlueSource::evaluate_bytes`].
    pub async fn evaluate_cached(&self, sha256: &str) -> Result<Function> {
        if let Some(response) = self.fetcher.known(&self.url, sha256, RequestCache::ForceCache).await
            && let Some(outcome) = self.evaluate_answer(&response).await
        {
            return outcome;
        }
        let (bytes, hash) = self.request().bytes.await?;
        compare_sha256(self.abi.glue_file(), &hash, sha256)?;
        self.evaluate_bytes(&bytes).await
    }

    /// Evaluates it if what the server has, or lets the browser take again, has this SHA-256.
    pub async fn evaluate_known(&self, sha256: &str) -> Option<Function> {
        // Not what it has no more: what is imported from an address stays what that address gives this thread.
        let response = self.fetcher.known(&self.url, sha256, RequestCache::Default).await?;
        self.evaluate_answer(&response).await?.ok()
    }

    /// Evaluates what an answer has: from its own address where the browser gives the same again, else its bytes.
    async fn evaluate_answer(&self, response: &Response) -> Option<Result<Function>> {
        self.look(response);
        if self.seen.borrow().is_kept
            && let Ok(namespace) = self.import(&self.url).await
        {
            return Some(self.abi.factory(&namespace));
        }
        let bytes = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
        Some(self.evaluate_bytes(&Uint8Array::new(&bytes)).await)
    }

    /// Evaluates these very bytes where the page's content security policy allows `blob:` scripts, else what is at its
    /// address.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if it cannot be evaluated.
    pub async fn evaluate_bytes(&self, bytes: &Uint8Array) -> Result<Function> {
        let failed = |thrown| {
            Error::from_js(Code::BadArgument, &format!("{} cannot be evaluated", self.url), thrown)
                .hint("`indexURL` must be the folder of a whole and unmodified Pyodide distribution.")
        };
        let object_url = object_url(bytes).map_err(failed)?;
        let evaluated = self.import(&object_url).await;
        // Whether it is revoked changes nothing but memory.
        let _ = Url::revoke_object_url(&object_url);
        let namespace = match evaluated {
            Ok(namespace) => namespace,
            Err(_) => self.import(&self.url).await.map_err(failed)?,
        };
        self.abi.factory(&namespace)
    }

    fn look(&self, response: &Response) {
        *self.seen.borrow_mut() = Seen { is_kept: is_reused(response), answer: answer_of(response) };
    }

    async fn import(&self, url: &str) -> std::result::Result<JsValue, JsValue> {
        JsFuture::from(self.host.import_module(url)?).await
    }
}

fn object_url(bytes: &Uint8Array) -> std::result::Result<String, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(Abi::glue_type());
    Url::create_object_url_with_blob(&Blob::new_with_u8_array_sequence_and_options(&Array::of1(bytes), &options)?)
}
