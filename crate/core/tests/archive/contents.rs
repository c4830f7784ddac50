//! Sizes, and contents that are not what the headers say.

use std::rc::Rc;

use taipan_core::archive::{Archive, ArchiveError, Limits};
use taipan_core::source::ByteSource;

use crate::fixture::{CENTRAL_CRC, CENTRAL_SIZE, LOCAL_CRC, LOCAL_NAME, LOCAL_SIZE, refused};
use crate::support::{Item, Zip};

#[test]
fn limits_hold() {
    let zip = Zip::of(&[Item::file("a", &[0; 5000]), Item::stored("b", &[1; 5000])]);
    let source: Rc<dyn ByteSource> = Rc::new(zip.bytes.clone());
    let open = |limits: &Limits| Archive::open(Rc::clone(&source), limits);
    let base = Limits { ratio: 1000, ..Limits::default() };
    assert!(open(&base).is_ok());
    assert!(open(&Limits { entries: 2, entry_bytes: 5000, total_bytes: 10_000, ..base }).is_ok());
    for limits in [
        Limits { entries: 1, ..base },
        Limits { directory_bytes: 60, ..base },
        Limits { entry_bytes: 4999, ..base },
        Limits { total_bytes: 9999, ..base },
    ] {
        assert!(matches!(open(&limits), Err(ArchiveError::TooMuch { .. })), "{limits:?}");
    }
    assert!(matches!(open(&Limits { ratio: 10, ..base }), Err(ArchiveError::Ratio { .. })));
    // A size that nothing could inflate to.
    let huge = [zip.local[0] + LOCAL_SIZE, zip.central[0] + CENTRAL_SIZE]
        .iter()
        .fold(zip.clone(), |zip, at| zip.set(*at, &(1_u32 << 29).to_le_bytes()));
    assert!(matches!(refused(&huge), ArchiveError::Ratio { .. }));
    let stored = [zip.local[1] + LOCAL_SIZE, zip.central[1] + CENTRAL_SIZE]
        .iter()
        .fold(zip.clone(), |zip, at| zip.set(*at, &[9]));
    assert!(matches!(refused(&stored), ArchiveError::Ratio { .. }));
}

#[test]
fn damaged_contents_are_found_when_they_are_read() {
    let content = b"a long enough text, a long enough text, and then some other text".repeat(20);
    let spoil = |zip: &Zip, at: usize| {
        let mut zip = zip.clone();
        zip.bytes[at] ^= 0x55;
        let archive = zip.open().unwrap();
        archive.read(&archive.entries()[0])
    };
    for item in [Item::file("a", &content), Item::stored("a", &content)] {
        let zip = Zip::of(&[item]);
        for at in LOCAL_NAME + 1..zip.central[0] {
            assert!(spoil(&zip, at).is_err(), "byte {at}");
        }
    }
    // Both headers agree about a size that is not that of the content.
    let zip = Zip::of(&[Item::file("a", &content)]);
    for size in [0, content.len() as u32 - 1, content.len() as u32 + 1] {
        let zip = zip.clone().set(LOCAL_SIZE, &size.to_le_bytes());
        let at = zip.central[0] + CENTRAL_SIZE;
        let archive = zip.set(at, &size.to_le_bytes()).open().unwrap();
        let error = archive.read(&archive.entries()[0]).unwrap_err();
        assert!(matches!(error, ArchiveError::Content { .. }), "{size}: {error}");
    }
    let zip = zip.clone().set(LOCAL_CRC, &[0; 4]).set(zip.central[0] + CENTRAL_CRC, &[0; 4]);
    let archive = zip.open().unwrap();
    assert!(archive.read(&archive.entries()[0]).is_err());
}
