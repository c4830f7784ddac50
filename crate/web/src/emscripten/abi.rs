//! What differs between distributions.
//!
//! An ABI version (`info.abi_version` of the lock file) fixes CPython's version, Emscripten's version and how the glue
//! is shaped. Sources: Pyodide's `src/js/pyodide.ts` and `src/js/emscripten-settings.ts` at the tags 0.28.3 and
//! 314.0.7.

use js_sys::{Function, Object, Reflect};
use taipan_core::wheel::InterpreterTags;
use wasm_bindgen::{JsCast, JsValue};

use super::sentinel::SentinelNames;
use crate::error::{Code, Error, Result};

/// A version of the binary interface between CPython, its side modules and the glue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Abi {
    /// Pyodide 0.28 and 0.29: CPython 3.13, Emscripten 4.0.9.
    V2025,
    /// Pyodide 314: CPython 3.14, Emscripten 5.0.3.
    V2026,
}

/// What an address of data is among the exports that a side module shows to others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relocates {
    /// A number.
    Numbers,
    /// A `WebAssembly.Global`.
    Globals,
}

/// All ABIs that this version of Taipan can run, for error messages.
pub const SUPPORTED: &str = "2025_0 (Pyodide 0.28, CPython 3.13) and 2026_0 (Pyodide 314, CPython 3.14)";

impl Abi {
    /// The ABI that a lock file names.
    ///
    /// # Errors
    /// [`Code::WrongAbi`] if it is none that can be run.
    pub fn from_lock(abi_version: &str) -> Result<Self> {
        match abi_version {
            "2025_0" => Ok(Self::V2025),
            "2026_0" => Ok(Self::V2026),
            other => Err(Error::new(
                Code::WrongAbi,
                format!("The lock file is for ABI {other}, which this version of Taipan cannot run."),
            )
            .hint(format!("Use a distribution of ABI {SUPPORTED}."))),
        }
    }

    /// The likely ABI of a distribution, from the folder it is in, so that the glue can be fetched together with
    /// everything else. The lock file has the last word.
    pub fn guess(index_url: &str) -> Self {
        let names_314 = index_url
            .split('/')
            .any(|segment| segment.trim_start_matches('v').split('.').next().is_some_and(|major| major == "314"));
        if names_314 { Self::V2026 } else { Self::V2025 }
    }

