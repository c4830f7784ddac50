//! Wheels: file names, `METADATA`, `RECORD`, and where files go; by hand and with real ones.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod support;

use std::rc::Rc;

use proptest::prelude::*;
use support::{Item, Zip, open};
use taipan_core::archive::EntryKind;
use taipan_core::lock::LockFile;
use taipan_core::name::PackageName;
use taipan_core::requirement::Requirement;
use taipan_core::source::SparseSource;
use taipan_core::version::Version;
use taipan_core::wheel::{
    InstallError, InterpreterTags, Metadata, MetadataError, Place, Record, RecordError, WheelFilename, WheelLayout,
    check_identity, is_side_module, read_metadata, top_level_modules,
};

const METADATA: &[u8] = b"Metadata-Version: 2.1\nName: Demo.Pkg\nVersion: 1.0\n";
/// SHA-256 of nothing, as `RECORD` has it.
const NOTHING: &str = "sha256=47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

fn name(text: &str) -> PackageName {
    text.parse().unwrap()
}

fn wheel(extra: &[Item]) -> Zip {
    let mut items = vec![
        Item::file("demo_pkg/__init__.py", b""),
        Item::file("demo_pkg-1.0.dist-info/METADATA", METADATA),
        Item::file("demo_pkg-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\n"),
        Item::file("demo_pkg-1.0.dist-info/RECORD", b""),
    ];
    items.extend_from_slice(extra);
    Zip::of(&items)
}

fn layout(zip: &Zip) -> Result<WheelLayout, InstallError> {
    WheelLayout::of(&zip.open().unwrap(), &name("demo-pkg"))
}

#[test]
fn files_have_their_places() {
    let zip = wheel(&[
        Item::file("demo_pkg-1.0.data/purelib/pure.py", b""),
        Item::file("demo_pkg-1.0.data/platlib/plat.so", b""),
        Item::file("demo_pkg-1.0.data/data/share/man/demo.1", b""),
        Item::file("demo_pkg-1.0.data/scripts/demo", b""),
        Item::file("demo_pkg-1.0.data/headers/demo.h", b""),
        Item::directory("demo_pkg-1.0.data/data/"),
        // Not the wheel's own.
        Item::file("other.data/data/x", b""),
    ]);
    let archive = zip.open().unwrap();
    let layout = WheelLayout::of(&archive, &name("demo-pkg")).unwrap();
    assert_eq!((layout.dist_info.as_str(), layout.metadata.name.as_str()), ("demo_pkg-1.0.dist-info", "Demo.Pkg"));
    assert_eq!(layout.data.as_deref(), Some("demo_pkg-1.0.data"));
    let place = |path: &str| layout.place(archive.find(path).unwrap());
    let site = |path: &str| Some(Place::SitePackages(path.to_owned()));
    assert_eq!(place("demo_pkg/__init__.py"), site("demo_pkg/__init__.py"));
    assert_eq!(place("demo_pkg-1.0.dist-info/METADATA"), site("demo_pkg-1.0.dist-info/METADATA"));
    assert_eq!(place("demo_pkg-1.0.data/purelib/pure.py"), site("pure.py"));
    assert_eq!(place("demo_pkg-1.0.data/platlib/plat.so"), site("plat.so"));
    assert_eq!(place("demo_pkg-1.0.data/data/share/man/demo.1"), Some(Place::Prefix("share/man/demo.1".to_owned())));
    assert_eq!(place("demo_pkg-1.0.data/scripts/demo"), None);
    assert_eq!(place("demo_pkg-1.0.data/headers/demo.h"), None);
    assert_eq!(place("demo_pkg-1.0.data/data"), None);
    assert_eq!(place("other.data/data/x"), site("other.data/data/x"));
}

