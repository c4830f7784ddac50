//! Indexes that are made up.

use std::collections::{BTreeMap, BTreeSet};

use taipan_core::name::PackageName;
use taipan_core::requirement::{MarkerEnvironment, Requirement};
use taipan_core::resolve::{Candidate, Conflict, PackageSource, Resolution, ResolveOptions, resolve};

/// The files of an index.
#[derive(Debug, Clone, Default)]
pub struct Universe {
    pub files: BTreeMap<PackageName, Vec<(Candidate, Vec<Requirement>)>>,
    pub direct: BTreeMap<String, (Candidate, Vec<Requirement>)>,
    /// Files whose metadata cannot be read.
    pub broken: BTreeSet<String>,
}

pub fn requirements(texts: &[&str]) -> Vec<Requirement> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

pub fn candidate(name: &str, version: &str) -> Candidate {
    let file = format!("{name}-{version}");
    Candidate { version: version.parse().unwrap(), file, rank: Some(0), requires_python: None, yanked: false }
}

impl Universe {
    pub fn of(files: &[(&str, &str, &[&str])]) -> Self {
        let mut universe = Self::default();
        for (name, version, requires) in files {
            universe.add(name, candidate(name, version), requires);
        }
        universe
    }

    pub fn add(&mut self, name: &str, candidate: Candidate, requires: &[&str]) {
        self.files.entry(name.parse().unwrap()).or_default().push((candidate, requirements(requires)));
    }
}

impl PackageSource for Universe {
    fn candidates(&mut self, name: &PackageName) -> Result<Vec<Candidate>, String> {
        let files = self.files.get(name).ok_or("no index has it")?;
        Ok(files.iter().map(|(candidate, _)| candidate.clone()).collect())
    }

    fn direct(&mut self, _: &PackageName, url: &str) -> Result<Candidate, String> {
        self.direct.get(url).map(|(candidate, _)| candidate.clone()).ok_or("the server has no such file".to_owned())
    }

    fn dependencies(&mut self, name: &PackageName, file: &str) -> Result<Vec<Requirement>, String> {
        if self.broken.contains(file) {
            return Err("its metadata is broken".to_owned());
        }
        let indexed = self.files.get(name).into_iter().flatten();
        let found = indexed.chain(self.direct.values()).find(|(candidate, _)| candidate.file == file);
        Ok(found.unwrap().1.clone())
    }
}

pub fn options() -> ResolveOptions {
    ResolveOptions::new(MarkerEnvironment::emscripten("3.13.2", "4.0.9"))
}

pub fn solve(universe: &Universe, wanted: &[&str]) -> Result<Resolution, Conflict> {
    resolve(requirements(wanted), options(), &mut universe.clone())
}

/// The files of the solution.
pub fn files(universe: &Universe, wanted: &[&str]) -> Vec<String> {
    chosen(&solve(universe, wanted).unwrap())
}

pub fn chosen(resolution: &Resolution) -> Vec<String> {
    resolution.packages.values().map(|package| package.file.clone()).collect()
}

pub fn sentences(universe: &Universe, wanted: &[&str]) -> Vec<String> {
    solve(universe, wanted).unwrap_err().sentences
}
