//! Requirements met from a lock file and from package indexes, for an interpreter that has nothing loaded yet.
//!
//! The lock file comes first: its packages are built for this very interpreter. Only where they do not do are indexes
//! asked, and the first that knows a project has all its files. It begins with the lock file alone; a conflict opens the
//! packages in it to the indexes, and a solution that mixes both has the lock file's packages looked at in detail.
//!
//! There is no I/O: [`Installation::advance`] says what it has to know, the host finds that out, hands it in with the
//! `provide_…` methods, and advances again. If all questions are answered before that, the result depends on nothing but
//! the answers.

mod knowledge;
mod wheels;
mod wish;

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use crate::index::{CoreMetadata, IndexError};
use crate::lock::LockFile;
use crate::name::{PackageName, near};
use crate::requirement::Requirement;
use crate::resolve::{Conflict, ResolveOptions, Resolver, Step};
use crate::wheel::{InterpreterTags, NoMatchingTag, WheelFilename};

use self::knowledge::Knowledge;
pub use self::knowledge::PageAnswer;
pub use self::wheels::{WheelEntry, WheelProblem, Wheels};
pub use self::wish::{WishError, constraint, wish};

/// A resolution under way.
pub struct Installation {
    requirements: Vec<Requirement>,
    options: ResolveOptions,
    knowledge: Knowledge,
    resolver: Resolver,
}

/// Something that the host has to find out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Question {
    /// The page of a project on the first index that has one: [`Installation::provide_page`],
    /// [`Installation::provide_no_page`].
    Page {
        /// The project.
        name: PackageName,
    },
    /// `METADATA` of a wheel: [`Installation::provide_metadata`].
    Metadata(Box<WheelQuestion>),
}

/// A wheel whose metadata is wanted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WheelQuestion {
    /// The package.
    pub name: PackageName,
    /// What the resolver calls the file.
    pub file: String,
    /// Where it is: an address, for a package of the lock file what that says.
    pub url: String,
    /// Whether it is the lock file's.
    pub is_locked: bool,
    /// Whether its metadata is beside it (PEP 658).
    pub beside: CoreMetadata,
    /// SHA-256 that the wheel must have, lower-case hexadecimal.
    pub sha256: Option<String>,
}

/// Where an installation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of these have to be answered.
    Need(Vec<Question>),
    /// What meets the requirements, by name.
    Done(Vec<Chosen>),
    /// Nothing does.
    Failed(Failure),
}

/// A file that is to be installed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chosen {
    /// The package.
    pub name: PackageName,
    /// Its version as it is written.
    pub version: String,
    /// What the questions called the file.
    pub file: String,
    /// Where it comes from; nothing for the lock file's.
    pub wheel: Option<ChosenWheel>,
    /// The packages that it needs here.
    pub depends: BTreeSet<PackageName>,
}

/// A wheel that is not the lock file's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChosenWheel {
    /// Its address, without a fragment.
    pub url: String,
    /// Its file name.
    pub filename: String,
    /// SHA-256 that it must have, lower-case hexadecimal, if anybody says.
    pub sha256: Option<String>,
}

/// Why requirements cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Failure {
    /// What cannot be, in sentences.
    pub message: String,
    /// The only thing wrong is that nobody has a package.
    pub is_unknown: bool,
    /// Names of the lock file that are near to that of a package which nobody has.
    pub suggestions: Vec<String>,
}

impl Installation {
    /// Begins to look for what meets requirements. `indexes` are only named in messages; none is asked if there are none.
    ///
    /// `options` has the interpreter's environment; the versions of the lock file are preferred.
    pub fn new(
        lock: LockFile,
        tags: InterpreterTags,
        indexes: Vec<String>,
        requirements: Vec<Requirement>,
        mut options: ResolveOptions,
    ) -> Self {
        let preferred =
            lock.packages().filter_map(|(name, package)| Some((name.clone(), package.version.parse().ok()?)));
        options.preferred = preferred.collect();
        let named = requirements.iter().chain(&options.constraints).filter_map(|one| one.url.clone()).collect();
        let resolver = Resolver::new(requirements.clone(), options.clone());
        let knowledge = Knowledge::new(lock, tags, options.environment.clone(), indexes, named);
        Self { requirements, options, knowledge, resolver }
    }

    /// The packages that were asked for, without those whose markers do not apply here.
    pub fn named(&self) -> BTreeSet<PackageName> {
        let applies = |requirement: &&Requirement| requirement.applies::<&str>(&self.options.environment, &[]);
        self.requirements.iter().filter(applies).map(|requirement| requirement.name.clone()).collect()
    }

