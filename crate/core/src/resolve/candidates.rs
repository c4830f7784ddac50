//! The files of one distribution, put in the order in which they are tried.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::set::Set;
use super::{Candidate, PreReleases, ResolveOptions};
use crate::requirement::Requirement;
use crate::version::{Operator, Version, VersionSpecifier, VersionSpecifiers};

/// What requirements ask of one distribution beyond a range of versions.
#[derive(Debug, Clone, Default)]
pub(super) struct Demands {
    /// Direct URLs, in the order in which they were met.
    pub(super) urls: Vec<String>,
    /// Whether the user gave a URL: nothing else will do.
    pub(super) only_direct: bool,
    /// Versions that may be taken although yanked, because they are pinned.
    pub(super) pinned: Vec<Version>,
    /// Whether pre-releases may be taken.
    pub(super) pre_releases: Taken,
}

/// How pre-releases are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Taken {
    #[default]
    Never,
    /// After all final releases.
    Last,
    /// In the order of versions.
    InOrder,
}

/// Why a file is never taken.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Exclusion {
    NoTag,
    Python(String),
    Yanked,
    PreRelease,
}

/// A file in the list of a distribution.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) candidate: Candidate,
    /// The URL by which alone it can be asked for.
    pub(super) url: Option<String>,
    pub(super) exclusion: Option<Exclusion>,
}

/// The files of a distribution, one for each version and direct URL, best first. A value of a node is an index here;
/// the value after the last stands for the distribution not being needed.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) files: Vec<Listed>,
    /// Why the index has none.
    pub(super) missing: Option<String>,
}

impl Listing {
    pub(super) fn new(
        indexed: &Result<Vec<Candidate>, String>,
        direct: Vec<(String, Result<Candidate, String>)>,
        demands: &Demands,
        preferred: Option<&Version>,
        options: &ResolveOptions,
        python: Option<&Version>,
    ) -> Self {
        let mut missing = indexed.as_ref().err().cloned();
        let exclusion = |candidate: &Candidate, direct: bool| {
            let allowed = direct || preferred == Some(&candidate.version);
            let fits = |specifiers: &VersionSpecifiers| python.is_none_or(|python| specifiers.contains(python));
            if candidate.rank.is_none() {
                Some(Exclusion::NoTag)
            } else if let Some(specifiers) = candidate.requires_python.as_ref().filter(|it| !fits(it)) {
                Some(Exclusion::Python(specifiers.to_string()))
            } else if candidate.yanked && !allowed && !demands.pinned.contains(&candidate.version) {
                Some(Exclusion::Yanked)
            } else if candidate.version.is_pre_release() && !allowed && demands.taken(options) == Taken::Never {
                Some(Exclusion::PreRelease)
            } else {
                None
            }
        };
        let mut versions: BTreeMap<Reverse<Version>, Listed> = BTreeMap::new();
        for candidate in indexed.iter().flatten() {
            let listed = Listed { exclusion: exclusion(candidate, false), candidate: candidate.clone(), url: None };
            let key = |listed: &Listed| (listed.exclusion.clone(), listed.candidate.yanked, listed.candidate.rank);
            match versions.get_mut(&Reverse(candidate.version.clone())) {
                Some(other) if key(&listed) < key(other) => *other = listed,
                Some(_) => {}
                None => drop(versions.insert(Reverse(candidate.version.clone()), listed)),
            }
        }
        // Newer versions stay before older ones within each group.
        let mut groups: [Vec<Listed>; 8] = Default::default();
        for listed in versions.into_values() {
            let version = &listed.candidate.version;
            let late = version.is_pre_release() && demands.taken(options) != Taken::InOrder;
            let group = [preferred != Some(version), listed.candidate.yanked, late];
            groups[group.iter().fold(0, |number, bit| number << 1 | usize::from(*bit))].push(listed);
        }
        let mut files: Vec<Listed> = groups.into_iter().flatten().collect();
        for (url, answer) in direct {
            match answer {
                Ok(candidate) => {
                    let exclusion = exclusion(&candidate, true);
                    files.push(Listed { candidate, url: Some(url), exclusion });
                }
                Err(message) => missing = Some(message),
            }
        }
        Self { files, missing }
    }

    /// Number of values of a node for this distribution.
    pub(super) fn size(&self) -> usize {
        self.files.len() + 1
    }

    /// The value of a node whose distribution is not needed.
    pub(super) fn absent(&self) -> usize {
        self.files.len()
    }

    /// The values that a requirement allows.
    pub(super) fn matching(&self, requirement: &Requirement) -> Set {
        let matches = |listed: &Listed| match &requirement.url {
            Some(url) => listed.url.as_ref() == Some(url),
            None => requirement.specifiers.contains(&listed.candidate.version),
        };
        let found = self.files.iter().enumerate().filter(|(_, listed)| matches(listed));
        Set::of(self.size(), found.map(|(index, _)| index))
    }
}

impl Demands {
    /// Takes note of what a requirement asks for. True if something is new.
    pub(super) fn note(&mut self, requirement: &Requirement, listing: &Listing, options: &ResolveOptions) -> bool {
        let mut changed = self.note_url(requirement);
        let wanted = listing.matching(requirement);
        let matching = || listing.files.iter().enumerate().filter(|(index, _)| wanted.contains(*index));
        if requirement.specifiers.iter().any(is_pin) {
            for (_, listed) in matching().filter(|(_, listed)| listed.candidate.yanked) {
                if !self.pinned.contains(&listed.candidate.version) {
                    self.pinned.push(listed.candidate.version.clone());
                    changed = true;
                }
            }
        }
        if options.pre_releases == PreReleases::IfNecessary {
            let is_usable = |listed: &Listed| matches!(listed.exclusion, None | Some(Exclusion::PreRelease));
            let is_final = |listed: &Listed| !listed.candidate.version.is_pre_release();
            let mut usable = matching().map(|(_, listed)| listed).filter(|listed| is_usable(listed)).peekable();
            let taken = if requirement.specifiers.names_pre_release() {
                Taken::InOrder
            } else if usable.peek().is_some() && !usable.any(is_final) {
                Taken::Last
            } else {
                Taken::Never
            };
            if taken > self.pre_releases {
                self.pre_releases = taken;
                changed = true;
            }
        }
        changed
    }

    /// Takes note of a direct URL. True if it is new.
    pub(super) fn note_url(&mut self, requirement: &Requirement) -> bool {
        let new = requirement.url.as_ref().filter(|url| !self.urls.contains(url));
        self.urls.extend(new.cloned());
        new.is_some()
    }

    fn taken(&self, options: &ResolveOptions) -> Taken {
        match options.pre_releases {
            PreReleases::Allow => Taken::InOrder,
            PreReleases::Disallow => Taken::Never,
            PreReleases::IfNecessary => self.pre_releases,
        }
    }
}

/// `==1.0` and `===1.0`, not `==1.*`.
fn is_pin(specifier: &VersionSpecifier) -> bool {
    match specifier.operator() {
        Operator::Arbitrary => true,
        Operator::Equal => !specifier.is_prefix(),
        _ => false,
    }
}
