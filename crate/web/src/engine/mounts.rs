//! `python.fs.mount` and `unmount`.

use wasm_bindgen::prelude::*;

use super::{Engine, Thrown};
use crate::boundary::MountSource;
use crate::emscripten::file_system::forget_stale_nodes;
use crate::error::{Code, Error, Result};
use crate::global::wall_clock;
use crate::host_files;

#[wasm_bindgen]
impl Engine {
    /// Makes a file, bytes or a directory of the user's appear at an absolute path. They are read where they are when
    /// Python reads them; what Python writes stays in memory and never changes the original.
    ///
    /// # Errors
    /// `BAD_ARGUMENT` for a path or a source that is none, `FILE_SYSTEM` if something is there already or cannot be read.
    pub async fn mount(&self, path: String, source: MountSource) -> Thrown<()> {
        let path = absolute(&path)?;
        let layer = host_files::layer(source, &path, &self.interpreter.held).await?;
        let mut files = self.interpreter.files.borrow_mut();
        let root = files.root();
        let id = files.mount_layer(root, &layer, wall_clock()).map_err(|error| {
            Error::new(Code::FileSystem, format!("{path} cannot be mounted: {error}."))
                .hint("Mount it where nothing is yet.")
                .field("path", path.as_str())
                .field("errno", "EEXIST")
        })?;
        self.interpreter.mounts.borrow_mut().insert(path, id);
        Ok(())
    }

    /// Takes away what was mounted at a path, except for files that Python has written to.
    ///
    /// # Errors
    /// `FILE_SYSTEM` if nothing was.
    pub fn unmount(&self, path: &str) -> Thrown<()> {
        let path = absolute(path)?;
        let id = self.interpreter.mounts.borrow_mut().remove(&path).ok_or_else(|| {
            Error::new(Code::FileSystem, format!("Nothing is mounted at {path}."))
                .field("path", path.as_str())
                .field("errno", "EINVAL")
        })?;
        self.interpreter.files.borrow_mut().unmount_layer(id, wall_clock());
        forget_stale_nodes(&self.interpreter.module.fs(), &self.interpreter.files);
        Ok(())
    }
}

/// A path from the root, without doubled or trailing slashes.
fn absolute(path: &str) -> Result<String> {
    let names: Vec<&str> = path.split('/').filter(|name| !name.is_empty()).collect();
    if !path.starts_with('/') || names.is_empty() || names.iter().any(|name| matches!(*name, "." | "..")) {
        return Err(Error::new(Code::BadArgument, format!("{path:?} is not a place to mount at."))
            .hint("Give an absolute path without `.` and `..`, such as \"/home/pyodide/data.csv\"."));
    }
    Ok(names.iter().fold(String::new(), |path, name| path + "/" + name))
}
