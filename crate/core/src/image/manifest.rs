//! The manifest: all state outside linear memory that makes an interpreter.

use std::collections::{BTreeMap, HashSet};

use super::files::FileTree;
use super::wire::{Input, Wire, put_bytes, record, take_bytes};
use super::{ContentHash, Head, ImageError, PartKind};

/// What is restored beside linear memory. Numbers of archives and modules are positions in these lists.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Manifest {
    /// Archives whose files the image refers to.
    pub archives: Vec<ArchiveReference>,
    /// Layers of the file system, by number.
    pub layers: BTreeMap<u32, LayerReference>,
    /// The file system.
    pub files: FileTree,
    /// Side modules, in the order in which they were linked.
    pub modules: Vec<LinkedModule>,
    /// Slots of the table.
    pub table_length: u32,
    /// What is in the slots that no element segment fills, by slot.
    pub table: BTreeMap<u32, TableEntry>,
    /// Slots that may be given away, in the order of the list that they are in: the last is given away first.
    pub free_slots: Vec<u32>,
    /// The global offset table's entries for functions, by symbol: slots of the table, or -1 for one not resolved.
    pub functions: BTreeMap<String, i32>,
    /// Its entries for data: addresses.
    pub data: BTreeMap<String, i32>,
    /// Single numbers, by name: the stack pointer, the end of the heap, ….
    pub numbers: BTreeMap<String, i64>,
    /// What the engine keeps in JavaScript, by name, in forms of its own.
    pub states: BTreeMap<String, Vec<u8>>,
}

/// An archive that is not in the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveReference {
    /// SHA-256 of its bytes.
    pub sha256: ContentHash,
    /// Its bytes.
    pub length: u64,
    /// Its file name, to find it again where hashes are no addresses.
    pub file_name: String,
}

/// A layer of the file system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LayerReference {
    /// What it is for, in words of the engine's: `"package"`, `"bytecode"`, ….
    pub role: String,
    /// What it is called, such as the name of the package.
    pub name: String,
    /// The archive that it shows, if it shows one.
    pub archive: Option<u32>,
}

/// A side module that is linked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LinkedModule {
    /// The names that the dynamic linker knows it by; the first is its path where it has one.
    pub names: Vec<String>,
    /// Addresses of its `struct dso`; none for one that was linked as another's dependency only.
    pub handles: Vec<u32>,
    /// SHA-256 of the side module as its package has it.
    pub sha256: ContentHash,
    /// Where its bytes are.
    pub bytes: ModuleBytes,
    /// Where its data begins in memory.
    pub memory_base: u32,
    /// Bytes of its data.
    pub memory_size: u32,
    /// Its first slot of the table.
    pub table_base: u32,
    /// Its slots of the table.
    pub table_size: u32,
    /// How many times it has been opened; absent if it is never closed.
    pub references: Option<u32>,
    /// Whether its symbols are everybody's (`RTLD_GLOBAL`).
    pub is_global: bool,
    /// Whether it is there because others need it, and nobody opened it.
    pub is_dependency: bool,
    /// Whether it runs at the start, so that linking it later saves nothing.
    pub is_hot: bool,
    /// The modules in whose scope it looks symbols up, in that order: those that it needs.
    pub needed: Vec<u32>,
}

/// Where the bytes of a side module are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleBytes {
    /// In an archive (0).
    Archive {
        /// Its number.
        archive: u32,
        /// The entry's path in it.
        entry: String,
    },
    /// In a part of kind [`PartKind::Module`] (1), possibly changed for the image: without its data, for example.
    Part {
        /// The part's name.
        name: String,
    },
    /// In a file of its own (2), changed for the image in the same way: nothing of it is needed before it is called.
    File {
        /// Where it is, from where the image is: names with slashes between, of letters, digits, `_`, `-` and dots that are not
        /// at their beginning.
        path: String,
        /// Its bytes.
        length: u64,
        /// SHA-256 of its bytes.
        sha256: ContentHash,
    },
}

impl Default for ModuleBytes {
    fn default() -> Self {
        Self::Part { name: String::new() }
    }
}

/// What is in a slot of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TableEntry {
    /// Nothing (0).
    Null,
    /// An export of the main module (1).
    Main {
        /// Its name.
        name: String,
    },
    /// An export of a side module (2).
    Module {
        /// The module's number.
        module: u32,
        /// The export's name.
        name: String,
    },
    /// A JavaScript function of the glue's (3), made into a WebAssembly function.
    Glue {
        /// Its name among the main module's imports.
        name: String,
        /// Its signature, as Emscripten writes it (`"vii"`).
        signature: String,
    },
    /// Something that the engine makes, in its words (4): a trampoline, the counter of arguments.
    Engine {
        /// What it is.
        what: String,
    },
}

