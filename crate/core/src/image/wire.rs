//! How values are written: each has exactly one form, so equal values are equal bytes.

use std::collections::BTreeMap;

use super::ImageError;

/// A value of the head or the manifest.
pub(super) trait Wire: Sized {
    fn put(&self, out: &mut Vec<u8>);
    fn take(input: &mut Input<'_>) -> Result<Self, ImageError>;
}

/// Bytes that are being read.
pub(super) struct Input<'a> {
    bytes: &'a [u8],
    position: usize,
    /// What they are, for errors.
    what: &'static str,
}

impl<'a> Input<'a> {
    pub(super) const fn new(bytes: &'a [u8], what: &'static str) -> Self {
        Self { bytes, position: 0, what }
    }

    pub(super) const fn damaged(&self) -> ImageError {
        ImageError::Damaged { what: self.what, offset: self.position as u64 }
    }

    pub(super) fn slice(&mut self, length: usize) -> Result<&'a [u8], ImageError> {
        let taken =
            self.bytes.get(self.position..).and_then(|rest| rest.get(..length)).ok_or_else(|| self.damaged())?;
        self.position += length;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ImageError> {
        let mut array = [0; N];
        array.copy_from_slice(self.slice(N)?);
        Ok(array)
    }

    /// What is left.
    pub(super) fn rest(&self) -> &'a [u8] {
        &self.bytes[self.position..]
    }

    /// Takes one value that is all there is.
    pub(super) fn only<T: Wire>(mut self) -> Result<T, ImageError> {
        let value = T::take(&mut self)?;
        if self.rest().is_empty() { Ok(value) } else { Err(self.damaged()) }
    }

    /// A length in bytes, of which so many have to follow.
    fn length(&mut self) -> Result<usize, ImageError> {
        let length = u64::take(self)?;
        usize::try_from(length).ok().filter(|length| *length <= self.rest().len()).ok_or_else(|| self.damaged())
    }
}

/// The fields of a structure, one after the other.
macro_rules! record {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::image::wire::Wire for $name {
            fn put(&self, out: &mut Vec<u8>) {
                $(self.$field.put(out);)*
            }

            fn take(
                input: &mut $crate::image::wire::Input<'_>,
            ) -> Result<Self, $crate::image::ImageError> {
                Ok(Self { $($field: $crate::image::wire::Wire::take(input)?),* })
            }
        }
    };
}
pub(super) use record;

/// LEB128 in its shortest form.
impl Wire for u64 {
    fn put(&self, out: &mut Vec<u8>) {
        let mut rest = *self;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        let mut value = 0_u64;
        for shift in (0..64).step_by(7) {
            let [byte] = input.array()?;
            let bits = Self::from(byte & 0x7f);
            if bits << shift >> shift != bits || (byte == 0 && shift > 0) {
                return Err(input.damaged());
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(input.damaged())
    }
}

impl Wire for u32 {
    fn put(&self, out: &mut Vec<u8>) {
        u64::from(*self).put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Self::try_from(u64::take(input)?).map_err(|_| input.damaged())
    }
}

/// Zigzag: 0, -1, 1, -2, … as 0, 1, 2, 3, ….
impl Wire for i64 {
    fn put(&self, out: &mut Vec<u8>) {
        ((*self << 1) ^ (*self >> 63)).cast_unsigned().put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        let value = u64::take(input)?;
        Ok((value >> 1).cast_signed() ^ -(value & 1).cast_signed())
    }
}

impl Wire for i32 {
    fn put(&self, out: &mut Vec<u8>) {
        i64::from(*self).put(out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Self::try_from(i64::take(input)?).map_err(|_| input.damaged())
    }
}

/// IEEE 754, little-endian.
impl Wire for f64 {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.to_le_bytes());
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Ok(Self::from_le_bytes(input.array()?))
    }
}

impl Wire for bool {
    fn put(&self, out: &mut Vec<u8>) {
        out.push(u8::from(*self));
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        match input.array()? {
            [0] => Ok(false),
            [1] => Ok(true),
            _ => Err(input.damaged()),
        }
    }
}

/// Length in bytes, then UTF-8.
impl Wire for String {
    fn put(&self, out: &mut Vec<u8>) {
        put_bytes(self.as_bytes(), out);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        let bytes = take_bytes(input)?;
        std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| input.damaged())
    }
}

