//! Wheels (the binary distribution format, PEP 427 and its successor in the packaging specifications).

mod direct_url;
mod filename;
mod install;
mod metadata;
mod modules;
mod record;
mod remote;

pub use direct_url::direct_url;
pub use filename::{InterpreterTags, NoMatchingTag, WheelFilename, WheelFilenameError};
pub use install::{InstallError, Place, WheelLayout, is_library, is_side_module};
pub use metadata::{Metadata, MetadataError};
pub use modules::{ModuleFile, module_names, top_level_modules};
pub use record::{Record, RecordError, RecordReport, RecordedFile};
pub use remote::{check_identity, read_metadata};