impl Manifest {
    /// The manifest as the contents of its part.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        self.put(&mut bytes);
        bytes
    }

    /// Reads the contents of the manifest's part, and checks it against the head.
    ///
    /// # Errors
    /// [`ImageError::Damaged`], [`ImageError::Inconsistent`], [`ImageError::NoPart`].
    pub fn parse(bytes: &[u8], head: &Head) -> Result<Self, ImageError> {
        let manifest: Self = Input::new(bytes, "manifest").only()?;
        manifest.check(head)?;
        Ok(manifest)
    }

    pub(super) fn check(&self, head: &Head) -> Result<(), ImageError> {
        let wrong = |what, reason| Err(ImageError::Inconsistent { what, reason });
        let has_archive = |archive: u32| (archive as usize) < self.archives.len();
        let has_module = |module: u32| (module as usize) < self.modules.len();
        if !self.layers.values().filter_map(|layer| layer.archive).all(has_archive) {
            return wrong("layers", "one shows an archive that is not listed");
        }
        let module_parts: HashSet<&str> =
            head.parts.iter().filter(|part| part.kind == PartKind::Module).map(|part| part.name.as_str()).collect();
        for module in &self.modules {
            match &module.bytes {
                ModuleBytes::Archive { archive, .. } if !has_archive(*archive) => {
                    return wrong("side modules", "one is in an archive that is not listed");
                }
                ModuleBytes::Part { name } if !module_parts.contains(name.as_str()) => {
                    return Err(ImageError::NoPart { name: name.clone() });
                }
                ModuleBytes::File { path, .. } if !is_path(path) => {
                    return wrong("side modules", "the path of one leads elsewhere");
                }
                _ => {}
            }
            let end = |base, size| u64::from(base) + u64::from(size);
            if end(module.memory_base, module.memory_size) > head.memory.length {
                return wrong("side modules", "the data of one is outside the memory");
            }
            if end(module.table_base, module.table_size) > u64::from(self.table_length) {
                return wrong("side modules", "slots of one are outside the table");
            }
            if !module.needed.iter().copied().all(has_module) {
                return wrong("side modules", "one needs a module that is not listed");
            }
        }
        let last_slot = self.table.last_key_value().map(|(slot, _)| slot);
        if !last_slot.into_iter().chain(&self.free_slots).all(|slot| *slot < self.table_length) {
            return wrong("table", "a slot is outside");
        }
        let of_modules = self.table.values().filter_map(|entry| match entry {
            TableEntry::Module { module, .. } => Some(*module),
            _ => None,
        });
        if !of_modules.into_iter().all(has_module) {
            return wrong("table", "an entry is of a module that is not listed");
        }
        self.files.check(self, head)
    }
}

/// Whether a path stays in the folder that it begins in, whoever makes an address of it.
fn is_path(path: &str) -> bool {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    path.split('/').all(|name| !name.is_empty() && !name.starts_with('.') && name.bytes().all(is_plain))
}

record!(Manifest {
    archives,
    layers,
    files,
    modules,
    table_length,
    table,
    free_slots,
    functions,
    data,
    numbers,
    states,
});
record!(ArchiveReference { sha256, length, file_name });
record!(LayerReference { role, name, archive });
record!(LinkedModule {
    names,
    handles,
    sha256,
    bytes,
    memory_base,
    memory_size,
    table_base,
    table_size,
    references,
    is_global,
    is_dependency,
    is_hot,
    needed,
});

impl Wire for Vec<u8> {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self, out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        take_bytes(input).map(<[u8]>::to_vec)
    }
}

impl Wire for ModuleBytes {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Archive { archive, entry } => {
                out.push(0);
                archive.put(out);
                entry.put(out);
            }
            Self::Part { name } => {
                out.push(1);
                name.put(out);
            }
            Self::File { path, length, sha256 } => {
                out.push(2);
                path.put(out);
                length.put(out);
                sha256.put(out);
            }
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        match input.array()? {
            [0] => Ok(Self::Archive { archive: Wire::take(input)?, entry: Wire::take(input)? }),
            [1] => Ok(Self::Part { name: Wire::take(input)? }),
            [2] => Ok(Self::File { path: Wire::take(input)?, length: Wire::take(input)?, sha256: Wire::take(input)? }),
            _ => Err(input.damaged()),
        }
    }
}

impl Wire for TableEntry {
    fn put(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.push(0),
            Self::Main { name } => {
                out.push(1);
                name.put(out);
            }
            Self::Module { module, name } => {
                out.push(2);
                module.put(out);
                name.put(out);
            }
            Self::Glue { name, signature } => {
                out.push(3);
                name.put(out);
                signature.put(out);
            }
            Self::Engine { what } => {
                out.push(4);
                what.put(out);
            }
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        match input.array()? {
            [0] => Ok(Self::Null),
            [1] => Ok(Self::Main { name: Wire::take(input)? }),
            [2] => Ok(Self::Module { module: Wire::take(input)?, name: Wire::take(input)? }),
            [3] => Ok(Self::Glue { name: Wire::take(input)?, signature: Wire::take(input)? }),
            [4] => Ok(Self::Engine { what: Wire::take(input)? }),
            _ => Err(input.damaged()),
        }
    }
}
