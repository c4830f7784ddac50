//! Files of a distribution that an earlier visit has found to have a certain SHA-256. The browser compares that itself, so
//! they need not come to this thread as bytes; and CPython's module is compiled by the page's thread.

use std::cell::OnceCell;

use js_sys::{Function, WebAssembly};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::files::{Incoming, share};
use super::glue::Glue;
use crate::boundary::{BootOptions, EngineHost, KnownFiles};
use crate::emscripten::abi::Abi;
use crate::fetch::Fetcher;

/// What is made of such files; nothing of those that turn out to be others.
pub struct Known {
    files: KnownFiles,
    abi: Abi,
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
    pub fn of(options: &BootOptions, abi: Abi, fetcher: &Fetcher) -> Option<Self> {
        let files = options.known.clone()?;
        let module = fetcher.timeline().known_module().map(|promise| {
            share(async move {
                let module = JsFuture::from(promise).await.ok();
                Ok(module.and_then(|module| module.dyn_into().ok()))
            })
        });
        Some(Self { files, abi, factory: OnceCell::new(), module })
    }

    /// Begins to evaluate the glue.
    pub fn evaluate_glue(&self, fetcher: &Fetcher, folder: &str, host: &EngineHost) {
        self.factory.get_or_init(|| {
            let (fetcher, folder, host) = (fetcher.clone(), folder.to_owned(), host.clone());
            let (abi, sha256) = (self.abi, self.files.glue.clone());
            share(async move { Ok(Glue::evaluate_known(&fetcher, &folder, abi, &host, &sha256).await) })
        });
    }

    /// The function that the glue defines, if the glue of an ABI with a SHA-256 is being evaluated.
    pub fn factory(&self, abi: Abi, sha256: &str) -> Option<Incoming<Option<Function>>> {
        self.factory.get().filter(|_| abi == self.abi && sha256 == self.files.glue).cloned()
    }

    /// CPython's module, if somebody compiles it.
    pub fn module(&self) -> Option<KnownModule> {
        Some(KnownModule { sha256: self.files.module.clone(), module: self.module.clone()? })
    }
}
