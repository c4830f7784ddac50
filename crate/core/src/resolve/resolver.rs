//! The state machine around the search.

mod facts;
mod progress;

use std::collections::{BTreeMap, BTreeSet, HashMap};

use self::progress::{Progress, ROOT};
use super::candidates::{Demands, Exclusion, Taken};
use super::explain::{Dependent, Reason, conflict};
use super::search::NodeId;
use super::{Candidate, Conflict, PreReleases, Request, Resolution, ResolveOptions, ResolvedPackage, Step};
use crate::name::PackageName;
use crate::requirement::Requirement;
use crate::version::Version;

/// Finds out which files satisfy requirements together, a step at a time: see the [module](super).
pub struct Resolver {
    requirements: Vec<Requirement>,
    options: ResolveOptions,
    python: Option<Version>,
    candidates: HashMap<PackageName, Answer<Vec<Candidate>>>,
    direct: HashMap<String, Answer<Candidate>>,
    /// By distribution and [`Candidate::file`].
    dependencies: HashMap<(PackageName, String), Answer<Vec<Requirement>>>,
    demands: HashMap<PackageName, Demands>,
    progress: Option<Progress>,
    decisions: usize,
}

/// What the host said: something, or why not.
type Answer<T> = Result<T, String>;

/// What is known about the requirements of a file.
enum Known {
    Missing(Request),
    Unusable(String),
    /// Those that apply.
    Requires(Vec<Requirement>),
}

/// What stands in the way of going on.
enum Obstacle {
    /// Something has to be provided.
    Missing(Vec<Request>),
    /// Demands have changed the list of a distribution.
    Restart,
}

impl Resolver {
    /// Starts a resolution. Requirements whose markers are false in the environment are ignored.
    pub fn new(requirements: Vec<Requirement>, options: ResolveOptions) -> Self {
        let full = options.environment.python_full_version.trim_end_matches('+');
        let python = full.parse().or_else(|_| options.environment.python_version.parse()).ok();
        let mut demands: HashMap<PackageName, Demands> = HashMap::new();
        for requirement in requirements.iter().chain(&options.constraints) {
            if requirement.applies::<&str>(&options.environment, &[]) {
                let demands = demands.entry(requirement.name.clone()).or_default();
                demands.only_direct |= demands.note_url(requirement);
            }
        }
        Self {
            requirements,
            options,
            python,
            candidates: HashMap::new(),
            direct: HashMap::new(),
            dependencies: HashMap::new(),
            demands,
            progress: None,
            decisions: 0,
        }
    }

    /// Answers [`Request::Candidates`]. `Err` says why there are none; an empty list means that there are no files.
    pub fn provide_candidates(&mut self, name: PackageName, candidates: Result<Vec<Candidate>, String>) {
        self.candidates.entry(name).or_insert(candidates);
    }

    /// Answers [`Request::Direct`]. `Err` says why the file cannot be used.
    pub fn provide_direct(&mut self, url: String, candidate: Result<Candidate, String>) {
        self.direct.entry(url).or_insert(candidate);
    }

    /// Answers [`Request::Dependencies`]. `Err` says why the file cannot be used: another version is then looked for.
    pub fn provide_dependencies(
        &mut self,
        name: PackageName,
        file: String,
        requires: Result<Vec<Requirement>, String>,
    ) {
        self.dependencies.entry((name, file)).or_insert(requires);
    }

    /// Goes as far as what is known allows.
    pub fn step(&mut self) -> Step {
        loop {
            let outcome = match self.progress.take() {
                Some(progress) => self.advance(progress),
                None => self.start(),
            };
            match outcome {
                Ok(Some(step)) => return step,
                Ok(None) | Err(Obstacle::Restart) => {}
                Err(Obstacle::Missing(requests)) => return Step::Need(requests),
            }
        }
    }

    /// Begins a search with what the user requires.
    fn start(&mut self) -> Result<Option<Step>, Obstacle> {
        let mut progress = Progress::new();
        let applies = |it: &&Requirement| it.applies::<&str>(&self.options.environment, &[]);
        let wanted: Vec<Requirement> = self.requirements.iter().filter(applies).cloned().collect();
        self.known(&wanted)?;
        self.require(&mut progress, ROOT, 0, &Dependent::You, &wanted)?;
        self.progress = Some(progress);
        Ok(None)
    }

