//! Archives of any content, spoilt anywhere.

use proptest::prelude::*;
use taipan_core::archive::Archive;

use crate::support::{self, Item, Zip, open};

fn contents() -> impl Strategy<Value = Vec<(String, Vec<u8>, bool)>> {
    let content = prop::collection::vec(any::<u8>(), 0..300);
    prop::collection::btree_map("[a-zä._-]{3}(/[a-z]{2}){0,2}", (content, any::<bool>()), 0..12)
        .prop_map(|files| files.into_iter().map(|(path, (content, is_stored))| (path, content, is_stored)).collect())
}

fn written(files: &[(String, Vec<u8>, bool)]) -> Zip {
    let item = |(path, content, stored): &(String, Vec<u8>, bool)| {
        if *stored { Item::stored(path, content) } else { Item::file(path, content) }
    };
    Zip::of(&files.iter().map(item).collect::<Vec<_>>())
}

proptest! {
    #[test]
    fn what_was_written_is_read(files in contents(), zip64: bool) {
        let is_parent = |above: &str, below: &str| below.strip_prefix(above).is_some_and(|rest| rest.starts_with('/'));
        let clash = files.iter().any(|(above, ..)| files.iter().any(|(below, ..)| is_parent(above, below)));
        let dots = files.iter().any(|(path, ..)| path.split('/').any(|name| matches!(name, "." | "..")));
        prop_assume!(!clash && !dots);
        let zip = written(&files);
        let archive = if zip64 { zip.with_zip64_end() } else { zip }.open().unwrap();
        prop_assert_eq!(archive.entries().len(), files.len());
        let mut buffer = Vec::new();
        for (path, content, _) in &files {
            let entry = archive.find(path).unwrap();
            prop_assert_eq!(&*archive.read(entry).unwrap(), &content[..]);
            prop_assert_eq!(archive.read_into(entry, &mut buffer).unwrap(), &content[..]);
        }
    }

    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in prop::collection::vec(any::<u8>(), 0..400), with_end: bool) {
        if with_end {
            bytes.extend(&Zip::of(&[]).bytes);
        }
        if let Ok(archive) = open(bytes) {
            read_all(&archive);
        }
    }

    #[test]
    fn spoilt_archives_never_panic(
        files in contents(),
        zip64: bool,
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        from_end: bool,
    ) {
        let zip = written(&files);
        let headers = zip.central.first().copied().unwrap_or(0);
        let mut bytes = if zip64 { zip.with_zip64_end() } else { zip }.bytes;
        let start = if from_end { headers } else { 0 };
        for (index, value) in changes {
            let at = start + index.index(bytes.len() - start);
            bytes[at] = value;
        }
        if let Ok(archive) = open(bytes) {
            read_all(&archive);
        }
    }
}

/// Reads everything that can be read: whatever was opened keeps its promises.
fn read_all(archive: &Archive) {
    let mut buffer = Vec::new();
    for entry in archive.entries() {
        let found = archive.find(&entry.path).map(|found| found.data_offset);
        assert_eq!(found, Some(entry.data_offset));
        let again = archive.read_into(entry, &mut buffer).map(<[u8]>::to_vec);
        assert_eq!(again, archive.read(entry).map(|bytes| bytes.to_vec()));
        if let Ok(bytes) = archive.read(entry) {
            assert_eq!((bytes.len() as u64, crc32fast::hash(&bytes)), (entry.size, entry.crc32));
        }
    }
}

#[test]
fn a_real_archive_that_was_cut_or_spoilt_is_refused_or_read_rightly() {
    let Some(bytes) = support::real("six-1.17.0-py2.py3-none-any.whl") else { return };
    for length in (0..bytes.len()).step_by(37) {
        assert!(open(bytes[..length].to_vec()).is_err(), "{length} bytes");
    }
    for at in (0..bytes.len()).step_by(3) {
        let mut spoilt = bytes.clone();
        spoilt[at] ^= 1 << (at % 8);
        if let Ok(archive) = open(spoilt) {
            read_all(&archive);
        }
    }
}