#[test]
fn wheels_that_are_none_are_refused() {
    let error = |items: &[Item]| layout(&Zip::of(items)).unwrap_err();
    assert_eq!(error(&[Item::file("a.py", b"")]), InstallError::DistInfo { count: 0 });
    let two = wheel(&[Item::file("other-1.dist-info/METADATA", METADATA)]);
    assert_eq!(layout(&two).unwrap_err(), InstallError::DistInfo { count: 2 });
    for missing in ["METADATA", "WHEEL", "RECORD"] {
        let items: Vec<Item> = ["METADATA", "WHEEL", "RECORD"]
            .iter()
            .filter(|file| **file != missing)
            .map(|file| Item::file(&format!("a-1.dist-info/{file}"), METADATA))
            .collect();
        assert_eq!(error(&items), InstallError::Missing { path: format!("a-1.dist-info/{missing}") });
    }
    let other = WheelLayout::of(&wheel(&[]).open().unwrap(), &name("pandas")).unwrap_err();
    assert_eq!(other, InstallError::OtherPackage { found: "Demo.Pkg".to_owned(), expected: name("pandas") });
    let replaced = |metadata: &[u8]| {
        let file = |name: &str, content| Item::file(&format!("demo_pkg-1.0.dist-info/{name}"), content);
        Zip::of(&[file("METADATA", metadata), file("WHEEL", b""), file("RECORD", b"")])
    };
    let unnamed = layout(&replaced(b"Metadata-Version: 2.1\n")).unwrap_err();
    assert_eq!(unnamed, InstallError::Metadata(MetadataError::Missing { field: "Name" }));
    assert!(matches!(layout(&replaced(b"Name: \xFF\n")), Err(InstallError::Archive(_))));
    let large = layout(&replaced(&vec![b'x'; 9 << 20])).unwrap_err();
    assert!(matches!(large, InstallError::Metadata(MetadataError::TooLarge { .. })), "{large}");
}

#[test]
fn side_modules_are_known_by_their_names() {
    let zip = Zip::of(
        &[
            "a.so",
            "a.cpython-313-wasm32-emscripten.so",
            "a.so.1",
            "lib/a.so.1.2",
            "a.so.py",
            "so",
            "a.soft",
            "a.so.",
            "a.so.x",
        ]
        .map(|path| Item::file(path, b"")),
    );
    let archive = zip.open().unwrap();
    let found: Vec<&str> =
        archive.entries().iter().filter(|entry| is_side_module(entry)).map(|entry| entry.path.as_str()).collect();
    assert_eq!(found, ["a.so", "a.cpython-313-wasm32-emscripten.so", "a.so.1", "lib/a.so.1.2"]);
    let directory = Zip::of(&[Item::directory("a.so/")]).open().unwrap();
    assert!(!is_side_module(&directory.entries()[0]));
}

#[test]
fn records_are_read() {
    let text = format!("a.py,{NOTHING},0\r\n\"b,\"\"c\"\".py\",{NOTHING}=,12\n\nx.dist-info/RECORD,,\n");
    let record = Record::parse(&text).unwrap();
    let paths: Vec<&str> = record.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(paths, ["a.py", "b,\"c\".py", "x.dist-info/RECORD"]);
    assert_eq!(record.files[1].size, Some(12));
    assert_eq!(record.files[2].sha256, None);
    assert!(record.files[0].matches(b""));
    assert!(!record.files[0].matches(b"x") && !record.files[1].matches(b""));
    assert!(record.files[2].matches(b"anything"));
}

#[test]
fn records_that_are_none_are_refused() {
    let row = Err(RecordError::Row { row: 1 });
    for text in ["a.py", "a.py,", ",,", "a,,,", "\"a,,", "\"a\"b,,", "a,\"\"x,"] {
        assert_eq!(Record::parse(text), row, "{text}");
    }
    let short = &NOTHING[..NOTHING.len() - 1];
    let loose_bits = format!("{short}V");
    for hash in ["sha256=", "md5=abc", "x", short, &loose_bits, &NOTHING.replace('-', "+")] {
        let error = Record::parse(&format!("ok,,\na,{hash},1")).unwrap_err();
        assert_eq!(error, RecordError::Hash { row: 2, hash: hash.to_owned() });
    }
    for size in ["-1", "+1", "x", "1.0", " 1", "99999999999999999999"] {
        let error = Record::parse(&format!("a,,{size}")).unwrap_err();
        assert_eq!(error, RecordError::Size { row: 1, size: size.to_owned() });
    }
}

#[test]
fn records_are_compared_with_archives() {
    let archive = Zip::of(&[
        Item::file("a.py", b"12"),
        Item::file("extra.py", b""),
        Item::directory("d/"),
        Item::file("x.dist-info/RECORD", b""),
        Item::file("x.dist-info/RECORD.jws", b""),
    ])
    .open()
    .unwrap();
    let report = Record::parse("a.py,,3\ngone.py,,\nd,,\nx.dist-info/RECORD,,").unwrap().compare(&archive);
    assert_eq!(report.missing, ["gone.py", "d"]);
    assert_eq!(report.unlisted, ["extra.py"]);
    assert_eq!(report.wrong_size, ["a.py"]);
    assert!(!report.is_empty());
    assert!(Record::parse("a.py,,2\nextra.py,,\nx.dist-info/RECORD,,").unwrap().compare(&archive).is_empty());
}

