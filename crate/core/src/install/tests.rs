//! What is chosen, and what is asked for that.

use super::*;

const INDEX: &str = "https://index.example/simple";

/// A lock file that has six 1.17.0, and pandas 2.0 that needs it.
fn lock() -> LockFile {
    let package = |name: &str, version: &str, depends: &[&str]| {
        serde_json::json!({
            "name": name, "version": version, "file_name": format!("{name}-{version}-py3-none-any.whl"),
            "install_dir": "site", "sha256": "0".repeat(64), "imports": [name], "depends": depends,
        })
    };
    let packages = serde_json::json!({
        "six": package("six", "1.17.0", &[]), "pandas": package("pandas", "2.0", &["six"]),
    });
    let info = serde_json::json!({ "abi_version": "2025_0", "python": "3.13.2", "platform": "emscripten_4_0_9" });
    LockFile::parse(serde_json::json!({ "info": info, "packages": packages }).to_string().as_bytes()).unwrap()
}

/// Installs with an index that has these files, each with what it requires; also what was asked.
fn install(asked: &[&str], indexes: &[&str], files: &[(&str, &str)]) -> (Outcome, Vec<String>) {
    install_beside(&[], asked, indexes, files)
}

/// As [`install`], with packages that are loaded: what these require is that of the file of their version.
fn install_beside(
    loaded: &[LoadedPackage],
    asked: &[&str],
    indexes: &[&str],
    files: &[(&str, &str)],
) -> (Outcome, Vec<String>) {
    let lock = lock();
    let tags = lock.info().tags().unwrap();
    let options = ResolveOptions::new(lock.info().environment().unwrap());
    let schemes = ["https:/", "file:/"];
    let requirements = asked.iter().map(|text| wish(text, &schemes, &tags).unwrap()).collect();
    let indexes = indexes.iter().map(|index| (*index).to_owned()).collect();
    let places = Places { lock: Rc::new(lock), tags, indexes, schemes: &["https://"], loaded: loaded.to_vec() };
    let mut installation = Installation::new(places, requirements, options);
    let mut log = Vec::new();
    loop {
        let Outcome::Need(questions) = installation.advance() else { return (installation.advance(), log) };
        assert!(!questions.is_empty());
        for question in questions {
            match question {
                Question::Page { name } => {
                    log.push(name.to_string());
                    let own = files.iter().filter(|(file, _)| file.starts_with(&format!("{name}-")));
                    let links: Vec<String> = own.map(|(file, _)| format!("<a href=\"{file}\">{file}</a>")).collect();
                    if links.is_empty() {
                        installation.provide_no_page(name);
                        continue;
                    }
                    let links = links.concat();
                    let page = format!("<meta name=\"pypi:repository-version\" content=\"1.0\">{links}");
                    let answer = PageAnswer { url: INDEX, content_type: "text/html", bytes: page.as_bytes() };
                    let join = |_: &str, url: &str| Some(format!("https://index.example/{url}"));
                    installation.provide_page(&name, &answer, join).unwrap();
                }
                Question::Metadata(wheel) => {
                    let file = match loaded.iter().find(|package| package.name == wheel.name) {
                        Some(package) => format!("{}-{}-py3-none-any.whl", package.name, package.version),
                        None => wheel.url.rsplit('/').next().unwrap().to_owned(),
                    };
                    assert_eq!(wheel.origin == Origin::Loaded, wheel.url.is_empty());
                    log.push(if wheel.url.is_empty() { format!("loaded {}", wheel.name) } else { file.clone() });
                    let requires = files.iter().find(|(known, _)| *known == file).map_or("", |(_, requires)| requires);
                    let filename: WheelFilename = decode(&file).parse().unwrap();
                    let requires =
                        if requires.is_empty() { String::new() } else { format!("Requires-Dist: {requires}\n") };
                    let text = format!(
                        "Metadata-Version: 2.1\nName: {}\nVersion: {}\n{requires}",
                        filename.name, filename.version
                    );
                    installation.provide_metadata(wheel.name, wheel.file, Ok(text));
                }
            }
        }
    }
}

