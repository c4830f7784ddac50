//! The file system of an image, from a snapshot of one and back.

use std::rc::Rc;

use super::ImageError;
use super::files::{FileBody, FileRecord, FileTree, NO_ARCHIVE};
use crate::source::SharedSource;
use crate::vfs::{Content, ContentError, FileKind, Tree, TreeNode};

/// What is written as the part of kind [`PartKind::Files`](super::PartKind::Files), in pieces.
pub type OwnContents = Vec<Rc<[u8]>>;

/// Where the bytes of a source go that files are slices of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Placement {
    /// It is an archive with this number: files refer to it.
    Archive(u32),
    /// Files get contents of their own.
    Copy,
    /// Files are left out: what a user has mounted is not there when the image is restored.
    Omit,
}

impl FileTree {
    /// The records of a tree, and the contents of files that no archive has.
    ///
    /// # Errors
    /// [`ContentError`] if a file that is to be copied cannot be read.
    pub fn of(
        tree: &Tree,
        mut place: impl FnMut(&SharedSource) -> Placement,
    ) -> Result<(Self, OwnContents), ContentError> {
        let mut nodes = Vec::with_capacity(tree.nodes.len());
        let mut contents: OwnContents = Vec::new();
        let mut offset = 0;
        for node in &tree.nodes {
            let placement = match &node.content {
                Content::Stored { source, .. } | Content::Deflated { source, .. } => place(source),
                Content::Bytes(_) => Placement::Copy,
            };
            let body = match (node.kind, &node.content, placement) {
                (FileKind::Directory, ..) => FileBody::Directory,
                (FileKind::Device, ..) => FileBody::Device { number: node.rdev },
                (_, _, Placement::Omit) => continue,
                (FileKind::Symlink, content, _) => {
                    FileBody::Symlink { target: String::from_utf8_lossy(&content.read()?).into_owned() }
                }
                (FileKind::File, Content::Stored { offset, length, .. }, Placement::Archive(archive)) => {
                    FileBody::Stored { archive, offset: *offset, length: *length }
                }
                (
                    FileKind::File,
                    Content::Deflated { offset, compressed_length, length, crc32, .. },
                    Placement::Archive(archive),
                ) => FileBody::Deflated {
                    archive,
                    offset: *offset,
                    compressed_length: *compressed_length,
                    length: *length,
                    crc32: *crc32,
                },
                (FileKind::File, content, _) => {
                    let bytes = content.read()?;
                    let body = FileBody::Own { offset, length: bytes.len() as u64 };
                    offset += bytes.len() as u64;
                    contents.push(bytes);
                    body
                }
            };
            nodes.push(FileRecord {
                inode: node.inode,
                parent: node.parent,
                name: node.name.clone(),
                permissions: node.permissions,
                atime: node.atime,
                mtime: node.mtime,
                ctime: node.ctime,
                layer: node.layer,
                body,
            });
        }
        Ok((Self { next_inode: tree.next_inode, next_layer: tree.next_layer, nodes }, contents))
    }

    /// The tree again. `own` holds the contents of the part of kind [`PartKind::Files`](super::PartKind::Files), which are
    /// read: they are the file system's own from then on. `archives` are the archives by number, of which nothing is.
    ///
    /// # Errors
    /// [`ImageError::Inconsistent`] if there are not enough archives; [`ImageError::Source`] and [`ImageError::TooMuch`]
    /// if `own` cannot be read.
    pub fn restore(&self, own: &SharedSource, archives: &[SharedSource]) -> Result<Tree, ImageError> {
        let source = |archive: &u32| archives.get(*archive as usize).map(Rc::clone).ok_or(NO_ARCHIVE);
        let mut nodes = Vec::with_capacity(self.nodes.len());
        for record in &self.nodes {
            let nothing = || Content::Bytes([].into());
            let (kind, rdev, content) = match &record.body {
                FileBody::Directory => (FileKind::Directory, 0, nothing()),
                FileBody::Symlink { target } => (FileKind::Symlink, 0, Content::Bytes(target.as_bytes().into())),
                FileBody::Device { number } => (FileKind::Device, *number, nothing()),
                FileBody::Own { length: 0, .. } => (FileKind::File, 0, nothing()),
                FileBody::Own { offset, length } => {
                    let content = Content::Stored { source: Rc::clone(own), offset: *offset, length: *length };
                    let content = Content::Bytes(content.read().map_err(unreadable)?);
                    (FileKind::File, 0, content)
                }
                FileBody::Stored { archive, offset, length } => {
                    let content = Content::Stored { source: source(archive)?, offset: *offset, length: *length };
                    (FileKind::File, 0, content)
                }
                FileBody::Deflated { archive, offset, compressed_length, length, crc32 } => {
                    let content = Content::Deflated {
                        source: source(archive)?,
                        offset: *offset,
                        compressed_length: *compressed_length,
                        length: *length,
                        crc32: *crc32,
                    };
                    (FileKind::File, 0, content)
                }
            };
            nodes.push(TreeNode {
                inode: record.inode,
                parent: record.parent,
                name: record.name.clone(),
                kind,
                permissions: record.permissions,
                rdev,
                atime: record.atime,
                mtime: record.mtime,
                ctime: record.ctime,
                layer: record.layer,
                content,
            });
        }
        Ok(Tree { next_inode: self.next_inode, next_layer: self.next_layer, nodes })
    }
}

fn unreadable(error: ContentError) -> ImageError {
    match error {
        ContentError::Source(error) => ImageError::Source(error),
        ContentError::TooLarge { length } => {
            ImageError::TooMuch { what: "bytes of a file", actual: length, limit: u64::from(u32::MAX >> 1) }
        }
        ContentError::Damaged(_) | ContentError::Checksum { .. } => {
            ImageError::Inconsistent { what: "files", reason: "contents of one cannot be read" }
        }
    }
}
