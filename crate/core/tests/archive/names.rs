//! Names, and where links lead.

use taipan_core::archive::ArchiveError;

use crate::fixture::refused;
use crate::support::{Item, Zip};

#[track_caller]
fn assert_name_refused(path: &[u8]) {
    let item = Item { path: path.to_vec(), ..Item::file("", b"x") };
    let error = refused(&Zip::of(&[item]));
    let is_name = matches!(error, ArchiveError::Name { .. } | ArchiveError::NameEncoding { .. });
    assert!(is_name, "{:?}: {error}", String::from_utf8_lossy(path));
}

#[test]
fn names_that_lead_elsewhere_are_refused() {
    let unsafe_names: [&[u8]; 20] = [
        b"",
        b"/",
        b"/etc/passwd",
        b"//a",
        b"a//b",
        b"a//",
        b".",
        b"..",
        b"../a",
        b"a/../b",
        b"a/..",
        b"./a",
        b"a/.",
        b"a\\b",
        b"..\\a",
        b"C:/a",
        b"c:a",
        b"a\0b",
        b"\xFF\xFE",
        b"a/\xC3",
    ];
    for path in unsafe_names {
        assert_name_refused(path);
    }
    assert_name_refused("x".repeat(256).as_bytes());
    assert_name_refused("x/".repeat(2100).as_bytes());
    for path in ["...", "a..b", ".hidden", "ä/ö.py", "a b", "-", "ab:c"] {
        let archive = Zip::of(&[Item::file(path, b"x")]).open().unwrap();
        assert_eq!(archive.entries()[0].path, path);
    }
}

#[test]
fn paths_that_are_there_twice_are_refused() {
    let file = |path| Item::file(path, b"x");
    let cases = [
        [file("a"), file("a")],
        [Item::directory("a/"), Item::directory("a/")],
        [file("a"), Item::directory("a/")],
        [file("a"), file("a/b")],
        [file("a/b/c"), file("a")],
        [Item::symlink("a", "b"), file("a/x/y/z")],
    ];
    for (index, items) in cases.iter().enumerate() {
        // What sorts between the two must not hide that one is in the other.
        let mut items = items.to_vec();
        items.extend([file("a!"), file("a-b"), file("a.b"), file("a0")]);
        assert_eq!(refused(&Zip::of(&items)), ArchiveError::Duplicate { path: "a".into() }, "{index}");
    }
    assert!(Zip::of(&[file("a/b"), Item::directory("a/"), file("a.b"), file("ab")]).open().is_ok());
}

#[test]
fn deep_paths_take_no_more_time_than_flat_ones() {
    let deep = "d/".repeat(2000);
    let items: Vec<Item> = (0..2000).map(|index| Item::stored(&format!("{deep}{index}"), b"")).collect();
    assert_eq!(Zip::of(&items).open().unwrap().entries().len(), 2000);
}

#[test]
fn symbolic_links_stay_inside() {
    let link = |path: &str, target: &str| Zip::of(&[Item::symlink(path, target), Item::file("dir/x", b"")]).open();
    for target in ["dir/x", "./dir//x", "nothing"] {
        assert!(link("link", target).is_ok(), "{target}");
    }
    assert!(link("a/b/link", "../../dir/x").is_ok());
    // A name before `..` could be a link that leads to less depth than it has itself.
    for target in ["", "/etc/passwd", "..", "../x", "dir/..", "dir/../../x", "a\\b", "a\0b"] {
        let error = link("link", target).unwrap_err();
        assert_eq!(error, ArchiveError::SymlinkEscapes { path: "link".into(), target: target.into() });
    }
    assert!(link("a/link", "../../x").is_err());
    let long = link("link", &"x".repeat(5000)).unwrap_err();
    assert!(matches!(long, ArchiveError::TooMuch { actual: 5000, limit: 4096, .. }));
    let no_text = Item { content: vec![0xFF], ..Item::symlink("link", "") };
    assert!(matches!(refused(&Zip::of(&[no_text])), ArchiveError::NotText { .. }));
}
