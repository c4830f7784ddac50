//! Wheels (the binary distribution format, PEP 427 and its successor in the packaging specifications).

mod filename;
mod install;
mod metadata;
mod record;

pub use filename::{InterpreterTags, NoMatchingTag, WheelFilename, WheelFilenameError};
pub use install::{InstallError, Place, WheelLayout, is_side_module};
pub use metadata::{Metadata, MetadataError};
pub use record::{Record, RecordError, RecordReport, RecordedFile};
