//! Requirements met from a lock file and from package indexes.
//!
//! The lock file comes first: its packages are built for this very interpreter. Only where they do not do are indexes
//! asked, and the first that knows a project has all its files. It begins with the lock file alone; a conflict opens the
//! packages in it to the indexes, and a solution that mixes both has the lock file's packages looked at in detail. What
//! is loaded already stays as it is: nothing else can take its place.
//!
//! There is no I/O: [`Installation::advance`] says what it has to know, the host finds that out, hands it in with the
//! `provide_…` methods, and advances again. If all questions are answered before that, the result depends on nothing but
//! the answers.

mod knowledge;
mod loaded;
#[cfg(test)]
mod tests;
mod wheels;
mod wish;

use std::collections::BTreeSet;
use std::rc::Rc;

use thiserror::Error;

use crate::index::{CoreMetadata, IndexError};
use crate::lock::LockFile;
use crate::name::{PackageName, near};
use crate::requirement::Requirement;
use crate::resolve::{Conflict, ResolveOptions, Resolver, Step};
use crate::wheel::{InterpreterTags, Metadata, NoMatchingTag, WheelFilename};

use self::knowledge::Knowledge;
pub use self::knowledge::PageAnswer;
pub use self::loaded::LoadedPackage;
pub use self::wheels::{WheelEntry, WheelProblem, Wheels};
pub use self::wish::{WishError, constraint, wish};

/// A resolution under way.
pub struct Installation {
    requirements: Vec<Requirement>,
    options: ResolveOptions,
    knowledge: Knowledge,
    resolver: Resolver,
}

/// Where packages can come from, and what is there already.
#[derive(Debug, Clone)]
pub struct Places {
    /// The lock file.
    pub lock: Rc<LockFile>,
    /// What the interpreter takes.
    pub tags: InterpreterTags,
    /// The roots of the indexes. They are only named in messages; none is asked if there are none.
    pub indexes: Vec<String>,
    /// What the addresses begin with that wheels may require (such as `https://`); the caller may name others.
    pub schemes: &'static [&'static str],
    /// What is loaded.
    pub loaded: Vec<LoadedPackage>,
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
    /// Who says that there is such a wheel.
    pub origin: Origin,
    /// SHA-256 that the wheel must have, lower-case hexadecimal.
    pub sha256: Option<String>,
}

/// Who says that there is a wheel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The lock file.
    Lock,
    /// An index.
    Index {
        /// Whether its metadata is beside it (PEP 658).
        beside: CoreMetadata,
        /// Its bytes, if the index says that.
        size: Option<u64>,
    },
    /// A requirement with its address.
    Address,
    /// It is loaded: there is no address, and what cannot be read requires nothing.
    Loaded,
}

/// Where an installation stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// All of these have to be answered.
    Need(Vec<Question>),
    /// What meets the requirements, by name, without what is loaded.
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
    /// Whether an index offers it, so that nobody gave its address.
    pub is_indexed: bool,
}

/// Why requirements cannot be met.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{message}")]
pub struct Failure {
    /// What cannot be, in sentences.
    pub message: String,
    /// The only thing wrong is that nobody has a package.
    pub is_unknown: bool,
    /// A package that nobody has.
    pub unknown: Option<PackageName>,
    /// Names of the lock file that are near to that.
    pub suggestions: Vec<String>,
    /// Whether other versions are loaded than would be needed.
    pub is_loaded: bool,
    /// What is wrong with an address that a wheel requires.
    pub address: Option<WishError>,
}

impl Installation {
    /// Begins to look for what meets requirements.
    ///
    /// `options` has the interpreter's environment; the versions of the lock file are preferred, what is loaded stays.
    pub fn new(places: Places, requirements: Vec<Requirement>, mut options: ResolveOptions) -> Self {
        let locked = places.lock.packages();
        let preferred = locked.filter_map(|(name, package)| Some((name.clone(), package.version.parse().ok()?)));
        options.preferred.extend(preferred);
        let loaded = places.loaded.iter();
        let loaded = loaded.filter_map(|package| Some((package.name.clone(), package.version.parse().ok()?)));
        options.loaded.extend(loaded);
        let named = requirements.iter().chain(&options.constraints).filter_map(|one| one.url.clone()).collect();
        let resolver = Resolver::new(requirements.clone(), options.clone());
        let knowledge = Knowledge::new(places, options.environment.clone(), named);
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

    /// The metadata by which a wheel was chosen, if that has been asked for.
    pub fn metadata(&self, chosen: &Chosen) -> Option<&Metadata> {
        self.knowledge.detail(&chosen.name, &chosen.file)?.as_ref().ok()
    }

    fn start_again(&mut self) {
        self.resolver = Resolver::new(self.requirements.clone(), self.options.clone());
    }

    fn failure(&self, conflict: &Conflict) -> Failure {
        let unknown = conflict.without_files.first().cloned();
        let suggestions =
            unknown.as_ref().map_or_else(Vec::new, |name| near(self.knowledge.locked_names(), name.as_str()));
        let (message, is_unknown) = match (&unknown, conflict.sentences.as_slice()) {
            (Some(_), [only]) => (only.clone(), true),
            _ => (conflict.to_string(), false),
        };
        let is_loaded = conflict.names.iter().any(|name| self.knowledge.is_loaded(name));
        let address = conflict.names.iter().find_map(|name| self.knowledge.wrong_address(name)).cloned();
        Failure { message, is_unknown, unknown, suggestions, is_loaded, address }
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
