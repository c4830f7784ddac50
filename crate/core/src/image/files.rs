//! The file system of an image: every inode, and where its contents are.

use super::wire::{Input, Wire, record};
use super::{Head, ImageError, Manifest, PartKind};

/// All inodes that have a path.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct FileTree {
    /// The number that the next inode gets.
    pub next_inode: u32,
    /// The number that the next layer gets.
    pub next_layer: u32,
    /// The inodes: the root first, every directory before what is in it, in the order in which names were made.
    pub nodes: Vec<FileRecord>,
}

/// An inode.
#[derive(Debug, Clone, PartialEq)]
pub struct FileRecord {
    /// Its number.
    pub inode: u32,
    /// The number of the directory it is in; the root's own for the root.
    pub parent: u32,
    /// Its name in there; empty for the root.
    pub name: String,
    /// Permissions, the lowest 12 bits of a mode.
    pub permissions: u32,
    /// Times of last access, of last change of the contents, of last change of the inode, in milliseconds since 1970.
    pub atime: f64,
    /// See `atime`.
    pub mtime: f64,
    /// See `atime`.
    pub ctime: f64,
    /// The layer that brought it, if it is unchanged since.
    pub layer: Option<u32>,
    /// What it is.
    pub body: FileBody,
}

/// What an inode is, and where its contents are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileBody {
    /// A directory (0).
    Directory,
    /// A symbolic link (1).
    Symlink {
        /// Its target.
        target: String,
    },
    /// A character device (2).
    Device {
        /// Its device number.
        number: u32,
    },
    /// A file (3) whose contents are in the part of kind [`PartKind::Files`].
    Own {
        /// The first byte in the part's contents.
        offset: u64,
        /// How many there are.
        length: u64,
    },
    /// A file (4) whose contents are a slice of an archive, as they are.
    Stored {
        /// The archive's number.
        archive: u32,
        /// The first byte in the archive.
        offset: u64,
        /// How many there are.
        length: u64,
    },
    /// A file (5) whose contents are a slice of an archive, compressed with raw DEFLATE.
    Deflated {
        /// The archive's number.
        archive: u32,
        /// The first compressed byte in the archive.
        offset: u64,
        /// How many are compressed.
        compressed_length: u64,
        /// How many there are when inflated.
        length: u64,
        /// Their CRC-32.
        crc32: u32,
    },
}

impl FileTree {
    /// Whether all that is referred to is there. The tree itself is checked when a file system is made of it.
    pub(super) fn check(&self, manifest: &Manifest, head: &Head) -> Result<(), ImageError> {
        let own = head.find_kind(PartKind::Files).map_or(0, |part| head.parts[part].length());
        let mut own_end = 0;
        let wrong = |reason| Err(ImageError::Inconsistent { what: "files", reason });
        for record in &self.nodes {
            if record.layer.is_some_and(|layer| !manifest.layers.contains_key(&layer)) {
                return wrong("one is of a layer that is not listed");
            }
            let (offset, length, available) = match &record.body {
                FileBody::Own { offset, length } => (offset, length, own),
                FileBody::Stored { archive, offset, length }
                | FileBody::Deflated { archive, offset, compressed_length: length, .. } => {
                    let archive = manifest.archives.get(*archive as usize).ok_or(NO_ARCHIVE)?;
                    (offset, length, archive.length)
                }
                _ => continue,
            };
            let end = offset.checked_add(*length).filter(|end| *end <= available);
            let Some(end) = end else { return wrong("contents of one are outside") };
            if matches!(record.body, FileBody::Own { .. }) {
                // Files together are then no larger than the part that they are read from.
                if *offset < own_end {
                    return wrong("contents of two overlap");
                }
                own_end = end;
            }
        }
        Ok(())
    }
}

pub(super) const NO_ARCHIVE: ImageError =
    ImageError::Inconsistent { what: "files", reason: "one is in an archive that is not listed" };

record!(FileTree { next_inode, next_layer, nodes });
record!(FileRecord { inode, parent, name, permissions, atime, mtime, ctime, layer, body });

impl Wire for FileBody {
    fn put(&self, out: &mut Vec<u8>) {
        let (tag, numbers): (u8, &[u64]) = match self {
            Self::Directory => (0, &[]),
            Self::Symlink { target } => {
                out.push(1);
                return target.put(out);
            }
            Self::Device { number } => (2, &[u64::from(*number)]),
            Self::Own { offset, length } => (3, &[*offset, *length]),
            Self::Stored { archive, offset, length } => (4, &[u64::from(*archive), *offset, *length]),
            Self::Deflated { archive, offset, compressed_length, length, crc32 } => {
                (5, &[u64::from(*archive), *offset, *compressed_length, *length, u64::from(*crc32)])
            }
        };
        out.push(tag);
        for number in numbers {
            number.put(out);
        }
    }

    fn take(input: &mut Input<'_>) -> Result<Self, ImageError> {
        match input.array()? {
            [0] => Ok(Self::Directory),
            [1] => Ok(Self::Symlink { target: Wire::take(input)? }),
            [2] => Ok(Self::Device { number: Wire::take(input)? }),
            [3] => Ok(Self::Own { offset: Wire::take(input)?, length: Wire::take(input)? }),
            [4] => {
                Ok(Self::Stored { archive: Wire::take(input)?, offset: Wire::take(input)?, length: Wire::take(input)? })
            }
            [5] => Ok(Self::Deflated {
                archive: Wire::take(input)?,
                offset: Wire::take(input)?,
                compressed_length: Wire::take(input)?,
                length: Wire::take(input)?,
                crc32: Wire::take(input)?,
            }),
            _ => Err(input.damaged()),
        }
    }
}
