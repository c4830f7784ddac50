//! The books of the persistent store: what is kept, under which names, and what goes when room is needed.
//!
//! Content is addressed by its SHA-256. The [`Index`] knows its size and last use, and the names that refer to it. It is
//! written to two files in turn, each with its own hash: a writer that dies in the middle leaves the other one.

mod index;
mod limit;

pub use self::index::{Entry, Index};
pub use self::limit::{DEFAULT_LIMIT, limit};
pub use crate::content_hash::{ContentHash, NotAHash};
