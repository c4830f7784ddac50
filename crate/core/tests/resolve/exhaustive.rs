//! Solutions, compared with trying everything in small universes.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use taipan_core::name::PackageName;
use taipan_core::requirement::Requirement;
use taipan_core::resolve::{
    Candidate, Conflict, PackageSource, Request, Resolution, ResolveOptions, Resolver, Step, resolve,
};

use super::universe::{Universe, candidate, options};

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
