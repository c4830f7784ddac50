//! A side module that leaves memory alone.
//!
//! What linking a module writes to memory is already there where memory comes from a snapshot, along with all that ran
//! since. Linking again must not undo that.

use super::functions::Functions;
use super::reader::{END, MAGIC, Reader};
use super::section::{CODE, CUSTOM, DATA, START, Sections};
use super::{SECTION_NAME, SideModuleError, writer};

const DROP: u8 = 0x1a;

/// The same module, which writes nothing to memory when it is instantiated:
///
/// - Active data segments are empty; passive ones, the indices of all and their number are kept.
/// - The start function still sets globals, which is how `wasm-ld` relocates them, but fills and stores nothing.
/// - No custom section is left but `dylink.0`.
///
/// Everything else, and with it every function but that one, is as it was.
///
/// # Errors
/// [`SideModuleError::Unsupported`] where the start function does anything else than this, so that it cannot be told
/// whether it writes; and those of [`Functions::parse`].
pub fn strip(bytes: &[u8]) -> Result<Vec<u8>, SideModuleError> {
    let imported = Functions::parse(bytes)?.imported;
    let mut stripped = MAGIC.to_vec();
    let mut start = None;
    let mut sections = Sections::of(bytes)?;
    while let Some(section) = sections.take()? {
        let mut body = section.body;
        match (section.id, start) {
            (CUSTOM, _) if body.text()? != SECTION_NAME => continue,
            (START, _) => {
                let function = body.number()?;
                let Some(defined) = (function as usize).checked_sub(imported) else {
                    return Err(body.unsupported("an imported start function", function));
                };
                start = Some(defined);
            }
            (CODE, Some(start)) => {
                writer::section(&mut stripped, CODE, &without_writes(body, start)?);
                continue;
            }
            (DATA, _) => {
                writer::section(&mut stripped, DATA, &without_data(body)?);
                continue;
            }
            _ => {}
        }
        stripped.extend_from_slice(section.whole);
    }
    Ok(stripped)
}

/// The body of a data section, active segments of which are empty.
fn without_data(mut reader: Reader) -> Result<Vec<u8>, SideModuleError> {
    let before = reader.clone();
    let count = reader.number()?;
    let mut body = reader.since(&before).to_vec();
    for _ in 0..count {
        let before = reader.clone();
        match reader.number()? {
            0 => {}
            1 => {
                reader.sub_reader()?;
                body.extend_from_slice(reader.since(&before));
                continue;
            }
            // With the index of a memory.
            2 => reader.skip_number()?,
            flags => return Err(reader.unsupported("a data segment", flags)),
        }
        reader.offset_from(None)?;
        body.extend_from_slice(reader.since(&before));
        body.push(0);
        reader.sub_reader()?;
    }
    if reader.is_at_end() { Ok(body) } else { Err(reader.damaged()) }
}

/// The body of a code section, in which one function does not write.
fn without_writes(mut reader: Reader, function: usize) -> Result<Vec<u8>, SideModuleError> {
    let before = reader.clone();
    let count = reader.number()?;
    if function >= count as usize {
        return Err(reader.damaged());
    }
    for _ in 0..function {
        reader.sub_reader()?;
    }
    let mut body = reader.since(&before).to_vec();
    writer::sized(&mut body, &function_without_writes(reader.sub_reader()?)?);
    body.extend_from_slice(reader.rest());
    Ok(body)
}

/// The code of a function, in which dropping operands stands for every instruction that would write them to memory.
fn function_without_writes(mut reader: Reader) -> Result<Vec<u8>, SideModuleError> {
    let before = reader.clone();
    for _ in 0..reader.number()? {
        reader.number()?;
        reader.value_type()?;
    }
    let mut code = reader.since(&before).to_vec();
    loop {
        let before = reader.clone();
        let instruction = reader.byte()?;
        let operands = match instruction {
            // `end`, `nop`, `drop`, and adding, subtracting and multiplying numbers of 32 and of 64 bits.
            END | 0x01 | DROP | 0x6a..=0x6c | 0x7c..=0x7e => 0,
            // `local.get`, `.set`, `.tee`, `global.get`, `.set`, `i32.const`, `i64.const`.
            0x20..=0x24 | 0x41 | 0x42 => {
                reader.skip_number()?;
                0
            }
            // Stores of numbers.
            0x36..=0x3e => store(&mut reader)?,
            0xfc => match reader.number()? {
                // `memory.init`, `data.drop`, `memory.copy`, `memory.fill`.
                8 | 10 => {
                    reader.number()?;
                    reader.number()?;
                    3
                }
                9 => {
                    reader.number()?;
                    0
                }
                11 => {
                    reader.number()?;
                    3
                }
                code => return Err(reader.unsupported("in its start function the instruction 0xfc", code)),
            },
            0xfd => match reader.number()? {
                // `v128.store`, `v128.const`.
                11 => store(&mut reader)?,
                12 => {
                    reader.take(16)?;
                    0
                }
                code => return Err(reader.unsupported("in its start function the instruction 0xfd", code)),
            },
            code => return Err(reader.unsupported("in its start function the instruction", code.into())),
        };
        if operands == 0 {
            code.extend_from_slice(reader.since(&before));
        }
        code.resize(code.len() + operands, DROP);
        // Nothing that was let through opens a block.
        if instruction == END {
            return if reader.is_at_end() { Ok(code) } else { Err(reader.damaged()) };
        }
    }
}

/// Passes over where a store goes. Its operands are two.
fn store(reader: &mut Reader) -> Result<usize, SideModuleError> {
    let alignment = reader.number()?;
    if alignment >= 64 {
        return Err(reader.unsupported("a store to another memory", alignment));
    }
    reader.skip_number()?;
    Ok(2)
}