    /// Goes as far as what is known allows.
    pub fn advance(&mut self) -> Outcome {
        loop {
            match self.resolver.step() {
                Step::Need(requests) => {
                    let mut questions = Vec::new();
                    let count = requests.len();
                    for request in requests {
                        match self.knowledge.answer(request) {
                            Ok(answer) => answer.tell(&mut self.resolver),
                            Err(question) => questions.push(question),
                        }
                    }
                    if questions.len() == count {
                        return Outcome::Need(questions);
                    }
                }
                Step::Resolved(resolution) => {
                    if !self.knowledge.look_closer(&resolution) {
                        return Outcome::Done(self.knowledge.chosen(resolution));
                    }
                    self.start_again();
                }
                Step::Conflict(conflict) => {
                    if !self.knowledge.look_further(&conflict) {
                        return Outcome::Failed(self.failure(&conflict));
                    }
                    self.start_again();
                }
            }
        }
    }

    /// Answers [`Question::Page`].
    ///
    /// # Errors
    /// [`IndexError`] if it is no page of the project.
    pub fn provide_page(
        &mut self,
        name: &PackageName,
        answer: &PageAnswer<'_>,
        join: impl Fn(&str, &str) -> Option<String>,
    ) -> Result<(), IndexError> {
        self.knowledge.provide_page(name, answer, join)
    }

    /// Answers [`Question::Page`]: no index has the project.
    pub fn provide_no_page(&mut self, name: PackageName) {
        self.knowledge.provide_no_page(name);
    }

    /// Answers [`Question::Metadata`]: the text, or why the file cannot be used, as what follows a colon.
    pub fn provide_metadata(&mut self, name: PackageName, file: String, answer: Result<String, String>) {
        self.knowledge.provide_metadata(name, file, answer);
    }

    fn start_again(&mut self) {
        self.resolver = Resolver::new(self.requirements.clone(), self.options.clone());
    }

    fn failure(&self, conflict: &Conflict) -> Failure {
        let unknown = conflict.without_files.iter().next();
        let suggestions = unknown.map_or_else(Vec::new, |name| near(self.knowledge.locked_names(), name.as_str()));
        match (unknown, conflict.sentences.as_slice()) {
            (Some(_), [only]) => Failure { message: only.clone(), is_unknown: true, suggestions },
            _ => Failure { message: conflict.to_string(), is_unknown: false, suggestions },
        }
    }
}

/// The file name at the end of an address, of a wheel that an interpreter takes.
///
/// # Errors
/// [`WishError`].
fn filename_in(url: &str, tags: &InterpreterTags) -> Result<WheelFilename, WishError> {
    let path = url.split(['?', '#']).next().unwrap_or(url);
    let file = decode(path.rsplit('/').next().unwrap_or(path));
    let filename: WheelFilename = file.parse()?;
    filename.check(tags).map_err(|error: NoMatchingTag| WishError::OtherInterpreter(error.to_string()))?;
    Ok(filename)
}

/// File names in addresses are percent-encoded: a `+` in a version is. What is not UTF-8 stays as it is.
fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| first == b'%').and_then(|digits| std::str::from_utf8(digits).ok());
        if let Some(byte) = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            bytes.push(byte);
            rest = &after[2..];
        } else {
            bytes.push(first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap_or_else(|_| text.to_owned())
}

/// What is known by package, in a fixed order.
type ByName<T> = BTreeMap<PackageName, T>;

#[cfg(test)]
mod tests {
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
        let lock = lock();
        let tags = lock.info().tags().unwrap();
        let options = ResolveOptions::new(lock.info().environment().unwrap());
        let schemes = ["https:/", "file:/"];
        let requirements = asked.iter().map(|text| wish(text, &schemes, &tags).unwrap()).collect();
        let indexes = indexes.iter().map(|index| (*index).to_owned()).collect();
        let mut installation = Installation::new(lock, tags, indexes, requirements, options);
        let mut log = Vec::new();
        loop {
            let Outcome::Need(questions) = installation.advance() else { return (installation.advance(), log) };
            assert!(!questions.is_empty());
            for question in questions {
                match question {
                    Question::Page { name } => {
                        log.push(name.to_string());
                        let own = files.iter().filter(|(file, _)| file.starts_with(&format!("{name}-")));
                        let links: Vec<String> =
                            own.map(|(file, _)| format!("<a href=\"{file}\">{file}</a>")).collect();
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
                        let file = wheel.url.rsplit('/').next().unwrap().to_owned();
                        log.push(file.clone());
                        let requires =
                            files.iter().find(|(known, _)| *known == file).map_or("", |(_, requires)| requires);
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
}
