//! Where the bytes of a download go.

use js_sys::{Array, Uint8Array};
use wasm_bindgen::JsCast;

use crate::error::Result;

/// Takes the bytes of a file as they come.
pub trait Receiver {
    /// What has come is void: what comes next begins at the file's first byte.
    fn clear(&self);

    /// Takes the next bytes.
    ///
    /// # Errors
    /// What shows that they cannot be those of the file: nobody waits for the rest then.
    fn receive(&self, bytes: &Uint8Array) -> Result<()>;

    /// All that has come, in one piece.
    fn whole(&self) -> Uint8Array;
}

/// Keeps what comes, outside Rust's memory.
#[derive(Default)]
pub struct Pieces(Array);

impl Pieces {
    /// As many of the first bytes as that; nothing before there are so many.
    pub fn first(&self, length: u32) -> Option<Uint8Array> {
        let (first, mut end) = (Uint8Array::new_with_length(length), 0);
        for piece in self.0.iter().map(JsCast::unchecked_into::<Uint8Array>) {
            let piece = piece.subarray(0, length - end);
            first.set(&piece, end);
            end += piece.length();
            if end == length {
                return Some(first);
            }
        }
        None
    }

    /// What has come until now.
    pub fn take(&self) -> Vec<Uint8Array> {
        let pieces = self.0.iter().map(JsCast::unchecked_into).collect();
        self.0.set_length(0);
        pieces
    }
}

impl Receiver for Pieces {
    fn clear(&self) {
        self.0.set_length(0);
    }

    fn receive(&self, bytes: &Uint8Array) -> Result<()> {
        self.0.push(bytes);
        Ok(())
    }

    fn whole(&self) -> Uint8Array {
        if self.0.length() == 1 {
            return self.0.get(0).unchecked_into();
        }
        let pieces = || self.0.iter().map(JsCast::unchecked_into::<Uint8Array>);
        let bytes = Uint8Array::new_with_length(pieces().map(|piece| piece.length()).sum());
        let mut offset = 0;
        for piece in pieces() {
            bytes.set(&piece, offset);
            offset += piece.length();
        }
        self.0.set_length(0);
        self.0.push(&bytes);
        bytes
    }
}
