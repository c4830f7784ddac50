//! Numbers as ZIP files have them.

/// Placeholder for a number that the ZIP64 extra field, or the ZIP64 end record, has.
pub(super) const IN_ZIP64: u32 = u32::MAX;
/// As [`IN_ZIP64`], of fields of two bytes.
pub(super) const SHORT_IN_ZIP64: u16 = u16::MAX;

/// Little-endian numbers from a slice. Every offset is checked by the caller against the fixed size of the structure.
pub(super) struct Fields<'a>(pub(super) &'a [u8]);

impl Fields<'_> {
    pub(super) fn u16(&self, at: usize) -> u16 {
        u16::from_le_bytes([self.0[at], self.0[at + 1]])
    }

    pub(super) fn u32(&self, at: usize) -> u32 {
        u32::from_le_bytes([self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]])
    }

    pub(super) fn u64(&self, at: usize) -> u64 {
        u64::from(self.u32(at)) | u64::from(self.u32(at + 4)) << 32
    }
}
