//! Conflicts in sentences.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;
use std::rc::Rc;

use super::Conflict;
use super::candidates::{Exclusion, Listing};
use crate::name::PackageName;
use crate::requirement::Requirement;
use crate::version::Version;

/// Why some values of nodes do not go together.
#[derive(Debug, Clone)]
pub(super) enum Reason {
    /// Somebody requires something.
    Requires {
        dependent: Dependent,
        requirement: Requirement,
        /// The files there are, if none matches.
        nothing: Option<Rc<Listing>>,
    },
    /// The user restricts what may be taken.
    Constraint(Requirement),
    /// Files that are never taken.
    Excluded { name: PackageName, versions: Vec<Version>, why: Exclusion },
    /// A file whose metadata cannot be had.
    Unusable { name: PackageName, version: Version, message: String },
    /// An extra is of the same version as the distribution that it is of.
    Extra,
}

/// Who requires something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dependent {
    /// The user.
    You,
    /// A version of a distribution, perhaps with an extra.
    Package { name: String, version: Version },
}

/// What there is for a requirement that matches nothing of it.
fn instead(requirement: &Requirement, nothing: Option<&Rc<Listing>>) -> String {
    let Some(listing) = nothing else { return String::new() };
    match &listing.missing {
        Some(message) if listing.files.is_empty() || requirement.url.is_some() => format!(", but {message}"),
        _ if listing.files.is_empty() => format!(", but there are no files of {}", requirement.name),
        _ => {
            let mut versions: Vec<_> = listing.files.iter().map(|listed| listed.candidate.version.clone()).collect();
            versions.sort_by(|left, right| right.cmp(left));
            format!(", but there is only {}", list(&versions))
        }
    }
}

/// The conflict that these reasons make. `loaded` cannot be replaced.
pub(super) fn conflict(reasons: &[&Reason], loaded: &BTreeMap<PackageName, Version>) -> Conflict {
    let without_files = reasons.iter().filter_map(|reason| match reason {
        Reason::Requires { requirement, nothing: Some(nothing), .. } if nothing.files.is_empty() => {
            Some(&requirement.name)
        }
        _ => None,
    });
    let names: BTreeSet<PackageName> = reasons.iter().flat_map(|reason| names(reason)).collect();
    let mut sentences = sentences(reasons);
    let stuck = names.iter().filter_map(|name| Some((name, loaded.get(name)?)));
    sentences
        .extend(stuck.map(|(name, version)| format!("{name} {version} is loaded; it takes a restart to replace it.")));
    Conflict { without_files: without_files.cloned().collect(), names, sentences, gave_up: false }
}

/// The distributions that a reason speaks of.
fn names(reason: &Reason) -> Vec<PackageName> {
    match reason {
        Reason::Requires { dependent, requirement, .. } => {
            let dependent = match dependent {
                Dependent::You => None,
                Dependent::Package { name, .. } => name.split('[').next().and_then(|name| name.parse().ok()),
            };
            dependent.into_iter().chain([requirement.name.clone()]).collect()
        }
        Reason::Constraint(requirement) => vec![requirement.name.clone()],
        Reason::Excluded { name, .. } | Reason::Unusable { name, .. } => vec![name.clone()],
        Reason::Extra => Vec::new(),
    }
}

/// One sentence for each reason, what the user asks for first and what cannot be used last; the same requirement of
/// several versions of a distribution is one.
fn sentences(reasons: &[&Reason]) -> Vec<String> {
    let mut reasons = reasons.to_vec();
    reasons.sort_by_key(|reason| match reason {
        Reason::Requires { dependent: Dependent::You, .. } => 0,
        Reason::Constraint(_) => 1,
        Reason::Requires { .. } | Reason::Extra => 2,
        Reason::Excluded { .. } | Reason::Unusable { .. } => 3,
    });
    let mut sentences = Vec::new();
    let mut told: Vec<(String, String)> = Vec::new();
    for reason in &reasons {
        match reason {
            Reason::Requires { dependent: Dependent::You, requirement, nothing } => {
                sentences.push(format!(
                    "You require {}{}.",
                    target(requirement),
                    instead(requirement, nothing.as_ref())
                ));
            }
            Reason::Requires { dependent: Dependent::Package { name, .. }, requirement, nothing } => {
                let key = (name.clone(), target(requirement));
                if told.contains(&key) {
                    continue;
                }
                let versions: Vec<Version> = reasons.iter().filter_map(|other| same(other, &key)).collect();
                let verb = if versions.len() == 1 { "requires" } else { "require" };
                sentences.push(format!(
                    "{name} {} {verb} {}{}.",
                    list(&versions),
                    key.1,
                    instead(requirement, nothing.as_ref())
                ));
                told.push(key);
            }
            Reason::Constraint(requirement) => {
                sentences.push(format!("A constraint allows only {}.", target(requirement)));
            }
            Reason::Excluded { name, versions, why } => {
                let why = match why {
                    Exclusion::NoTag => "no wheel of it fits this interpreter".to_owned(),
                    Exclusion::Python(specifiers) => format!("it needs Python {specifiers}"),
                    Exclusion::Yanked => "it was yanked, and nothing asks for exactly it".to_owned(),
                    Exclusion::PreRelease => "it is a pre-release, and nothing asks for one".to_owned(),
                };
                sentences.push(format!("{name} {} cannot be used: {why}.", list(versions)));
            }
            Reason::Unusable { name, version, message } => {
                sentences.push(format!("{name} {version} cannot be used: {message}."));
            }
            Reason::Extra => {}
        }
    }
    let mut seen = HashSet::new();
    sentences.retain(|sentence| seen.insert(sentence.clone()));
    sentences
}

/// The version, if the reason is that a version of a distribution requires what is given.
fn same(reason: &Reason, (name, wanted): &(String, String)) -> Option<Version> {
    match reason {
        Reason::Requires { dependent: Dependent::Package { name: other, version }, requirement, .. }
            if other == name && target(requirement) == *wanted =>
        {
            Some(version.clone())
        }
        _ => None,
    }
}

/// A requirement without its marker, which was true.
fn target(requirement: &Requirement) -> String {
    Requirement { marker: None, ..requirement.clone() }.to_string()
}

/// At most four versions, and how many more there are.
fn list(versions: &[Version]) -> String {
    const MOST: usize = 4;
    let mut text = String::new();
    for (index, version) in versions.iter().take(MOST).enumerate() {
        let _ = write!(text, "{}{version}", if index == 0 { "" } else { ", " });
    }
    match versions.len().saturating_sub(MOST) {
        0 => text,
        more => format!("{text} and {more} more"),
    }
}