#[test]
fn file_names_that_could_lead_elsewhere_are_refused() {
    for text in
        ["a-1-1/../x-py3-none-any.whl", "../a-1-py3-none-any.whl", "a-1/2-py3-none-any.whl", "a-1-py3-none-an y.whl"]
    {
        assert!(text.parse::<WheelFilename>().is_err(), "{text}");
    }
}

proptest! {
    #[test]
    fn file_names_round_trip(
        name in "[A-Za-z0-9]([A-Za-z0-9._]{0,6}[A-Za-z0-9])?",
        version in "[0-9]{1,3}(\\.[0-9]{1,3}){0,2}((a|b|rc)[0-9])?(\\+[a-z]{1,3})?",
        build in prop::option::of("[0-9]{1,3}[a-z_]{0,3}"),
        tags in "(py3|cp313|py2\\.py3)-(none|abi3|cp313)-(any|pyodide_2025_0_wasm32|a\\.b)",
    ) {
        let build = build.map_or_else(String::new, |build| format!("-{build}"));
        let text = format!("{name}-{version}{build}-{tags}.whl");
        let parsed: WheelFilename = text.parse().unwrap();
        prop_assert_eq!(parsed.to_string(), text);
        prop_assert_eq!(parsed.to_string().parse::<WheelFilename>().unwrap(), parsed);
    }

    #[test]
    fn arbitrary_text_never_panics(text: String, ascii in "[ -~\r\n]{0,80}") {
        let tags = InterpreterTags { python: (3, 13), platforms: vec!["pyodide_2025_0_wasm32".into()] };
        for text in [text.as_str(), &ascii, &format!("{text}.whl"), &format!("a-1-{text}-{text}-any.whl")] {
            if let Ok(wheel) = text.parse::<WheelFilename>() {
                let _ = wheel.check(&tags).map_err(|error| error.to_string());
                prop_assert_eq!(wheel.to_string(), text);
            }
            let _ = Metadata::parse(text);
            let _ = Record::parse(text);
        }
    }

    #[test]
    fn records_round_trip(paths in prop::collection::vec("[ -~äö\n]{1,12}", 0..6), sizes in prop::collection::vec(any::<u64>(), 6)) {
        let rows = paths.iter().zip(&sizes).map(|(path, size)| {
            format!("\"{}\",{NOTHING},{size}\n", path.replace('"', "\"\""))
        });
        let record = Record::parse(&rows.collect::<String>()).unwrap();
        let found: Vec<(&str, Option<u64>)> = record.files.iter().map(|file| (file.path.as_str(), file.size)).collect();
        let expected: Vec<(&str, Option<u64>)> = paths.iter().map(String::as_str).zip(sizes.into_iter().map(Some)).collect();
        prop_assert_eq!(found, expected);
    }
}

