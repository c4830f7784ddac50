//! Reading and writing what files hold.

use std::rc::Rc;

use super::content::{FileData, MAX_FILE_SIZE, copy};
use super::inode::{Body, Inode};
use super::{Content, ContentError, Errno, FileSystem};

impl FileSystem {
    /// Reads into a buffer; gives the number of bytes, 0 at the end.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL` for what is not a file, `EIO` if a layer's file cannot be read.
    pub fn read(&mut self, inode: Inode, position: u64, buffer: &mut [u8]) -> Result<usize, Errno> {
        self.with_bytes(inode, position, buffer.len(), |bytes| {
            buffer[..bytes.len()].copy_from_slice(bytes);
            bytes.len()
        })
    }

    /// Hands over up to `length` bytes from `position` on, without a copy where they are in memory. Large stored
    /// contents are read in part only.
    ///
    /// # Errors
    /// As [`FileSystem::read`].
    pub fn with_bytes<T>(
        &mut self,
        inode: Inode,
        position: u64,
        length: usize,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, Errno> {
        let node = self.nodes.get(&inode).ok_or(Errno::ENOENT)?;
        let data = match &node.body {
            Body::File(data) => data,
            Body::Directory(_) => return Err(Errno::EISDIR),
            Body::Symlink(_) | Body::Device(_) => return Err(Errno::EINVAL),
        };
        let start = position.min(data.len());
        let length = usize::try_from(data.len() - start).map_or(length, |rest| rest.min(length));
        if let FileData::Layer(content @ Content::Stored { .. }) = data {
            // The file may be larger than memory, the part that is asked for is not.
            let bytes = content.read_range(start, length as u64).map_err(|error| errno_of(&error))?;
            return Ok(take(&bytes));
        }
        let start = usize::try_from(start).map_err(|_| Errno::EIO)?;
        let range = start..start + length;
        match data {
            FileData::Own(bytes) => Ok(take(&bytes[range])),
            FileData::Layer(Content::Bytes(bytes)) => Ok(take(&bytes[range])),
            FileData::Layer(_) => Ok(take(&self.inflated(inode)?[range])),
        }
    }

    /// Writes bytes; what lies between the end and `position` becomes zeros. Gives their number.
    ///
    /// # Errors
    /// `EISDIR`, `EINVAL` for what is not a file, `EFBIG`, `ENOSPC`, `EIO` if a layer's file cannot be read.
    pub fn write(&mut self, inode: Inode, position: u64, bytes: &[u8], now: f64) -> Result<usize, Errno> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let end = position.checked_add(bytes.len() as u64).filter(|end| *end <= MAX_FILE_SIZE).ok_or(Errno::EFBIG)?;
        let own = self.own_bytes(inode)?;
        if end > own.len() as u64 {
            FileData::resize(own, end)?;
        }
        own[position as usize..end as usize].copy_from_slice(bytes);
        self.touch(inode, now)?;
        Ok(bytes.len())
    }

    pub(super) fn truncate(&mut self, inode: Inode, size: u64, now: f64) -> Result<(), Errno> {
        if size > MAX_FILE_SIZE {
            return Err(Errno::EFBIG);
        }
        if size == 0
            && let Body::File(data) = &mut self.node_mut(inode)?.body
        {
            // What is thrown away need not be inflated first.
            *data = FileData::Own(Vec::new());
            self.cache.forget(inode);
        }
        FileData::resize(self.own_bytes(inode)?, size)?;
        self.touch(inode, now)
    }

    /// The bytes of a file as its own, copied from its layer if it has none yet.
    fn own_bytes(&mut self, inode: Inode) -> Result<&mut Vec<u8>, Errno> {
        let copied = match &self.node(inode)?.body {
            Body::File(FileData::Own(_)) => None,
            Body::File(FileData::Layer(Content::Deflated { .. })) => Some(copy(&self.inflated(inode)?)?),
            Body::File(FileData::Layer(Content::Bytes(bytes))) => Some(copy(bytes)?),
            Body::File(FileData::Layer(content @ Content::Stored { length, .. })) => {
                Some(content.read_range(0, *length).map_err(|error| errno_of(&error))?)
            }
            Body::Directory(_) => return Err(Errno::EISDIR),
            Body::Symlink(_) | Body::Device(_) => return Err(Errno::EINVAL),
        };
        if copied.is_some() {
            self.cache.forget(inode);
        }
        let node = self.node_mut(inode)?;
        node.layer = None;
        let Body::File(data) = &mut node.body else { return Err(Errno::EINVAL) };
        if let Some(copied) = copied {
            *data = FileData::Own(copied);
        }
        match data {
            FileData::Own(bytes) => Ok(bytes),
            FileData::Layer(_) => Err(Errno::EIO),
        }
    }

    /// The inflated contents of a layer's file.
    fn inflated(&mut self, inode: Inode) -> Result<Rc<[u8]>, Errno> {
        if let Some(bytes) = self.cache.get(inode) {
            return Ok(bytes);
        }
        let node = self.node(inode)?;
        let Body::File(FileData::Layer(content)) = &node.body else { return Err(Errno::EIO) };
        let (bytes, is_open) = (content.read().map_err(|_| Errno::EIO)?, node.opens > 0);
        self.files_inflated += 1;
        self.cache.insert(inode, &bytes, is_open);
        Ok(bytes)
    }
}

fn errno_of(error: &ContentError) -> Errno {
    if matches!(error, ContentError::TooLarge { .. }) { Errno::EFBIG } else { Errno::EIO }
}