fn chosen(outcome: Outcome) -> Vec<String> {
    let Outcome::Done(chosen) = outcome else { panic!("{outcome:?}") };
    let place =
        |one: &Chosen| one.wheel.as_ref().map_or("lock", |wheel| wheel.url.split('/').next().unwrap()).to_owned();
    chosen.iter().map(|one| format!("{} {} {}", one.name, one.version, place(one))).collect()
}

#[test]
fn the_lock_file_comes_first() {
    let (outcome, asked) = install(&["pandas"], &[INDEX], &[("six-9.0-py3-none-any.whl", "")]);
    assert_eq!(chosen(outcome), ["pandas 2.0 lock", "six 1.17.0 lock"]);
    assert_eq!(asked, [""; 0]);
}

#[test]
fn a_conflict_opens_the_lock_files_packages_to_the_index() {
    let files = [("six-9.0-py3-none-any.whl", ""), ("pandas-2.0-py3-none-any.whl", "six>=1")];
    let (outcome, asked) = install(&["pandas", "six>2"], &[INDEX], &files);
    assert_eq!(chosen(outcome), ["pandas 2.0 lock", "six 9.0 https:"]);
    // What pandas says itself of the version is looked at, since it is not the lock file's.
    assert_eq!(asked, ["six", "six-9.0-py3-none-any.whl", "pandas-2.0-py3-none-any.whl"]);
    let (outcome, _) = install(&["six>2"], &[], &files);
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.message.contains("six>2"), "{failure}");
}

#[test]
fn what_nobody_has_is_named_with_what_is_near() {
    let (outcome, _) = install(&["pandsa"], &[INDEX], &[]);
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert_eq!((failure.is_unknown, failure.suggestions.as_slice()), (true, ["pandas".to_owned()].as_slice()));
    assert!(failure.message.contains(INDEX), "{failure}");
}

#[test]
fn only_the_caller_names_paths_of_this_machine() {
    let path = "file:///home/me/mine-1.0%2Blocal-py3-none-any.whl";
    let (outcome, _) = install(&[path], &[INDEX], &[]);
    assert_eq!(chosen(outcome), ["mine 1.0+local file:"]);
    let requires = format!("mine @ {path}");
    let (outcome, _) = install(&["other"], &[INDEX], &[("other-1.0-py3-none-any.whl", &requires)]);
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    assert!(failure.message.contains("no address on the network"), "{failure}");
}

#[test]
fn addresses_are_of_the_package_and_the_interpreter_that_is_asked_for() {
    let tags = lock().info().tags().unwrap();
    let ask = |text: &str| wish(text, &["https:/"], &tags).unwrap_err();
    let wrong = ask("six @ https://example.org/mine-1.0-py3-none-any.whl");
    assert!(matches!(wrong, WishError::OtherPackage { .. }), "{wrong}");
    let other = ask("https://example.org/mine-1.0-cp313-cp313-manylinux_2_17_x86_64.whl");
    assert!(matches!(other, WishError::OtherInterpreter(_)), "{other}");
    assert!(matches!(ask("six @ /tmp/six.whl"), WishError::Address { .. }));
    assert!(matches!(ask("https://example.org/six.zip"), WishError::Filename(_)));
}

fn loaded(name: &str, version: &str, source: Option<&str>) -> LoadedPackage {
    let (version, source) = (version.to_owned(), source.map(str::to_owned));
    LoadedPackage { name: name.parse().unwrap(), written_name: name.to_owned(), version, source }
}

fn failure(outcome: Outcome) -> Failure {
    let Outcome::Failed(failure) = outcome else { panic!("{outcome:?}") };
    failure
}

#[test]
fn what_is_loaded_is_not_brought_again() {
    let here = [loaded("six", "1.17.0", None)];
    let (outcome, asked) = install_beside(&here, &["pandas"], &[INDEX], &[("six-9.0-py3-none-any.whl", "")]);
    assert_eq!(chosen(outcome), ["pandas 2.0 lock"]);
    // It counts as the lock file's own, so pandas' metadata is not asked for.
    assert_eq!(asked, ["loaded six"]);
}

