//! Where things are in a store.

use std::fmt;

use taipan_core::store::ContentHash;

/// A file of the store, in each backend under the path that it is written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// One of the files that the index is written to in turn.
    Index(u64),
    /// Content.
    Content(ContentHash),
}

/// The folder that content is in.
pub const CONTENT_FOLDER: &str = "content";

impl Place {
    /// The name without the folder.
    pub fn file_name(&self) -> String {
        match self {
            Self::Index(number) => format!("index-{number}"),
            Self::Content(hash) => hash.to_string(),
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Index(_) => formatter.write_str(&self.file_name()),
            Self::Content(hash) => write!(formatter, "{CONTENT_FOLDER}/{hash}"),
        }
    }
}
