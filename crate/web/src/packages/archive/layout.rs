//! Where the files of a package go.

use taipan_core::archive::Entry;
use taipan_core::lock::InstallDir;
use taipan_core::wheel::{Place, WheelLayout};

use crate::emscripten::abi::Abi;
use crate::packages::Wanted;

/// Where the files of a package go.
pub enum Layout {
    /// A wheel: below `site-packages`, and what its metadata is called.
    Wheel { layout: WheelLayout, site_packages: String },
    /// An archive of a shared library or of modules of the standard library: below one directory.
    Directory(String),
}

impl Layout {
    /// The directory of everything that has no other place.
    pub fn directory(&self) -> &str {
        match self {
            Self::Wheel { site_packages: directory, .. } | Self::Directory(directory) => directory,
        }
    }

    /// The absolute path of an entry, if it has a place.
    pub fn path(&self, entry: &Entry) -> Option<String> {
        match self {
            Self::Wheel { layout, site_packages } => match layout.place(entry)? {
                Place::SitePackages(path) => Some(format!("{site_packages}/{path}")),
                // `sys.prefix` is the root.
                Place::Prefix(path) => Some(format!("/{path}")),
            },
            Self::Directory(directory) => Some(format!("{directory}/{}", entry.path)),
        }
    }
}

/// Where the files of a package go that have no other place.
pub fn directory(package: &Wanted, abi: Abi) -> String {
    match package {
        Wanted::Locked { locked, .. } => match locked.install_dir {
            InstallDir::Dynlib => "/usr/lib".to_owned(),
            InstallDir::Stdlib => abi.standard_library_directory(),
            InstallDir::Site | InstallDir::Lib => abi.site_packages(),
        },
        Wanted::Wheel { .. } => abi.site_packages(),
    }
}
