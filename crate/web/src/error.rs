//! The one error that crosses into JavaScript.
//!
//! Core has an error enum per module; here each becomes an `Error` object with a stable `code`, a message that names
//! the thing, the `hint` what to do next, and the cause kept (see `EngineError` in `boundary.d.ts`).

use std::fmt;

use js_sys::Reflect;
use wasm_bindgen::{JsCast, JsValue};

/// What kind of failure it is. The strings are public and never change once published.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// The caller's `AbortSignal` was aborted.
    Aborted,
    /// An argument has the wrong type or an impossible value.
    BadArgument,
    /// An archive is damaged, hostile or of an unsupported format.
    BadArchive,
    /// A package index answered with something that is not a page of one.
    BadIndex,
    /// The lock file is not one.
    BadLockFile,
    /// A requirement or package name cannot be parsed.
    BadRequirement,
    /// The interpreter's module is not WebAssembly that this browser can compile.
    BadWasm,
    /// A wheel is damaged or breaks its own format.
    BadWheel,
    /// A checkpoint was disposed of, or had to make room.
    CheckpointGone,
    /// The interpreter has stopped for good.
    Fatal,
    /// A file-system call failed; `errno` and `path` say why.
    FileSystem,
    /// Bytes do not have the hash that they must have.
    Integrity,
    /// The run was interrupted.
    Interrupted,
    /// A server answered with something other than success.
    LoadHttp,
    /// A server could not be reached or the transfer broke off.
    LoadNetwork,
    /// This browser or page cannot do what was asked.
    NotSupported,
    /// Memory could not be had.
    OutOfMemory,
    /// Requirements cannot all be met.
    Resolution,
    /// Some packages could not be loaded; `packages` names each.
    PackagesFailed,
    /// No package of that name is known.
    PackageNotFound,
    /// Python raised an exception.
    Python,
    /// The run took longer than it may.
    Timeout,
    /// Something was built for another interpreter.
    WrongAbi,
}

impl Code {
    /// The string that JavaScript sees.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Aborted => "ABORTED",
            Self::BadArgument => "BAD_ARGUMENT",
            Self::BadArchive => "BAD_ARCHIVE",
            Self::BadIndex => "BAD_INDEX",
            Self::BadLockFile => "BAD_LOCK_FILE",
            Self::BadRequirement => "BAD_REQUIREMENT",
            Self::BadWasm => "BAD_WASM",
            Self::BadWheel => "BAD_WHEEL",
            Self::CheckpointGone => "CHECKPOINT_GONE",
            Self::Fatal => "FATAL",
            Self::FileSystem => "FILE_SYSTEM",
            Self::Integrity => "INTEGRITY",
            Self::Interrupted => "INTERRUPTED",
            Self::LoadHttp => "LOAD_HTTP",
            Self::LoadNetwork => "LOAD_NETWORK",
            Self::NotSupported => "NOT_SUPPORTED",
            Self::OutOfMemory => "OUT_OF_MEMORY",
            Self::PackagesFailed => "PACKAGES_FAILED",
            Self::PackageNotFound => "PACKAGE_NOT_FOUND",
            Self::Python => "PYTHON",
            Self::Resolution => "RESOLUTION",
            Self::Timeout => "TIMEOUT",
            Self::WrongAbi => "WRONG_ABI",
        }
    }
}

