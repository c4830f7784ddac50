//! Side modules that become files beside the image.

use taipan_core::image::{
    Baked, ContentHash, Detached, Image, ImageError, ImageWriter, LinkedModule, Manifest, ModuleBytes, PartKind, SHIM,
    Verify, detach,
};
use taipan_core::side_module::strip;

use crate::fixture::{LIMITS, compressor, identity, memory_in, memory_of, open};
use crate::support;

/// An image with these side modules, all in it.
fn with_modules(modules: &[(&str, &[u8])]) -> Image {
    let linked = modules.iter().map(|(name, _)| LinkedModule {
        names: vec![format!("/lib/{name}.cpython.so")],
        bytes: ModuleBytes::Part { name: (*name).into() },
        table_base: 10,
        table_size: 5,
        ..LinkedModule::default()
    });
    let manifest = Manifest { modules: linked.collect(), table_length: 40, ..Manifest::default() };
    let mut body = Vec::new();
    let mut writer = ImageWriter::new(manifest, compressor(true), |bytes| body.extend_from_slice(bytes));
    for (name, bytes) in modules {
        writer.part(PartKind::Module, name, [bytes]);
    }
    writer.part(PartKind::Module, SHIM, [b"for all"]);
    writer.memory(&memory_of(&[None, Some(3), Some(7)]), None).unwrap();
    let Baked { bytes: mut image, .. } = writer.finish(identity(), None, &LIMITS).unwrap();
    image.extend(body);
    open(&image, Verify::Sha256).unwrap()
}

#[test]
fn side_modules_that_are_not_called_become_files_beside_the_image() {
    let library = support::module::library();
    let stripped = strip(&library).unwrap();
    let whole = with_modules(&[("first_one", &stripped), ("second", &stripped), ("odd", b"not one at all")]);
    let Detached { image, files } = detach(&whole, |name| name == "/lib/second.cpython.so", &LIMITS).unwrap();
    let [file] = &files[..] else { panic!("{files:?}") };
    assert_eq!((file.bytes.as_slice(), file.sha256), (stripped.as_slice(), ContentHash::of(&stripped)));
    assert_eq!(file.path, format!("modules/first_one-{}.wasm", &file.sha256.to_string()[..16]));

    let left = open(&image, Verify::Sha256).unwrap();
    let manifest = left.manifest().unwrap();
    let hot: Vec<bool> = manifest.modules.iter().map(|module| module.is_hot).collect();
    assert_eq!(hot, [false, true, true], "what cannot be linked later is linked at once");
    let expected = ModuleBytes::File { path: file.path.clone(), length: file.bytes.len() as u64, sha256: file.sha256 };
    assert_eq!(manifest.modules[0].bytes, expected);
    assert_eq!(left.part(left.head().find("second").unwrap()).unwrap(), stripped);
    assert!(left.head().find("first_one").is_err());
    assert_ne!(left.part(left.head().find(SHIM).unwrap()).unwrap(), b"for all", "it stands in for the one that left");
    assert_eq!(memory_in(&left), memory_in(&whole));
    assert_ne!(left.head().id, whole.head().id);
    assert_eq!(detach(&whole, |name| name == "/lib/second.cpython.so", &LIMITS).unwrap().image, image);
    assert!(matches!(detach(&left, |_| true, &LIMITS), Err(ImageError::Inconsistent { what: "side modules", .. })));

    let all = detach(&whole, |_| true, &LIMITS).unwrap();
    assert!(all.files.is_empty());
    assert!(open(&all.image, Verify::Sha256).unwrap().head().find(SHIM).is_err(), "nothing is left to stand in for");
}
