//! The file system in an image.

use std::rc::Rc;

use taipan_core::image::{
    ArchiveReference, ContentHash, FileTree, Image, ImageError, ImageWriter, LayerReference, Manifest, PartKind,
    Placement, Verify,
};
use taipan_core::source::SharedSource;
use taipan_core::vfs::{Content, FileSystem, Layer, LayerEntry};

use crate::fixture::{LIMITS, identity, open};
use crate::support;

/// Whether two sources are one.
fn is_same(left: &SharedSource, right: &SharedSource) -> bool {
    std::ptr::addr_eq(Rc::as_ptr(left), Rc::as_ptr(right))
}

#[test]
fn a_file_system_comes_back() {
    let text = b"print(1)\n".repeat(50);
    let items = [support::Item::file("pkg/a.py", &text), support::Item::stored("pkg/b.txt", b"plain")];
    let zip: SharedSource = Rc::new(support::Zip::of(&items).bytes);
    let archive = taipan_core::archive::Archive::open(Rc::clone(&zip), &taipan_core::archive::Limits::default());
    let dropped: SharedSource = Rc::new(b"dropped on the page".to_vec());
    let mounted = |name: &str| {
        let content = Content::Stored { source: Rc::clone(&dropped), offset: 0, length: dropped.len() };
        Layer::new(vec![LayerEntry::file(name, 0o600, 3.0, content)])
    };
    let mut files = FileSystem::new(1.0);
    let root = files.root();
    let package = files.mount_layer(root, &archive.unwrap().layer(|entry| Some(entry.path.clone())), 1.0).unwrap();
    files.write_file("/pkg/mine", b"mine", 2.0).unwrap();
    files.write_file("/empty", b"", 2.0).unwrap();
    files.symlink(root, "link", "pkg/a.py", 2.0).unwrap();
    files.make_node(root, "null", 0o020_666, 259, 2.0).unwrap();
    let left_out = files.mount_layer(root, &mounted("left out"), 2.0).unwrap();

    let bake = |files: &mut FileSystem, others: Placement| {
        let place = |source: &SharedSource| if is_same(source, &zip) { Placement::Archive(0) } else { others };
        let (tree, own) = FileTree::of(&files.snapshot().unwrap(), place).unwrap();
        let layer = LayerReference { role: "package".into(), name: "pkg".into(), archive: Some(0) };
        let layers = [package, left_out].map(|id| (id.get(), layer.clone())).into();
        let sha256 = ContentHash::of(b"any");
        let archives = vec![ArchiveReference { sha256, length: zip.len(), file_name: "pkg.zip".into() }];
        let mut body = Vec::new();
        let manifest = Manifest { files: tree, archives, layers, ..Manifest::default() };
        let mut writer = ImageWriter::new(manifest, |_| None, |bytes| body.extend_from_slice(bytes));
        writer.part(PartKind::Files, "files", &own);
        let baked = writer.finish(identity(), None, &LIMITS).unwrap();
        open(&[baked.bytes, body].concat(), Verify::Sha256).unwrap()
    };
    let restore = |image: &Image| {
        let own: SharedSource = Rc::new(image.part(image.head().find("files").unwrap()).unwrap());
        let manifest = image.manifest().unwrap();
        assert!(matches!(manifest.files.restore(&own, &[]), Err(ImageError::Inconsistent { .. })));
        FileSystem::from_tree(&manifest.files.restore(&own, &[Rc::clone(&zip)]).unwrap()).unwrap()
    };
    let described = |files: &FileSystem| -> Vec<_> {
        let entries = files.walk(files.root()).unwrap().into_iter();
        entries.map(|entry| (entry.path, entry.inode, entry.metadata, entry.layer)).collect()
    };

    let copied = bake(&mut files, Placement::Copy);
    let mut restored = restore(&copied);
    assert_eq!(described(&restored), described(&files));
    let contents = [
        ("/pkg/a.py", text.as_slice()),
        ("/pkg/b.txt", b"plain"),
        ("/pkg/mine", b"mine"),
        ("/empty", b""),
        ("/link", &text),
        ("/left out", b"dropped on the page"),
    ];
    for (path, expected) in contents {
        assert_eq!(restored.read_file(path).unwrap(), expected, "{path}");
    }
    let inode = restored.resolve("/pkg/mine", true).unwrap();
    restored.write(inode, 4, b"!", 5.0).unwrap();
    assert_eq!(restored.read_file("/pkg/mine").unwrap(), b"mine!");
    assert_eq!(copied.head().parts[1].length(), 4 + dropped.len(), "archives are not copied");

    let again = bake(&mut restored, Placement::Omit);
    assert_eq!(restore(&again).read_file("/pkg/mine").unwrap(), b"mine!", "what was restored is still the user's own");
    assert_eq!(restored.usage().bytes_written, 5);

    let omitted = bake(&mut files, Placement::Omit);
    assert!(!restore(&omitted).exists("/left out"));
    assert!(restore(&omitted).exists("/pkg/b.txt"));
}
