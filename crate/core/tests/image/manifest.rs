//! Manifests that refer to what is not there.

use proptest::prelude::*;
use taipan_core::image::{
    ContentHash, FileBody, FileRecord, ImageWriter, Manifest, ModuleBytes, PartKind, TableEntry, Verify,
};

use crate::fixture::{LIMITS, identity, manifest, memory_of, open, small};

fn refused(change: impl Fn(&mut Manifest)) -> bool {
    let mut body = Vec::new();
    let mut changed = manifest();
    change(&mut changed);
    let encoded = changed.encode();
    let mut writer = ImageWriter::new(changed, |_| None, |bytes| body.extend_from_slice(bytes));
    writer.part(PartKind::Module, "x.so", [b"\0asm"]);
    writer.part(PartKind::Files, "files", [b"abcdefg"]);
    writer.memory(&memory_of(&[None, Some(1), None]), None).unwrap();
    let written = writer.finish(identity(), None, &LIMITS);
    // The reader must refuse the same by itself: its manifest is not the writer's.
    let mut other = Vec::new();
    let mut writer = ImageWriter::new(manifest(), |_| None, |bytes| other.extend_from_slice(bytes));
    writer.part(PartKind::Module, "x.so", [b"\0asm"]);
    writer.part(PartKind::Files, "files", [b"abcdefg"]);
    writer.memory(&memory_of(&[None, Some(1), None]), None).unwrap();
    let head = writer.finish(identity(), None, &LIMITS).unwrap().head;
    let read = Manifest::parse(&encoded, &head);
    assert_eq!(written.is_err(), read.is_err());
    read.is_err()
}

#[test]
fn manifests_that_refer_to_what_is_not_there_are_refused() {
    assert!(!refused(|_| {}));
    assert!(refused(|manifest| manifest.archives.clear()));
    assert!(refused(|manifest| manifest.layers.clear()));
    assert!(refused(|manifest| manifest.layers.get_mut(&1).unwrap().archive = Some(1)));
    assert!(refused(|manifest| manifest.modules[0].bytes = ModuleBytes::Part { name: "files".into() }));
    assert!(refused(|manifest| manifest.modules[1].bytes = ModuleBytes::Archive { archive: 9, entry: "y".into() }));
    assert!(refused(|manifest| manifest.modules[0].needed = vec![3]));
    for path in ["", "/x", "x/", "a//b", "../x", "a/..", ".x", "a/./b", "http:x", "x?y", "a\\b", "x%2e", "é"] {
        let bytes = ModuleBytes::File { path: path.into(), length: 1, sha256: ContentHash::default() };
        assert!(refused(|manifest| manifest.modules[2].bytes = bytes.clone()), "{path}");
    }
    assert!(refused(|manifest| manifest.modules[0].memory_base = 3 * 4096 - 99));
    assert!(refused(|manifest| manifest.modules[0].memory_size = u32::MAX));
    assert!(refused(|manifest| manifest.modules[0].table_size = 31));
    assert!(refused(|manifest| manifest.free_slots = vec![40]));
    assert!(refused(|manifest| drop(manifest.table.insert(40, TableEntry::Null))));
    let foreign = TableEntry::Module { module: 3, name: "f".into() };
    assert!(refused(|manifest| drop(manifest.table.insert(30, foreign.clone()))));
    assert!(refused(|manifest| manifest.files.nodes[3].body = FileBody::Own { offset: 5, length: 3 }));
    assert!(refused(|manifest| manifest.files.nodes[3].body = FileBody::Own { offset: u64::MAX, length: 3 }));
    let shared = |manifest: &mut Manifest| {
        let twin = FileRecord { name: "twin".into(), ..manifest.files.nodes[3].clone() };
        manifest.files.nodes.push(twin);
    };
    assert!(refused(shared), "a file of which there are many, and bytes of which there are few");
    let past = FileBody::Stored { archive: 0, offset: 99, length: 2 };
    assert!(refused(|manifest| manifest.files.nodes[5].body = past.clone()));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn manifests_of_nonsense_never_panic(spots in prop::collection::vec((0..2000_usize, any::<u8>()), 1..6)) {
        let head = open(&small(), Verify::Checksum).unwrap().head().clone();
        let mut encoded = manifest().encode();
        let length = encoded.len();
        for (at, byte) in spots {
            encoded[at % length] = byte;
        }
        if let Ok(manifest) = Manifest::parse(&encoded, &head) {
            prop_assert_eq!(manifest.encode(), encoded, "a manifest has one form");
        }
    }
}
