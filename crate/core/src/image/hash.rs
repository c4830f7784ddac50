//! SHA-256, by which archives, chunks and images are known.

use std::fmt;
use std::str::FromStr;

use sha2::{Digest, Sha256};

use super::ImageError;
use super::wire::{Input, Wire};

/// The SHA-256 of some bytes (FIPS 180-4). Shown and parsed as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct ContentHash(pub [u8; 32]);

impl ContentHash {
    /// The hash of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::of_pieces(&[bytes])
    }

    /// The hash of pieces of bytes, one after the other.
    pub(super) fn of_pieces(pieces: &[&[u8]]) -> Self {
        let mut hasher = Sha256::new();
        for piece in pieces {
            hasher.update(piece);
        }
        Self(hasher.finalize().into())
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for ContentHash {
    type Err = ImageError;

    fn from_str(text: &str) -> Result<Self, ImageError> {
        let damaged = || ImageError::Damaged { what: "hash", offset: 0 };
        let mut hash = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(damaged());
        }
        for (index, byte) in hash.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).map_err(|_| damaged())?;
        }
        Ok(Self(hash))
    }
}

impl Wire for ContentHash {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.0);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Ok(Self(input.array()?))
    }
}
