//! Functions of the host's made into functions of WebAssembly.

use super::functions::FunctionType;
use super::reader::MAGIC;
use super::section::{EXPORT, IMPORT, TYPE};
use super::writer::{counted, number, section, sized, type_index};

/// A module that exports what it imports: functions of the host's, which a table takes only as WebAssembly's own.
///
/// It imports each function as [`Wrapper::HOST`] and its name, and exports it under that name.
#[derive(Debug, Clone, Default)]
pub struct Wrapper {
    types: Vec<Vec<u8>>,
    imports: Vec<u8>,
    exports: Vec<u8>,
    count: u32,
}

impl Wrapper {
    /// The import module of the functions.
    pub const HOST: &str = "host";

    /// One that wraps nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Wraps a function. No module may export a name twice.
    pub fn add(&mut self, name: &str, function: FunctionType) {
        let index = type_index(&mut self.types, function);
        sized(&mut self.imports, Self::HOST.as_bytes());
        sized(&mut self.imports, name.as_bytes());
        self.imports.push(0);
        number(&mut self.imports, index);
        sized(&mut self.exports, name.as_bytes());
        self.exports.push(0);
        number(&mut self.exports, self.count);
        self.count += 1;
    }

    /// The module.
    pub fn finish(self) -> Vec<u8> {
        let mut module = MAGIC.to_vec();
        section(&mut module, TYPE, &counted(self.types.len() as u32, &self.types.concat()));
        section(&mut module, IMPORT, &counted(self.count, &self.imports));
        section(&mut module, EXPORT, &counted(self.count, &self.exports));
        module
    }
}

#[cfg(test)]
mod tests {
    use super::super::functions::FUNCTION_FORM;
    use super::super::{Functions, ImportKind};
    use super::*;

    #[test]
    fn a_type_is_there_once_and_names_stay() {
        let one = FunctionType { params: &[0x7f, 0x7e], results: &[0x7c] };
        let other = FunctionType { params: &[], results: &[] };
        let mut wrapper = Wrapper::new();
        wrapper.add("first", one);
        wrapper.add("second", other);
        wrapper.add("third", one);
        let bytes = wrapper.finish();
        let functions = Functions::parse(&bytes).unwrap_or_default();
        let imports: Vec<_> =
            functions.imports().iter().map(|import| (import.module, import.name, import.kind)).collect();
        let expected = [("first", one), ("second", other), ("third", one)];
        assert_eq!(imports, expected.map(|(name, function)| ("host", name, ImportKind::Function(function))));
        for (name, function) in expected {
            assert_eq!(functions.export_type(name), Some(function));
        }
        assert_eq!(bytes.split(|byte| *byte == FUNCTION_FORM).count() - 1, 2);
    }
}
