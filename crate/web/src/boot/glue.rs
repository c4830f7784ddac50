//! Emscripten's glue: a script that defines the function which makes CPython's module.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{Array, Function, Uint8Array};
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, RequestCache, Response, Url};

use super::files::{Hashed, Incoming, share};
use crate::boundary::{EngineHost, Stage};
use crate::emscripten::abi::Abi;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Label, Sources, compare_sha256, is_reused};

/// The glue of an ABI, on its way in.
#[derive(Clone)]
pub struct Glue {
    abi: Abi,
    url: String,
    pub bytes: Incoming<Hashed>,
    /// Whether the browser gives the same bytes again when the script is asked for.
    is_kept: Rc<Cell<bool>>,
}

impl Glue {
    /// Asks for it.
    pub fn request(fetcher: &Fetcher, folder: &str, abi: Abi) -> Self {
        let url = format!("{folder}{}", abi.glue_file());
        let is_kept = Rc::new(Cell::new(false));
        let look = {
            let is_kept = Rc::clone(&is_kept);
            move |response: &web_sys::Response| is_kept.set(is_reused(response))
        };
        let label = Label { stage: Stage::Fetch, name: abi.glue_file(), size: None };
        let bytes = share(fetcher.download_looking(Sources::at(&url), label, look));
        Self { abi, url, bytes, is_kept }
    }

    /// Evaluates the glue of a folder if it has this SHA-256.
    ///
    /// # Errors
    /// [`Code::Integrity`] if it has another, those of [`Fetcher::download_from`] and [`Glue::evaluate_bytes`].
    pub async fn evaluate_cached(
        fetcher: &Fetcher,
        folder: &str,
        abi: Abi,
        host: &EngineHost,
        sha256: &str,
    ) -> Result<Function> {
        let url = format!("{folder}{}", abi.glue_file());
        if let Some(response) = fetcher.known(&url, sha256, RequestCache::ForceCache).await
            && let Some(outcome) = evaluate_answer(host, abi, &url, &response).await
        {
            return outcome;
        }
        let (bytes, hash) = Self::request(fetcher, folder, abi).bytes.await?;
        compare_sha256(abi.glue_file(), &hash, sha256)?;
        evaluate(host, abi, &url, &bytes).await
    }

    /// Evaluates the glue of a folder if what the server has, or lets the browser take again, has this SHA-256.
    pub async fn evaluate_known(
        fetcher: &Fetcher,
        folder: &str,
        abi: Abi,
        host: &EngineHost,
        sha256: &str,
    ) -> Option<Function> {
        let url = format!("{folder}{}", abi.glue_file());
        // Not what it has no more: what is imported from an address stays what that address gives this thread.
        let response = fetcher.known(&url, sha256, RequestCache::Default).await?;
        evaluate_answer(host, abi, &url, &response).await?.ok()
    }

    /// Evaluates it, whose bytes are those that have come and have been checked: from its own address where the HTTP cache
    /// gives them again, for then the browser has what it made of the script on the visits before.
    ///
    /// # Errors
    /// As [`Glue::evaluate_bytes`].
    pub async fn evaluate(&self, host: &EngineHost, bytes: &Uint8Array) -> Result<Function> {
        if self.is_kept.get()
            && let Ok(namespace) = import(host, &self.url).await
        {
            return self.abi.factory(&namespace);
        }
        self.evaluate_bytes(host, bytes).await
    }

    /// Evaluates these very bytes where the page's content security policy allows `blob:` scripts, else what is at its
    /// address.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if it cannot be evaluated.
    pub async fn evaluate_bytes(&self, host: &EngineHost, bytes: &Uint8Array) -> Result<Function> {
        evaluate(host, self.abi, &self.url, bytes).await
    }
}

/// Evaluates the glue that an answer has: from its own address where the browser gives the same again, else its bytes.
async fn evaluate_answer(host: &EngineHost, abi: Abi, url: &str, response: &Response) -> Option<Result<Function>> {
    if is_reused(response)
        && let Ok(namespace) = import(host, url).await
    {
        return Some(abi.factory(&namespace));
    }
    let bytes = JsFuture::from(response.array_buffer().ok()?).await.ok()?;
    Some(evaluate(host, abi, url, &Uint8Array::new(&bytes)).await)
}

async fn evaluate(host: &EngineHost, abi: Abi, url: &str, bytes: &Uint8Array) -> Result<Function> {
    let failed = |thrown| {
        Error::from_js(Code::BadArgument, &format!("{url} cannot be evaluated"), thrown)
            .hint("`indexURL` must be the folder of a whole and unmodified Pyodide distribution.")
    };
    let object_url = object_url(bytes).map_err(failed)?;
    let evaluated = import(host, &object_url).await;
    // Whether it is revoked changes nothing but memory.
    let _ = Url::revoke_object_url(&object_url);
    let namespace = match evaluated {
        Ok(namespace) => namespace,
        Err(_) => import(host, url).await.map_err(failed)?,
    };
    abi.factory(&namespace)
}

async fn import(host: &EngineHost, url: &str) -> std::result::Result<JsValue, JsValue> {
    JsFuture::from(host.import_module(url)?).await
}

fn object_url(bytes: &Uint8Array) -> std::result::Result<String, JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(Abi::glue_type());
    Url::create_object_url_with_blob(&Blob::new_with_u8_array_sequence_and_options(&Array::of1(bytes), &options)?)
}
