//! Numbers that modules share.

use super::reader::{END, MAGIC};
use super::section::{EXPORT, GLOBAL};
use super::writer::{counted, i32_const, number, section, sized};

const I32: u8 = 0x7f;
const MUTABLE: u8 = 1;
/// An export that is a global.
const KIND: u8 = 3;

/// A module that exports mutable globals of 32 bits. A host makes thousands of them faster by instantiating it than one by
/// one.
#[derive(Debug, Clone, Default)]
pub struct Globals {
    values: Vec<u8>,
    exports: Vec<u8>,
    count: u32,
}

impl Globals {
    /// One without globals.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a global. No module may export a name twice.
    pub fn add(&mut self, name: &str, value: i32) {
        self.values.extend_from_slice(&[I32, MUTABLE]);
        i32_const(&mut self.values, value.cast_unsigned());
        self.values.push(END);
        sized(&mut self.exports, name.as_bytes());
        self.exports.push(KIND);
        number(&mut self.exports, self.count);
        self.count += 1;
    }

    /// The module.
    pub fn finish(self) -> Vec<u8> {
        let mut module = MAGIC.to_vec();
        section(&mut module, GLOBAL, &counted(self.count, &self.values));
        section(&mut module, EXPORT, &counted(self.count, &self.exports));
        module
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_and_names_are_where_the_format_has_them() {
        let mut globals = Globals::new();
        globals.add("a", 1);
        globals.add("bc", -65);
        let expected = [
            MAGIC,
            &[6, 12, 2, 0x7f, 1, 0x41, 1, 0x0b, 0x7f, 1, 0x41, 0xbf, 0x7f, 0x0b],
            &[7, 10, 2, 1, b'a', 3, 0, 2, b'b', b'c', 3, 1],
        ];
        assert_eq!(globals.finish(), expected.concat());
    }
}