/// A failure on its way to JavaScript.
#[derive(Debug, Clone)]
pub struct Error {
    code: Code,
    message: String,
    hint: Option<String>,
    cause: Option<JsValue>,
    status: Option<u16>,
    fields: Vec<(&'static str, JsValue)>,
}

/// What this crate's functions return.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error of a kind, with a sentence that names the thing that failed.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), hint: None, cause: None, status: None, fields: Vec::new() }
    }

    /// Adds what to do next, as a sentence.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Keeps the JavaScript value that caused this.
    #[must_use]
    pub fn cause(mut self, cause: JsValue) -> Self {
        self.cause = Some(cause);
        self
    }

    /// Adds a further property of the error object.
    #[must_use]
    pub fn field(mut self, name: &'static str, value: impl Into<JsValue>) -> Self {
        self.fields.push((name, value.into()));
        self
    }

    /// Adds the HTTP status that a server answered with.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        self.status = Some(status);
        self
    }

    /// Says something else, and keeps all the rest.
    #[must_use]
    pub fn with_message(mut self, message: impl Into<String>) -> Self {
        self.message = message.into();
        self
    }

    /// The HTTP status that a server answered with.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// What kind of failure this is.
    pub fn code(&self) -> Code {
        self.code
    }

    /// The sentence.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// Turns whatever a JavaScript call threw into an error of the given kind. Exceptions that say the call was
    /// aborted or memory ran out get their own codes.
    pub fn from_js(code: Code, context: &str, thrown: JsValue) -> Self {
        let text = describe(&thrown);
        let name = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.name())).unwrap_or_default();
        let code = match name.as_str() {
            "AbortError" => Code::Aborted,
            "RangeError" if text.contains("memory") || text.contains("allocation") => Code::OutOfMemory,
            _ => code,
        };
        let error = Self::new(code, format!("{context}: {text}")).cause(thrown);
        match code {
            Code::OutOfMemory => error.hint("Close other tabs, or work with less data at a time."),
            _ => error,
        }
    }
}

/// The shortest honest description of a thrown value.
pub fn describe(thrown: &JsValue) -> String {
    if let Some(error) = thrown.dyn_ref::<js_sys::Error>() {
        return String::from(error.message());
    }
    thrown.as_string().unwrap_or_else(|| format!("{thrown:?}"))
}

impl fmt::Display for Error {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<Error> for JsValue {
    fn from(error: Error) -> Self {
        let object = js_sys::Error::new(&error.message);
        object.set_name("EngineError");
        let set = |name: &str, value: &JsValue| {
            // Setting a property of an object made two lines above cannot fail.
            let _ = Reflect::set(&object, &name.into(), value);
        };
        set("code", &error.code.as_str().into());
        if let Some(hint) = &error.hint {
            set("hint", &hint.into());
        }
        if let Some(cause) = &error.cause {
            set("cause", cause);
        }
        if let Some(status) = error.status {
            set("status", &status.into());
        }
        for (name, value) in &error.fields {
            set(name, value);
        }
        object.into()
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    fn property(error: &JsValue, name: &str) -> JsValue {
        Reflect::get(error, &name.into()).unwrap()
    }

    #[wasm_bindgen_test]
    fn javascript_sees_an_error_with_its_fields() {
        let cause = js_sys::TypeError::new("the cause");
        let error = Error::new(Code::LoadHttp, "No.")
            .hint("Try again.")
            .cause(cause.clone().into())
            .with_status(404)
            .field("url", "https://example.org/");
        let object = JsValue::from(error);
        assert!(object.is_instance_of::<js_sys::Error>());
        assert_eq!(property(&object, "message"), "No.");
        assert_eq!(property(&object, "code"), "LOAD_HTTP");
        assert_eq!(property(&object, "hint"), "Try again.");
        assert_eq!(property(&object, "status"), 404);
        assert_eq!(property(&object, "url"), "https://example.org/");
        assert_eq!(property(&object, "cause"), JsValue::from(cause));
    }

    #[wasm_bindgen_test]
    fn aborted_calls_and_exhausted_memory_have_codes_of_their_own() {
        let abort = js_sys::Error::new("stopped");
        abort.set_name("AbortError");
        assert_eq!(Error::from_js(Code::LoadNetwork, "x", abort.into()).code(), Code::Aborted);
        let memory = js_sys::RangeError::new("Array buffer allocation failed");
        assert_eq!(Error::from_js(Code::Fatal, "x", memory.into()).code(), Code::OutOfMemory);
        let other = js_sys::RangeError::new("Maximum call stack size exceeded");
        assert_eq!(Error::from_js(Code::Fatal, "x", other.into()).code(), Code::Fatal);
    }
}
