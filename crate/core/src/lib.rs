//! The parts of Taipan that need no browser.
//!
//! Everything here compiles and is tested natively. Core does no I/O, has no clock and starts no threads:
//! bytes, the time and options are passed in by the host (`crate/web`), and results are plain values.

pub mod archive;
pub mod attempt;
pub mod checkpoint;
mod content_hash;
pub mod image;
pub mod imports;
pub mod index;
pub mod install;
pub mod lock;
pub mod name;
pub mod prepared;
pub mod requirement;
pub mod resolve;
pub mod side_module;
pub mod source;
pub mod store;
pub mod tag;
pub mod transfer;
pub mod version;
pub mod vfs;
pub mod wheel;
