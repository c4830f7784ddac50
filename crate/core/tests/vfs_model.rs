//! Random sequences of file-system calls, compared with a model that is too simple to be wrong: a map from paths to
//! contents.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;

use proptest::prelude::*;
use taipan_core::vfs::{AttributeChange, Errno, FileSystem, Inode};

const FILE: u32 = 0o100_644;
const DIRECTORY: u32 = 0o040_755;

#[derive(Debug, Clone, PartialEq)]
enum Entry {
    File(Vec<u8>),
    Directory,
}

/// Paths without a leading slash; the root is not in it.
type Model = BTreeMap<String, Entry>;

#[derive(Debug, Clone)]
enum Call {
    MakeFile(String),
    MakeDirectory(String),
    Write(String, u64, Vec<u8>),
    Truncate(String, u64),
    Unlink(String),
    RemoveDirectory(String),
    Rename(String, String),
}

fn path() -> impl Strategy<Value = String> {
    prop::collection::vec("[abc]", 1..4).prop_map(|names| names.join("/"))
}

fn call() -> impl Strategy<Value = Call> {
    prop_oneof![
        path().prop_map(Call::MakeFile),
        path().prop_map(Call::MakeDirectory),
        (path(), 0..64_u64, prop::collection::vec(any::<u8>(), 0..16)).prop_map(|(p, at, b)| Call::Write(p, at, b)),
        (path(), 0..64_u64).prop_map(|(p, size)| Call::Truncate(p, size)),
        path().prop_map(Call::Unlink),
        path().prop_map(Call::RemoveDirectory),
        (path(), path()).prop_map(|(from, to)| Call::Rename(from, to)),
    ]
}

fn parent_of(path: &str) -> (&str, &str) {
    path.rsplit_once('/').unwrap_or(("", path))
}

/// The errno of resolving all but the last name, as `open` would give it.
fn check_parent(model: &Model, path: &str) -> Result<(), Errno> {
    let mut prefix = String::new();
    let (parent, _) = parent_of(path);
    for name in parent.split('/').filter(|name| !name.is_empty()) {
        if !prefix.is_empty() {
            prefix.push('/');
        }
        prefix.push_str(name);
        match model.get(&prefix) {
            Some(Entry::Directory) => {}
            Some(Entry::File(_)) => return Err(Errno::ENOTDIR),
            None => return Err(Errno::ENOENT),
        }
    }
    Ok(())
}

fn has_children(model: &Model, path: &str) -> bool {
    model.keys().any(|key| key.starts_with(&format!("{path}/")))
}

fn apply_to_model(model: &mut Model, call: &Call) -> Result<(), Errno> {
    match call {
        Call::MakeFile(path) | Call::MakeDirectory(path) => {
            check_parent(model, path)?;
            if model.contains_key(path) {
                return Err(Errno::EEXIST);
            }
            let entry = if matches!(call, Call::MakeFile(_)) { Entry::File(vec![]) } else { Entry::Directory };
            model.insert(path.clone(), entry);
        }
        Call::Write(path, at, bytes) => {
            check_parent(model, path)?;
            match model.get_mut(path).ok_or(Errno::ENOENT)? {
                // Writing nothing is not looked at.
                _ if bytes.is_empty() => {}
                Entry::Directory => return Err(Errno::EISDIR),
                Entry::File(contents) => {
                    let end = *at as usize + bytes.len();
                    if contents.len() < end {
                        contents.resize(end, 0);
                    }
                    contents[*at as usize..end].copy_from_slice(bytes);
                }
            }
        }
        Call::Truncate(path, size) => {
            check_parent(model, path)?;
            match model.get_mut(path).ok_or(Errno::ENOENT)? {
                Entry::Directory => return Err(Errno::EISDIR),
                Entry::File(contents) => contents.resize(*size as usize, 0),
            }
        }
        Call::Unlink(path) => {
            check_parent(model, path)?;
            match model.get(path).ok_or(Errno::ENOENT)? {
                Entry::Directory => return Err(Errno::EISDIR),
                Entry::File(_) => drop(model.remove(path)),
            }
        }
        Call::RemoveDirectory(path) => {
            check_parent(model, path)?;
            match model.get(path).ok_or(Errno::ENOENT)? {
                Entry::File(_) => return Err(Errno::ENOTDIR),
                Entry::Directory if has_children(model, path) => return Err(Errno::ENOTEMPTY),
                Entry::Directory => drop(model.remove(path)),
            }
        }
        Call::Rename(from, to) => {
            check_parent(model, from)?;
            check_parent(model, to)?;
            let moved = model.get(from).ok_or(Errno::ENOENT)?.clone();
            if from == to {
                return Ok(());
            }
            if moved == Entry::Directory && to.starts_with(&format!("{from}/")) {
                return Err(Errno::EINVAL);
            }
            match (model.get(to), &moved) {
                (Some(Entry::Directory), Entry::File(_)) => return Err(Errno::EISDIR),
                (Some(Entry::File(_)), Entry::Directory) => return Err(Errno::ENOTDIR),
                (Some(Entry::Directory), Entry::Directory) if has_children(model, to) => return Err(Errno::ENOTEMPTY),
                _ => {}
            }
            let keys: Vec<String> =
                model.keys().filter(|key| *key == from || key.starts_with(&format!("{from}/"))).cloned().collect();
            for key in keys {
                let Some(entry) = model.remove(&key) else { continue };
                model.insert(format!("{to}{}", &key[from.len()..]), entry);
            }
        }
    }
    Ok(())
}

