//! The names in a directory.

use std::collections::{BTreeMap, HashMap};

use super::inode::Inode;

/// Names in the order in which they were made. Finding, adding and removing one does not depend on how many there are.
#[derive(Debug, Clone, Default)]
pub(super) struct Directory {
    by_name: HashMap<Box<str>, Slot>,
    /// Names by age. Ages only grow, so a name that is removed and made again comes last.
    by_age: BTreeMap<u64, Box<str>>,
    next_age: u64,
    subdirectories: u32,
}

#[derive(Debug, Clone, Copy)]
struct Slot {
    inode: Inode,
    age: u64,
    is_directory: bool,
}

impl Directory {
    pub(super) fn get(&self, name: &str) -> Option<Inode> {
        self.by_name.get(name).map(|slot| slot.inode)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.by_name.is_empty()
    }

    pub(super) const fn subdirectories(&self) -> u32 {
        self.subdirectories
    }

    /// Adds a name that is not there.
    pub(super) fn insert(&mut self, name: &str, inode: Inode, is_directory: bool) {
        let age = self.next_age;
        self.next_age += 1;
        self.by_name.insert(name.into(), Slot { inode, age, is_directory });
        self.by_age.insert(age, name.into());
        self.subdirectories += u32::from(is_directory);
    }

    /// Lets a name that is there, and is not a directory's, stand for another inode. Gives the one before.
    pub(super) fn replace(&mut self, name: &str, inode: Inode) -> Option<Inode> {
        let slot = self.by_name.get_mut(name)?;
        Some(std::mem::replace(&mut slot.inode, inode))
    }

    pub(super) fn remove(&mut self, name: &str) -> Option<Inode> {
        let slot = self.by_name.remove(name)?;
        self.by_age.remove(&slot.age);
        self.subdirectories -= u32::from(slot.is_directory);
        Some(slot.inode)
    }

    /// Names and inodes, oldest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Inode)> {
        self.by_age.values().filter_map(|name| Some((&**name, self.get(name)?)))
    }
}
