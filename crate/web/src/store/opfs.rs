//! A store in the origin private file system (File System Standard).
//!
//! In a worker files are read and written through access handles, several times as fast as any other way. Such a handle is
//! exclusive unless it is opened `read-only`, which not every browser knows; a file that another tab has open is read as
//! a `File`.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Array, AsyncIterator, Object, Promise, Reflect, Uint8Array};
use taipan_core::source::{ByteSource, SourceError};
use taipan_core::store::ContentHash;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, FileReaderSync};

use super::navigator;
use super::place::{CONTENT_FOLDER, Place};
use crate::emscripten::abi::set;
use crate::global;

/// The folder of the store.
const FOLDER: &str = "taipan-store";

/// How much is written before others have their turn on this thread.
const CHUNK: u32 = 4 * 1024 * 1024;

/// How often a file is asked for while another tab has it, which may be closing: to write it, and to keep it open. The
/// milliseconds between.
const ATTEMPTS: u32 = 6;
const ATTEMPTS_TO_OPEN: u32 = 20;
const PAUSE: f64 = 25.0;

/// The name of the error for a file that somebody else has open.
pub const IN_USE: &str = "NoModificationAllowedError";

#[wasm_bindgen]
extern "C" {
    #[derive(Clone)]
    type Directory;

    #[wasm_bindgen(method, catch, js_name = getDirectoryHandle)]
    fn directory(this: &Directory, name: &str, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = getFileHandle)]
    fn file(this: &Directory, name: &str, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = removeEntry)]
    fn remove(this: &Directory, name: &str) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn values(this: &Directory) -> Result<AsyncIterator, JsValue>;

    /// `EarlyStore` of `boundary.d.ts`.
    pub type EarlyStore;

    #[wasm_bindgen(method, getter)]
    fn root(this: &EarlyStore) -> Directory;

    #[wasm_bindgen(method, getter)]
    fn content(this: &EarlyStore) -> Directory;

    #[wasm_bindgen(method, getter)]
    pub fn index(this: &EarlyStore) -> Array;

    type FileHandle;

    #[wasm_bindgen(method, getter)]
    fn name(this: &FileHandle) -> Option<String>;

    #[wasm_bindgen(method, catch, js_name = getFile)]
    fn get_file(this: &FileHandle) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = createSyncAccessHandle)]
    fn create_access(this: &FileHandle, options: &Object) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = createWritable)]
    fn create_writable(this: &FileHandle) -> Result<Promise, JsValue>;

    /// `FileSystemSyncAccessHandle`.
    type Access;

    #[wasm_bindgen(method, catch, js_name = getSize)]
    fn size(this: &Access) -> Result<f64, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn read(this: &Access, buffer: &Uint8Array, options: &Object) -> Result<f64, JsValue>;

    #[wasm_bindgen(method, catch, js_name = read)]
    fn read_into(this: &Access, buffer: &mut [u8], options: &Object) -> Result<f64, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn write(this: &Access, buffer: &Uint8Array, options: &Object) -> Result<f64, JsValue>;

    #[wasm_bindgen(method, catch)]
    fn truncate(this: &Access, size: f64) -> Result<(), JsValue>;

    #[wasm_bindgen(method, catch)]
    fn close(this: &Access) -> Result<(), JsValue>;

    /// `FileSystemWritableFileStream`: the file changes when it is closed.
    type Writable;

    #[wasm_bindgen(method, catch, js_name = write)]
    fn put(this: &Writable, bytes: &Uint8Array) -> Result<Promise, JsValue>;

    #[wasm_bindgen(method, catch, js_name = close)]
    fn finish(this: &Writable) -> Result<Promise, JsValue>;
}

/// The store's folders.
#[derive(Clone)]
pub struct Opfs {
    root: Directory,
    content: Directory,
    has_access_handles: bool,
    /// Content that can be read at once. A `File` is a reference; its bytes stay where they are.
    at_hand: Rc<RefCell<Vec<(ContentHash, Blob)>>>,
}

impl Opfs {
    /// Opens the store, making it where there is none.
    pub async fn open() -> Result<Self, JsValue> {
        let has_access_handles = file_handles_have("createSyncAccessHandle");
        if !has_access_handles && !file_handles_have("createWritable") {
            return Err(JsValue::UNDEFINED);
        }
        let storage = navigator::storage().ok_or(JsValue::UNDEFINED)?;
        let origin: Directory = JsFuture::from(storage.get_directory()?).await?.unchecked_into();
        let root: Directory = JsFuture::from(origin.directory(FOLDER, &creating(true))?).await?.unchecked_into();
        let content: Directory =
            JsFuture::from(root.directory(CONTENT_FOLDER, &creating(true))?).await?.unchecked_into();
        Ok(Self { root, content, has_access_handles, at_hand: Rc::default() })
    }

