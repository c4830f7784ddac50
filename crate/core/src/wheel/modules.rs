//! The modules that a wheel brings.

use std::collections::{BTreeMap, BTreeSet};

use super::{Place, WheelLayout};
use crate::archive::{Archive, EntryKind};

/// The file that is executed for a module at top level, and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModuleFile {
    /// Path from `site-packages`; of a namespace package (PEP 420) the first file in it.
    pub path: String,
    /// Whether two wheels with this module get in each other's way: not so for namespace packages.
    pub is_exclusive: bool,
    /// Checksum and size of its contents.
    pub contents: (u32, u64),
}

/// The modules at the top level of `site-packages`, by name. Directories that hold no Python are none.
pub fn top_level_modules(archive: &Archive, layout: &WheelLayout) -> BTreeMap<String, ModuleFile> {
    let mut modules: BTreeMap<String, ModuleFile> = BTreeMap::new();
    for entry in archive.entries().iter().filter(|entry| entry.kind != EntryKind::Directory) {
        let Some(Place::SitePackages(path)) = layout.place(entry) else { continue };
        let Some((module, is_exclusive)) = module_of(&path) else { continue };
        let file = ModuleFile { is_exclusive, contents: (entry.crc32, entry.size), path: path.clone() };
        match modules.get_mut(module) {
            Some(known) if is_exclusive && !known.is_exclusive => *known = file,
            Some(_) => {}
            None => drop(modules.insert(module.to_owned(), file)),
        }
    }
    modules
}

/// The names of the modules at top level that files belong to, by their paths from `site-packages`.
pub fn module_names<'a>(paths: impl Iterator<Item = &'a str>) -> BTreeSet<String> {
    paths.filter_map(module_of).map(|(module, _)| module.to_owned()).collect()
}

/// The module at top level that a file belongs to, and whether it is the file by which the module is found.
fn module_of(path: &str) -> Option<(&str, bool)> {
    let stem = |file: &str| -> Option<usize> {
        let is_python = [".py", ".so", ".pyc"].iter().any(|ending| file.ends_with(ending));
        if is_python { file.find('.') } else { None }
    };
    let is_name = |name: &str| {
        let mut characters = name.chars();
        characters.next().is_some_and(|first| first.is_alphabetic() || first == '_')
            && characters.all(|character| character.is_alphanumeric() || character == '_')
    };
    let found = match path.split_once('/') {
        None => (&path[..stem(path)?], true),
        Some((package, rest)) => {
            let file = rest.rsplit('/').next().unwrap_or(rest);
            let end = stem(file)?;
            (package, !rest.contains('/') && &file[..end] == "__init__")
        }
    };
    is_name(found.0).then_some(found)
}
