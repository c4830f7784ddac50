//! What the file system holds when CPython starts: the standard library and Taipan's own Python files.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::archive::{Archive, Limits};
use taipan_core::prepared::LISTING;
use taipan_core::source::SharedSource;
use taipan_core::vfs::{Content, Layer, LayerEntry, LayerId};

use crate::archive_bytes::ArchiveBytes;
use crate::detached::Beside;
use crate::distribution::STANDARD_LIBRARY_FILE;
use crate::emscripten::abi::Abi;
use crate::emscripten::file_system::SharedFileSystem;
use crate::error::{Code, Error, Result};
use crate::global::wall_clock;

/// The Python files that are compiled into this module, by their paths, as `build.rs` prepares them.
const OWN_FILES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/own_files.rs"));

/// When our own files were last changed, as far as Python sees: always the same, since bytecode is bound to the time of its
/// source. 1980, the oldest time that an archive can hold.
const OWN_TIME: f64 = 315_532_800_000.0;

/// What the bytecode of our own files is kept under, in the place of an archive's SHA-256: it changes when one of them does.
pub const OWN_HASH: &str = env!("PYTHON_FILES_HASH");

/// What was mounted.
pub struct Mounted {
    /// The layer of the standard library.
    pub library: LayerId,
    /// The layer of our own files.
    pub own: LayerId,
    /// The standard library's archive.
    pub source: SharedSource,
}

/// Mounts the standard library, from its archive, where CPython looks for it. Nothing is inflated: a file is, when it
/// is first read. Gives the layers of the library and of our own files.
///
/// # Errors
/// [`Code::BadArchive`] if the archive cannot be read.
pub fn mount(
    files: &SharedFileSystem,
    abi: Abi,
    standard_library: Uint8Array,
    held: &Rc<Cell<u64>>,
    beside: &Beside,
) -> Result<Mounted> {
    let failed = |why: String| {
        Error::new(Code::BadArchive, format!("The standard library cannot be mounted: {why}"))
            .hint("Take all files of the distribution from one release, unmodified.")
    };
    let source: SharedSource = Rc::new(ArchiveBytes::new(standard_library, held));
    let archive = Archive::open(Rc::clone(&source), &Limits::default()).map_err(|error| failed(error.to_string()))?;
    let detached = beside.entries(&archive, STANDARD_LIBRARY_FILE, "")?;
    let now = wall_clock();
    let mut files = files.borrow_mut();
    let mut make = |path: &str| files.create_directories(path, 0o755, now).map_err(|errno| failed(errno.to_string()));
    let library = make(&abi.standard_library_directory())?;
    make(&abi.site_packages())?;
    make("/usr/lib")?;
    if abi.wants_lib_dynload() {
        make(&format!("{}/lib-dynload", abi.library_directory()))?;
    }
    let mut layer = archive.layer(|entry| (entry.path != LISTING).then(|| entry.path.clone()));
    layer.entries.extend(detached);
    let mounted = files.mount_layer(library, &layer, now).map_err(|error| failed(error.to_string()))?;
    let own = files.mount_layer(library, &own_layer(), now).map_err(|error| failed(error.to_string()))?;
    Ok(Mounted { library: mounted, own, source })
}

fn own_layer() -> Layer {
    let file = |(path, source): &(&str, &str)| {
        LayerEntry::file(*path, 0o644, OWN_TIME, Content::Bytes(source.as_bytes().into()))
    };
    Layer::new(OWN_FILES.iter().map(file).collect())
}

#[cfg(test)]
mod tests {
    use taipan_core::store::ContentHash;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::{OWN_FILES, OWN_HASH};

    #[wasm_bindgen_test]
    fn the_hash_is_that_of_the_files() {
        let text: String = OWN_FILES.iter().flat_map(|(path, source)| [path, "\0", source, "\0"]).collect();
        assert_eq!(ContentHash::of(text.as_bytes()).to_string(), OWN_HASH);
    }
}
