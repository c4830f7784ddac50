//! The interpreter's module on its way in.

use std::cell::RefCell;
use std::rc::Rc;

use futures::channel::oneshot;
use js_sys::{Promise, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestCache, Response};

use super::files::{Hashed, Incoming, share};
use super::known::KnownModule;
use crate::boundary::Stage;
use crate::distribution::WASM_FILE;
use crate::error::{Code, Result};
use crate::fetch::{Fetcher, Label, Sources, answer_of, compare_sha256, settle, spawn};

/// Its bytes, and the module, compiled while they stream.
pub type RequestedModule = (Incoming<Hashed>, Incoming<WebAssembly::Module>);

/// Where it is.
#[derive(Clone)]
pub struct ModuleSource {
    fetcher: Fetcher,
    url: String,
    /// What [`answer_of`] says of the answer in which it has come.
    answer: Rc<RefCell<Option<String>>>,
}

impl ModuleSource {
    /// In the folder of a distribution.
    pub fn new(fetcher: &Fetcher, folder: &str) -> Self {
        Self { fetcher: fetcher.clone(), url: format!("{folder}{WASM_FILE}"), answer: Rc::default() }
    }

    /// What tells the answer in which it came to this thread from others, if it did.
    pub fn answer(&self) -> Option<String> {
        self.answer.borrow().clone()
    }

    /// Asks for it. It is compiled while it streams: the answer itself goes to the compiler, so that the browser can keep the
    /// compiled code with it, and a copy of it is hashed.
    pub fn request(&self) -> RequestedModule {
        let (sender, first_answer) = oneshot::channel();
        let label = Label { stage: Stage::Fetch, name: WASM_FILE, size: None };
        let seen = Rc::clone(&self.answer);
        let bytes = share(self.fetcher.download_watched(Sources::at(&self.url), label, move |response| {
            *seen.borrow_mut() = answer_of(&response);
            // The compiler waits for it until the download ends.
            let _ = sender.send(response);
        }));
        let module = share({
            let (bytes, this) = (bytes.clone(), self.clone());
            async move {
                if let Ok(response) = first_answer.await
                    && let Ok(module) = compile_streaming(response).await
                {
                    return Ok(module);
                }
                // Streaming needs the MIME type application/wasm and a transfer that does not break off; the bytes alone may
                // still be fine.
                this.compile(&bytes.await?.0).await
            }
        });
        (bytes, module)
    }

    /// The module as the page compiles it, or as it is requested if that comes to nothing.
    pub fn known_or_requested(&self, known: KnownModule) -> RequestedModule {
        let this = self.clone();
        let KnownModule { sha256, module } = known;
        let requested = share(async move {
            Ok(match module.await? {
                // Nobody needs the bytes of what is compiled.
                Some(module) => {
                    (share(async move { Ok((Uint8Array::default(), sha256)) }), share(async move { Ok(module) }))
                }
                None => this.request(),
            })
        });
        let bytes = share({
            let requested = requested.clone();
            async move { requested.await?.0.await }
        });
        (bytes, share(async move { requested.await?.1.await }))
    }

    /// The module of a SHA-256: as the page compiles it, or from the HTTP cache, or from the server.
    pub fn cached(&self, wanted: String, known: Option<KnownModule>) -> Incoming<WebAssembly::Module> {
        let this = self.clone();
        let early = self.fetcher.timeline().early_answer(&self.url);
        let known = known.filter(|known| known.sha256 == wanted);
        share(async move {
            if let Some(early) = early {
                // Its body would keep the connection.
                drop(spawn(discard(early)));
            }
            let module = match known {
                Some(known) => known.module.await?,
                None => None,
            };
            let module = match module {
                Some(module) => Some(module),
                None => this.compile_cached(&wanted).await,
            };
            let Some(module) = module else { return this.compared(this.request(), &wanted).await };
            let timeline = this.fetcher.timeline();
            timeline.end(Stage::Compile);
            timeline.end(Stage::Fetch);
            Ok(module)
        })
    }

    /// The module that has been requested, if it has this SHA-256.
    ///
    /// # Errors
    /// [`Code::Integrity`] if not.
    pub async fn compared(&self, (bytes, module): RequestedModule, wanted: &str) -> Result<WebAssembly::Module> {
        let timeline = self.fetcher.timeline();
        let module = module.await?;
        timeline.end(Stage::Compile);
        compare_sha256(WASM_FILE, &bytes.await?.1, wanted)?;
        timeline.end(Stage::Fetch);
        Ok(module)
    }

    /// Compiles bytes that should be it.
    ///
    /// # Errors
    /// [`Code::BadWasm`].
    pub async fn compile(&self, bytes: &Uint8Array) -> Result<WebAssembly::Module> {
        let context = format!("{} is not WebAssembly that this browser can compile", self.url);
        Ok(settle(Code::BadWasm, &context, WebAssembly::compile(bytes)).await?.unchecked_into())
    }

    async fn compile_cached(&self, sha256: &str) -> Option<WebAssembly::Module> {
        let response = self.fetcher.known(&self.url, sha256, RequestCache::ForceCache).await?;
        *self.answer.borrow_mut() = answer_of(&response);
        compile_streaming(response).await.ok()
    }
}

async fn compile_streaming(response: Response) -> std::result::Result<WebAssembly::Module, JsValue> {
    let response = Promise::resolve(&JsValue::from(response));
    Ok(JsFuture::from(WebAssembly::compile_streaming(&response)).await?.unchecked_into())
}

/// Lets go of an answer that nobody needs.
async fn discard(answer: Promise) -> Result<()> {
    if let Ok(answer) = JsFuture::from(answer).await
        && let Some(body) = answer.unchecked_into::<Response>().body()
    {
        // What is left of it is nobody's affair.
        let _ = JsFuture::from(body.cancel()).await;
    }
    Ok(())
}
