//! Inodes and what is known of them.

use super::content::{Content, FileData};
use super::directory::Directory;
use super::layer::LayerId;

/// The number of an inode. Numbers are not used again while a file system lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Inode(u32);

impl Inode {
    /// The number.
    pub const fn get(self) -> u32 {
        self.0
    }
}

impl From<u32> for Inode {
    fn from(number: u32) -> Self {
        Self(number)
    }
}

/// The kinds of inode there are, `S_IFMT` of a mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileKind {
    /// `S_IFREG`
    File,
    /// `S_IFDIR`
    Directory,
    /// `S_IFLNK`
    Symlink,
    /// `S_IFCHR`
    Device,
}

/// The bits of a mode that are permissions.
pub(super) const PERMISSIONS: u32 = 0o7777;

impl FileKind {
    /// The kind in the upper bits of a mode; absent for those that do not exist here (pipes, sockets, block devices).
    pub const fn of(mode: u32) -> Option<Self> {
        match mode & 0o170_000 {
            0o100_000 => Some(Self::File),
            0o040_000 => Some(Self::Directory),
            0o120_000 => Some(Self::Symlink),
            0o020_000 => Some(Self::Device),
            _ => None,
        }
    }

    /// The upper bits of a mode.
    pub const fn bits(self) -> u32 {
        match self {
            Self::File => 0o100_000,
            Self::Directory => 0o040_000,
            Self::Symlink => 0o120_000,
            Self::Device => 0o020_000,
        }
    }
}

/// What `stat` tells. Times are milliseconds since 1970.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Metadata {
    /// Kind and permissions.
    pub mode: u32,
    /// Bytes of a file, length of a symbolic link's target, 4096 for a directory, 0 for a device.
    pub size: u64,
    /// 1 for a file; 2 and one for each subdirectory for a directory; 0 for what is unlinked and still open.
    pub nlink: u32,
    /// Device number of a device.
    pub rdev: u32,
    /// Last access: set explicitly only, as with `noatime`.
    pub atime: f64,
    /// Last change of the contents.
    pub mtime: f64,
    /// Last change of the inode.
    pub ctime: f64,
}

/// What `setattr` is to change; what is absent stays.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct AttributeChange {
    /// New permissions; the kind does not change.
    pub mode: Option<u32>,
    /// New time of last access.
    pub atime: Option<f64>,
    /// New time of last change.
    pub mtime: Option<f64>,
    /// New time of last change of the inode; default: now.
    pub ctime: Option<f64>,
    /// New size of a file: shorter cuts it, longer adds zeros.
    pub size: Option<u64>,
}

/// A name in a directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// The name, without the path.
    pub name: String,
    /// What it stands for.
    pub inode: Inode,
    /// Kind and permissions of that.
    pub mode: u32,
}

/// An inode.
#[derive(Debug, Clone)]
pub(super) struct Node {
    pub(super) body: Body,
    pub(super) permissions: u32,
    pub(super) atime: f64,
    pub(super) mtime: f64,
    pub(super) ctime: f64,
    /// Names that stand for it.
    pub(super) links: u32,
    /// Descriptors that are open on it.
    pub(super) opens: u32,
    /// The layer that brought it, until it is changed.
    pub(super) layer: Option<LayerId>,
}

/// What an inode holds.
#[derive(Debug, Clone)]
pub(super) enum Body {
    File(FileData),
    Directory(Directory),
    Symlink(String),
    Device(u32),
}

impl Node {
    pub(super) fn new(body: Body, permissions: u32, now: f64) -> Self {
        let permissions = permissions & PERMISSIONS;
        Self { body, permissions, atime: now, mtime: now, ctime: now, links: 1, opens: 0, layer: None }
    }

    pub(super) const fn kind(&self) -> FileKind {
        match self.body {
            Body::File(_) => FileKind::File,
            Body::Directory(_) => FileKind::Directory,
            Body::Symlink(_) => FileKind::Symlink,
            Body::Device(_) => FileKind::Device,
        }
    }

    /// Whether it is a file whose contents are held for it alone, or shared with snapshots.
    pub(super) const fn has_own_bytes(&self) -> bool {
        match &self.body {
            Body::File(FileData::Own(_)) => true,
            Body::File(FileData::Layer(Content::Bytes(_))) => self.layer.is_none(),
            _ => false,
        }
    }

    pub(super) const fn mode(&self) -> u32 {
        self.kind().bits() | self.permissions
    }

    pub(super) fn metadata(&self) -> Metadata {
        const DIRECTORY_SIZE: u64 = 4096;
        let (size, nlink, rdev) = match &self.body {
            Body::File(data) => (data.len(), 1, 0),
            Body::Directory(directory) => (DIRECTORY_SIZE, 2 + directory.subdirectories(), 0),
            Body::Symlink(target) => (target.len() as u64, 1, 0),
            Body::Device(rdev) => (0, 1, *rdev),
        };
        let nlink = if self.links == 0 { 0 } else { nlink };
        Metadata { mode: self.mode(), size, nlink, rdev, atime: self.atime, mtime: self.mtime, ctime: self.ctime }
    }
}
