//! The functions of a side module: their types, where they come from, and which slots of the table they fill.

use super::SideModuleError;
use super::reader::Reader;
use super::section::{ELEMENT, EXPORT, FUNCTION, IMPORT, Sections, TYPE};

pub(super) const FUNCTION_FORM: u8 = 0x60;
const REF_FUNC: u8 = 0xd2;
const REF_NULL: u8 = 0xd0;

/// What a function takes and returns: value types as the binary format has them, a byte each (`i32` is `0x7f`, `i64`
/// `0x7e`, `f32` `0x7d`, `f64` `0x7c`, `v128` `0x7b`, `funcref` `0x70`, `externref` `0x6f`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionType<'a> {
    /// The parameters.
    pub params: &'a [u8],
    /// The results.
    pub results: &'a [u8],
}

/// What a module wants from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import<'a> {
    /// The first name, `env` or `GOT.func`.
    pub module: &'a str,
    /// The second name, that of the symbol.
    pub name: &'a str,
    /// What it is.
    pub kind: ImportKind<'a>,
}

/// What an [`Import`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportKind<'a> {
    /// A function.
    Function(FunctionType<'a>),
    /// A table.
    Table,
    /// A linear memory.
    Memory,
    /// A global.
    Global {
        /// Its value type.
        value: u8,
        /// Whether it can be set.
        mutable: bool,
    },
    /// A tag of exceptions, with what they carry.
    Tag(FunctionType<'a>),
}

/// The functions of a side module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Functions<'a> {
    types: Vec<FunctionType<'a>>,
    imports: Vec<Import<'a>>,
    /// The type of each function, imported ones first.
    signatures: Vec<FunctionType<'a>>,
    pub(super) imported: usize,
    exports: Vec<(&'a str, u32)>,
    /// Slot from the table base, and function.
    elements: Vec<(u32, u32)>,
    table_base: Option<u32>,
}

impl<'a> Functions<'a> {
    /// Reads the sections of a module that have to do with functions, not their code.
    ///
    /// # Errors
    /// [`SideModuleError`]: what it is not, what is damaged, or what this does not know.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, SideModuleError> {
        let mut functions = Self::default();
        let mut sections = Sections::of(bytes)?;
        while let Some(section) = sections.take()? {
            let read = match section.id {
                TYPE => Self::read_type,
                IMPORT => Self::read_import,
                FUNCTION => Self::read_function,
                EXPORT => Self::read_export,
                ELEMENT => Self::read_segment,
                _ => continue,
            };
            let mut body = section.body;
            for _ in 0..body.number()? {
                read(&mut functions, &mut body)?;
            }
            if !body.is_at_end() {
                return Err(body.damaged());
            }
        }
        Ok(functions)
    }

    /// The slots of the table that active element segments fill: how far from the table base each is, and the type of
    /// the function there. Slots that are filled twice come twice.
    pub fn element_slots(&self) -> impl Iterator<Item = (u32, FunctionType<'a>)> {
        self.elements.iter().map(|(slot, function)| (*slot, self.signatures[*function as usize]))
    }

    /// The type of the function that is exported by a name.
    pub fn export_type(&self, name: &str) -> Option<FunctionType<'a>> {
        self.exports.iter().find(|(known, _)| *known == name).map(|(_, function)| self.signatures[*function as usize])
    }

    /// What it imports, in its order.
    pub fn imports(&self) -> &[Import<'a>] {
        &self.imports
    }

    fn read_type(&mut self, reader: &mut Reader<'a>) -> Result<(), SideModuleError> {
        match reader.byte()? {
            FUNCTION_FORM => {
                self.types.push(FunctionType { params: reader.value_types()?, results: reader.value_types()? });
                Ok(())
            }
            form => Err(reader.unsupported("a type", form.into())),
        }
    }

    fn read_import(&mut self, reader: &mut Reader<'a>) -> Result<(), SideModuleError> {
        let (module, name) = (reader.text()?, reader.text()?);
        let kind = match reader.byte()? {
            0 => {
                let function = self.type_at(reader)?;
                self.signatures.push(function);
                self.imported += 1;
                ImportKind::Function(function)
            }
            1 => {
                reader.value_type()?;
                skip_limits(reader)?;
                ImportKind::Table
            }
            2 => {
                skip_limits(reader)?;
                ImportKind::Memory
            }
            3 => {
                if (module, name) == ("env", "__table_base") {
                    let earlier = |import: &&Import| matches!(import.kind, ImportKind::Global { .. });
                    self.table_base = Some(self.imports.iter().filter(earlier).count() as u32);
                }
                ImportKind::Global { value: reader.value_type()?, mutable: reader.byte()? & 1 != 0 }
            }
            4 => {
                reader.byte()?;
                ImportKind::Tag(self.type_at(reader)?)
            }
            kind => return Err(reader.unsupported("an import", kind.into())),
        };
        self.imports.push(Import { module, name, kind });
        Ok(())
    }

    fn type_at(&self, reader: &mut Reader<'a>) -> Result<FunctionType<'a>, SideModuleError> {
        Ok(self.types[reader.index(self.types.len())? as usize])
    }

    fn read_function(&mut self, reader: &mut Reader<'a>) -> Result<(), SideModuleError> {
        let function = self.type_at(reader)?;
        self.signatures.push(function);
        Ok(())
    }

    fn read_export(&mut self, reader: &mut Reader<'a>) -> Result<(), SideModuleError> {
        let name = reader.text()?;
        if reader.byte()? == 0 {
            self.exports.push((name, reader.index(self.signatures.len())?));
        } else {
            reader.number()?;
        }
        Ok(())
    }

    fn read_segment(&mut self, reader: &mut Reader<'a>) -> Result<(), SideModuleError> {
        // Bit 0: passive or declarative; bit 1: with the index of a table, or declarative; bit 2: of expressions.
        let flags = reader.number()?;
        if flags > 7 {
            return Err(reader.unsupported("an element segment", flags));
        }
        let is_active = flags & 1 == 0;
        let table = if flags & 3 == 2 { reader.number()? } else { 0 };
        let mut slot = None;
        if is_active {
            slot = reader.offset_from(self.table_base)?;
            if table != 0 {
                slot = None;
            } else if slot.is_none() {
                return Err(reader.unsupported("an offset of an element segment", flags));
            }
        }
        if flags & 3 != 0 {
            match reader.byte()? {
                0 | 0x68..=0x75 => {}
                kind => return Err(reader.unsupported("a kind of elements", kind.into())),
            }
        }
        for nth in 0..reader.number()? {
            let function =
                if flags & 4 == 0 { Some(reader.index(self.signatures.len())?) } else { self.read_reference(reader)? };
            if let (Some(slot), Some(function)) = (slot, function) {
                self.elements.push((slot.checked_add(nth).ok_or_else(|| reader.damaged())?, function));
            }
        }
        Ok(())
    }

    fn read_reference(&self, reader: &mut Reader<'a>) -> Result<Option<u32>, SideModuleError> {
        let function = match reader.byte()? {
            REF_FUNC => Some(reader.index(self.signatures.len())?),
            REF_NULL => {
                reader.skip_number()?;
                None
            }
            code => return Err(reader.unsupported("a reference", code.into())),
        };
        if reader.byte()? == super::reader::END { Ok(function) } else { Err(reader.damaged()) }
    }
}

fn skip_limits(reader: &mut Reader) -> Result<(), SideModuleError> {
    // Bit 0: with a maximum; bit 1: shared; bit 2: of 64 bits.
    let flags = reader.number()?;
    if flags > 7 {
        return Err(reader.unsupported("limits", flags));
    }
    for _ in 0..=flags & 1 {
        reader.skip_number()?;
    }
    Ok(())
}
