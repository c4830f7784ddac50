//! Compares versions, specifiers, markers, requirements and tags with the verdicts on standard input (the cases that
//! `tests/differential/cases.py` writes). Prints disagreements and `N passed, N failed`; fails if there are any.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::BufRead;
use std::process::ExitCode;

use serde::Deserialize;
use taipan_core::requirement::{Marker, MarkerEnvironment, Requirement};
use taipan_core::tag::SupportedTags;
use taipan_core::version::{Version, VersionSpecifiers};
use taipan_core::wheel::WheelFilenameError;

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
enum Case {
    Version { input: String, expected: Option<String>, flags: Option<(bool, bool)> },
    Order { left: String, right: String, expected: i8 },
    Specifiers { input: String, versions: Vec<String>, expected: Option<ExpectedSpecifiers> },
    Marker { input: String, extras: Vec<String>, environments: Vec<MarkerEnvironment>, expected: Option<Vec<bool>> },
    Requirement { input: String, environments: Vec<MarkerEnvironment>, expected: Option<ExpectedRequirement> },
    Tags { minor: u32, platforms: Vec<String>, expected: Vec<String>, wheels: BTreeMap<String, Option<usize>> },
}

#[derive(Debug, PartialEq, Deserialize)]
struct ExpectedSpecifiers {
    specifiers: Vec<String>,
    contains: Vec<bool>,
    filter: Vec<String>,
    filter_final: Vec<String>,
}

#[derive(Debug, PartialEq, Deserialize)]
struct ExpectedRequirement {
    name: String,
    extras: Vec<String>,
    specifiers: Vec<String>,
    url: Option<String>,
    marker: Option<Vec<bool>>,
}

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let (mut passed, mut failed) = (0, 0);
    for line in std::io::stdin().lock().lines() {
        let line = line?;
        match check(serde_json::from_str(&line)?)? {
            None => passed += 1,
            Some(disagreement) => {
                failed += 1;
                println!("{disagreement}");
            }
        }
    }
    println!("{passed} passed, {failed} failed");
    Ok(if failed == 0 && passed > 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// The disagreement on a case, if there is one.
fn check(case: Case) -> Result<Option<String>, Failure> {
    Ok(match case {
        Case::Version { input, expected, flags } => {
            let version: Option<Version> = input.parse().ok();
            let found = version.as_ref().map(ToString::to_string);
            let found_flags = version.as_ref().map(|version| (version.is_pre_release(), version.is_post_release()));
            difference("version", &input, &(expected, flags), &(found, found_flags))
        }
        Case::Order { left, right, expected } => {
            let found = match left.parse::<Version>()?.cmp(&right.parse()?) {
                Ordering::Less => -1,
                Ordering::Equal => 0,
                Ordering::Greater => 1,
            };
            difference("order", &format!("{left} {right}"), &expected, &found)
        }
        Case::Specifiers { input, versions, expected } => {
            let found = match input.parse::<VersionSpecifiers>() {
                Ok(specifiers) => Some(evaluate(&specifiers, &versions)?),
                Err(_) => None,
            };
            difference("specifiers", &format!("{input}` on `{}", versions.join(" ")), &expected, &found)
        }
        Case::Marker { input, extras, environments, expected } => {
            let found = input.parse::<Marker>().ok().map(|marker| truth(&marker, &environments, &extras));
            if let Some(found) = &found {
                // Written out again, it must mean the same.
                let again: Marker = input.parse::<Marker>()?.to_string().parse()?;
                assert_eq!(truth(&again, &environments, &extras), *found, "{again}");
            }
            difference("marker", &format!("{input}` for `{}", extras.join(",")), &expected, &found)
        }
        Case::Requirement { input, environments, expected } => {
            let found = input.parse::<Requirement>().ok().map(|requirement| ExpectedRequirement {
                name: requirement.name.to_string(),
                extras: requirement.extras.iter().cloned().collect(),
                specifiers: rows(&requirement.specifiers),
                url: requirement.url.clone(),
                marker: requirement.marker.as_ref().map(|marker| truth(marker, &environments, &["a".to_owned()])),
            });
            if let Ok(requirement) = input.parse::<Requirement>() {
                assert_eq!(requirement.to_string().parse::<Requirement>()?, requirement);
            }
            difference("requirement", &input, &expected, &found)
        }
        Case::Tags { minor, platforms, expected, wheels } => {
            let tags = SupportedTags::cpython((3, minor), &platforms);
            let found = tags.iter().map(ToString::to_string).collect();
            let ranks: Result<_, WheelFilenameError> =
                wheels.keys().map(|wheel| Ok((wheel.clone(), tags.rank(&wheel.parse()?)))).collect();
            difference("tags", &format!("3.{minor} {}", platforms.join(" ")), &(expected, wheels), &(found, ranks?))
        }
    })
}

fn difference<T: std::fmt::Debug + PartialEq>(kind: &str, input: &str, expected: &T, found: &T) -> Option<String> {
    (expected != found).then(|| format!("{kind} `{input}`\n  expected {expected:?}\n  found    {found:?}"))
}

fn evaluate(specifiers: &VersionSpecifiers, versions: &[String]) -> Result<ExpectedSpecifiers, Failure> {
    let versions = versions.iter().map(|version| version.parse()).collect::<Result<Vec<Version>, _>>()?;
    let texts = |versions: Vec<&Version>| versions.into_iter().map(ToString::to_string).collect();
    Ok(ExpectedSpecifiers {
        specifiers: rows(specifiers),
        contains: versions.iter().map(|version| specifiers.contains(version)).collect(),
        filter: texts(specifiers.filter(&versions, None)),
        filter_final: texts(specifiers.filter(&versions, Some(false))),
    })
}

fn rows(specifiers: &VersionSpecifiers) -> Vec<String> {
    let mut rows: Vec<String> = specifiers.iter().map(ToString::to_string).collect();
    rows.sort();
    rows
}

fn truth(marker: &Marker, environments: &[MarkerEnvironment], extras: &[String]) -> Vec<bool> {
    environments.iter().map(|environment| marker.evaluate(environment, extras)).collect()
}
