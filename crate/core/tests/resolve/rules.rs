//! Rules, by example.

use std::collections::{BTreeMap, BTreeSet};

use taipan_core::name::PackageName;
use taipan_core::resolve::{Candidate, PreReleases, Request, ResolveOptions, Resolver, Step, resolve};

use super::universe::{Universe, candidate, chosen, files, options, requirements, sentences, solve};

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
