//! Files of a distribution that an earlier visit has found to have a certain SHA-256. The page sees that they are the same, or
//! the browser does, so they need not come to this thread as bytes; the glue is evaluated while our own module is on its way
//! in, and CPython's module is compiled by the page's thread.

use std::cell::OnceCell;

use js_sys::{Function, Promise, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::files::{Incoming, share};
use super::glue::GlueSource;
use crate::boundary::{BootOptions, EngineHost, KnownFiles};
use crate::emscripten::abi::Abi;

/// What is made of such files; nothing of those that turn out to be others.
pub struct Known {
    files: KnownFiles,
    abi: Abi,
    host: EngineHost,
    factory: OnceCell<Incoming<Option<Function>>>,
    module: Option<Incoming<Option<WebAssembly::Module>>>,
}

/// CPython's module, compiled by the page's thread: nothing if it is not to be had in this way.
pub struct KnownModule {
    /// What it has to have, and the browser has compared.
    pub sha256: String,
    pub module: Incoming<Option<WebAssembly::Module>>,
}

impl Known {
    /// Of the distribution of a start, whose address speaks for this ABI.
    pub fn of(options: &BootOptions, abi: Abi, host: &EngineHost) -> Option<Self> {
        let files = options.known.clone()?;
        let module = host
            .known_module()
            .map(|promise| share(async move { Ok(found(promise).await.and_then(|module| module.dyn_into().ok())) }));
        Some(Self { files, abi, host: host.clone(), factory: OnceCell::new(), module })
    }

    /// Begins to evaluate the glue of a folder, unless that has been done before this was there.
    pub fn evaluate_glue(&self, source: &GlueSource) {
        self.factory.get_or_init(|| {
            let early = self.host.known_glue();
            let (source, abi, sha256) = (source.clone(), self.abi, self.files.glue.sha256.clone());
            share(async move {
                if let Some(early) = early
                    && let Some(namespace) = found(early).await
                    && let Ok(factory) = abi.factory(&namespace)
                {
                    return Ok(Some(factory));
                }
                Ok(source.evaluate_known(&sha256).await)
            })
        });
    }

    /// The function that the glue defines, if the glue of an ABI with a SHA-256 is being evaluated.
    pub fn factory(&self, abi: Abi, sha256: &str) -> Option<Incoming<Option<Function>>> {
        self.factory.get().filter(|_| abi == self.abi && sha256 == self.files.glue.sha256).cloned()
    }

    /// CPython's module, if somebody compiles it.
    pub fn module(&self) -> Option<KnownModule> {
        Some(KnownModule { sha256: self.files.module.sha256.clone(), module: self.module.clone()? })
    }
}

/// What was found before, if it was.
async fn found(promise: Promise) -> Option<JsValue> {
    JsFuture::from(promise).await.ok().filter(|found| !found.is_undefined())
}
