//! The ways in which an image can be unusable.

use thiserror::Error;

use super::ContentHash;
use crate::source::SourceError;

/// Why an image cannot be written or restored.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ImageError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It does not begin as an image does.
    #[error("it is not an image")]
    NotImage,
    /// It is of another version of the format.
    #[error("it is an image of format {found}, this reader knows format {known}")]
    Version {
        /// Its version.
        found: u32,
        /// The version that is known.
        known: u32,
    },
    /// It is shorter or longer than it says: a transfer or a write that broke off, or something behind it.
    #[error("it says that it has {expected} bytes, and has {actual}")]
    Length {
        /// As it says.
        expected: u64,
        /// As it is.
        actual: u64,
    },
    /// A structure has impossible contents.
    #[error("its {what} is damaged at byte {offset}")]
    Damaged {
        /// Which structure.
        what: &'static str,
        /// Where, from the structure's beginning.
        offset: u64,
    },
    /// A structure contradicts another one.
    #[error("its {what} does not fit: {reason}")]
    Inconsistent {
        /// Which structure.
        what: &'static str,
        /// Why.
        reason: &'static str,
    },
    /// A number is over its limit.
    #[error("it claims {actual} {what}, more than the {limit} that are allowed")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// How much it claims.
        actual: u64,
        /// How much is allowed.
        limit: u64,
    },
    /// The head does not have the hash that it says.
    #[error("its head has the hash {actual}, it should be {expected}")]
    Head {
        /// As written.
        expected: ContentHash,
        /// As computed.
        actual: ContentHash,
    },
    /// A chunk does not have its hash.
    #[error("chunk {chunk} of its part {part} is damaged")]
    Chunk {
        /// The part's name.
        part: String,
        /// The chunk's number, from 0.
        chunk: usize,
    },
    /// A part that something refers to is not there.
    #[error("it has no part {name:?}")]
    NoPart {
        /// The part's name.
        name: String,
    },
    /// An image of changes is not for the image that it was given.
    #[error("it holds what changed since image {expected}, not since {actual}")]
    Parent {
        /// The image that it is for.
        expected: String,
        /// The one that it was given.
        actual: String,
    },
    /// The writer was used in the wrong order.
    #[error("the image cannot be written so: {0}")]
    Order(&'static str),
}