fn apply_to_files(files: &mut FileSystem, call: &Call, now: f64) -> Result<(), Errno> {
    let split = |files: &FileSystem, path: &str| -> Result<(Inode, String), Errno> {
        let (parent, name) = parent_of(path);
        let parent = files.resolve(&format!("/{parent}"), true)?;
        files.read_directory(parent)?;
        Ok((parent, name.to_owned()))
    };
    match call {
        Call::MakeFile(path) | Call::MakeDirectory(path) => {
            let (parent, name) = split(files, path)?;
            let mode = if matches!(call, Call::MakeFile(_)) { FILE } else { DIRECTORY };
            files.make_node(parent, &name, mode, 0, now).map(drop)
        }
        Call::Write(path, at, bytes) => {
            let inode = files.resolve(path, true)?;
            files.write(inode, *at, bytes, now).map(drop)
        }
        Call::Truncate(path, size) => {
            let inode = files.resolve(path, true)?;
            files.set_attributes(inode, &AttributeChange { size: Some(*size), ..Default::default() }, now)
        }
        Call::Unlink(path) => {
            let (parent, name) = split(files, path)?;
            files.unlink(parent, &name, now)
        }
        Call::RemoveDirectory(path) => {
            let (parent, name) = split(files, path)?;
            files.remove_directory(parent, &name, now)
        }
        Call::Rename(from, to) => {
            let (from_parent, from_name) = split(files, from)?;
            let (to_parent, to_name) = split(files, to)?;
            files.rename(from_parent, &from_name, to_parent, &to_name, now)
        }
    }
}

fn contents(files: &mut FileSystem) -> Model {
    let mut model = Model::new();
    for entry in files.walk(files.root()).expect("the root is a directory") {
        if entry.path.is_empty() {
            continue;
        }
        let is_directory = entry.metadata.mode & 0o170_000 == 0o040_000;
        let found = if is_directory {
            Entry::Directory
        } else {
            Entry::File(files.read_file(&entry.path).expect("a file can be read"))
        };
        model.insert(entry.path, found);
    }
    model
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn calls_do_what_the_model_does(calls in prop::collection::vec(call(), 1..60)) {
        let mut files = FileSystem::new(0.0);
        let mut model = Model::new();
        for (time, call) in calls.iter().enumerate() {
            let expected = apply_to_model(&mut model, call);
            let actual = apply_to_files(&mut files, call, time as f64);
            prop_assert_eq!(&actual, &expected, "{:?}", call);
        }
        prop_assert_eq!(contents(&mut files), model.clone());
        let held = files.usage();
        prop_assert_eq!(held.inodes, model.len() + 1, "no inode is lost or left over");
    }

    #[test]
    fn going_back_is_as_if_nothing_had_happened(
        before in prop::collection::vec(call(), 1..40),
        between in prop::collection::vec(call(), 0..40),
        after in prop::collection::vec(call(), 0..20),
    ) {
        let mut files = FileSystem::new(0.0);
        let mut model = Model::new();
        for call in &before {
            prop_assert_eq!(apply_to_files(&mut files, call, 1.0), apply_to_model(&mut model, call));
        }
        let (expected, usage) = (files.walk(files.root()), files.usage());
        let tree = files.snapshot().unwrap();
        prop_assert_eq!(files.walk(files.root()), expected.clone(), "taking a snapshot changes nothing");
        prop_assert_eq!(files.usage(), usage);
        let saved = files.save().unwrap();
        prop_assert_eq!(files.walk(files.root()), expected.clone(), "nor does saving");
        for call in &between {
            let _ = apply_to_files(&mut files, call, 2.0);
        }
        let mut other = FileSystem::from_tree(&tree).unwrap();
        prop_assert_eq!(other.walk(other.root()), expected.clone());
        prop_assert_eq!(contents(&mut other), model.clone());

        let newest = files.write_file("newest", b"", 3.0).unwrap();
        files.roll_back(&saved);
        prop_assert_eq!(files.walk(files.root()), expected);
        prop_assert_eq!(files.usage().inodes, usage.inodes);
        prop_assert!(files.write_file("newer", b"", 3.0).unwrap() > newest, "numbers are not given away again");
        files.unlink(files.root(), "newer", 3.0).unwrap();
        for call in &after {
            let expected = apply_to_model(&mut model, call);
            prop_assert_eq!(&apply_to_files(&mut files, call, 4.0), &expected, "{:?}", call);
            prop_assert_eq!(&apply_to_files(&mut other, call, 4.0), &expected, "{:?}", call);
        }
        prop_assert_eq!(contents(&mut files), model.clone());
        prop_assert_eq!(contents(&mut other), model);
    }

    #[test]
    fn open_files_keep_their_contents(calls in prop::collection::vec(call(), 1..40)) {
        let mut files = FileSystem::new(0.0);
        let inode = files.write_file("a", b"kept", 0.0).unwrap();
        files.open(inode);
        for call in &calls {
            let touches_it = matches!(call, Call::Write(path, ..) | Call::Truncate(path, _)
                if files.resolve(path, true) == Ok(inode));
            if !touches_it {
                let _ = apply_to_files(&mut files, call, 0.0);
            }
        }
        prop_assert_eq!(files.with_bytes(inode, 0, 9, <[u8]>::to_vec), Ok(b"kept".to_vec()));
        files.close(inode);
    }
}
