//! The handles of the File System API, as far as they are used.

use js_sys::{AsyncIterator, Object, Promise, Reflect};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

type Thrown<T> = Result<T, JsValue>;

#[wasm_bindgen]
extern "C" {
    /// A `FileSystemHandle`, a `File`, or something that is neither.
    #[derive(Clone)]
    pub type Handle;

    #[wasm_bindgen(method, getter)]
    pub fn kind(this: &Handle) -> Option<String>;

    #[wasm_bindgen(method, getter)]
    pub fn name(this: &Handle) -> Option<String>;

    #[wasm_bindgen(method, getter, js_name = lastModified)]
    pub fn last_modified(this: &Handle) -> Option<f64>;

    #[wasm_bindgen(method, catch)]
    pub fn values(this: &Handle) -> Thrown<AsyncIterator>;

    #[wasm_bindgen(method, catch, js_name = getFile)]
    pub fn get_file(this: &Handle) -> Thrown<Promise>;

    #[wasm_bindgen(method, catch, js_name = getFileHandle)]
    pub fn get_file_handle(this: &Handle, name: &str, options: &Object) -> Thrown<Promise>;

    #[wasm_bindgen(method, catch, js_name = getDirectoryHandle)]
    pub fn get_directory_handle(this: &Handle, name: &str, options: &Object) -> Thrown<Promise>;

    #[wasm_bindgen(method, catch, js_name = removeEntry)]
    pub fn remove_entry(this: &Handle, name: &str) -> Thrown<Promise>;

    #[wasm_bindgen(method, catch, js_name = createWritable)]
    pub fn create_writable(this: &Handle) -> Thrown<Promise>;

    /// A `FileSystemWritableFileStream`.
    pub type Writable;

    #[wasm_bindgen(method, catch)]
    pub fn write(this: &Writable, data: &js_sys::Uint8Array) -> Thrown<Promise>;

    #[wasm_bindgen(method, catch)]
    pub fn close(this: &Writable) -> Thrown<Promise>;
}

impl Handle {
    /// Whether it is a directory's.
    pub fn is_directory(&self) -> bool {
        self.kind().as_deref() == Some("directory")
    }
}

/// The next child, or nothing at the end.
pub async fn next_child(children: &AsyncIterator) -> Thrown<Option<Handle>> {
    let step = JsFuture::from(children.next()?).await?;
    if Reflect::get(&step, &"done".into())?.is_truthy() {
        return Ok(None);
    }
    Ok(Some(Reflect::get(&step, &"value".into())?.unchecked_into()))
}
