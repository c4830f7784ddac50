//! Lock files: the official ones, and files that are none.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::collections::HashSet;

use proptest::prelude::*;
use taipan_core::archive::check_format;
use taipan_core::lock::{InstallDir, LockError, LockFile};
use taipan_core::name::PackageName;
use taipan_core::wheel::WheelFilename;

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

fn package(name: &str) -> String {
    format!(
        r#""{name}":{{"name":"{name}","version":"1","file_name":"x.whl","install_dir":"site","sha256":"{}","imports":["{name}"],"depends":[]}}"#,
        "AB".repeat(32)
    )
}

fn document(packages: &[String]) -> String {
    format!(r#"{{"info":{{"abi_version":"2025_0","new":[]}},"packages":{{{}}},"newer":1}}"#, packages.join(","))
}

#[test]
fn hashes_are_in_lower_case_and_fields_to_come_are_passed_over() {
    let lock = LockFile::parse(document(&[package("a")]).as_bytes()).unwrap();
    assert_eq!(lock.get(&name("A")).unwrap().sha256, "ab".repeat(32));
}

#[test]
fn two_spellings_of_one_package_are_refused() {
    let error = LockFile::parse(document(&[package("a-b"), package("a_b")]).as_bytes()).unwrap_err();
    assert!(matches!(&error, LockError::Format { reason } if reason.contains("a_b")), "{error}");
}

#[test]
fn names_that_cannot_be_are_refused() {
    for bad in ["", "../a", "a b", "-"] {
        assert!(LockFile::parse(document(&[package(bad)]).as_bytes()).is_err(), "{bad}");
    }
    assert!(matches!(LockFile::parse(&vec![b' '; (32 << 20) + 1]), Err(LockError::TooLarge { .. })));
    assert!(LockFile::parse("[".repeat(100_000).as_bytes()).is_err());
    assert!(LockFile::parse(b"\xEF\xBB\xBF{}").is_err());
}

#[test]
fn a_very_long_name_is_answered_at_once() {
    let packages: Vec<String> = (0..400).map(|index| package(&format!("package-{index}"))).collect();
    let lock = LockFile::parse(document(&packages).as_bytes()).unwrap();
    let error = lock.closure(&[name(&"x".repeat(1 << 20))]).unwrap_err();
    assert!(error.near.is_empty());
    assert_eq!(lock.closure(&[name("package-39")]).unwrap().len(), 1);
    assert_eq!(lock.closure(&[name("pakcage-39")]).unwrap_err().near[0], "package-39");
}

#[test]
fn the_official_lock_file_is_read() {
    let Some(bytes) = support::real("pyodide-lock.json") else { return };
    let lock = LockFile::parse(&bytes).unwrap();
    assert_eq!((lock.info().abi_version.as_str(), lock.info().python.as_str()), ("2025_0", "3.13.2"));
    assert_eq!(lock.packages().count(), 343);
    for (name, package) in lock.packages() {
        let closure = lock.closure(std::slice::from_ref(name)).unwrap_or_else(|error| panic!("{error}"));
        let mut seen = HashSet::new();
        for needed in &closure {
            seen.insert(needed.name.parse::<PackageName>().unwrap());
            for before in &needed.depends {
                assert!(seen.contains(before), "{name}: {} comes before {before}", needed.name);
            }
        }
        assert_eq!(closure.last().map(|last| &last.name), Some(&package.name));
        for module in &package.imports {
            assert_eq!(lock.package_for_import(module).map(|found| &found.name), Some(&package.name), "{module}");
        }
        let is_shared = package.install_dir == InstallDir::Dynlib;
        let wheel = package.file_name.parse::<WheelFilename>();
        match package.file_name.rsplit('.').next() {
            Some("whl") => assert_eq!(wheel.unwrap().name, *name),
            Some("zip") => assert!(is_shared, "{name}"),
            _ => assert!(name.as_str().ends_with("-tests") && check_format(&package.file_name).is_err(), "{name}"),
        }
    }
    let names = |wanted: &str| -> Vec<&str> {
        lock.closure(&[name(wanted)]).unwrap().iter().map(|package| package.name.as_str()).collect()
    };
    assert_eq!(names("pandas"), ["numpy", "six", "python-dateutil", "pytz", "pandas"]);
    let provider = |module: &str| lock.package_for_import(module).map(|package| package.name.as_str());
    assert_eq!(provider("cv2"), Some("opencv-python"));
    assert_eq!(provider("sklearn.linear_model"), Some("scikit-learn"));
    assert_eq!(provider("PIL.Image"), Some("Pillow"));
    assert_eq!(provider("os"), None);
    assert_eq!(lock.closure(&[name("pnadas")]).unwrap_err().near[0], "pandas");
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300), text in "[\\[\\]{}\",:a-z0-9 ]{0,120}") {
        let _ = LockFile::parse(&bytes);
        let _ = LockFile::parse(text.as_bytes());
    }

    #[test]
    fn what_is_needed_comes_first_unless_packages_need_each_other(
        needs in prop::collection::vec(prop::collection::vec(0..12_usize, 0..4), 12),
    ) {
        let packages: Vec<String> = needs.iter().enumerate().map(|(index, needs)| {
            let needs: Vec<String> = needs.iter().map(|need| format!("\"p{need}\"")).collect();
            package(&format!("p{index}")).replace("\"depends\":[]", &format!("\"depends\":[{}]", needs.join(",")))
        }).collect();
        let lock = LockFile::parse(document(&packages).as_bytes()).unwrap();
        let closure = lock.closure(&[name("p0")]).unwrap();
        let position = |index: usize| closure.iter().position(|package| package.name == format!("p{index}"));
        // Whatever can be reached is there, once.
        let mut reached = vec![0];
        let mut next = 0;
        while next < reached.len() {
            for need in &needs[reached[next]] {
                if !reached.contains(need) {
                    reached.push(*need);
                }
            }
            next += 1;
        }
        prop_assert_eq!(closure.len(), reached.len());
        let reaches = |from: usize, to: usize| {
            let (mut seen, mut open) = (vec![from], vec![from]);
            while let Some(at) = open.pop() {
                for need in &needs[at] {
                    if !seen.contains(need) {
                        seen.push(*need);
                        open.push(*need);
                    }
                }
            }
            seen.contains(&to)
        };
        for package in &reached {
            for need in &needs[*package] {
                let is_circle = reaches(*need, *package);
                prop_assert!(is_circle || position(*need) < position(*package), "{} before {}", need, package);
            }
        }
    }
}