#[test]
fn what_is_loaded_is_the_only_file_there_is() {
    let here = [loaded("six", "1.17.0", None)];
    let (outcome, asked) = install_beside(&here, &["six>2"], &[INDEX], &[("six-9.0-py3-none-any.whl", "")]);
    let failure = failure(outcome);
    assert!(failure.is_loaded && failure.unknown.is_none(), "{failure:?}");
    assert!(failure.message.contains("six 1.17.0"), "{failure}");
    // A conflict does not open it to the index.
    assert_eq!(asked, [""; 0]);
}

#[test]
fn a_loaded_wheel_of_an_address_has_the_lock_files_package_looked_at() {
    let here = [loaded("six", "9.0", Some("https://example.org/six-9.0-py3-none-any.whl"))];
    let files = [("pandas-2.0-py3-none-any.whl", "six<2")];
    let (outcome, asked) = install_beside(&here, &["pandas==2.0"], &[INDEX], &files);
    let failure = failure(outcome);
    assert!(failure.is_loaded && failure.message.contains("six<2"), "{failure:?}");
    assert!(asked.contains(&"pandas-2.0-py3-none-any.whl".to_owned()), "{asked:?}");
}

#[test]
fn only_its_own_address_gives_what_is_loaded() {
    let url = "https://example.org/six-9.0-py3-none-any.whl";
    let hashed = format!("{url}#sha256={}", "0".repeat(64));
    let (outcome, asked) = install_beside(&[loaded("six", "9.0", Some(url))], &[&hashed], &[INDEX], &[]);
    assert_eq!((chosen(outcome), asked), (vec![], vec!["loaded six".to_owned()]));
    let sentences = [
        (None, "Six 9.0 of the lock file is loaded, and it takes a restart to replace it"),
        (Some("https://other.example/x.whl"), "Six 9.0 of https://other.example/x.whl is loaded"),
    ];
    for (source, sentence) in sentences {
        let here = [LoadedPackage { written_name: "Six".to_owned(), ..loaded("six", "9.0", source) }];
        let failure = failure(install_beside(&here, &[url], &[INDEX], &[]).0);
        assert!(failure.is_loaded && failure.message.contains(sentence), "{failure}");
    }
}

#[test]
fn extras_of_what_is_loaded_are_met() {
    let here = [loaded("mine", "1.0", Some("https://example.org/mine-1.0-py3-none-any.whl"))];
    let files = [("mine-1.0-py3-none-any.whl", "six; extra == 'more'")];
    assert_eq!(chosen(install_beside(&here, &["mine[more]"], &[INDEX], &files).0), ["six 1.17.0 lock"]);
    assert_eq!(chosen(install_beside(&here, &["mine"], &[INDEX], &files).0), [""; 0]);
}

#[test]
fn what_the_lock_file_leaves_out_of_a_loaded_package_is_not_needed() {
    let files = [("six-1.17.0-py3-none-any.whl", "tzdata")];
    let (outcome, asked) = install_beside(&[loaded("six", "1.17.0", None)], &["six"], &[INDEX], &files);
    assert_eq!((chosen(outcome), asked), (vec![], vec!["loaded six".to_owned()]));
    let from_elsewhere = [loaded("six", "1.17.0", Some("https://example.org/six.whl"))];
    let failure = failure(install_beside(&from_elsewhere, &["six"], &[INDEX], &files).0);
    assert_eq!(failure.unknown.unwrap().as_str(), "tzdata");
}

#[test]
fn an_address_that_a_wheel_requires_and_that_is_none_is_named() {
    let files = [("other-1.0-py3-none-any.whl", "mine @ https://example.org/mine.zip")];
    let failure = failure(install(&["other"], &[INDEX], &files).0);
    assert!(matches!(failure.address, Some(WishError::Filename(_))), "{failure:?}");
}
