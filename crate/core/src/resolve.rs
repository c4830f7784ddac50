//! Which versions of which distributions satisfy a list of requirements together.
//!
//! The resolver does no I/O: [`Resolver::step`] says what it has to know ([`Step::Need`]), the host finds that out in
//! whatever way and order it likes, in parallel if it can, hands it in with the `provide_…` methods, and calls `step`
//! again, until the answer is [`Step::Resolved`] or [`Step::Conflict`]. [`resolve`] does this for hosts that can answer
//! at once.
//!
//! If there is a solution it is found, and a conflict names requirements that cannot be met together; only yanked files
//! and URLs that nobody but a dependency asks for do not count before that dependency has been looked at. Which of
//! several solutions is found is determined by the order of the requirements and these rules:
//! - The preferred version (of a lock file) comes first, then newer ones before older ones; of one version the file
//!   with the best tag.
//! - Pre-releases are taken if a requirement names one; failing that, only where no final release fits a requirement, or
//!   all requirements together (PEP 440).
//! - Yanked files are taken only if a requirement pins exactly that version (PEP 592), or it is the preferred one.
//! - A file of a direct URL (`name @ URL`) is taken only where the URL is asked for; it satisfies other requirements on
//!   the name if its version does.
//! - Files for which no tag fits or that need another Python are never taken.

mod candidates;
mod explain;
mod resolver;
mod search;
mod set;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::name::PackageName;
use crate::requirement::{MarkerEnvironment, Requirement};
use crate::version::{Version, VersionSpecifiers};

pub use resolver::Resolver;

/// A file that could be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Candidate {
    /// The version of the distribution.
    pub version: Version,
    /// What the host calls the file: its name or URL. Different for all candidates of a distribution.
    pub file: String,
    /// [`crate::tag::SupportedTags::rank`] of its tags: lower is better, `None` if the interpreter takes none.
    pub rank: Option<usize>,
    /// `Requires-Python`.
    pub requires_python: Option<VersionSpecifiers>,
    /// Whether it has been yanked (PEP 592).
    pub yanked: bool,
}

/// Whether pre-releases may be taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PreReleases {
    /// If a requirement names one, or no final release fits.
    #[default]
    IfNecessary,
    /// Like all other versions.
    Allow,
    /// Never, unless preferred.
    Disallow,
}

/// What a resolution depends on besides the requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveOptions {
    /// For markers and for `Requires-Python`.
    pub environment: MarkerEnvironment,
    /// Restrict the versions of what is needed anyway. Extras are ignored.
    pub constraints: Vec<Requirement>,
    /// Versions to be tried first: those of a lock file, or installed ones.
    pub preferred: BTreeMap<PackageName, Version>,
    /// Versions that are in use and cannot be replaced: conflicts say so. The host offers no other file of these.
    pub loaded: BTreeMap<PackageName, Version>,
    /// Whether pre-releases may be taken.
    pub pre_releases: PreReleases,
    /// How many choices to make before giving up.
    pub maximum_decisions: usize,
}

impl ResolveOptions {
    /// No constraints, no preferences, pre-releases if necessary, at most 100,000 decisions.
    pub fn new(environment: MarkerEnvironment) -> Self {
        Self {
            environment,
            constraints: Vec::new(),
            preferred: BTreeMap::new(),
            loaded: BTreeMap::new(),
            pre_releases: PreReleases::default(),
            maximum_decisions: 100_000,
        }
    }
}

/// Something that the resolver has to know to go on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Request {
    /// All files of a distribution: [`Resolver::provide_candidates`].
    Candidates {
        /// The distribution.
        name: PackageName,
    },
    /// The file at a URL: [`Resolver::provide_direct`].
    Direct {
        /// The distribution it has to be of.
        name: PackageName,
        /// The URL as in the requirement.
        url: String,
    },
    /// `Requires-Dist` of a file: [`Resolver::provide_dependencies`].
    Dependencies {
        /// The distribution.
        name: PackageName,
        /// Its version.
        version: Version,
        /// [`Candidate::file`].
        file: String,
    },
}

/// Where a resolution stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The first of these has to be provided before the next step, the others are likely to be wanted soon. Those that
    /// the host is still fetching are named again.
    Need(Vec<Request>),
    /// A solution.
    Resolved(Resolution),
    /// There is no solution, or none was found in time.
    Conflict(Conflict),
}

/// A set of files that satisfies all requirements.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolution {
    /// The files, one for each distribution that is needed.
    pub packages: BTreeMap<PackageName, ResolvedPackage>,
}

/// A file of a solution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// The version.
    pub version: Version,
    /// [`Candidate::file`].
    pub file: String,
    /// The direct URL, if it was asked for by one.
    pub url: Option<String>,
    /// The extras that are wanted of it.
    pub extras: BTreeSet<String>,
    /// The distributions that it needs here.
    pub dependencies: BTreeSet<PackageName>,
}

/// Why there is no solution.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{}\n- {}", if *.gave_up { "No set of versions was found in time. Name versions to make the search shorter." } else { "These cannot all be true:" }, .sentences.join("\n- "))]
pub struct Conflict {
    /// What together cannot be met, one sentence for each thing: who requires what, and which files cannot be used
    /// for what reason.
    pub sentences: Vec<String>,
    /// Distributions among them of which there are no files at all: their names may be wrong.
    pub without_files: BTreeSet<PackageName>,
    /// All distributions that the sentences speak of: other files of these could change the outcome, others could not.
    pub names: BTreeSet<PackageName>,
    /// Whether the search was ended by [`ResolveOptions::maximum_decisions`].
    pub gave_up: bool,
}

/// A host that knows all files and their metadata at once.
pub trait PackageSource {
    /// All files of a distribution.
    ///
    /// # Errors
    /// Why there are none, as what follows "but" in a sentence: `no index has it`.
    fn candidates(&mut self, name: &PackageName) -> Result<Vec<Candidate>, String>;

    /// The file at a URL.
    ///
    /// # Errors
    /// Why it cannot be used, as what follows "but" in a sentence: `the server has no such file`.
    fn direct(&mut self, name: &PackageName, url: &str) -> Result<Candidate, String>;

    /// What a file requires.
    ///
    /// # Errors
    /// Why it cannot be used, as what follows a colon: `its metadata is not UTF-8`.
    fn dependencies(&mut self, name: &PackageName, file: &str) -> Result<Vec<Requirement>, String>;
}

/// Resolves with a host that can answer at once.
///
/// # Errors
/// [`Conflict`] if there is no solution.
pub fn resolve(
    requirements: Vec<Requirement>,
    options: ResolveOptions,
    source: &mut impl PackageSource,
) -> Result<Resolution, Conflict> {
    let mut resolver = Resolver::new(requirements, options);
    loop {
        match resolver.step() {
            Step::Resolved(resolution) => return Ok(resolution),
            Step::Conflict(conflict) => return Err(conflict),
            // The others may turn out not to be needed.
            Step::Need(requests) => match requests.into_iter().next() {
                Some(Request::Candidates { name }) => {
                    let answer = source.candidates(&name);
                    resolver.provide_candidates(name, answer);
                }
                Some(Request::Direct { name, url }) => {
                    let answer = source.direct(&name, &url);
                    resolver.provide_direct(url, answer);
                }
                Some(Request::Dependencies { name, file, .. }) => {
                    let answer = source.dependencies(&name, &file);
                    resolver.provide_dependencies(name, file, answer);
                }
                None => {}
            },
        }
    }
}