#[test]
fn real_wheels_have_layouts_and_records() {
    let Some(lock) = support::real("pyodide-lock.json") else { return };
    let lock = LockFile::parse(&lock).unwrap();
    let tags = InterpreterTags { python: (3, 13), platforms: vec!["pyodide_2025_0_wasm32".into()] };
    let wheels = support::real_archives().into_iter().filter(|name| support::has_extension(name, "whl"));
    let mut in_lock_file = 0;
    for file in wheels {
        let filename: WheelFilename = file.parse().unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(filename.to_string(), file);
        filename.check(&tags).unwrap_or_else(|error| panic!("{error}"));
        // Beside the wheels of the distribution lie those that tests take from an index.
        let locked = lock.get(&filename.name);
        if let Some(locked) = locked {
            assert_eq!((&locked.version, &locked.file_name), (&filename.version, &file));
            in_lock_file += 1;
        }

        let archive = open(support::real(&file).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"));
        let layout = WheelLayout::of(&archive, &filename.name).unwrap_or_else(|error| panic!("{file}: {error}"));
        assert_eq!(layout.metadata.version.parse::<Version>(), filename.version.parse(), "{file}");
        for requirement in &layout.metadata.requires_dist {
            requirement.parse::<Requirement>().unwrap_or_else(|error| panic!("{file}: {error}"));
        }
        // Every module that the lock file promises is where Python will look for it.
        for module in locked.iter().flat_map(|locked| &locked.imports) {
            let path = module.replace('.', "/");
            let is_there = archive.entries().iter().filter_map(|entry| layout.place(entry)).any(|place| {
                matches!(place, Place::SitePackages(placed)
                    if placed.strip_prefix(&path).is_some_and(|rest| rest.starts_with(['/', '.'])))
            });
            assert!(is_there, "{file} does not hold {module}");
        }

        let record = archive.find(&format!("{}/RECORD", layout.dist_info)).unwrap();
        let record =
            Record::parse(&archive.read_text(record).unwrap()).unwrap_or_else(|error| panic!("{file}: {error}"));
        let report = record.compare(&archive);
        assert_eq!(report.wrong_size, [""; 0], "{file}");
        assert_eq!(report.unlisted, [""; 0], "{file}");
        let files = archive.entries().iter().filter(|entry| entry.kind == EntryKind::File).count();
        assert!(files <= record.files.len(), "{file}");
        if file.starts_with("six-") || file.starts_with("numpy-") {
            for listed in record.files.iter().filter(|listed| support::has_extension(&listed.path, "py")) {
                let contents = archive.read(archive.find(&listed.path).unwrap()).unwrap();
                assert!(listed.matches(&contents), "{file}: {}", listed.path);
            }
        }
    }
    assert!(in_lock_file > 0, "no wheel of the distribution is in its lock file");
}

#[test]
fn metadata_is_read_with_few_bytes_of_the_wheel() {
    let filling: Vec<u8> =
        (0..3_000_000_u32).flat_map(|number| (number.wrapping_mul(2_654_435_761) >> 9).to_le_bytes()).collect();
    let zip = Zip::of(&[
        Item::stored("demo/data.bin", &filling),
        Item::file(
            "demo-1.0.dist-info/METADATA",
            b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\nRequires-Dist: six\n",
        ),
        Item::file("demo-1.0.dist-info/licenses/METADATA", b"not this one"),
        Item::stored("demo/more.bin", &filling[..200_000]),
    ]);
    let source = Rc::new(SparseSource::new(zip.bytes.len() as u64));
    let mut requests = 0;
    let text = loop {
        match read_metadata(Rc::<SparseSource>::clone(&source)) {
            Ok(text) => break text,
            Err(error) => {
                let (offset, length) = source.missing().unwrap_or_else(|| panic!("{error}"));
                assert!(length < 100_000 && requests < 5);
                requests += 1;
                source.add(offset, zip.bytes[offset as usize..(offset + length) as usize].to_vec());
            }
        }
    };
    let metadata = Metadata::parse(&text).unwrap();
    assert_eq!(metadata.requires_dist, ["six"]);
    check_identity(&metadata, &"Demo-1.0.0-py3-none-any.whl".parse().unwrap()).unwrap();
    let other = check_identity(&metadata, &"demo-2.0-py3-none-any.whl".parse().unwrap()).unwrap_err();
    assert_eq!(other.to_string(), "its metadata names version 1.0, its file name 2.0");
    assert!(check_identity(&metadata, &"demos-1.0-py3-none-any.whl".parse().unwrap()).is_err());
}

#[test]
fn modules_at_top_level_are_found() {
    let zip = Zip::of(&[
        Item::file("demo/__init__.py", b"1"),
        Item::file("demo/sub/__init__.py", b"2"),
        Item::file("single.py", b"3"),
        Item::file("_fast.cpython-313-wasm32-emscripten.so", b"\0asm"),
        Item::file("space/inner/code.py", b"4"),
        Item::file("demo-1.0.data/purelib/moved.py", b"5"),
        Item::file("demo-1.0.data/scripts/tool.py", b"6"),
        Item::file("docs/readme.txt", b"7"),
        Item::file("demo-1.0.dist-info/METADATA", b"Name: demo\nVersion: 1.0\n"),
        Item::file("demo-1.0.dist-info/WHEEL", b""),
        Item::file("demo-1.0.dist-info/RECORD", b""),
    ]);
    let archive = zip.open().unwrap();
    let layout = WheelLayout::of(&archive, &"demo".parse().unwrap()).unwrap();
    let modules = top_level_modules(&archive, &layout);
    let found: Vec<(&str, &str, bool)> =
        modules.iter().map(|(name, file)| (name.as_str(), file.path.as_str(), file.is_exclusive)).collect();
    assert_eq!(
        found,
        [
            ("_fast", "_fast.cpython-313-wasm32-emscripten.so", true),
            ("demo", "demo/__init__.py", true),
            ("moved", "moved.py", true),
            ("single", "single.py", true),
            ("space", "space/inner/code.py", false),
        ]
    );
}
