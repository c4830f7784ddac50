//! Versions and specifiers: errors, and properties that hold for all. What single ones mean is compared with
//! `packaging` in `tests/differential`.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use proptest::prelude::*;
use taipan_core::version::{SpecifierError, Version, VersionSpecifier, VersionSpecifiers};

fn version(text: &str) -> Version {
    text.parse().unwrap()
}

fn specifiers(text: &str) -> VersionSpecifiers {
    text.parse().unwrap()
}

#[test]
fn every_spelling_is_normalised() {
    for (written, normalised) in [
        ("v1.0-ALPHA.1", "1.0a1"),
        ("1.0c", "1.0rc0"),
        ("1.0-1", "1.0.post1"),
        ("1.0_rev.2-dev", "1.0.post2.dev0"),
        ("0!1.0+Ubuntu-01_x", "1.0+ubuntu.1.x"),
        (" 2!007.1 ", "2!7.1"),
    ] {
        assert_eq!(version(written).to_string(), normalised);
    }
}

#[test]
fn errors_say_what_was_expected_where() {
    for (input, message) in [
        ("", "`` is not a version: expected a digit at character 1"),
        ("1.0é", "`1.0é` is not a version: expected the end of the version at character 4"),
        ("\u{a0}1.x", "`\u{a0}1.x` is not a version: expected the end of the version at character 3"),
        ("1!", "`1!` is not a version: expected a digit after the epoch at character 3"),
        ("1+", "`1+` is not a version: expected a letter or a digit of the local version at character 3"),
        ("18446744073709551616", "`18446744073709551616` is not a version: expected a number below 2⁶⁴ at character 1"),
    ] {
        assert_eq!(input.parse::<Version>().unwrap_err().to_string(), message);
    }
}

#[test]
fn specifiers_that_mean_nothing_are_refused() {
    use SpecifierError as Error;
    let error = |text: &str| text.parse::<VersionSpecifier>().unwrap_err();
    assert!(matches!(error("1.0"), Error::NoOperator { .. }));
    assert_eq!(
        error("=1.0").to_string(),
        "`=1.0` is not a version specifier: it must start with one of ~=, ==, !=, <=, >=, <, >, === \
         (to ask for exactly one version write `==1.0`)"
    );
    assert!(matches!(error(">="), Error::Version { .. }));
    assert!(matches!(error(">=1.*"), Error::Wildcard { .. }));
    assert!(matches!(error("==1.0a1.*"), Error::Wildcard { .. }));
    assert!(matches!(error("==1.0 .*"), Error::Wildcard { .. }));
    assert!(matches!(error("<1+local"), Error::Local { .. }));
    assert!(matches!(error("~=1"), Error::CompatibleTooShort { .. }));
    assert!(matches!(error("==="), Error::Arbitrary { .. }));
    assert!(">=1,2".parse::<VersionSpecifiers>().is_err());
}

#[test]
fn pre_releases_need_to_be_asked_for() {
    let versions = ["1.0", "1.1", "2.0a1"].map(version);
    let filter = |text: &str, answer| -> Vec<String> {
        specifiers(text).filter(&versions, answer).into_iter().map(ToString::to_string).collect()
    };
    assert_eq!(filter("", None), ["1.0", "1.1"]);
    assert_eq!(filter("", Some(true)), ["1.0", "1.1", "2.0a1"]);
    assert_eq!(filter(">1.1", None), ["2.0a1"]);
    assert_eq!(filter(">1.1", Some(false)), [""; 0]);
    assert_eq!(filter(">=1.1a1", None), ["1.1", "2.0a1"]);
}

fn any_version() -> impl Strategy<Value = Version> {
    let number = || prop_oneof![Just(0_u64), 0..4_u64, any::<u64>()];
    let optional = move || prop::option::of(number());
    (
        prop::option::weighted(0.1, number()),
        prop::collection::vec(number(), 1..5),
        prop::option::of((prop::sample::select(vec!["a", "b", "rc"]), number())),
        optional(),
        optional(),
        prop::option::weighted(0.2, "[a-z0-9]{1,4}(\\.[a-z0-9]{1,4}){0,2}"),
    )
        .prop_map(|(epoch, release, pre, post, dev, local)| {
            let release: Vec<String> = release.iter().map(ToString::to_string).collect();
            let epoch = epoch.map(|number| format!("{number}!")).unwrap_or_default();
            let pre = pre.map(|(phase, number)| format!("{phase}{number}")).unwrap_or_default();
            let post = post.map(|number| format!(".post{number}")).unwrap_or_default();
            let dev = dev.map(|number| format!(".dev{number}")).unwrap_or_default();
            let local = local.map(|text| format!("+{text}")).unwrap_or_default();
            version(&format!("{epoch}{}{pre}{post}{dev}{local}", release.join(".")))
        })
}

fn hash(version: &Version) -> u64 {
    let mut hasher = DefaultHasher::new();
    version.hash(&mut hasher);
    hasher.finish()
}

proptest! {
    #[test]
    fn any_text_is_a_version_or_an_error(text in "\\PC{0,12}|[0-9.!abrcv+*<=>~, _-]{0,16}") {
        if let Ok(version) = text.parse::<Version>() {
            prop_assert_eq!(version.to_string().parse::<Version>().unwrap().to_string(), version.to_string());
        }
        if let Ok(specifiers) = text.parse::<VersionSpecifiers>() {
            prop_assert_eq!(specifiers.to_string().parse::<VersionSpecifiers>().unwrap(), specifiers);
        }
    }

    #[test]
    fn display_and_parse_are_inverse(version in any_version()) {
        let text = version.to_string();
        let again: Version = text.parse().unwrap();
        prop_assert_eq!(&again, &version);
        prop_assert_eq!(again.to_string(), text);
    }

    #[test]
    fn the_order_is_total(a in any_version(), b in any_version(), c in any_version()) {
        prop_assert_eq!(a.cmp(&b), b.cmp(&a).reverse());
        prop_assert_eq!(a == b, a.cmp(&b).is_eq());
        if a == b {
            prop_assert_eq!(hash(&a), hash(&b));
        }
        if a <= b && b <= c {
            prop_assert!(a <= c);
        }
    }

    #[test]
    fn operators_are_each_others_opposites(a in any_version(), b in any_version()) {
        let b = b.public();
        let holds = |operator: &str| specifiers(&format!("{operator}{b}")).contains(&a);
        prop_assert_eq!(holds("=="), !holds("!="));
        prop_assert!(!(holds("<") && holds(">=")));
        prop_assert!(!(holds(">") && holds("<=")));
        prop_assert_eq!(holds("<=") && holds(">="), holds("=="));
        prop_assert!(holds("<=") || holds(">="));
        if b.release().len() > 1 && holds("~=") {
            prop_assert!(holds(">="));
        }
    }
}