    /// The ABI as lock files write it.
    pub const fn version(self) -> &'static str {
        match self {
            Self::V2025 => "2025_0",
            Self::V2026 => "2026_0",
        }
    }

    /// Whether the main module makes its memory itself; else the glue makes one, or takes `Module.wasmMemory`.
    pub const fn exports_memory(self) -> bool {
        matches!(self, Self::V2026)
    }

    /// What the linker knows of a side module's exports, once it is placed: Emscripten's `relocateExports`.
    pub const fn relocates(self) -> Relocates {
        match self {
            Self::V2025 => Relocates::Numbers,
            Self::V2026 => Relocates::Globals,
        }
    }

    /// The constant with the offset in `_PyRuntime` of the number of a function that the glue makes when it starts, for
    /// calls of C functions with the wrong number of arguments (CPython's `Python/emscripten_trampoline.c`).
    pub const fn call_helper_offset(self) -> &'static str {
        match self {
            Self::V2025 => "__PyEM_EMSCRIPTEN_COUNT_ARGS_OFFSET",
            Self::V2026 => "__PyEM_EMSCRIPTEN_TRAMPOLINE_OFFSET",
        }
    }

    /// CPython's major and minor version.
    pub const fn python(self) -> (u32, u32) {
        match self {
            Self::V2025 => (3, 13),
            Self::V2026 => (3, 14),
        }
    }

    /// The file name of the glue.
    pub const fn glue_file(self) -> &'static str {
        match self {
            Self::V2025 => "pyodide.asm.js",
            Self::V2026 => "pyodide.asm.mjs",
        }
    }

    /// The MIME type to evaluate the glue with.
    pub const fn glue_type() -> &'static str {
        "text/javascript"
    }

    /// The function that makes a module, once the glue is evaluated: a global that a classic script sets, or the
    /// default export of an ES module.
    ///
    /// # Errors
    /// [`Code::BadArgument`] if the script was something else.
    pub fn factory(self, namespace: &JsValue) -> Result<Function> {
        let factory = match self {
            Self::V2025 => Reflect::get(&js_sys::global(), &"_createPyodideModule".into()),
            Self::V2026 => Reflect::get(namespace, &"default".into()),
        };
        factory.ok().and_then(|value| value.dyn_into::<Function>().ok()).ok_or_else(|| {
            Error::new(Code::BadArgument, format!("{} did not define CPython's module.", self.glue_file()))
                .hint("`indexURL` must be the folder of a whole and unmodified Pyodide distribution.")
        })
    }

    /// The import that tells a JavaScript error apart from every other value: the import module and its names.
    pub const fn sentinel(self) -> (&'static str, SentinelNames) {
        match self {
            Self::V2025 => ("sentinel", SentinelNames { create: "create_sentinel", check: "is_sentinel" }),
            Self::V2026 => ("env", SentinelNames { create: "Jsv_GetError_import", check: "JsvError_Check" }),
        }
    }

    /// The properties that the glue expects in `API` besides `config` and `lockFilePromise`.
    pub fn extend_api(self, api: &Object) {
        if self == Self::V2026 {
            set(api, "runtimeEnv", &runtime_environment());
        }
    }

    /// What stands in the global offset table for a symbol that has no address yet.
    pub const fn unresolved_symbol(self) -> i32 {
        match self {
            Self::V2025 => 0,
            Self::V2026 => -1,
        }
    }

    /// `sys.implementation.cache_tag`: what CPython writes into the names of its bytecode files.
    pub fn cache_tag(self) -> String {
        let (major, minor) = self.python();
        format!("cpython-{major}{minor}")
    }

    /// The directory of CPython's prefix that holds `site-packages`.
    pub fn library_directory(self) -> String {
        let (major, minor) = self.python();
        format!("/lib/python{major}.{minor}")
    }

    /// Where packages go.
    pub fn site_packages(self) -> String {
        format!("{}/site-packages", self.library_directory())
    }

    /// Where the standard library is mounted. 314's `main.c` sets `config.stdlib_dir` to the path of the archive: a
    /// directory of that name serves it as well.
    pub fn standard_library_directory(self) -> String {
        let (major, minor) = self.python();
        match self {
            Self::V2025 => self.library_directory(),
            Self::V2026 => format!("/lib/python{major}{minor}.zip"),
        }
    }

    /// Whether the directory of the standard library's own side modules has to exist before CPython starts.
    pub const fn wants_lib_dynload(self) -> bool {
        matches!(self, Self::V2026)
    }

    /// The tags of wheels that this interpreter takes: PEP 783's, Pyodide's own, and the compiler's.
    pub fn tags(self) -> InterpreterTags {
        let (families, compiler) = match self {
            Self::V2025 => (["pyodide", "pyemscripten"], "emscripten_4_0_9_wasm32"),
            Self::V2026 => (["pyemscripten", "pyodide"], "emscripten_5_0_3_wasm32"),
        };
        let own = families.iter().map(|family| format!("{family}_{}_wasm32", self.version()));
        InterpreterTags { python: self.python(), platforms: own.chain([compiler.to_owned()]).collect() }
    }
}

/// What 314's glue wants to know of where it runs; the flags are those of Pyodide's `environments.ts`.
fn runtime_environment() -> Object {
    let global = js_sys::global();
    let has = |name: &str| Reflect::get(&global, &name.into()).is_ok_and(|value| !value.is_undefined());
    let is_page = has("window") && has("document");
    let is_worker = !is_page && has("WorkerGlobalScope");
    let flags = Object::new();
    for (name, value) in [
        ("IN_BUN", false),
        ("IN_DENO", false),
        ("IN_NODE", false),
        ("IN_NODE_COMMONJS", false),
        ("IN_NODE_ESM", false),
        ("IN_SAFARI", false),
        ("IN_SHELL", false),
        ("IN_WORKERD", false),
        ("IN_BROWSER", true),
        ("IN_BROWSER_MAIN_THREAD", is_page),
        ("IN_BROWSER_WEB_WORKER", is_worker),
    ] {
        set(&flags, name, &value.into());
    }
    flags
}

/// Sets a property of a plain object, which cannot fail.
pub fn set(object: &Object, name: &str, value: &JsValue) {
    let _ = Reflect::set(object, &name.into(), value);
}

#[cfg(test)]
mod tests {
    use super::Abi;

    #[test]
    fn the_folder_tells_the_likely_abi() {
        assert_eq!(Abi::guess("https://example.org/pyodide/v314.0.7/full/"), Abi::V2026);
        assert_eq!(Abi::guess("https://example.org/python/314.0.7/"), Abi::V2026);
        assert_eq!(Abi::guess("https://example.org/pyodide/v0.28.3/full/"), Abi::V2025);
        assert_eq!(Abi::guess("https://example.org/my/python/"), Abi::V2025);
    }

    #[test]
    fn a_lock_file_of_another_abi_is_refused_by_name() {
        let error = Abi::from_lock("2023_0").unwrap_err();
        assert!(error.message().contains("2023_0"));
    }
}
