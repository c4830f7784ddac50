//! Side modules: Emscripten's dynamic libraries.
//!
//! A side module says in its first section, a custom one called `dylink.0`, how much memory and table it wants and which
//! libraries it needs. Source: `DynamicLinking.md` of WebAssembly's tool conventions.
//!
//! Where memory comes from a snapshot, one can be linked when it is first called: [`strip`] makes a module that leaves
//! memory alone, [`Functions`] says which slots of the table it fills, and a [`Shim`] fills them until then.

mod functions;
mod globals;
mod reader;
mod section;
mod shim;
mod strip;
mod wrapper;
mod writer;

use thiserror::Error;

pub use functions::{FunctionType, Functions, Import, ImportKind};
pub use globals::Globals;
use reader::Reader;
pub use shim::{Forwarder, Shim, Unlinked};
pub use strip::strip;
pub use wrapper::Wrapper;

const SECTION_NAME: &str = "dylink.0";
const MEMORY_INFO: u8 = 1;
const NEEDED: u8 = 2;
const RUNTIME_PATH: u8 = 5;

/// The most libraries that one may need.
const MAX_NAMES: u32 = 10_000;

/// What a side module says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SideModule {
    /// Bytes of memory for its data.
    pub memory_size: u32,
    /// Power of two that its memory is aligned to.
    pub memory_alignment: u32,
    /// Slots of the table for its functions.
    pub table_size: u32,
    /// Power of two that its slots are aligned to.
    pub table_alignment: u32,
    /// Libraries that it needs, by file name.
    pub needed: Vec<String>,
    /// Where these are looked for; `$ORIGIN` is the folder it is in.
    pub runtime_paths: Vec<String>,
}

/// Why something is not a side module, or not one that can be worked with.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum SideModuleError {
    /// It is a shared library of another system.
    #[error("it is a {system} library, not WebAssembly")]
    OtherSystem {
        /// Which.
        system: &'static str,
    },
    /// It is not WebAssembly.
    #[error("it is not WebAssembly")]
    NotWasm,
    /// Its first section is not `dylink.0`.
    #[error("it is WebAssembly, but not a side module: it does not begin with a dylink.0 section")]
    NoDylink,
    /// A section ends too early or has impossible numbers.
    #[error("it is damaged at byte {offset}")]
    Damaged {
        /// Where.
        offset: usize,
    },
    /// It has what is not known here. An engine may know it.
    #[error("it has {what} {code:#x}, which is not supported, before byte {offset}")]
    Unsupported {
        /// Of what kind.
        what: &'static str,
        /// Its number in the binary format.
        code: u32,
        /// Where it ends.
        offset: usize,
    },
}

impl SideModule {
    /// Reads the `dylink.0` section of a module.
    ///
    /// # Errors
    /// [`SideModuleError`].
    pub fn parse(bytes: &[u8]) -> Result<Self, SideModuleError> {
        let mut reader = Reader::of_module(bytes)?;
        if reader.byte()? != 0 {
            return Err(SideModuleError::NoDylink);
        }
        let mut section = reader.sub_reader()?;
        if section.text()? != SECTION_NAME {
            return Err(SideModuleError::NoDylink);
        }
        let mut module = Self::default();
        while !section.is_at_end() {
            let kind = section.byte()?;
            let mut part = section.sub_reader()?;
            match kind {
                MEMORY_INFO => {
                    module.memory_size = part.number()?;
                    module.memory_alignment = part.number()?;
                    module.table_size = part.number()?;
                    module.table_alignment = part.number()?;
                }
                NEEDED => module.needed = texts(&mut part)?,
                RUNTIME_PATH => module.runtime_paths = texts(&mut part)?,
                // Exports and imports matter to the linker alone; kinds to come are to be passed over.
                _ => {}
            }
        }
        Ok(module)
    }
}

fn texts(reader: &mut Reader) -> Result<Vec<String>, SideModuleError> {
    let count = reader.number()?;
    if count > MAX_NAMES {
        return Err(reader.damaged());
    }
    (0..count).map(|_| reader.text().map(str::to_owned)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::reader::MAGIC;
    use super::*;

    fn module(parts: &[(u8, &[u8])]) -> Vec<u8> {
        let mut section = vec![SECTION_NAME.len() as u8];
        section.extend(SECTION_NAME.bytes());
        for (kind, body) in parts {
            section.extend([*kind, body.len() as u8]);
            section.extend(*body);
        }
        let mut module = MAGIC.to_vec();
        module.extend([0, section.len() as u8]);
        module.extend(section);
        module
    }

    #[test]
    fn what_it_says_of_itself_is_read() {
        let bytes = module(&[
            (MEMORY_INFO, &[0x80, 0x02, 4, 3, 0]),
            (9, &[1, 2, 3]),
            (NEEDED, b"\x02\x04a.so\x04b.so"),
            (RUNTIME_PATH, b"\x01\x07$ORIGIN"),
        ]);
        let expected = SideModule {
            memory_size: 256,
            memory_alignment: 4,
            table_size: 3,
            table_alignment: 0,
            needed: vec!["a.so".into(), "b.so".into()],
            runtime_paths: vec!["$ORIGIN".into()],
        };
        assert_eq!(SideModule::parse(&bytes), Ok(expected));
    }

    #[test]
    fn other_things_are_told_apart() {
        assert_eq!(SideModule::parse(b"\x7fELF\x02\x01"), Err(SideModuleError::OtherSystem { system: "Linux" }));
        assert_eq!(SideModule::parse(b"MZ\x90"), Err(SideModuleError::OtherSystem { system: "Windows" }));
        assert_eq!(SideModule::parse(b"hello"), Err(SideModuleError::NotWasm));
        assert_eq!(SideModule::parse(b""), Err(SideModuleError::NotWasm));
        assert_eq!(SideModule::parse(b"\0asm\x01\0\0\0\x01\x00"), Err(SideModuleError::NoDylink));
        let mut cut = module(&[(NEEDED, b"\x02\x04a.so\x04b.so")]);
        cut.truncate(cut.len() - 3);
        assert!(matches!(SideModule::parse(&cut), Err(SideModuleError::Damaged { .. })));
    }

    proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(tail in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = SideModule::parse(&tail);
            let _ = SideModule::parse(&[MAGIC, &tail].concat());
            let _ = SideModule::parse(&module(&[(NEEDED, &tail[..tail.len().min(60)])]));
        }
    }
}
