//! Images of a started CPython: baked from an interpreter at rest, restored in place of a boot.
//!
//! The format and everything that can be known without a browser are `taipan_core::image`; what Emscripten's glue keeps
//! is [`crate::emscripten::snapshot`]. Here the two meet the files, the packages and linear memory.

mod arrival;
mod automatic;
mod bake;
mod beside;
mod bytes;
mod called;
mod copy;
mod download;
mod memory;
mod open;
mod random;
mod side_modules;
#[cfg(test)]
mod tests;

use taipan_core::image::ContentHash;

pub use self::automatic::AutomaticImage;
pub use self::bake::{bake, keep};
pub use self::beside::Beside;
pub use self::bytes::ImageBytes;
pub use self::called::CalledModules;
pub use self::copy::ImageCopy;
pub use self::download::ImageDownload;
pub use self::open::OpenImage;
use crate::boundary::KeptImage;
use crate::error::{Code, Error, Result};
use crate::python_files;
use crate::store::{SAVED, Store};

/// Names of states in the manifest, besides the glue's.
mod states {
    /// The packages that are on the path: JSON of `PackageInfo[]`.
    pub const PACKAGES: &str = "packages";
    /// SHA-256 of the lock file: JSON.
    pub const LOCK_FILE: &str = "lockFile";
    /// The paths of the side modules, in the order of the manifest: JSON.
    pub const MODULE_PATHS: &str = "modulePaths";
}

/// What an image is called in the store.
pub fn stored_name(name: &str) -> String {
    format!("{SAVED}{name}")
}

/// The images that are kept under a name.
pub async fn list(store: &Store) -> Vec<KeptImage> {
    let prefix = stored_name("");
    let kept = store.list(&prefix).await.into_iter().map(|(name, entry)| KeptImage {
        name: name[prefix.len()..].to_owned(),
        bytes: entry.size as f64,
        last_used: entry.last_used as f64,
    });
    kept.collect()
}

/// The role of a layer that shows an archive with modules.
const ARCHIVE_ROLE: &str = "archive";

/// What an image has to fit besides its distribution: this release of Taipan.
fn engine() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}

/// The hash of Taipan's own Python files.
fn python_files_hash() -> Result<ContentHash> {
    content_hash(python_files::OWN_HASH)
}

/// A hash as the core has it.
pub fn content_hash(hexadecimal: &str) -> Result<ContentHash> {
    hexadecimal.parse().map_err(|_| Error::new(Code::Fatal, format!("{hexadecimal} is not a SHA-256.")))
}

fn not_usable(error: &dyn std::error::Error) -> Error {
    Error::new(Code::BadArchive, format!("The image cannot be used: {error}."))
        .hint("Bake it again; until then the interpreter starts without it.")
}
