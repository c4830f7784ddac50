//! The parts of Taipan that need no browser.
//!
//! Everything here compiles and is tested natively. Core does no I/O, has no clock and starts no threads:
//! bytes, the time and options are passed in by the host (`crate/web`), and results are plain values.

pub mod archive;
pub mod imports;
pub mod index;
pub mod lock;
pub mod name;
pub mod requirement;
pub mod resolve;
pub mod side_module;
pub mod source;
pub mod tag;
pub mod version;
pub mod vfs;
pub mod wheel;
