//! Images that a reader of the format takes, and that no interpreter can be made of.

use std::rc::Rc;

use js_sys::Object;
use taipan_core::image::{Identity, ImageWriter, Limits, LinkedModule, Manifest, ModuleBytes, PAGE_SIZE, PartKind};
use wasm_bindgen::JsCast;
use wasm_bindgen_test::wasm_bindgen_test;

use super::beside::Beside;
use super::{ImageBytes, OpenImage, engine, python_files_hash, states};
use crate::error::{Code, Result};
use crate::fetch::Network;
use crate::timeline::Timeline;

/// An image of this release with one side module of these names, and these paths of side modules.
fn image(memory_length: usize, names: &[&str], paths: &[&str]) -> Vec<u8> {
    let module = LinkedModule {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        bytes: ModuleBytes::Part { name: "module".to_owned() },
        ..LinkedModule::default()
    };
    let mut manifest = Manifest { modules: vec![module], ..Manifest::default() };
    let paths = serde_json::to_vec(paths).unwrap();
    for (name, state) in
        [(states::PACKAGES, b"[]".to_vec()), (states::MODULE_PATHS, paths), (states::LOCK_FILE, b"\"\"".to_vec())]
    {
        manifest.states.insert(name.to_owned(), state);
    }
    let mut body = Vec::new();
    let mut writer = ImageWriter::new(manifest, |_| None, |bytes| body.extend_from_slice(bytes));
    writer.part(PartKind::Module, "module", [b"\0asm"]);
    writer.memory(&vec![1_u8; memory_length], None).unwrap();
    let identity = Identity { engine: engine(), python_files: python_files_hash().unwrap(), ..Identity::default() };
    let baked = writer.finish(identity, None, &Limits::default()).unwrap();
    [baked.bytes, body].concat()
}

fn read(image: Vec<u8>) -> Result<OpenImage> {
    let timeline = Rc::new(Timeline::start(Object::new().unchecked_into()));
    let beside = Beside { folders: Vec::new(), network: Network::new(timeline, None), store: None };
    OpenImage::read(ImageBytes::stored(Rc::new(image)), beside, &Rc::default())
}

#[wasm_bindgen_test]
fn what_cannot_be_restored_is_refused_when_it_is_opened() {
    const WHOLE: usize = 65_536;
    assert!(read(image(WHOLE, &["/a.so"], &["/a.so"])).is_ok());
    for (memory_length, names, paths, expected) in [
        (WHOLE + PAGE_SIZE, &["/a.so"][..], &["/a.so"][..], "memory"),
        (WHOLE, &["/a.so"], &["/a.so", "/b.so"], "path"),
        (WHOLE, &["/a.so"], &[], "path"),
        (WHOLE, &[], &["/a.so"], "name"),
    ] {
        let error = read(image(memory_length, names, paths)).err().unwrap();
        assert!(error.code() == Code::BadArchive && error.message().contains(expected), "{}", error.message());
    }
}
