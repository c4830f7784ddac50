//! Inflated contents, kept for as long as they are likely to be read again.

use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use super::inode::Inode;

/// Inflated bytes that are kept of files that are not open. Linear memory never shrinks, so this is small: it serves
/// programs that open the same file several times in a row.
const BUDGET: usize = 4 << 20;

/// Inflated contents: of open files always, of closed ones within [`BUDGET`], the one used longest ago leaving first.
#[derive(Debug, Default)]
pub(super) struct Cache {
    files: HashMap<Inode, Cached>,
    /// Closed files by their last use.
    closed: BTreeMap<u64, Inode>,
    closed_bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Cached {
    bytes: Rc<[u8]>,
    /// Its key in `closed`; absent while the file is open.
    closed: Option<u64>,
}

impl Cache {
    /// The contents of a file, if they are here. That is a use of it.
    pub(super) fn get(&mut self, inode: Inode) -> Option<Rc<[u8]>> {
        let cached = self.files.get_mut(&inode)?;
        if let Some(used) = &mut cached.closed {
            self.closed.remove(used);
            self.uses += 1;
            *used = self.uses;
            self.closed.insert(self.uses, inode);
        }
        Some(Rc::clone(&cached.bytes))
    }

    pub(super) fn insert(&mut self, inode: Inode, bytes: &Rc<[u8]>, is_open: bool) {
        self.forget(inode);
        // What would not fit on its own drives nothing else out.
        if is_open || bytes.len() <= BUDGET {
            self.files.insert(inode, Cached { bytes: Rc::clone(bytes), closed: None });
        }
        if !is_open {
            self.release(inode);
        }
    }

    /// Somebody has opened the file: its contents stay.
    pub(super) fn hold(&mut self, inode: Inode) {
        if let Some(cached) = self.files.get_mut(&inode)
            && let Some(used) = cached.closed.take()
        {
            self.closed.remove(&used);
            self.closed_bytes -= cached.bytes.len();
        }
    }

    /// Nobody has the file open any more: its contents may go when room is needed.
    pub(super) fn release(&mut self, inode: Inode) {
        let Some(cached) = self.files.get_mut(&inode).filter(|cached| cached.closed.is_none()) else { return };
        if cached.bytes.len() > BUDGET {
            self.files.remove(&inode);
            return;
        }
        self.uses += 1;
        cached.closed = Some(self.uses);
        self.closed.insert(self.uses, inode);
        self.closed_bytes += cached.bytes.len();
        while self.closed_bytes > BUDGET {
            let Some((_, oldest)) = self.closed.first_key_value() else { return };
            self.forget(*oldest);
        }
    }

    pub(super) fn forget(&mut self, inode: Inode) {
        let Some(cached) = self.files.remove(&inode) else { return };
        if let Some(used) = cached.closed {
            self.closed.remove(&used);
            self.closed_bytes -= cached.bytes.len();
        }
    }

    pub(super) fn bytes(&self) -> usize {
        self.files.values().map(|cached| cached.bytes.len()).sum()
    }
}
