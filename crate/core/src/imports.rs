//! Which modules a piece of Python source imports, found without running or fully parsing it.
//!
//! Used to fetch packages before a run that is going to need them. Whatever the scan misses is still found when the
//! `import` statement runs, and what it finds too much costs a download, so a wrong answer is never a wrong result.
//!
//! The scanner knows Python's lexical rules (strings of every prefix, f-strings with nested quotes as in PEP 701,
//! comments, brackets, line continuations) and its block structure, and nothing else. It reads source with syntax
//! errors as far as it can, never fails, and takes time linear in the length of the source.
//!
//! Not seen: `__import__("x")`, `importlib.import_module("x")`, code in strings.

mod lexer;
mod module_file;
mod scanner;
mod string;

pub use module_file::{ModuleFile, bytecode_path};

/// One module named by an `import` or `from … import` statement.
///
/// `import a.b, c as d` gives two of them, `from x.y import (z, w as v)` gives one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Import {
    /// The dotted name as written, without white space and without the dots of a relative import. Empty for
    /// `from . import x`.
    pub module: String,
    /// The names taken from the module, before any `as`; `*` for a star import. Empty for plain `import`.
    pub names: Vec<String>,
    /// Number of leading dots; 0 is an absolute import.
    pub level: u32,
    /// One-based number of the line on which the statement starts.
    pub line: u32,
    /// Whether the program expects that this import may not succeed, or never runs it. True
    /// - in the body of a `try` with a handler for `ImportError`, `ModuleNotFoundError`, `Exception`,
    ///   `BaseException` or everything, and in such a handler itself (the fallback);
    /// - in the body of `with suppress(ImportError)`;
    /// - in the body of `if TYPE_CHECKING`.
    pub optional: bool,
}

impl Import {
    /// The first component of an absolute import's module; `None` for a relative import.
    pub fn top_level(&self) -> Option<&str> {
        if self.level > 0 { None } else { self.module.split('.').next() }
    }

    /// Every dotted name that may be a module here: the module's parents, the module, and the module followed by each
    /// imported name. `from google.protobuf import message` gives `google`, `google.protobuf` and
    /// `google.protobuf.message`. Empty for a relative import.
    ///
    /// A name with more than 32 components is cut there.
    pub fn dotted_names(&self) -> Vec<String> {
        const COMPONENTS: usize = 32;
        if self.level > 0 {
            return Vec::new();
        }
        let ends = self.module.match_indices('.').map(|(index, _)| index).chain([self.module.len()]);
        let mut found: Vec<String> = ends.take(COMPONENTS).map(|end| self.module[..end].to_owned()).collect();
        if found.len() < COMPONENTS {
            found.extend(self.names.iter().filter(|name| *name != "*").map(|name| format!("{}.{name}", self.module)));
        }
        found
    }
}

/// Every import in `source`, in the order of the text: at top level, in function and class bodies, in `try`, after
/// `;`, after the `:` of a one-line block.
pub fn find_imports(source: &str) -> Vec<Import> {
    scanner::scan(source)
}

/// The top-level names of the modules that `source` imports absolutely, each once, in the order of the text. Optional
/// imports are among them; filter [`find_imports`] where they should not be.
pub fn top_level_modules(source: &str) -> Vec<String> {
    unique(find_imports(source).iter().filter_map(Import::top_level).map(str::to_owned))
}

/// All of [`Import::dotted_names`] in `source`, each once: for looking up distributions that share a top-level
/// package, such as `google.protobuf`.
pub fn dotted_modules(source: &str) -> Vec<String> {
    unique(find_imports(source).iter().flat_map(Import::dotted_names))
}

fn unique(names: impl Iterator<Item = String>) -> Vec<String> {
    let mut seen = std::collections::HashSet::new();
    names.filter(|name| seen.insert(name.clone())).collect()
}
