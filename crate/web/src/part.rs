//! Parts of this module that a page fetches only when it needs them.
//!
//! The build takes the compiled module apart by the names of functions (`scripts/build/parts.mjs`). A function of a part
//! traps before the part is there, so whoever calls into one gets it first. Functions that are called from outside a part
//! are not to be inlined: they would be in the caller's.

use wasm_bindgen::JsValue;
use wasm_bindgen_futures::JsFuture;

use crate::boundary::EngineHost;
use crate::error::{Code, Error, Result};

/// A part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// Taking checkpoints and going back to them.
    Checkpoint,
    /// Baking and restoring images.
    Image,
    /// Resolving requirements, with package indexes; freezing.
    Resolver,
}

impl Part {
    const fn name(self) -> &'static str {
        match self {
            Self::Checkpoint => "checkpoint",
            Self::Image => "image",
            Self::Resolver => "resolver",
        }
    }

    /// Gets the part, unless it is there.
    ///
    /// # Errors
    /// [`Code::LoadNetwork`], [`Code::LoadHttp`], [`Code::BadWasm`]. Asking again tries again.
    pub async fn load(self, host: &EngineHost) -> Result<()> {
        let loading = host.load_part(self.name()).map_err(failed)?;
        JsFuture::from(loading).await.map(drop).map_err(failed)
    }

    /// As [`Part::load`], while everything else waits: in a worker.
    ///
    /// # Errors
    /// As [`Part::load`], and [`Code::NotSupported`] on the page's own thread.
    pub fn load_now(self, host: &EngineHost) -> Result<()> {
        if host.load_part_now_function().is_none() {
            return Err(Error::new(Code::NotSupported, "The page's own thread cannot wait for a part of Taipan."));
        }
        host.load_part_now(self.name()).map_err(failed)
    }
}

fn failed(thrown: JsValue) -> Error {
    let text = |name: &str| js_sys::Reflect::get(&thrown, &name.into()).ok().and_then(|value| value.as_string());
    let code = match text("code").as_deref() {
        Some("LOAD_HTTP") => Code::LoadHttp,
        Some("BAD_WASM") => Code::BadWasm,
        _ => Code::LoadNetwork,
    };
    let hint = text("hint");
    let error = Error::from_js(code, "A part of Taipan could not be loaded", thrown);
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}