pub(super) fn put_bytes(bytes: &[u8], out: &mut Vec<u8>) {
    (bytes.len() as u64).put(out);
    out.extend(bytes);
}

pub(super) fn take_bytes<'a>(input: &mut Input<'a>) -> Result<&'a [u8], ImageError> {
    let length = input.length()?;
    input.slice(length)
}

/// 0, or 1 and the value.
impl<T: Wire> Wire for Option<T> {
    fn put(&self, out: &mut Vec<u8>) {
        self.is_some().put(out);
        if let Some(value) = self {
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Ok(if bool::take(input)? { Some(T::take(input)?) } else { None })
    }
}

/// Count, then the values. None of them is empty, so a count is never more than the bytes that follow; nothing is
/// allocated for those that are not there.
impl<T: Wire> Wire for Vec<T> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for value in self {
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        let count = input.length()?;
        let mut values = Self::new();
        for _ in 0..count {
            values.push(T::take(input)?);
        }
        Ok(values)
    }
}

/// Count, then keys and values, keys ascending.
impl<K: Wire + Ord, V: Wire> Wire for BTreeMap<K, V> {
    fn put(&self, out: &mut Vec<u8>) {
        (self.len() as u64).put(out);
        for (key, value) in self {
            key.put(out);
            value.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        let count = input.length()?;
        let mut values = Self::new();
        for _ in 0..count {
            let key = K::take(input)?;
            if values.last_key_value().is_some_and(|(last, _)| *last >= key) {
                return Err(input.damaged());
            }
            values.insert(key, V::take(input)?);
        }
        Ok(values)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Everything = (u64, i64, i32, bool, Vec<String>, Option<u32>, BTreeMap<String, i64>);

    fn bytes_of(values: &Everything) -> Vec<u8> {
        let mut out = Vec::new();
        values.0.put(&mut out);
        values.1.put(&mut out);
        values.2.put(&mut out);
        values.3.put(&mut out);
        values.4.put(&mut out);
        values.5.put(&mut out);
        values.6.put(&mut out);
        out
    }

    fn read(bytes: &[u8]) -> Result<Everything, ImageError> {
        let mut input = Input::new(bytes, "test");
        let values = (
            Wire::take(&mut input)?,
            Wire::take(&mut input)?,
            Wire::take(&mut input)?,
            Wire::take(&mut input)?,
            Wire::take(&mut input)?,
            Wire::take(&mut input)?,
            Wire::take(&mut input)?,
        );
        if input.rest().is_empty() { Ok(values) } else { Err(input.damaged()) }
    }

    proptest! {
        #[test]
        fn values_come_back(values in any::<Everything>()) {
            prop_assert_eq!(read(&bytes_of(&values)).unwrap(), values);
        }

        #[test]
        fn a_value_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            if let Ok(values) = read(&bytes) {
                prop_assert_eq!(bytes_of(&values), bytes);
            }
        }
    }

    #[test]
    fn keys_ascend() {
        let read = |bytes: &[u8]| Input::new(bytes, "test").only::<BTreeMap<u32, u32>>();
        assert_eq!(read(&[2, 1, 9, 2, 9]), Ok(BTreeMap::from([(1, 9), (2, 9)])));
        assert!(read(&[2, 1, 9, 1, 9]).is_err());
        assert!(read(&[2, 2, 9, 1, 9]).is_err());
    }

    #[test]
    fn longer_forms_of_a_number_are_refused() {
        let read = |bytes: &[u8]| Input::new(bytes, "test").only::<u64>();
        assert_eq!(read(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]), Ok(u64::MAX));
        for bytes in [&[0x80, 0][..], &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], &[0x80; 11], &[0x80]]
        {
            assert!(read(bytes).is_err(), "{bytes:?}");
        }
    }
}
