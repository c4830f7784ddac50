//! How hashes are written in images.

use super::ImageError;
use super::wire::{Input, Wire};
use crate::content_hash::ContentHash;

impl Wire for ContentHash {
    fn put(&self, out: &mut Vec<u8>) {
        out.extend(self.0);
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        Ok(Self(input.array()?))
    }
}
