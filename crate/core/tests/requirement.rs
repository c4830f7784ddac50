//! Requirements and markers: errors, and what `packaging`, the oracle in `tests/differential`, cannot say.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use proptest::prelude::*;
use taipan_core::requirement::{Marker, MarkerEnvironment, Requirement};

fn environment() -> MarkerEnvironment {
    MarkerEnvironment::emscripten("3.13.2", "4.0.9")
}

fn holds(marker: &str, extras: &[&str]) -> bool {
    marker.parse::<Marker>().unwrap().evaluate(&environment(), extras)
}

#[test]
fn all_parts_are_read() {
    let requirement: Requirement =
        " Scikit_Learn [Plot.s,  docs] ( >=1.2 ,<2 ) ; python_version>'3.8'and(extra=='a' or os.name==\"nt\")"
            .parse()
            .unwrap();
    assert_eq!(
        requirement.to_string(),
        "scikit-learn[docs,plot-s]>=1.2,<2; python_version > \"3.8\" and (extra == \"a\" or os_name == \"nt\")"
    );
    assert!(requirement.applies(&environment(), &["A"]));
    assert!(!requirement.applies::<&str>(&environment(), &[]));
    let direct: Requirement = "a@https://example.org/a.whl;x ; os_name=='posix'".parse().unwrap();
    assert_eq!(direct.url.as_deref(), Some("https://example.org/a.whl;x"));
    assert_eq!(direct.to_string(), "a @ https://example.org/a.whl;x ; os_name == \"posix\"");
}

#[test]
fn markers_know_the_environment() {
    assert!(holds("sys_platform == 'emscripten' and platform_machine == 'wasm32'", &[]));
    assert!(holds("python_version >= '3.9' and python_version < '3.14'", &[]));
    assert!(holds("python_full_version == '3.13.*' and implementation_version ~= '3.13.1'", &[]));
    assert!(!holds("platform_system in 'Linux Windows' or platform_system == 'Darwin'", &[]));
    assert!(holds("'x' not in sys_platform and 'emscripten' == sys_platform", &[]));
    assert_eq!(MarkerEnvironment::emscripten("3.14", "5.0.3").python_version, "3.14");
}

#[test]
fn a_marker_is_evaluated_for_each_extra() {
    assert!(!holds("extra == 'a'", &[]));
    assert!(holds("extra == 'A_b'", &["x", "a.B"]));
    assert!(!holds("extra == 'a' and extra == 'b'", &["a", "b"]));
    assert!(holds("extra != 'a'", &[]));
}

#[test]
fn errors_point_at_the_place() {
    let message = |text: &str| text.parse::<Requirement>().unwrap_err().to_string();
    assert_eq!(
        message("numpy >=1.2 <2"),
        "expected `,`, `;` or the end after the version specifier\n    numpy >=1.2 <2\n                ^"
    );
    assert_eq!(
        message("größe"),
        "expected a version specifier such as `>=1.0`, `[extra]`, `@` with a URL, `;` with a marker, or the end\n    \
         größe\n      ^"
    );
    assert_eq!(
        message("a >= 1.x"),
        "`>= 1.x` is not a version specifier: `1.x` is not a version: expected the end of the version at character 2\
         \n    a >= 1.x\n          ^"
    );
    for (text, position, part) in [
        ("", 0, "the name of a package"),
        ("-a", 0, "the name of a package"),
        ("a_>1", 2, "at the end of the name"),
        ("a[b", 3, "`,` or `]`"),
        ("a[b,]", 4, "the name of an extra"),
        ("a(>1", 4, "`,` or `)`"),
        ("a 1.0", 2, "a version specifier"),
        ("a>=1.*", 1, "`.*` may only follow"),
        ("a @", 3, "a URL"),
        ("a @ b c", 6, "white space and `;`"),
        ("a;", 2, "a text in quotes or a marker variable"),
        ("a; python == '3'", 3, "`python` is not a marker variable"),
        ("a; os_name 'x'", 11, "expected one of <=, <"),
        ("a; os_name not 'x'", 15, "expected `in`"),
        ("a; os_name == 'x", 14, "a closing '"),
        ("a; os_name == 'x' nor", 18, "`and`, `or` or the end"),
        ("a; (os_name == 'x'", 18, "`and`, `or` or `)`"),
    ] {
        let error = text.parse::<Requirement>().unwrap_err();
        assert_eq!(error.position, position, "{text}: {error}");
        assert!(error.message.contains(part), "{text}: {error}");
    }
    let long = format!("{}>=é", "a".repeat(10_000));
    assert!(message(&long).len() < 400);
}

#[test]
fn nesting_has_a_limit() {
    let nested = |depth: usize| format!("{}os_name == 'posix'{}", "(".repeat(depth), ")".repeat(depth));
    assert!(holds(&nested(64), &[]));
    assert!(nested(65).parse::<Marker>().unwrap_err().message.contains("64"));
    assert!("(".repeat(1_000_000).parse::<Marker>().is_err());
}

proptest! {
    #[test]
    fn any_text_is_a_requirement_or_an_error(text in "\\PC{0,20}|[ab1 .,;@<>=~!*()\\[\\]'\"_-]{0,20}") {
        match text.parse::<Requirement>() {
            Ok(requirement) => prop_assert_eq!(requirement.to_string().parse::<Requirement>().unwrap(), requirement),
            Err(error) => {
                prop_assert!(error.position <= text.chars().count());
                prop_assert!(!error.to_string().is_empty());
            }
        }
    }

    #[test]
    fn markers_round_trip(parts in prop::collection::vec(prop::sample::select(vec![
        "os_name == 'nt'", "extra == 'a'", "python_version > '3'", "and", "or", "(", ")",
    ]), 0..14)) {
        if let Ok(marker) = parts.join(" ").parse::<Marker>() {
            let again: Marker = marker.to_string().parse().unwrap();
            prop_assert_eq!(again.to_string(), marker.to_string());
            for extras in [&[][..], &["a"][..]] {
                prop_assert_eq!(again.evaluate(&environment(), extras), marker.evaluate(&environment(), extras));
            }
        }
    }
}
