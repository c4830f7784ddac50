//! How far a start or a download is.

use serde::Serialize;

/// A stage of starting Python or of bringing packages in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Every file of the distribution has arrived.
    Fetch,
    /// The interpreter's module is compiled.
    Compile,
    /// Emscripten's glue script has been evaluated.
    Glue,
    /// The interpreter's module is instantiated.
    Instantiate,
    /// The file system is mounted.
    Mount,
    /// CPython's `main` has run.
    Interpreter,
    /// Pyodide's bridge between Python and JavaScript works.
    Bootstrap,
    /// The packages asked for at start are on the path.
    Packages,
    /// Python is ready.
    Ready,
    /// Finding out which packages are needed.
    Resolve,
    /// Packages are coming.
    Download,
    /// Python is importing.
    Import,
    /// An image is coming.
    Image,
}

impl Stage {
    /// The string in `Timings.stages`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Fetch => "fetch",
            Self::Compile => "compile",
            Self::Glue => "glue",
            Self::Instantiate => "instantiate",
            Self::Mount => "mount",
            Self::Interpreter => "interpreter",
            Self::Bootstrap => "bootstrap",
            Self::Packages => "packages",
            Self::Ready => "ready",
            Self::Resolve => "resolve",
            Self::Download => "download",
            Self::Import => "import",
            Self::Image => "image",
        }
    }
}

/// `Progress` of `boundary.d.ts`.
#[derive(Debug, Clone, Serialize)]
pub struct Progress<'a> {
    /// What is being done.
    pub stage: Stage,
    /// What it is done to.
    pub name: &'a str,
    /// Bytes or steps done.
    pub loaded: f64,
    /// Bytes or steps in all, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
    /// All downloads together, where this is one of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overall: Option<OverallProgress>,
}

/// `Progress.overall` of `boundary.d.ts`, in bytes.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct OverallProgress {
    /// Done.
    pub loaded: f64,
    /// In all, where known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<f64>,
}

#[cfg(test)]
mod tests {
    use js_sys::Reflect;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::super::to_js;
    use super::*;

    #[wasm_bindgen_test]
    fn progress_is_a_plain_object_that_leaves_out_what_is_unknown() {
        let progress =
            to_js(&Progress { stage: Stage::Download, name: "pandas", loaded: 5.0, total: None, overall: None });
        assert_eq!(Reflect::get(&progress, &"stage".into()).unwrap(), "download");
        assert_eq!(Reflect::get(&progress, &"loaded".into()).unwrap(), 5.0);
        assert!(!Reflect::has(&progress, &"total".into()).unwrap());
        assert!(!Reflect::has(&progress, &"overall".into()).unwrap());
    }
}
