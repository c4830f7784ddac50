//! The sections of a module, in their order.

use super::SideModuleError;
use super::reader::Reader;

pub(super) const CUSTOM: u8 = 0;
pub(super) const TYPE: u8 = 1;
pub(super) const IMPORT: u8 = 2;
pub(super) const FUNCTION: u8 = 3;
pub(super) const GLOBAL: u8 = 6;
pub(super) const EXPORT: u8 = 7;
pub(super) const START: u8 = 8;
pub(super) const ELEMENT: u8 = 9;
pub(super) const CODE: u8 = 10;
pub(super) const DATA: u8 = 11;

/// All but custom sections, which may be anywhere, in the order they have to be in. 13 has the tags, 12 the number of
/// data segments.
const ORDER: [u8; 13] = [1, 2, 3, 4, 5, 13, 6, 7, 8, 9, 12, 10, 11];

pub(super) struct Section<'a> {
    pub(super) id: u8,
    /// With its id and length.
    pub(super) whole: &'a [u8],
    pub(super) body: Reader<'a>,
}

pub(super) struct Sections<'a> {
    reader: Reader<'a>,
    /// How many of `ORDER` cannot come any more.
    past: usize,
}

impl<'a> Sections<'a> {
    pub(super) fn of(bytes: &'a [u8]) -> Result<Self, SideModuleError> {
        Ok(Self { reader: Reader::of_module(bytes)?, past: 0 })
    }

    /// The section after the one that was taken last.
    pub(super) fn take(&mut self) -> Result<Option<Section<'a>>, SideModuleError> {
        if self.reader.is_at_end() {
            return Ok(None);
        }
        let before = self.reader.clone();
        let id = self.reader.byte()?;
        if id != CUSTOM {
            let Some(place) = ORDER.iter().position(|known| *known == id) else {
                return Err(self.reader.unsupported("a section", id.into()));
            };
            if place < self.past {
                return Err(self.reader.damaged());
            }
            self.past = place + 1;
        }
        let body = self.reader.sub_reader()?;
        Ok(Some(Section { id, whole: self.reader.since(&before), body }))
    }
}
