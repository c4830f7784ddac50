//! The resolver: rules by example, and solutions compared with trying everything in small universes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use taipan_core::name::PackageName;
use taipan_core::requirement::{MarkerEnvironment, Requirement};
use taipan_core::resolve::{
    Candidate, Conflict, PackageSource, PreReleases, Request, Resolution, ResolveOptions, Resolver, Step, resolve,
};

/// The files of an index.
#[derive(Debug, Clone, Default)]
struct Universe {
    files: BTreeMap<PackageName, Vec<(Candidate, Vec<Requirement>)>>,
    direct: BTreeMap<String, (Candidate, Vec<Requirement>)>,
    /// Files whose metadata cannot be read.
    broken: BTreeSet<String>,
}

fn requirements(texts: &[&str]) -> Vec<Requirement> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

fn candidate(name: &str, version: &str) -> Candidate {
    let file = format!("{name}-{version}");
    Candidate { version: version.parse().unwrap(), file, rank: Some(0), requires_python: None, yanked: false }
}

impl Universe {
    fn of(files: &[(&str, &str, &[&str])]) -> Self {
        let mut universe = Self::default();
        for (name, version, requires) in files {
            universe.add(name, candidate(name, version), requires);
        }
        universe
    }

    fn add(&mut self, name: &str, candidate: Candidate, requires: &[&str]) {
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

fn options() -> ResolveOptions {
    ResolveOptions::new(MarkerEnvironment::emscripten("3.13.2", "4.0.9"))
}

fn solve(universe: &Universe, wanted: &[&str]) -> Result<Resolution, Conflict> {
    resolve(requirements(wanted), options(), &mut universe.clone())
}

/// The files of the solution.
fn files(universe: &Universe, wanted: &[&str]) -> Vec<String> {
    chosen(&solve(universe, wanted).unwrap())
}

fn chosen(resolution: &Resolution) -> Vec<String> {
    resolution.packages.values().map(|package| package.file.clone()).collect()
}

fn sentences(universe: &Universe, wanted: &[&str]) -> Vec<String> {
    solve(universe, wanted).unwrap_err().sentences
}

#[test]
fn the_newest_that_fit_together_are_found() {
    let universe = Universe::of(&[
        ("pandas", "2.2", &["numpy>=1.26", "tzdata; sys_platform == 'win32'"]),
        ("pandas", "2.3", &["numpy>=2"]),
        ("numpy", "1.26", &[]),
        ("numpy", "2.2", &[]),
        ("old", "1", &["numpy<2"]),
    ]);
    assert_eq!(files(&universe, &["pandas"]), ["numpy-2.2", "pandas-2.3"]);
    assert_eq!(files(&universe, &["pandas", "old"]), ["numpy-1.26", "old-1", "pandas-2.2"]);
    let resolution = solve(&universe, &["pandas"]).unwrap();
    let pandas = &resolution.packages[&"pandas".parse().unwrap()];
    assert_eq!(pandas.dependencies, BTreeSet::from(["numpy".parse().unwrap()]));
    assert!(solve(&universe, &["nothing; sys_platform == 'win32'"]).unwrap().packages.is_empty());
}

#[test]
fn conflicts_name_who_requires_what() {
    let universe = Universe::of(&[
        ("pandas", "2.2", &["numpy>=2"]),
        ("pandas", "2.3", &["numpy>=2"]),
        ("old", "1", &["numpy<2; python_version > '3'"]),
        ("numpy", "1.26", &[]),
        ("numpy", "2.2", &[]),
        ("unrelated", "1", &[]),
        ("needy", "1", &["missing>1"]),
    ]);
    assert_eq!(
        sentences(&universe, &["unrelated", "pandas", "old"]),
        ["You require pandas.", "You require old.", "pandas 2.3, 2.2 require numpy>=2.", "old 1 requires numpy<2."]
    );
    assert_eq!(sentences(&universe, &["numpy>=3"]), ["You require numpy>=3, but there is only 2.2, 1.26."]);
    let conflict = solve(&universe, &["needy"]).unwrap_err();
    assert_eq!(
        conflict.to_string(),
        "These cannot all be true:\n- You require needy.\n- needy 1 requires missing>1, but no index has it."
    );
    assert_eq!(conflict.without_files, BTreeSet::from(["missing".parse().unwrap()]));
}

#[test]
fn files_that_cannot_be_used_are_not() {
    let mut universe = Universe::of(&[("a", "1", &[]), ("a", "5", &[])]);
    universe.broken.insert("a-5".to_owned());
    universe.add("a", Candidate { rank: None, ..candidate("a", "4") }, &[]);
    universe.add("a", Candidate { requires_python: Some(">=3.14".parse().unwrap()), ..candidate("a", "3") }, &[]);
    assert_eq!(files(&universe, &["a"]), ["a-1"]);
    assert_eq!(
        sentences(&universe, &["a>1"]),
        [
            "You require a>1.",
            "a 4 cannot be used: no wheel of it fits this interpreter.",
            "a 3 cannot be used: it needs Python >=3.14.",
            "a 5 cannot be used: its metadata is broken."
        ]
    );
}

#[test]
fn of_one_version_the_best_file_is_taken() {
    let mut universe = Universe::default();
    for (file, rank) in [("slow", Some(7)), ("other", None), ("fast", Some(2)), ("later", Some(2))] {
        universe.add("a", Candidate { file: file.to_owned(), rank, ..candidate("a", "1") }, &[]);
    }
    assert_eq!(files(&universe, &["a"]), ["fast"]);
}

#[test]
fn yanked_files_have_to_be_pinned() {
    let mut universe = Universe::of(&[("a", "1", &[]), ("b", "1", &["a==2"]), ("c", "1", &["a>1"])]);
    universe.add("a", Candidate { yanked: true, ..candidate("a", "2") }, &[]);
    assert_eq!(files(&universe, &["a"]), ["a-1"]);
    assert_eq!(files(&universe, &["a==2"]), ["a-2"]);
    assert_eq!(files(&universe, &["b"]), ["a-2", "b-1"]);
    assert_eq!(files(&universe, &["a", "b", "c"]), ["a-2", "b-1", "c-1"]);
    assert!(
        sentences(&universe, &["c"])
            .contains(&"a 2 cannot be used: it was yanked, and nothing asks for exactly it.".to_owned())
    );
    let preferred = ResolveOptions { preferred: [("a".parse().unwrap(), "2".parse().unwrap())].into(), ..options() };
    let resolution = resolve(requirements(&["a"]), preferred, &mut universe).unwrap();
    assert_eq!(chosen(&resolution), ["a-2"]);
}

#[test]
fn pre_releases_have_to_be_asked_for_or_needed() {
    let universe = Universe::of(&[
        ("a", "1", &[]),
        ("a", "2rc1", &[]),
        ("only", "1a1", &[]),
        ("user", "1", &["a>1"]),
        ("low", "1", &["b>=1"]),
        ("high", "1", &["b<3,!=1"]),
        ("b", "1", &[]),
        ("b", "2a1", &[]),
        ("b", "3", &[]),
    ]);
    assert_eq!(files(&universe, &["a"]), ["a-1"]);
    assert_eq!(files(&universe, &["a>=1rc1"]), ["a-2rc1"]);
    assert_eq!(files(&universe, &["only"]), ["only-1a1"]);
    assert_eq!(files(&universe, &["a", "user"]), ["a-2rc1", "user-1"]);
    // Each of the two can be met by a final release, both cannot.
    assert_eq!(files(&universe, &["low", "high"]), ["b-2a1", "high-1", "low-1"]);
    let with = |pre_releases, wanted: &[&str]| {
        resolve(requirements(wanted), ResolveOptions { pre_releases, ..options() }, &mut universe.clone())
    };
    assert_eq!(chosen(&with(PreReleases::Allow, &["a"]).unwrap()), ["a-2rc1"]);
    assert_eq!(
        with(PreReleases::Disallow, &["only"]).unwrap_err().sentences[1],
        "only 1a1 cannot be used: it is a pre-release, and nothing asks for one."
    );
}

#[test]
fn extras_bring_their_requirements() {
    let universe = Universe::of(&[
        ("pandas", "1", &["openpyxl; extra == 'excel'", "pandas[excel]; extra == 'all'", "numpy"]),
        ("pandas", "2", &["openpyxl>=3; extra == 'excel'", "numpy"]),
        ("openpyxl", "2", &[]),
        ("numpy", "1", &[]),
        ("user", "1", &["Pandas[Excel]"]),
    ]);
    assert_eq!(files(&universe, &["pandas"]), ["numpy-1", "pandas-2"]);
    assert_eq!(files(&universe, &["pandas[excel]"]), ["numpy-1", "openpyxl-2", "pandas-1"]);
    assert_eq!(files(&universe, &["pandas", "user"]), ["numpy-1", "openpyxl-2", "pandas-1", "user-1"]);
    let resolution = solve(&universe, &["pandas[all]<2"]).unwrap();
    let extras = &resolution.packages[&"pandas".parse().unwrap()].extras;
    assert_eq!(*extras, BTreeSet::from(["all".to_owned(), "excel".to_owned()]));
    assert_eq!(
        sentences(&universe, &["pandas[excel]>1"]),
        ["You require pandas[excel]>1.", "pandas[excel] 2 requires openpyxl>=3, but there is only 2."]
    );
}

#[test]
fn urls_are_taken_where_asked_for() {
    let mut universe = Universe::of(&[("a", "2", &[]), ("b", "1", &["a @ file:a"]), ("c", "1", &["a>1"])]);
    universe.direct.insert("file:a".to_owned(), (candidate("direct", "1.5"), Vec::new()));
    assert_eq!(files(&universe, &["a"]), ["a-2"]);
    assert_eq!(files(&universe, &["a @ file:a"]), ["direct-1.5"]);
    assert_eq!(files(&universe, &["a", "c", "b"]), ["direct-1.5", "b-1", "c-1"]);
    assert_eq!(sentences(&universe, &["a @ file:x"]), ["You require a @ file:x, but the server has no such file."]);
    assert!(sentences(&universe, &["a>=2", "b"]).contains(&"b 1 requires a @ file:a.".to_owned()));
}

#[test]
fn constraints_restrict_what_is_needed() {
    let mut universe = Universe::of(&[("a", "1", &["b"]), ("b", "1", &[]), ("b", "2", &[])]);
    let constrained =
        ResolveOptions { constraints: requirements(&["b<2", "unused>=5", "a>1; os_name == 'nt'"]), ..options() };
    let resolution = resolve(requirements(&["a"]), constrained.clone(), &mut universe).unwrap();
    assert_eq!(chosen(&resolution), ["a-1", "b-1"]);
    let conflict = resolve(requirements(&["b>1"]), constrained, &mut universe).unwrap_err();
    assert_eq!(conflict.sentences, ["You require b>1.", "A constraint allows only b<2."]);
}

#[test]
fn preferred_versions_come_first_if_they_fit() {
    let mut universe = Universe::of(&[("a", "1", &[]), ("a", "2", &[]), ("a", "3", &[])]);
    let preferred = ResolveOptions { preferred: [("a".parse().unwrap(), "1".parse().unwrap())].into(), ..options() };
    assert_eq!(chosen(&resolve(requirements(&["a"]), preferred.clone(), &mut universe).unwrap()), ["a-1"]);
    assert_eq!(chosen(&resolve(requirements(&["a>1"]), preferred, &mut universe).unwrap()), ["a-3"]);
}

#[test]
fn what_can_be_fetched_at_once_is_asked_for_at_once() {
    let mut resolver = Resolver::new(requirements(&["a", "b>1"]), options());
    let (a, b): (PackageName, PackageName) = ("a".parse().unwrap(), "b".parse().unwrap());
    let requests = [a.clone(), b.clone()].map(|name| Request::Candidates { name });
    assert_eq!(resolver.step(), Step::Need(requests.to_vec()));
    resolver.provide_candidates(b, Ok(vec![candidate("b", "1"), candidate("b", "2")]));
    assert_eq!(resolver.step(), Step::Need(requests[..1].to_vec()));
    resolver.provide_candidates(a, Ok(vec![candidate("a", "1")]));
    let Step::Need(requests) = resolver.step() else { panic!("it cannot know enough") };
    let files: Vec<_> = requests
        .iter()
        .map(|request| match request {
            Request::Dependencies { file, .. } => file.as_str(),
            _ => "",
        })
        .collect();
    assert_eq!(files, ["a-1", "b-2"]);
}

#[test]
fn a_search_without_end_is_ended() {
    let universe = Universe::of(&[("a", "1", &["b"]), ("b", "1", &["c"]), ("c", "1", &[])]);
    let limited = ResolveOptions { maximum_decisions: 2, ..options() };
    let conflict = resolve(requirements(&["a"]), limited, &mut universe.clone()).unwrap_err();
    assert!(conflict.gave_up);
    assert_eq!(conflict.sentences, ["After 2 decisions these are open: c."]);
}

/// Hundreds of versions, of which the newest hundreds cannot work: what a search without learning does not survive.
#[test]
fn many_versions_are_no_problem() {
    let mut universe = Universe::default();
    for version in 0..300 {
        let version = version.to_string();
        universe.add("a", candidate("a", &version), &[&format!("c=={version}")]);
        universe.add("b", candidate("b", &version), &[&format!("c!={version},<150")]);
        universe.add("c", candidate("c", &version), &["d"]);
    }
    for noise in ["d", "e", "f", "g", "h"] {
        for version in 0..100 {
            universe.add(noise, candidate(noise, &version.to_string()), &[]);
        }
    }
    assert_eq!(files(&universe, &["e", "f", "g", "h", "a", "b"])[..3], ["a-149", "b-299", "c-149"]);
    assert!(solve(&universe, &["e", "f", "g", "h", "a>200", "b"]).is_err());
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

fn any_requirement() -> impl Strategy<Value = String> {
    let specifier = prop::sample::select(vec!["", "", "==1", "==2", "!=2", "<3", ">1", "<=2", ">=3", ">9"]);
    let extra = prop::sample::select(vec!["", "", "", "[x]", "[x,y]"]);
    (prop::sample::select(NAMES.to_vec()), extra, specifier)
        .prop_map(|(name, extra, specifier)| format!("{name}{extra}{specifier}"))
}

fn any_universe() -> impl Strategy<Value = Universe> {
    let marker = prop::sample::select(vec!["", "", "", "; extra == 'x'", "; extra == 'y'", "; extra != 'x'"]);
    let dependency = (any_requirement(), marker).prop_map(|(requirement, marker)| format!("{requirement}{marker}"));
    let file = (prop::collection::vec(dependency, 0..4), prop::bool::weighted(0.9), prop::bool::weighted(0.05));
    prop::collection::vec(prop::collection::vec(file, 0..4), NAMES.len()).prop_map(|packages| {
        let mut universe = Universe::default();
        for (name, files) in NAMES.iter().zip(packages) {
            for (index, (requires, usable, broken)) in files.iter().enumerate() {
                let candidate = candidate(name, &(index + 1).to_string());
                if *broken {
                    universe.broken.insert(candidate.file.clone());
                }
                let requires: Vec<&str> = requires.iter().map(String::as_str).collect();
                universe.add(name, Candidate { rank: usable.then_some(0), ..candidate }, &requires);
            }
        }
        universe
    })
}

type Chosen = BTreeMap<PackageName, String>;

/// What of a choice of files is reached from the requirements, if all requirements on the way are met by it.
fn reached(
    universe: &Universe,
    wanted: &[Requirement],
    constraints: &[Requirement],
    chosen: &Chosen,
) -> Option<Chosen> {
    let environment = options().environment;
    let mut open: Vec<Requirement> = wanted.to_vec();
    let mut reached = Chosen::new();
    let mut seen = BTreeSet::new();
    while let Some(requirement) = open.pop() {
        let file = chosen.get(&requirement.name)?;
        let (candidate, requires) =
            universe.files.get(&requirement.name)?.iter().find(|(candidate, _)| candidate.file == *file)?;
        let allowed = |requirement: &Requirement| requirement.specifiers.contains(&candidate.version);
        let constrained = constraints.iter().filter(|constraint| constraint.name == requirement.name);
        if !allowed(&requirement) || !constrained.into_iter().all(allowed) {
            return None;
        }
        if candidate.rank.is_none() || universe.broken.contains(file) {
            return None;
        }
        reached.insert(requirement.name.clone(), file.clone());
        let extras = requirement.extras.iter().map(|extra| vec![extra.clone()]);
        for extras in extras.chain([Vec::new()]) {
            if seen.insert((requirement.name.clone(), extras.clone())) {
                open.extend(requires.iter().filter(|it| it.applies(&environment, &extras)).cloned());
            }
        }
    }
    Some(reached)
}

/// Whether any choice of files meets all requirements, found by trying all.
fn is_solvable(universe: &Universe, wanted: &[Requirement], constraints: &[Requirement]) -> bool {
    let mut choices = vec![Chosen::new()];
    for (name, files) in &universe.files {
        let mut more = choices.clone();
        for (candidate, _) in files {
            more.extend(choices.iter().cloned().map(|mut choice| {
                choice.insert(name.clone(), candidate.file.clone());
                choice
            }));
        }
        choices = more;
    }
    choices.iter().any(|choice| reached(universe, wanted, constraints, choice).is_some())
}

/// Resolves with answers that come in an order given by `dice`, some of them before they are needed.
fn resolve_slowly(
    universe: &Universe,
    wanted: Vec<Requirement>,
    options: ResolveOptions,
    dice: &[usize],
) -> Result<Resolution, Conflict> {
    let mut source = universe.clone();
    let mut resolver = Resolver::new(wanted, options);
    let mut rolls = dice.iter().cycle();
    loop {
        match resolver.step() {
            Step::Resolved(resolution) => return Ok(resolution),
            Step::Conflict(conflict) => return Err(conflict),
            Step::Need(requests) => match requests[rolls.next().unwrap() % requests.len()].clone() {
                Request::Candidates { name } => {
                    let answer = source.candidates(&name);
                    resolver.provide_candidates(name, answer);
                }
                Request::Direct { name, url } => {
                    let answer = source.direct(&name, &url);
                    resolver.provide_direct(url, answer);
                }
                Request::Dependencies { name, file, .. } => {
                    let answer = source.dependencies(&name, &file);
                    resolver.provide_dependencies(name, file, answer);
                }
            },
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn a_solution_is_found_exactly_if_there_is_one(
        universe in any_universe(),
        wanted in prop::collection::vec(any_requirement(), 1..4),
        constraint in prop::option::of(any_requirement()),
        dice in prop::collection::vec(any::<usize>(), 1..20),
    ) {
        let wanted: Vec<Requirement> = wanted.iter().map(|text| text.parse().unwrap()).collect();
        let constraints: Vec<Requirement> = constraint.iter().map(|text| text.parse().unwrap()).collect();
        let options = ResolveOptions { constraints: constraints.clone(), ..options() };
        let found = resolve(wanted.clone(), options.clone(), &mut universe.clone());
        prop_assert_eq!(&resolve_slowly(&universe, wanted.clone(), options, &dice), &found);
        match found {
            Ok(resolution) => {
                let chosen: Chosen =
                    resolution.packages.iter().map(|(name, package)| (name.clone(), package.file.clone())).collect();
                // It meets everything, and nothing in it is needless.
                prop_assert_eq!(reached(&universe, &wanted, &constraints, &chosen), Some(chosen));
            }
            Err(conflict) => {
                prop_assert!(!conflict.gave_up && !conflict.sentences.is_empty());
                prop_assert!(!is_solvable(&universe, &wanted, &constraints), "{}", conflict);
            }
        }
    }
}

#[test]
fn what_is_loaded_is_said_to_be_in_the_way() {
    let universe = Universe::of(&[("numpy", "2.2.5", &[]), ("new", "1.0", &["numpy>=3"])]);
    let mut options = options();
    options.loaded = BTreeMap::from([("numpy".parse().unwrap(), "2.2.5".parse().unwrap())]);
    let conflict = resolve(requirements(&["new"]), options, &mut universe.clone()).unwrap_err();
    assert_eq!(
        conflict.sentences,
        [
            "You require new.",
            "new 1.0 requires numpy>=3, but there is only 2.2.5.",
            "numpy 2.2.5 is loaded; it takes a restart to replace it.",
        ]
    );
    assert_eq!(conflict.names, ["new", "numpy"].map(|name| name.parse().unwrap()).into());
}
