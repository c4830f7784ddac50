//! The ways in which an archive can lie or be unusable.

use thiserror::Error;

use crate::source::SourceError;
use crate::vfs::ContentError;

/// Why an archive is refused.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArchiveError {
    /// The file name is not that of a format that can be read.
    #[error("{file_name} is of a format that is not supported; wheels (.whl) and ZIP files (.zip) are")]
    Format {
        /// The file name.
        file_name: String,
    },
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// There is no end-of-central-directory record: not a ZIP file, or a transfer that broke off.
    #[error("it is not a ZIP file, or its end is missing ({length} bytes)")]
    NoEnd {
        /// Bytes there are.
        length: u64,
    },
    /// Parts of the archive are said to be elsewhere.
    #[error("it is one part of several")]
    MultiPart,
    /// A structure does not begin with its signature.
    #[error("the {what} at offset {offset} is damaged")]
    Damaged {
        /// Which structure.
        what: &'static str,
        /// Where.
        offset: u64,
    },
    /// A structure points outside the archive.
    #[error("the {what} is at {offset} with {length} bytes, but there are {available}")]
    Outside {
        /// Which structure.
        what: &'static str,
        /// First byte.
        offset: u64,
        /// Bytes.
        length: u64,
        /// Bytes there are.
        available: u64,
    },
    /// There is something before or after the archive, or between its parts, that it does not account for.
    #[error("{length} bytes {place} belong to nothing")]
    Garbage {
        /// Where.
        place: &'static str,
        /// How many.
        length: u64,
    },
    /// A number is over its limit.
    #[error("it claims {actual} {what}, more than the {limit} that are allowed")]
    TooMuch {
        /// Of what.
        what: &'static str,
        /// What is claimed.
        actual: u64,
        /// What is allowed.
        limit: u64,
    },
    /// An entry's inflated size cannot come from its compressed size.
    #[error("{path} claims to inflate from {compressed_size} to {size} bytes")]
    Ratio {
        /// Which entry.
        path: String,
        /// Compressed bytes.
        compressed_size: u64,
        /// Inflated bytes.
        size: u64,
    },
    /// A name is not UTF-8.
    #[error("the name of an entry is not UTF-8: {name:?}")]
    NameEncoding {
        /// The name as far as it can be read.
        name: String,
    },
    /// A name leads outside or means different things on different systems.
    #[error("the name {name:?} is not allowed: {reason}")]
    Name {
        /// The name.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Two entries have one name, or one is a file and another's directory.
    #[error("{path} is there twice, or is both a file and a directory")]
    Duplicate {
        /// The path.
        path: String,
    },
    /// A symbolic link leads outside.
    #[error("the symbolic link {path} leads outside, to {target:?}")]
    SymlinkEscapes {
        /// The link.
        path: String,
        /// Where it leads.
        target: String,
    },
    /// An entry is encrypted.
    #[error("{path} is encrypted")]
    Encrypted {
        /// Which entry.
        path: String,
    },
    /// An entry is compressed in a way that is not supported.
    #[error("{path} is compressed with method {method}; stored (0) and deflated (8) are supported")]
    Method {
        /// Which entry.
        path: String,
        /// The number of the method.
        method: u16,
    },
    /// An entry's local header says something else than the central directory.
    #[error("{path} is described in two ways: the {field} differs")]
    Disagreement {
        /// Which entry.
        path: String,
        /// What differs.
        field: &'static str,
    },
    /// Two entries share bytes.
    #[error("{first} and {second} overlap")]
    Overlap {
        /// One of them.
        first: String,
        /// The other.
        second: String,
    },
    /// An entry cannot be read.
    #[error("{path} cannot be read: {error}")]
    Content {
        /// Which entry.
        path: String,
        /// Why.
        error: ContentError,
    },
    /// An entry's bytes are not those that were put in.
    #[error("{path} is damaged: its checksum is {actual:08x}, it should be {expected:08x}")]
    Checksum {
        /// Which entry.
        path: String,
        /// As declared.
        expected: u32,
        /// As computed.
        actual: u32,
    },
    /// An entry that has to be text is not UTF-8.
    #[error("{path} is not text in UTF-8")]
    NotText {
        /// Which entry.
        path: String,
    },
}
