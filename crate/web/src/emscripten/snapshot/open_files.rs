//! Files that Python has open: descriptors are in memory, and what they stand for is in Emscripten's `FS`.

use js_sys::Array;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{get, number};
use crate::emscripten::abi::set;
use crate::emscripten::bindings::Fs;
use crate::error::{Code, Error, Result};

/// The descriptors of the standard streams, which every start makes.
const STANDARD: u32 = 3;

/// `O_CREAT`, `O_EXCL` and `O_TRUNC` of Emscripten's: what opening did once, and must not do again.
const ONCE: u32 = 0o100 | 0o200 | 0o1000;

/// A file that is open.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OpenFile {
    descriptor: u32,
    path: String,
    flags: u32,
    position: f64,
}

/// The files that are open.
///
/// # Errors
/// [`Code::NotSupported`] for one that has no path: it is deleted, or a pipe.
pub fn capture(fs: &Fs) -> Result<Vec<OpenFile>> {
    let streams: Array = get(fs, "streams").unchecked_into();
    let open = (0..).zip(streams.iter()).filter(|(descriptor, stream)| *descriptor >= STANDARD && stream.is_object());
    open.map(|(descriptor, stream)| {
        let node = get(&stream, "node");
        let path = fs.get_path(&node).ok().filter(|path| {
            let found = fs.stat(path).ok().map(|stat| stat.stat_inode());
            found.is_some() && found == number(&get(&node, "inode"))
        });
        let path = path.ok_or_else(|| without_path(descriptor, &stream))?;
        let flags = number(&get(&stream, "flags")).unwrap_or_default() & !ONCE;
        Ok(OpenFile { descriptor, path, flags, position: get(&stream, "position").as_f64().unwrap_or_default() })
    })
    .collect()
}

/// Opens them again, with their numbers.
///
/// # Errors
/// [`Code::BadArchive`] if one cannot be opened.
pub fn restore(fs: &Fs, files: &[OpenFile]) -> Result<()> {
    let streams: Array = get(fs, "streams").unchecked_into();
    for file in files {
        let failed =
            |thrown| Error::from_js(Code::BadArchive, &format!("{} cannot be opened again", file.path), thrown);
        // A file of what the page had mounted is not there: nothing else must get its number.
        let stream = fs.open(&file.path, file.flags).or_else(|_| fs.open("/dev/null", file.flags)).map_err(failed)?;
        let given = number(&get(&stream, "fd")).unwrap_or_default();
        if given != file.descriptor {
            streams.set(given, JsValue::NULL);
            streams.set(file.descriptor, stream.clone().into());
            set(&stream, "fd", &file.descriptor.into());
        }
        set(&stream, "position", &file.position.into());
    }
    Ok(())
}

fn without_path(descriptor: u32, stream: &JsValue) -> Error {
    let path = get(stream, "path").as_string().unwrap_or_else(|| "a pipe".to_owned());
    Error::new(
        Code::NotSupported,
        format!("Descriptor {descriptor} ({path}) is open and has no file in the file system, so it cannot be put into an image."),
    )
    .hint("Close it and try again.")
}
