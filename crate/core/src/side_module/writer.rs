//! Writes WebAssembly's binary format.

use super::functions::{FUNCTION_FORM, FunctionType};

/// An unsigned LEB128 number.
pub(super) fn number(out: &mut Vec<u8>, mut value: u32) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The instruction that pushes a number of 32 bits, which is written as a signed one.
pub(super) fn i32_const(out: &mut Vec<u8>, value: u32) {
    out.push(0x41);
    let mut value = value.cast_signed();
    while !(-64..64).contains(&value) {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8 & 0x7f);
}

/// Bytes, their number before them.
pub(super) fn sized(out: &mut Vec<u8>, bytes: &[u8]) {
    number(out, bytes.len() as u32);
    out.extend_from_slice(bytes);
}

/// Items, their number before them.
pub(super) fn counted(count: u32, items: &[u8]) -> Vec<u8> {
    let mut body = Vec::with_capacity(items.len() + 5);
    number(&mut body, count);
    body.extend_from_slice(items);
    body
}

pub(super) fn section(out: &mut Vec<u8>, id: u8, body: &[u8]) {
    out.push(id);
    sized(out, body);
}

/// The index of a function's type among the types of a module, which has each once.
pub(super) fn type_index(types: &mut Vec<Vec<u8>>, function: FunctionType) -> u32 {
    let mut form = vec![FUNCTION_FORM];
    sized(&mut form, function.params);
    sized(&mut form, function.results);
    let index = types.iter().position(|known| *known == form).unwrap_or_else(|| {
        types.push(form);
        types.len() - 1
    });
    index as u32
}