    /// The store whose folders have been opened.
    pub fn of(early: &EarlyStore) -> Self {
        let has_access_handles = file_handles_have("createSyncAccessHandle");
        Self { root: early.root(), content: early.content(), has_access_handles, at_hand: Rc::default() }
    }

    pub async fn read(&self, place: Place) -> Option<Uint8Array> {
        let handle = self.handle(place, false).await.ok()?;
        // The index is written while others may read it, which an access handle would forbid them.
        if self.has_access_handles && matches!(place, Place::Content(_)) {
            let options = Object::new();
            set(&options, "mode", &"read-only".into());
            if let Ok(access) = open_access(&handle, &options).await {
                return access.read_all().ok();
            }
        }
        let file = file_of(&handle).await.ok()?;
        Some(Uint8Array::new(&JsFuture::from(file.array_buffer()).await.ok()?))
    }

    /// Content that is read piece by piece; only a worker can.
    pub async fn open_content(&self, hash: ContentHash) -> Option<OpenContent> {
        if !self.has_access_handles {
            return None;
        }
        let handle = self.handle(Place::Content(hash), false).await.ok()?;
        let options = Object::new();
        set(&options, "mode", &"read-only".into());
        let access = when_free(ATTEMPTS_TO_OPEN, async || open_access(&handle, &options).await).await.ok()?;
        let length = access.0.size().ok()? as u64;
        Some(OpenContent { access, length })
    }

    pub async fn size(&self, place: Place) -> Option<u64> {
        let handle = self.handle(place, false).await.ok()?;
        Some(file_of(&handle).await.ok()?.size() as u64)
    }

    pub async fn write(&self, place: Place, bytes: &Uint8Array) -> Result<(), JsValue> {
        when_free(ATTEMPTS, async || self.try_write(place, bytes).await).await
    }

    async fn try_write(&self, place: Place, bytes: &Uint8Array) -> Result<(), JsValue> {
        let handle = self.handle(place, true).await?;
        if self.has_access_handles {
            return open_access(&handle, &Object::new()).await?.write_all(bytes).await;
        }
        let writable: Writable = JsFuture::from(handle.create_writable()?).await?.unchecked_into();
        JsFuture::from(writable.put(bytes)?).await?;
        JsFuture::from(writable.finish()?).await?;
        Ok(())
    }

    pub async fn remove(&self, place: Place) -> Result<(), JsValue> {
        if let Place::Content(hash) = place {
            self.take_at_hand(&hash);
        }
        match JsFuture::from(self.folder(place).remove(&place.file_name())?).await {
            Err(thrown) if !is_named(&thrown, "NotFoundError") => Err(thrown),
            _ => Ok(()),
        }
    }

    pub async fn content(&self) -> Result<Vec<(ContentHash, u64)>, JsValue> {
        let files = self.content.values()?;
        let mut content = Vec::new();
        loop {
            let step = JsFuture::from(files.next_iterator()?).await?;
            if Reflect::get(&step, &"done".into())?.is_truthy() {
                return Ok(content);
            }
            let handle: FileHandle = Reflect::get(&step, &"value".into())?.unchecked_into();
            let Some(hash) = handle.name().and_then(|name| name.parse().ok()) else { continue };
            // Another tab may have removed it meanwhile.
            if let Ok(file) = file_of(&handle).await {
                content.push((hash, file.size() as u64));
            }
        }
    }

    /// Gets content ready to be read by [`Opfs::read_now`].
    pub async fn have_at_hand(&self, hash: ContentHash) {
        if self.at_hand.borrow().iter().any(|(known, _)| *known == hash) {
            return;
        }
        if let Ok(handle) = self.handle(Place::Content(hash), false).await
            && let Ok(file) = file_of(&handle).await
        {
            self.at_hand.borrow_mut().push((hash, file));
        }
    }

    /// Reads content that is at hand while everything else waits; only a worker can.
    pub fn read_now(&self, hash: &ContentHash) -> Option<Uint8Array> {
        let file = self.take_at_hand(hash)?;
        let buffer = FileReaderSync::new().ok()?.read_as_array_buffer(&file).ok()?;
        Some(Uint8Array::new(&buffer))
    }