    /// Makes the next decision.
    fn advance(&mut self, mut progress: Progress) -> Result<Option<Step>, Obstacle> {
        let violated = progress.search.propagate().err();
        if let Some(fact) = violated {
            let reasons = progress.search.reasons(fact);
            if self.allow_pre_releases(&reasons) {
                return Err(Obstacle::Restart);
            }
            return Ok(Some(Step::Conflict(conflict(&reasons, &self.options.loaded))));
        }
        let Some((node, value)) = progress.open().next() else {
            return Ok(Some(Step::Resolved(self.resolution(&progress))));
        };
        if progress.expanded.contains(&(node, value)) {
            self.decisions += 1;
            if self.decisions > self.options.maximum_decisions {
                let open: Vec<String> =
                    progress.open().map(|(node, _)| progress.package(node).name.to_string()).collect();
                let sentence = format!("After {} decisions these are open: {}.", self.decisions - 1, open.join(", "));
                return Ok(Some(Step::Conflict(Conflict {
                    sentences: vec![sentence],
                    without_files: BTreeSet::new(),
                    names: BTreeSet::new(),
                    gave_up: true,
                })));
            }
            progress.search.decide(node, value);
        } else {
            match self.expand(&mut progress, node, value) {
                Ok(()) => {}
                Err(Obstacle::Missing(mut requests)) => {
                    self.look_ahead(&progress, &mut requests);
                    self.progress = Some(progress);
                    return Err(Obstacle::Missing(requests));
                }
                Err(restart) => return Err(restart),
            }
        }
        self.progress = Some(progress);
        Ok(None)
    }

    /// Adds what will be asked for if the first choice is right for all that is open.
    fn look_ahead(&self, progress: &Progress, requests: &mut Vec<Request>) {
        for (node, value) in progress.open() {
            match self.requires(progress, node, value) {
                Known::Missing(request) => requests.push(request),
                Known::Requires(wanted) => {
                    if let Err(Obstacle::Missing(more)) = self.known(&wanted) {
                        requests.extend(more);
                    }
                }
                Known::Unusable(_) => {}
            }
        }
        let mut seen = BTreeSet::new();
        requests.retain(|request| seen.insert(request.clone()));
    }

    /// The requirements of a value of a node.
    fn requires(&self, progress: &Progress, node: NodeId, value: usize) -> Known {
        let package = progress.package(node);
        let Candidate { version, file, .. } = &package.listing.files[value].candidate;
        match self.dependencies.get(&(package.name.clone(), file.clone())) {
            None => Known::Missing(Request::Dependencies {
                name: package.name.clone(),
                version: version.clone(),
                file: file.clone(),
            }),
            Some(Err(message)) => Known::Unusable(message.clone()),
            Some(Ok(all)) => {
                let applies = |it: &&Requirement| it.applies(&self.options.environment, package.extra.as_slice());
                Known::Requires(all.iter().filter(applies).cloned().collect())
            }
        }
    }

    /// After a conflict: allows pre-releases of distributions where their absence is a reason. True if it does.
    fn allow_pre_releases(&mut self, reasons: &[&Reason]) -> bool {
        let mut changed = false;
        for reason in reasons {
            if let Reason::Excluded { name, why: Exclusion::PreRelease, .. } = reason
                && self.options.pre_releases == PreReleases::IfNecessary
            {
                let demands = self.demands.entry(name.clone()).or_default();
                changed |= demands.pre_releases == Taken::Never;
                demands.pre_releases = demands.pre_releases.max(Taken::Last);
            }
        }
        changed
    }

    /// Whether the files of all that is required are known.
    fn known(&self, wanted: &[Requirement]) -> Result<(), Obstacle> {
        let mut missing = Vec::new();
        for requirement in wanted {
            let name = &requirement.name;
            let demands = self.demands.get(name);
            let urls = demands.map_or(&[][..], |demands| &demands.urls);
            for url in urls.iter().chain(&requirement.url) {
                if !self.direct.contains_key(url) {
                    missing.push(Request::Direct { name: name.clone(), url: url.clone() });
                }
            }
            let only_direct = demands.is_some_and(|demands| demands.only_direct);
            if !only_direct && !self.candidates.contains_key(name) {
                missing.push(Request::Candidates { name: name.clone() });
            }
        }
        if missing.is_empty() { Ok(()) } else { Err(Obstacle::Missing(missing)) }
    }

    /// What was decided, as far as it is needed.
    fn resolution(&self, progress: &Progress) -> Resolution {
        let mut packages: BTreeMap<PackageName, ResolvedPackage> = BTreeMap::new();
        for (index, package) in progress.packages.iter().enumerate() {
            let node = index + 1;
            let chosen =
                progress.search.domain(node).first().and_then(|value| Some((value, package.listing.files.get(value)?)));
            let Some((value, listed)) = chosen.filter(|_| progress.search.is_decided(node)) else { continue };
            let resolved = packages.entry(package.name.clone()).or_insert_with(|| ResolvedPackage {
                version: listed.candidate.version.clone(),
                file: listed.candidate.file.clone(),
                url: listed.url.clone(),
                extras: BTreeSet::new(),
                dependencies: BTreeSet::new(),
            });
            resolved.extras.extend(package.extra.clone());
            if let Known::Requires(wanted) = self.requires(progress, node, value) {
                let others = wanted.into_iter().map(|requirement| requirement.name);
                resolved.dependencies.extend(others.filter(|name| *name != package.name));
            }
        }
        Resolution { packages }
    }
}
