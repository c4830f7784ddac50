//! What an image was baked from: it is restored into exactly that, or not at all.

use std::collections::BTreeMap;
use std::fmt;

use super::ContentHash;
use super::wire::record;

/// Everything that has to be the same where an image is restored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Identity {
    /// The release of Taipan, or whatever changes with what it keeps in an image.
    pub engine: String,
    /// SHA-256 of Taipan's own Python files.
    pub python_files: ContentHash,
    /// The build of CPython.
    pub distribution: Distribution,
    /// What of the browser the interpreter has been set up for, such as `"jspi"`: `"yes"`. Features that may differ are
    /// not to be in here.
    pub features: BTreeMap<String, String>,
    /// Packages that are in it, by name.
    pub packages: BTreeMap<String, ImagePackage>,
}

/// A build of CPython.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Its version, such as `"0.28.3"`.
    pub version: String,
    /// Its ABI, such as `"2025_0"`.
    pub abi: String,
    /// SHA-256 of the glue script.
    pub glue: ContentHash,
    /// SHA-256 of the main module.
    pub module: ContentHash,
    /// SHA-256 of the standard library's archive.
    pub standard_library: ContentHash,
}

/// A package of an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImagePackage {
    /// Its version.
    pub version: String,
    /// SHA-256 of its archive.
    pub archive: ContentHash,
}

/// Something that is not the same. Shown as a sentence without a full stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Difference {
    /// Another release of Taipan.
    Engine {
        /// As baked.
        baked: String,
        /// As wanted.
        wanted: String,
    },
    /// Other Python files of Taipan's.
    PythonFiles,
    /// Another version or ABI of the distribution.
    Distribution {
        /// As baked.
        baked: String,
        /// As wanted.
        wanted: String,
    },
    /// Another file in a distribution of the same version.
    DistributionFile {
        /// Which.
        file: &'static str,
    },
    /// Another feature of the browser.
    Feature {
        /// Which.
        name: String,
        /// As baked; absent if it was not noted.
        baked: Option<String>,
        /// As wanted.
        wanted: Option<String>,
    },
    /// Another version of a package.
    PackageVersion {
        /// Which.
        name: String,
        /// As baked.
        baked: String,
        /// As wanted.
        wanted: String,
    },
    /// Another archive of the same version of a package.
    PackageArchive {
        /// Which.
        name: String,
        /// The version.
        version: String,
    },
    /// A package that is wanted is not in the image.
    PackageMissing {
        /// Which.
        name: String,
    },
}

impl Difference {
    /// Whether the image cannot be used. A package that is missing can be loaded afterwards.
    pub const fn is_fatal(&self) -> bool {
        !matches!(self, Self::PackageMissing { .. })
    }
}

impl Identity {
    /// What would have to be the same and is not. Packages that are in the image and not wanted are no difference.
    pub fn differences(&self, wanted: &Self) -> Vec<Difference> {
        let mut differences = Vec::new();
        if self.engine != wanted.engine {
            differences.push(Difference::Engine { baked: self.engine.clone(), wanted: wanted.engine.clone() });
        }
        if self.python_files != wanted.python_files {
            differences.push(Difference::PythonFiles);
        }
        self.distribution.compare(&wanted.distribution, &mut differences);
        let in_either =
            self.features.keys().chain(wanted.features.keys().filter(|&name| !self.features.contains_key(name)));
        for name in in_either {
            let (baked, wanted) = (self.features.get(name).cloned(), wanted.features.get(name).cloned());
            if baked != wanted {
                differences.push(Difference::Feature { name: name.clone(), baked, wanted });
            }
        }
        for (name, wanted) in &wanted.packages {
            let name = name.clone();
            match self.packages.get(&name) {
                None => differences.push(Difference::PackageMissing { name }),
                Some(baked) if baked.version != wanted.version => differences.push(Difference::PackageVersion {
                    name,
                    baked: baked.version.clone(),
                    wanted: wanted.version.clone(),
                }),
                Some(baked) if baked.archive != wanted.archive => {
                    differences.push(Difference::PackageArchive { name, version: baked.version.clone() });
                }
                Some(_) => {}
            }
        }
        differences
    }
}

