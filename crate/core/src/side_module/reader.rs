//! Reads WebAssembly's binary format: bytes, LEB128 numbers, names, and what they are put together to.
//! Source: the WebAssembly specification, "Binary Format".
//!
//! What is read everywhere is not inlined, for the sake of the size of this.

use super::SideModuleError;

pub(super) const MAGIC: &[u8] = b"\0asm\x01\0\0\0";

const GLOBAL_GET: u8 = 0x23;
const I32_CONST: u8 = 0x41;
const I32_ADD: u8 = 0x6a;
pub(super) const END: u8 = 0x0b;

/// The part of a module that is yet to be read.
#[derive(Clone)]
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    /// Where `bytes` begins in the module, for errors.
    offset: usize,
}

impl<'a> Reader<'a> {
    /// Begins behind the header of a module.
    pub(super) fn of_module(bytes: &'a [u8]) -> Result<Self, SideModuleError> {
        match bytes.strip_prefix(MAGIC) {
            Some(bytes) => Ok(Self { bytes, offset: MAGIC.len() }),
            None => Err(not_wasm(bytes)),
        }
    }

    pub(super) const fn is_at_end(&self) -> bool {
        self.bytes.is_empty()
    }

    pub(super) const fn damaged(&self) -> SideModuleError {
        SideModuleError::Damaged { offset: self.offset }
    }

    /// `code` was read last.
    pub(super) const fn unsupported(&self, what: &'static str, code: u32) -> SideModuleError {
        SideModuleError::Unsupported { what, code, offset: self.offset }
    }

    /// The bytes that were read since it stood where `before` stands.
    pub(super) fn since(&self, before: &Self) -> &'a [u8] {
        &before.bytes[..before.bytes.len() - self.bytes.len()]
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    pub(super) fn take(&mut self, length: usize) -> Result<&'a [u8], SideModuleError> {
        let (taken, rest) = self.bytes.split_at_checked(length).ok_or_else(|| self.damaged())?;
        self.bytes = rest;
        self.offset += length;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, SideModuleError> {
        Ok(self.take(1)?[0])
    }

    /// An unsigned LEB128 number of at most 32 bits.
    #[inline(never)]
    pub(super) fn number(&mut self) -> Result<u32, SideModuleError> {
        let mut value = 0_u64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(value).map_err(|_| self.damaged());
            }
        }
        Err(self.damaged())
    }

    /// A signed LEB128 number of at most 32 bits.
    fn signed_number(&mut self) -> Result<i32, SideModuleError> {
        let mut value = 0_i64;
        for shift in (0..35).step_by(7) {
            let byte = self.byte()?;
            value |= i64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                let unused = 57 - shift;
                return i32::try_from(value << unused >> unused).map_err(|_| self.damaged());
            }
        }
        Err(self.damaged())
    }

    /// Passes over a LEB128 number of at most 64 bits.
    #[inline(never)]
    pub(super) fn skip_number(&mut self) -> Result<(), SideModuleError> {
        for _ in 0..10 {
            if self.byte()? & 0x80 == 0 {
                return Ok(());
            }
        }
        Err(self.damaged())
    }

    /// A number below `end`.
    #[inline(never)]
    pub(super) fn index(&mut self, end: usize) -> Result<u32, SideModuleError> {
        let index = self.number()?;
        if (index as usize) < end { Ok(index) } else { Err(self.damaged()) }
    }

    #[inline(never)]
    pub(super) fn sub_reader(&mut self) -> Result<Self, SideModuleError> {
        let length = self.number()? as usize;
        let offset = self.offset;
        Ok(Self { bytes: self.take(length)?, offset })
    }

    #[inline(never)]
    pub(super) fn text(&mut self) -> Result<&'a str, SideModuleError> {
        let length = self.number()? as usize;
        std::str::from_utf8(self.take(length)?).map_err(|_| self.damaged())
    }

    /// A value type of one byte: a number, a vector, or a reference of an abstract type.
    pub(super) fn value_type(&mut self) -> Result<u8, SideModuleError> {
        match self.byte()? {
            code @ (0x7b..=0x7f | 0x68..=0x75) => Ok(code),
            code => Err(self.unsupported("a value type", code.into())),
        }
    }

    /// A number of value types.
    #[inline(never)]
    pub(super) fn value_types(&mut self) -> Result<&'a [u8], SideModuleError> {
        let count = self.number()?;
        let before = self.clone();
        for _ in 0..count {
            self.value_type()?;
        }
        Ok(self.since(&before))
    }

    /// A constant expression: how far its value is from that of a global, if it is that global's and a constant.
    pub(super) fn offset_from(&mut self, base: Option<u32>) -> Result<Option<u32>, SideModuleError> {
        let (mut bases, mut others, mut constant, mut height) = (0_u32, 0_u32, 0_u32, 0_u32);
        loop {
            match self.byte()? {
                GLOBAL_GET => {
                    let counter = if Some(self.number()?) == base { &mut bases } else { &mut others };
                    *counter = counter.saturating_add(1);
                    height = height.saturating_add(1);
                }
                I32_CONST => {
                    constant = constant.wrapping_add(self.signed_number()?.cast_unsigned());
                    height = height.saturating_add(1);
                }
                I32_ADD if height >= 2 => height -= 1,
                END if height == 1 => return Ok(((bases, others) == (1, 0)).then_some(constant)),
                code => return Err(self.unsupported("in an offset the instruction", code.into())),
            }
        }
    }
}

fn not_wasm(bytes: &[u8]) -> SideModuleError {
    match bytes {
        [0x7f, b'E', b'L', b'F', ..] => SideModuleError::OtherSystem { system: "Linux" },
        [0xcf | 0xce, 0xfa, 0xed, 0xfe, ..] | [0xca, 0xfe, 0xba, 0xbe, ..] => {
            SideModuleError::OtherSystem { system: "macOS" }
        }
        [b'M', b'Z', ..] => SideModuleError::OtherSystem { system: "Windows" },
        _ => SideModuleError::NotWasm,
    }
}
