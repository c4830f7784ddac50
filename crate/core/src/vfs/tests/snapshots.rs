use super::*;

fn paths(files: &FileSystem) -> Vec<WalkEntry> {
    files.walk(files.root()).unwrap()
}

#[test]
fn a_snapshot_has_everything_and_reads_nothing() {
    let mut files = FileSystem::new(NOW);
    let id = files.mount_layer(files.root(), &layer(&[("pkg/a.py", b"a"), ("pkg/b.py", b"b")]), NOW).unwrap();
    files.write_file("/pkg/mine.txt", b"mine", LATER).unwrap();
    files.symlink(files.root(), "link", "pkg/a.py", LATER).unwrap();
    files.make_node(files.root(), "null", 0o020_666, 259, LATER).unwrap();
    let unlinked = files.write_file("/gone", b"gone", LATER).unwrap();
    files.open(unlinked);
    files.unlink(files.root(), "gone", LATER).unwrap();

    let tree = files.snapshot().unwrap();
    let mut restored = FileSystem::from_tree(&tree).unwrap();
    assert_eq!(paths(&restored), paths(&files));
    assert_eq!(files.usage().files_inflated, 0);
    assert_eq!(restored.usage().inodes, files.usage().inodes - 1, "what has no path is left out");
    assert_eq!(restored.usage().bytes_written, 4);
    assert_eq!(restored.read_file("/link").unwrap(), b"a");
    restored.unmount_layer(id, LATER);
    assert!(!restored.exists("/pkg/b.py"));
    assert_eq!(restored.read_file("/pkg/mine.txt").unwrap(), b"mine");
    let next = restored.mount_layer(restored.root(), &layer(&[("c", b"c")]), LATER).unwrap();
    assert_ne!(next, id);
}

#[test]
fn writing_after_a_snapshot_does_not_reach_it() {
    let (mut files, inode) = with_file("/a", b"abc");
    let tree = files.snapshot().unwrap();
    let saved = files.save().unwrap();
    files.write(inode, 0, b"X", LATER).unwrap();
    let mut restored = FileSystem::from_tree(&tree).unwrap();
    restored.write(inode, 2, b"Y", LATER).unwrap();
    assert_eq!(files.read_file("/a").unwrap(), b"Xbc");
    assert_eq!(restored.read_file("/a").unwrap(), b"abY");
    files.roll_back(&saved);
    assert_eq!(files.read_file("/a").unwrap(), b"abc");
}

#[test]
fn going_back_opens_and_closes_files_as_they_were() {
    let (mut files, kept) = with_file("/kept", b"kept");
    let gone = files.write_file("/gone", b"gone", NOW).unwrap();
    files.open(gone);
    files.unlink(files.root(), "gone", NOW).unwrap();
    let saved = files.save().unwrap();
    files.close(gone);
    assert_eq!(files.metadata(gone), Err(Errno::ENOENT));
    files.open(kept);
    files.unlink(files.root(), "kept", LATER).unwrap();
    let later = files.write_file("/later", b"later", LATER).unwrap();
    files.open(later);
    files.roll_back(&saved);

    assert!(!files.exists("/later"));
    assert_eq!(files.metadata(later), Err(Errno::ENOENT));
    assert_eq!(files.with_bytes(gone, 0, 9, <[u8]>::to_vec).unwrap(), b"gone", "it is open, and has no name");
    files.close(gone);
    assert_eq!(files.metadata(gone), Err(Errno::ENOENT));
    files.unlink(files.root(), "kept", LATER).unwrap();
    assert_eq!(files.metadata(kept), Err(Errno::ENOENT), "nobody has it open");
    files.roll_back(&saved);
    assert_eq!(files.read_file("/kept").unwrap(), b"kept", "one can go back again");
}

#[test]
fn trees_that_are_none_are_refused() {
    let mut files = FileSystem::new(NOW);
    let text = b"text".repeat(20);
    files.mount_layer(files.root(), &layer(&[("d/f", &text)]), NOW).unwrap();
    files.symlink(files.root(), "link", "d", NOW).unwrap();
    let tree = files.snapshot().unwrap();
    let refused = |change: &dyn Fn(&mut Tree)| {
        let mut tree = tree.clone();
        change(&mut tree);
        FileSystem::from_tree(&tree).map(|_| ()).unwrap_err().errno
    };
    assert_eq!(refused(&|tree| tree.nodes.clear()), Errno::ENOENT);
    assert_eq!(refused(&|tree| drop(tree.nodes.remove(0))), Errno::EINVAL);
    assert_eq!(refused(&|tree| drop(tree.nodes.remove(1))), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[1].kind = FileKind::File), Errno::ENOTDIR);
    assert_eq!(refused(&|tree| tree.nodes[1].parent = 99), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[1].parent = tree.nodes[1].inode), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[1].inode = 1), Errno::EEXIST);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "d".into()), Errno::EEXIST);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "..".into()), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "a/b".into()), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[3].name = "x".repeat(256)), Errno::ENAMETOOLONG);
    assert_eq!(refused(&|tree| tree.nodes[0].name = "x".into()), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[3].content = Content::Bytes([].into())), Errno::ENOENT);
    assert_eq!(refused(&|tree| tree.nodes[3].content = Content::Bytes([0xff].into())), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.nodes[2].permissions = 0o10_000), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.next_inode = 4), Errno::EINVAL);
    assert_eq!(refused(&|tree| tree.next_layer = 1), Errno::EINVAL);
}