impl Distribution {
    fn compare(&self, wanted: &Self, differences: &mut Vec<Difference>) {
        let name = |distribution: &Self| format!("{} ({})", distribution.version, distribution.abi);
        let (baked_name, wanted_name) = (name(self), name(wanted));
        if baked_name != wanted_name {
            differences.push(Difference::Distribution { baked: baked_name, wanted: wanted_name });
            return;
        }
        for (file, baked, wanted) in [
            ("glue script", self.glue, wanted.glue),
            ("main module", self.module, wanted.module),
            ("standard library", self.standard_library, wanted.standard_library),
        ] {
            if baked != wanted {
                differences.push(Difference::DistributionFile { file });
            }
        }
    }
}

impl fmt::Display for Difference {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        const ABSENT: &str = "absent";
        match self {
            Self::Engine { baked, wanted } => {
                write!(formatter, "the image was baked by Taipan {baked}, this is {wanted}")
            }
            Self::PythonFiles => formatter.write_str("the image was baked with other Python files of Taipan's"),
            Self::Distribution { baked, wanted } => {
                write!(formatter, "the image was baked with the distribution {baked}, the page wants {wanted}")
            }
            Self::DistributionFile { file } => write!(formatter, "the image was baked with another {file}"),
            Self::Feature { name, baked, wanted } => {
                let (baked, wanted) = (baked.as_deref().unwrap_or(ABSENT), wanted.as_deref().unwrap_or(ABSENT));
                write!(formatter, "the image was baked where {name} is {baked}, here it is {wanted}")
            }
            Self::PackageVersion { name, baked, wanted } => {
                write!(formatter, "the image was baked with {name} {baked}, the page wants {wanted}")
            }
            Self::PackageArchive { name, version } => {
                write!(formatter, "the image was baked with another archive of {name} {version}")
            }
            Self::PackageMissing { name } => write!(formatter, "the image was baked without {name}"),
        }
    }
}

record!(Identity { engine, python_files, distribution, features, packages });
record!(Distribution { version, abi, glue, module, standard_library });
record!(ImagePackage { version, archive });

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        let package =
            |version: &str| ImagePackage { version: version.into(), archive: ContentHash::of(version.as_bytes()) };
        Identity {
            engine: "0.1.0".into(),
            distribution: Distribution { version: "0.28.3".into(), abi: "2025_0".into(), ..Distribution::default() },
            features: BTreeMap::from([("jspi".into(), "yes".into())]),
            packages: BTreeMap::from([("numpy".into(), package("2.2.5")), ("pandas".into(), package("2.3.1"))]),
            ..Identity::default()
        }
    }

    fn sentences(change: impl Fn(&mut Identity)) -> Vec<String> {
        let mut wanted = identity();
        change(&mut wanted);
        identity().differences(&wanted).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_differs_is_said_in_sentences() {
        assert_eq!(sentences(|_| {}), Vec::<String>::new());
        assert_eq!(
            sentences(|wanted| wanted.packages.get_mut("pandas").unwrap().version = "2.3.2".into()),
            ["the image was baked with pandas 2.3.1, the page wants 2.3.2"]
        );
        assert_eq!(
            sentences(|wanted| wanted.packages.get_mut("pandas").unwrap().archive.0[0] ^= 1),
            ["the image was baked with another archive of pandas 2.3.1"]
        );
        assert_eq!(
            sentences(|wanted| {
                wanted.engine = "0.2.0".into();
                wanted.python_files.0[0] ^= 1;
                wanted.distribution.module.0[9] ^= 1;
                wanted.features = BTreeMap::from([("counter".into(), "12".into()), ("jspi".into(), "no".into())]);
            }),
            [
                "the image was baked by Taipan 0.1.0, this is 0.2.0",
                "the image was baked with other Python files of Taipan's",
                "the image was baked with another main module",
                "the image was baked where jspi is yes, here it is no",
                "the image was baked where counter is absent, here it is 12",
            ]
        );
        assert_eq!(
            sentences(|wanted| wanted.distribution.version = "314.0.7".into()),
            ["the image was baked with the distribution 0.28.3 (2025_0), the page wants 314.0.7 (2025_0)"]
        );
    }

    #[test]
    fn packages_may_be_too_many_and_too_few() {
        assert_eq!(sentences(|wanted| wanted.packages.clear()), Vec::<String>::new());
        let mut wanted = identity();
        let numpy = wanted.packages["numpy"].clone();
        wanted.packages.insert("scipy".into(), numpy);
        let differences = identity().differences(&wanted);
        assert_eq!(differences, [Difference::PackageMissing { name: "scipy".into() }]);
        assert!(!differences[0].is_fatal());
    }
}
