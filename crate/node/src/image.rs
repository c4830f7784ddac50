//! Images: which side modules were called, and images without those that were not.

use std::collections::HashSet;
use std::rc::Rc;

use js_sys::{Array, Object, Reflect, Uint8Array};
use taipan_core::image::{Image, ImageError, Limits, ModuleBytes, Verify, detach};
use wasm_bindgen::JsValue;
use wasm_bindgen::prelude::wasm_bindgen;

use crate::error::error;

/// The first names of the side modules that an interpreter has called between the image that it was restored from and
/// this one, which was baked of it; and of those that every image has to have.
///
/// # Errors
/// `BAD_ARCHIVE`.
#[wasm_bindgen(js_name = calledModules)]
pub fn called_modules(image: Vec<u8>) -> Result<Vec<String>, JsValue> {
    let modules = open(image)?.manifest().map_err(|reason| refused(&reason))?.modules;
    let called = modules.into_iter().filter(|module| module.is_hot);
    Ok(called.filter_map(|module| module.names.into_iter().next()).collect())
}

/// The files beside an image: `[{ path, sha256 }]`. Paths begin where the image is.
///
/// # Errors
/// `BAD_ARCHIVE`.
#[wasm_bindgen(js_name = filesBeside)]
pub fn files_beside(image: Vec<u8>) -> Result<Array, JsValue> {
    let modules = open(image)?.manifest().map_err(|reason| refused(&reason))?.modules;
    let files = modules.into_iter().filter_map(|module| match module.bytes {
        ModuleBytes::File { path, sha256, .. } => {
            Some(record([("path", path.into()), ("sha256", sha256.to_string().into())]))
        }
        _ => None,
    });
    Ok(files.collect())
}

/// Takes the side modules out of an image but for those that are named by their first names: `{ image, files: [{ path, bytes,
/// sha256 }] }`. Paths begin where the image is.
///
/// # Errors
/// `BAD_ARCHIVE`.
#[wasm_bindgen(js_name = detachModules)]
pub fn detach_modules(image: Vec<u8>, called: Vec<String>) -> Result<JsValue, JsValue> {
    let called: HashSet<String> = called.into_iter().collect();
    let detached =
        detach(&open(image)?, |name| called.contains(name), &Limits::default()).map_err(|reason| refused(&reason))?;
    let files: Array = detached
        .files
        .iter()
        .map(|file| {
            record([
                ("path", file.path.as_str().into()),
                ("bytes", Uint8Array::from(file.bytes.as_slice()).into()),
                ("sha256", file.sha256.to_string().into()),
            ])
        })
        .collect();
    Ok(record([("image", Uint8Array::from(detached.image.as_slice()).into()), ("files", files.into())]))
}

fn open(image: Vec<u8>) -> Result<Image, JsValue> {
    Image::open(Rc::new(image), Verify::Checksum, &Limits::default()).map_err(|reason| refused(&reason))
}

fn refused(reason: &ImageError) -> JsValue {
    error("BAD_ARCHIVE", &format!("The image cannot be used: {reason}."))
}

fn record<const N: usize>(fields: [(&str, JsValue); N]) -> JsValue {
    let object = Object::new();
    for (name, value) in fields {
        // Setting a property of a fresh object cannot fail.
        let _ = Reflect::set(&object, &name.into(), &value);
    }
    object.into()
}
