//! The interpreter that a lock file is for.

use super::LockInfo;
use crate::requirement::MarkerEnvironment;
use crate::wheel::InterpreterTags;

impl LockInfo {
    /// The tags of wheels that the interpreter takes: PEP 783's, Pyodide's own, and the compiler's; `None` for an ABI that is
    /// not known.
    ///
    /// Up to Pyodide 0.29 its own come first.
    pub fn tags(&self) -> Option<InterpreterTags> {
        let (python, families, compiler) = match self.abi_version.as_str() {
            "2025_0" => ((3, 13), ["pyodide", "pyemscripten"], "emscripten_4_0_9_wasm32"),
            "2026_0" => ((3, 14), ["pyemscripten", "pyodide"], "emscripten_5_0_3_wasm32"),
            _ => return None,
        };
        let own = families.iter().map(|family| format!("{family}_{}_wasm32", self.abi_version));
        Some(InterpreterTags { python, platforms: own.chain([compiler.to_owned()]).collect() })
    }

    /// What markers are evaluated against; `None` for an ABI that is not known.
    pub fn environment(&self) -> Option<MarkerEnvironment> {
        let (major, minor) = self.tags()?.python;
        let emscripten = self.platform.trim_start_matches("emscripten_").replace('_', ".");
        let python = if self.python.is_empty() { format!("{major}.{minor}.0") } else { self.python.clone() };
        Some(MarkerEnvironment::emscripten(&python, &emscripten))
    }
}
