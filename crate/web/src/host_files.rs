//! Files of the page's user, read where they are.
//!
//! A `File` is read slice by slice when Python reads it, so that a large file never has to fit into memory. That needs
//! `FileReaderSync`, which exists in workers only; elsewhere the whole file is read when it is mounted.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::{ArrayBuffer, Uint8Array};
use taipan_core::source::{ByteSource, SharedSource, SourceError};
use taipan_core::vfs::{Content, Layer, LayerEntry};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, FileReaderSync};

use crate::archive_bytes::ArchiveBytes;
use crate::boundary::MountSource;
use crate::directory_handle::{Handle, next_child};
use crate::error::{Code, Error, Result, describe};
use crate::global::wall_clock;

/// The most files that a mounted directory may hold.
const MAX_FILES: usize = 100_000;

/// The deepest that a mounted directory may go.
const MAX_DEPTH: usize = 64;

/// Mode of a mounted file.
const FILE_MODE: u32 = 0o644;

/// Mode of a mounted directory.
const DIRECTORY_MODE: u32 = 0o755;

/// What a source holds, as a layer of the whole file system: a directory's files below `path`, a single file as `path`.
///
/// # Errors
/// [`Code::BadArgument`] if it is nothing that can be mounted, [`Code::FileSystem`] if it cannot be read or is too large.
pub async fn layer(source: MountSource, path: &str, held: &Rc<Cell<u64>>) -> Result<Layer> {
    let handle: Handle = JsValue::from(source).unchecked_into();
    let mut layer = Layer::default();
    if handle.is_directory() {
        layer.entries.push(LayerEntry::directory(path, DIRECTORY_MODE, wall_clock()));
        add_directory(&mut layer, path, handle, held).await?;
        return Ok(layer);
    }
    layer.entries.push(file_entry(path, &handle, held).await?);
    Ok(layer)
}

async fn add_directory(layer: &mut Layer, at: &str, root: Handle, held: &Rc<Cell<u64>>) -> Result<()> {
    let failed = |thrown| Error::from_js(Code::FileSystem, "The directory cannot be read", thrown);
    let mut open = vec![(at.to_owned(), root, 0)];
    while let Some((path, directory, depth)) = open.pop() {
        let children = directory.values().map_err(failed)?;
        while let Some(child) = next_child(&children).await.map_err(failed)? {
            let child_path = format!("{path}/{}", child.name().unwrap_or_default());
            if layer.entries.len() >= MAX_FILES || depth >= MAX_DEPTH {
                return Err(Error::new(Code::FileSystem, format!("The directory is too large: {child_path} is more than {MAX_FILES} files or {MAX_DEPTH} levels in."))
                    .hint("Mount a directory further down."));
            }
            if child.is_directory() {
                layer.entries.push(LayerEntry::directory(child_path.clone(), DIRECTORY_MODE, wall_clock()));
                open.push((child_path, child, depth + 1));
            } else {
                let file = JsFuture::from(child.get_file().map_err(failed)?).await.map_err(failed)?;
                layer.entries.push(file_entry(&child_path, file.unchecked_ref(), held).await?);
            }
        }
    }
    Ok(())
}

async fn file_entry(path: &str, file: &Handle, held: &Rc<Cell<u64>>) -> Result<LayerEntry> {
    let source = shared_source(file, held).await?;
    let content = Content::Stored { offset: 0, length: source.len(), source };
    Ok(LayerEntry::file(path, FILE_MODE, file.last_modified().unwrap_or_else(wall_clock), content))
}

async fn shared_source(file: &JsValue, held: &Rc<Cell<u64>>) -> Result<SharedSource> {
    if let Some(bytes) = file.dyn_ref::<Uint8Array>() {
        return Ok(Rc::new(ArchiveBytes::new(bytes.clone(), held)));
    }
    let Some(blob) = file.dyn_ref::<Blob>() else {
        return Err(Error::new(Code::BadArgument, "Only a File, a Blob, bytes or a directory handle can be mounted."));
    };
    if let Ok(reader) = FileReaderSync::new() {
        return Ok(Rc::new(BlobSource { blob: blob.clone(), reader }));
    }
    let buffer = JsFuture::from(blob.array_buffer())
        .await
        .map_err(|thrown| Error::from_js(Code::FileSystem, "The file cannot be read", thrown))?;
    Ok(Rc::new(ArchiveBytes::new(Uint8Array::new(&buffer.unchecked_into::<ArrayBuffer>()), held)))
}

/// A `Blob`, read in slices.
struct BlobSource {
    blob: Blob,
    reader: FileReaderSync,
}

impl ByteSource for BlobSource {
    fn len(&self) -> u64 {
        self.blob.size() as u64
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::result::Result<(), SourceError> {
        let failed = |thrown: JsValue| SourceError::Host(describe(&thrown));
        let (start, end) = (offset as f64, offset as f64 + buffer.len() as f64);
        let slice = self.blob.slice_with_f64_and_f64(start, end).map_err(failed)?;
        let read = self.reader.read_as_array_buffer(&slice).map_err(failed)?;
        let bytes = Uint8Array::new(&read);
        if bytes.length() as usize != buffer.len() {
            let length = buffer.len() as u64;
            return Err(SourceError::OutOfRange { offset, length, available: self.len() });
        }
        bytes.copy_to(buffer);
        Ok(())
    }
}
