//! Which file a module comes from, by the rules of CPython's `importlib.machinery.FileFinder`: answered from the inode tree
//! at once, where `importlib` lists directories and asks for one file after the other.

use crate::vfs::{Errno, FileKind, FileSystem, Inode};

/// What a folder of `sys.path`, or of a package, has under a module's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModuleFile {
    /// A package or a module: the file's path from the folder, `json/__init__.py` or `inspect.py`.
    Found(String),
    /// There is nothing of that name.
    Missing,
    /// It takes more than a look at names to tell: the folder is not a directory of this file system (but maybe a ZIP file
    /// or another one's), there is a part of a namespace package, or bytecode without a source.
    Unclear,
}

impl ModuleFile {
    /// Looks for a module, given by the last component of its name, in the directory at an absolute path.
    /// `extension_suffixes` are those of `importlib.machinery.EXTENSION_SUFFIXES`, in their order.
    pub fn find(files: &FileSystem, folder: &str, name: &str, extension_suffixes: &[String]) -> Self {
        let directory = match files.resolve(folder, true) {
            Ok(inode) => inode,
            Err(Errno::ENOENT) => return Self::Missing,
            Err(_) => return Self::Unclear,
        };
        if kind(files, directory) != Some(FileKind::Directory) {
            return Self::Unclear;
        }
        let inside = files.lookup(directory, name).ok().map(|_| files.resolve(&format!("{folder}/{name}"), true));
        match inside {
            Some(Ok(package)) if kind(files, package) == Some(FileKind::Directory) => {
                match first_of(files, package, &format!("{folder}/{name}"), "__init__", extension_suffixes) {
                    Self::Found(file) => Self::Found(format!("{name}/{file}")),
                    // Without a module of the same name beside it, it would be part of a namespace package.
                    Self::Missing => match first_of(files, directory, folder, name, extension_suffixes) {
                        Self::Missing => Self::Unclear,
                        found => found,
                    },
                    Self::Unclear => Self::Unclear,
                }
            }
            Some(Err(error)) if error != Errno::ENOENT => Self::Unclear,
            _ => first_of(files, directory, folder, name, extension_suffixes),
        }
    }
}

/// Where CPython keeps the bytecode of a source file that ends in `.py` (PEP 3147), without optimization.
/// `cache_tag` is `sys.implementation.cache_tag`.
pub fn bytecode_path(source: &str, cache_tag: &str) -> Option<String> {
    let (folder, name) = source.rsplit_once('/')?;
    let stem = name.strip_suffix(".py").filter(|stem| !stem.is_empty())?;
    Some(format!("{folder}/__pycache__/{stem}.{cache_tag}.pyc"))
}

/// The first file of a directory that a module of a name may be in.
fn first_of(
    files: &FileSystem,
    directory: Inode,
    folder: &str,
    stem: &str,
    extension_suffixes: &[String],
) -> ModuleFile {
    let sources = [".py", ".pyc"];
    for suffix in extension_suffixes.iter().map(String::as_str).chain(sources) {
        let name = format!("{stem}{suffix}");
        if files.lookup(directory, &name).is_err() {
            continue;
        }
        match files.resolve(&format!("{folder}/{name}"), true) {
            Ok(inode) if kind(files, inode) == Some(FileKind::File) && suffix != ".pyc" => {
                return ModuleFile::Found(name);
            }
            Ok(inode) if kind(files, inode) != Some(FileKind::File) => {}
            Err(Errno::ENOENT) => {}
            _ => return ModuleFile::Unclear,
        }
    }
    ModuleFile::Missing
}

fn kind(files: &FileSystem, inode: Inode) -> Option<FileKind> {
    FileKind::of(files.metadata(inode).ok()?.mode)
}