    fn take_at_hand(&self, hash: &ContentHash) -> Option<Blob> {
        let mut at_hand = self.at_hand.borrow_mut();
        let place = at_hand.iter().position(|(known, _)| known == hash)?;
        Some(at_hand.swap_remove(place).1)
    }

    fn folder(&self, place: Place) -> &Directory {
        match place {
            Place::Index(_) => &self.root,
            Place::Content(_) => &self.content,
        }
    }

    async fn handle(&self, place: Place, create: bool) -> Result<FileHandle, JsValue> {
        let handle = self.folder(place).file(&place.file_name(), &creating(create))?;
        Ok(JsFuture::from(handle).await?.unchecked_into())
    }
}

/// Tries again while somebody else has the file.
async fn when_free<T>(attempts: u32, work: impl AsyncFn() -> Result<T, JsValue>) -> Result<T, JsValue> {
    let mut attempt = 1;
    loop {
        match work().await {
            Err(thrown) if attempt < attempts && is_named(&thrown, IN_USE) => {
                attempt += 1;
                global::sleep(PAUSE).await;
            }
            outcome => return outcome,
        }
    }
}

/// An open access handle; closed when dropped, which lets others have the file.
struct OpenAccess(Access);

impl OpenAccess {
    fn read_all(&self) -> Result<Uint8Array, JsValue> {
        let bytes = Uint8Array::new_with_length(self.0.size()? as u32);
        let read = self.0.read(&bytes, &at(0))?;
        if read as u32 == bytes.length() { Ok(bytes) } else { Err(JsValue::UNDEFINED) }
    }

    async fn write_all(&self, bytes: &Uint8Array) -> Result<(), JsValue> {
        self.0.truncate(0.0)?;
        let length = bytes.length();
        let mut start = 0;
        while start < length {
            let end = length.min(start.saturating_add(CHUNK));
            let written = self.0.write(&bytes.subarray(start, end), &at(start))?;
            if written as u32 != end - start {
                return Err(js_sys::Error::new("The browser wrote less than it was given.").into());
            }
            start = end;
            if start < length {
                global::sleep(0.0).await;
            }
        }
        Ok(())
    }
}

impl Drop for OpenAccess {
    fn drop(&mut self) {
        // A handle that cannot be closed goes with the worker.
        let _ = self.0.close();
    }
}

/// Content that is being read. The browser reads into Rust's memory.
pub struct OpenContent {
    access: OpenAccess,
    length: u64,
}

impl ByteSource for OpenContent {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> Result<(), SourceError> {
        let out_of_range = || SourceError::OutOfRange { offset, length: buffer.len() as u64, available: self.length };
        offset.checked_add(buffer.len() as u64).filter(|end| *end <= self.length).ok_or_else(out_of_range)?;
        let length = buffer.len();
        let read = self.access.0.read_into(buffer, &at(offset as u32));
        if read.is_ok_and(|read| read as usize == length) {
            return Ok(());
        }
        Err(SourceError::Host("the browser read less than there is".to_owned()))
    }
}

async fn open_access(handle: &FileHandle, options: &Object) -> Result<OpenAccess, JsValue> {
    Ok(OpenAccess(JsFuture::from(handle.create_access(options)?).await?.unchecked_into()))
}

async fn file_of(handle: &FileHandle) -> Result<Blob, JsValue> {
    Ok(JsFuture::from(handle.get_file()?).await?.unchecked_into())
}

fn creating(create: bool) -> Object {
    let options = Object::new();
    set(&options, "create", &create.into());
    options
}

fn at(position: u32) -> Object {
    let options = Object::new();
    set(&options, "at", &position.into());
    options
}

/// Whether a thrown value is the `DOMException` of that name.
pub fn is_named(thrown: &JsValue, name: &str) -> bool {
    Reflect::get(thrown, &"name".into()).is_ok_and(|found| found == name)
}

/// Whether file handles have a method here: some exist in workers only, some browsers lack others.
fn file_handles_have(method: &str) -> bool {
    let class = Reflect::get(&js_sys::global(), &"FileSystemFileHandle".into());
    let prototype = class.and_then(|class| Reflect::get(&class, &"prototype".into()));
    prototype.is_ok_and(|prototype| Reflect::has(&prototype, &method.into()).unwrap_or(false))
}
