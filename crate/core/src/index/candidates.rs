//! Which files of a page an interpreter could take.

use std::cmp::Reverse;

use super::{ProjectFile, ProjectPage};
use crate::name::PackageName;
use crate::resolve::Candidate;
use crate::tag::SupportedTags;
use crate::version::Version;
use crate::wheel::WheelFilename;

/// A file of a page as the resolver takes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexedFile {
    /// [`Candidate::file`] is the name of the file.
    pub candidate: Candidate,
    /// What the page says of it.
    pub file: ProjectFile,
}

/// The wheels of a page, those with a higher build tag first, and the source distributions of versions that have none,
/// which are there to be named when nothing else is left: their rank is `None`.
///
/// Left out are files of another project, of no version, and of a name that came before. A `Requires-Python` that is none
/// does not count, as with pip.
pub fn candidates(page: ProjectPage, project: &PackageName, tags: &SupportedTags) -> Vec<IndexedFile> {
    let mut wheels: Vec<(Option<u64>, IndexedFile)> = Vec::new();
    let mut sources = Vec::new();
    for file in page.files {
        let found = match file.filename.parse::<WheelFilename>() {
            Ok(wheel) if wheel.name == *project => {
                let version = wheel.version.parse().ok();
                version.map(|version: Version| (version, tags.rank(&wheel), build(&wheel), true))
            }
            Ok(_) => None,
            Err(_) => source_version(&file.filename, project).map(|version| (version, None, None, false)),
        };
        let Some((version, rank, build, is_wheel)) = found else { continue };
        let candidate = Candidate {
            version,
            file: file.filename.clone(),
            rank,
            requires_python: file.requires_python.as_ref().and_then(|specifiers| specifiers.parse().ok()),
            yanked: file.yanked.is_some(),
        };
        let indexed = IndexedFile { candidate, file };
        if is_wheel { wheels.push((build, indexed)) } else { sources.push(indexed) }
    }
    wheels.sort_by_key(|(build, _)| Reverse(*build));
    let mut result: Vec<IndexedFile> = wheels.into_iter().map(|(_, wheel)| wheel).collect();
    let versions: std::collections::HashSet<Version> =
        result.iter().map(|wheel| wheel.candidate.version.clone()).collect();
    result.extend(sources.into_iter().filter(|source| !versions.contains(&source.candidate.version)));
    let mut names = std::collections::HashSet::new();
    result.retain(|indexed| names.insert(indexed.candidate.file.clone()));
    result
}

/// The number that a build tag begins with.
fn build(wheel: &WheelFilename) -> Option<u64> {
    let tag = wheel.build.as_ref()?;
    let digits = tag.find(|character: char| !character.is_ascii_digit()).unwrap_or(tag.len());
    tag[..digits].parse().ok()
}

/// The version in the name of a source distribution: `{name}-{version}.tar.gz`, where the name may have any spelling.
fn source_version(filename: &str, project: &PackageName) -> Option<Version> {
    let stem = filename.strip_suffix(".tar.gz").or_else(|| filename.strip_suffix(".zip"))?;
    stem.match_indices('-').find_map(|(dash, _)| {
        let name: PackageName = stem[..dash].parse().ok()?;
        if name == *project { stem[dash + 1..].parse().ok() } else { None }
    })
}
