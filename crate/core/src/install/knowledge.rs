//! What is known of packages while requirements are being resolved, and what has to be found out.

use std::collections::BTreeSet;
use std::rc::Rc;

use super::loaded::{LOADED, Loaded};
use super::{Chosen, ChosenWheel, Origin, Places, Question, WheelQuestion, WishError, filename_in};
use crate::index::{IndexError, IndexedFile, ProjectPage, candidates};
use crate::lock::{LockFile, LockedPackage};
use crate::name::PackageName;
use crate::requirement::{MarkerEnvironment, Requirement};
use crate::resolve::{Candidate, Conflict, Request, Resolution, Resolver};
use crate::tag::SupportedTags;
use crate::version::VersionSpecifiers;
use crate::wheel::{InterpreterTags, Metadata, WheelFilename, check_identity};

/// What the resolver calls the lock file's file.
const LOCKED: &str = "locked";

/// What a server answered that was asked for the page of a project.
#[derive(Debug, Clone, Copy)]
pub struct PageAnswer<'a> {
    /// Where redirects led.
    pub url: &'a str,
    /// The header `Content-Type`, or nothing.
    pub content_type: &'a str,
    /// The body.
    pub bytes: &'a [u8],
}

/// The state of one installation.
pub(super) struct Knowledge {
    lock: Rc<LockFile>,
    tags: InterpreterTags,
    supported: SupportedTags,
    environment: MarkerEnvironment,
    indexes: Vec<String>,
    loaded: Loaded,
    schemes: &'static [&'static str],
    /// Addresses that the caller has named himself.
    named: Vec<String>,
    /// Packages of the lock file of which indexes may have other versions that are wanted.
    beyond_lock: Vec<PackageName>,
    /// Packages of the lock file whose own metadata counts, and not only the names that the lock file says.
    in_detail: Vec<PackageName>,
    /// Lists are short, and cost a web page less than maps.
    pages: Vec<(PackageName, Option<Vec<IndexedFile>>)>,
    details: Vec<(PackageName, String, Result<Metadata, String>)>,
    /// What is wrong with addresses that wheels require.
    wrong_addresses: Vec<(PackageName, WishError)>,
}

/// The answer to a request of the resolver.
pub(super) enum Answer {
    Candidates(PackageName, Result<Vec<Candidate>, String>),
    Direct(String, Result<Candidate, String>),
    Dependencies(PackageName, String, Result<Vec<Requirement>, String>),
}

impl Answer {
    /// Hands the answer in.
    pub(super) fn tell(self, resolver: &mut Resolver) {
        match self {
            Self::Candidates(name, answer) => resolver.provide_candidates(name, answer),
            Self::Direct(url, answer) => resolver.provide_direct(url, answer),
            Self::Dependencies(name, file, answer) => resolver.provide_dependencies(name, file, answer),
        }
    }
}

impl Knowledge {
    pub(super) fn new(places: Places, environment: MarkerEnvironment, named: Vec<String>) -> Self {
        let Places { lock, tags, indexes, schemes, loaded } = places;
        Self {
            supported: SupportedTags::cpython(tags.python, &tags.platforms),
            lock,
            tags,
            environment,
            indexes,
            loaded: Loaded::new(loaded),
            schemes,
            named,
            beyond_lock: Vec::new(),
            in_detail: Vec::new(),
            pages: Vec::new(),
            details: Vec::new(),
            wrong_addresses: Vec::new(),
        }
    }

    /// Whether a package is loaded.
    pub(super) fn is_loaded(&self, name: &PackageName) -> bool {
        self.loaded.get(name).is_some()
    }

    /// What is wrong with an address of a package.
    pub(super) fn wrong_address(&self, name: &PackageName) -> Option<&WishError> {
        self.wrong_addresses.iter().find(|(known, _)| known == name).map(|(_, error)| error)
    }

    /// The names that the lock file knows.
    pub(super) fn locked_names(&self) -> impl Iterator<Item = &str> {
        self.lock.packages().map(|(name, _)| name.as_str())
    }

    /// Answers the resolver, or says what has to be found out for it.
    pub(super) fn answer(&mut self, request: Request) -> Result<Answer, Question> {
        match request {
            Request::Candidates { name } => self.candidates(name),
            Request::Direct { name, url } => self.direct(name, url),
            Request::Dependencies { name, file, .. } => self.dependencies(name, file),
        }
    }

    /// After a conflict: whether indexes can be asked for other versions of packages that the lock file has.
    pub(super) fn look_further(&mut self, conflict: &Conflict) -> bool {
        let before = self.beyond_lock.len();
        if !self.indexes.is_empty() {
            let is_open = |name: &&PackageName| {
                self.lock.get(name).is_some() && !self.is_loaded(name) && !self.beyond_lock.contains(name)
            };
            let names: Vec<_> = conflict.names.iter().filter(is_open).cloned().collect();
            self.beyond_lock.extend(names);
        }
        self.beyond_lock.len() > before
    }

    /// After a solution: whether the metadata of a package of the lock file has to be read. The lock file names what a
    /// package needs and not in which versions, nor what its extras need; the versions that it has fit each other.
    pub(super) fn look_closer(&mut self, resolution: &Resolution) -> bool {
        let is_own = |name: &PackageName| match self.loaded.get(name) {
            Some(loaded) => loaded.source.is_none(),
            None => resolution.packages.get(name).is_none_or(|package| package.file == LOCKED),
        };
        let before = self.in_detail.len();
        for (name, package) in &resolution.packages {
            let is_unclear = package.file == LOCKED
                && !self.in_detail.contains(name)
                && self.lock.get(name).is_some_and(|locked| is_wheel(&locked.file_name))
                && (!package.extras.is_empty() || !package.dependencies.iter().all(is_own));
            if is_unclear {
                self.in_detail.push(name.clone());
            }
        }
        self.in_detail.len() > before
    }

    /// The files of a solution that are not loaded.
    pub(super) fn chosen(&self, resolution: Resolution) -> Vec<Chosen> {
        let files = resolution.packages.into_iter().filter(|(_, package)| package.file != LOADED);
        files
            .map(|(name, package)| {
                let wheel = if let Some(url) = &package.url {
                    let filename = filename_in(url, &self.tags).map_or_else(|_| String::new(), |name| name.to_string());
                    let address = url.split('#').next().unwrap_or_default().to_owned();
                    Some(ChosenWheel { url: address, filename, sha256: hash_in(url), is_indexed: false })
                } else {
                    self.indexed(&name, &package.file).map(|IndexedFile { file, .. }| ChosenWheel {
                        url: file.url.clone(),
                        filename: file.filename.clone(),
                        sha256: file.sha256.clone(),
                        is_indexed: true,
                    })
                };
                let locked = self.lock.get(&name).filter(|_| wheel.is_none());
                let version = locked.map_or_else(|| package.version.to_string(), |locked| locked.version.clone());
                Chosen { name, version, file: package.file, wheel, depends: package.dependencies }
            })
            .collect()
    }

    pub(super) fn provide_page(
        &mut self,
        name: &PackageName,
        answer: &PageAnswer<'_>,
        join: impl Fn(&str, &str) -> Option<String>,
    ) -> Result<(), IndexError> {
        let page = ProjectPage::parse(name, answer.content_type, answer.bytes)?;
        let base = page.base.as_ref().and_then(|base| join(answer.url, base)).unwrap_or_else(|| answer.url.to_owned());
        let mut files = candidates(page, name, &self.supported);
        files.retain_mut(|file| {
            let url = join(&base, &file.file.url);
            file.file.url = url.clone().unwrap_or_default();
            url.is_some()
        });
        self.pages.push((name.clone(), Some(files)));
        Ok(())
    }

    pub(super) fn provide_no_page(&mut self, name: PackageName) {
        self.pages.push((name, None));
    }

    pub(super) fn provide_metadata(&mut self, name: PackageName, file: String, answer: Result<String, String>) {
        if file == LOADED {
            let metadata = answer.ok().and_then(|text| Metadata::parse(&text).ok()).unwrap_or_default();
            self.details.push((name, file, Ok(metadata)));
            return;
        }
        let filename = match (self.lock.get(&name), self.indexed(&name, &file)) {
            (Some(locked), _) if file == LOCKED => parse_filename(&locked.file_name),
            (_, Some(indexed)) => parse_filename(&indexed.file.filename),
            _ => filename_in(&file, &self.tags).map_err(|error| error.to_string()),
        };
        let metadata = filename.and_then(|filename| checked(&answer?, &filename));
        self.details.push((name, file, metadata));
    }

    fn candidates(&self, name: PackageName) -> Result<Answer, Question> {
        if let Some(loaded) = self.loaded.get(&name) {
            return Ok(Answer::Candidates(name, loaded.candidate().map(|candidate| vec![candidate])));
        }
        let locked = self.lock.get(&name).and_then(|locked| {
            let (version, file) = (locked.version.parse().ok()?, LOCKED.to_owned());
            Some(Candidate { version, file, rank: Some(0), requires_python: None, yanked: false })
        });
        if self.indexes.is_empty() && locked.is_none() {
            let message = "the lock file does not have it, and there is no index to ask";
            return Ok(Answer::Candidates(name, Err(message.to_owned())));
        }
        if locked.is_some() && !self.beyond_lock.contains(&name) {
            return Ok(Answer::Candidates(name, Ok(locked.into_iter().collect())));
        }
        let all = match self.page(&name) {
            None => return Err(Question::Page { name }),
            Some(None) if locked.is_some() => Ok(locked.into_iter().collect()),
            Some(None) => Err(match self.indexes.as_slice() {
                [only] => format!("neither the lock file nor {only} has it"),
                _ => "neither the lock file nor any index has it".to_owned(),
            }),
            Some(Some(files)) => {
                Ok(locked.into_iter().chain(files.iter().map(|file| file.candidate.clone())).collect())
            }
        };
        Ok(Answer::Candidates(name, all))
    }

    fn direct(&mut self, name: PackageName, url: String) -> Result<Answer, Question> {
        if let Some(loaded) = self.loaded.get(&name) {
            let candidate = loaded.at(&url);
            return Ok(Answer::Direct(url, candidate));
        }
        let is_allowed = self.named.contains(&url) || self.schemes.iter().any(|scheme| url.starts_with(scheme));
        let filename = match filename_in(&url, &self.tags) {
            Err(error) => {
                let message = error.to_string();
                self.wrong_addresses.push((name, error));
                Err(message)
            }
            // What a stranger's wheel requires is not looked for on this machine.
            Ok(_) if !is_allowed => Err("it is no address on the network".to_owned()),
            Ok(filename) if filename.name == name => Ok((name, filename)),
            Ok(filename) => Err(format!("the wheel at that address is one of {}", filename.name)),
        };
        let (name, filename) = match filename {
            Ok(found) => found,
            Err(message) => return Ok(Answer::Direct(url, Err(message))),
        };
        let Some(detail) = self.detail(&name, &url) else {
            let address = url.split('#').next().unwrap_or_default().to_owned();
            return Err(question(name, &url, address, Origin::Address, hash_in(&url)));
        };
        let candidate = detail.as_ref().map_err(Clone::clone).and_then(|metadata| {
            let requires_python = metadata.requires_python.as_ref().and_then(|specifiers| specifiers.parse().ok());
            let version = filename.version.parse().map_err(|error| format!("{error}"))?;
            let rank = self.supported.rank(&filename);
            Ok(Candidate { version, file: url.clone(), rank, requires_python, yanked: false })
        });
        Ok(Answer::Direct(url, candidate))
    }

    fn dependencies(&self, name: PackageName, file: String) -> Result<Answer, Question> {
        let locked = self.lock.get(&name).filter(|_| file == LOCKED);
        if let Some(locked) = locked.filter(|_| !self.in_detail.contains(&name)) {
            let requires = Ok(locked.depends.iter().cloned().map(any_version).collect());
            return Ok(Answer::Dependencies(name, file, requires));
        }
        let Some(detail) = self.detail(&name, &file) else {
            let is_loaded = file == LOADED;
            return Err(match (locked, self.indexed(&name, &file)) {
                _ if is_loaded => question(name, &file, String::new(), Origin::Loaded, None),
                (Some(locked), _) => {
                    question(name, &file, locked.file_name.clone(), Origin::Lock, Some(locked.sha256.clone()))
                }
                (None, Some(IndexedFile { file: indexed, .. })) => {
                    let origin = Origin::Index { beside: indexed.metadata.clone(), size: indexed.size };
                    question(name, &file, indexed.url.clone(), origin, indexed.sha256.clone())
                }
                (None, None) => question(name, &file, file.clone(), Origin::Address, hash_in(&file)),
            });
        };
        let requires = detail.as_ref().map_err(Clone::clone).and_then(requirements);
        let is_loaded_locked = file == LOADED && self.loaded.get(&name).is_some_and(|loaded| loaded.source.is_none());
        let requires = match self.lock.get(&name).filter(|_| file == LOCKED || is_loaded_locked) {
            Some(locked) => requires.map(|all| self.as_locked(locked, all)),
            None => requires,
        };
        Ok(Answer::Dependencies(name, file, requires))
    }

    /// The requirements of a package of the lock file: what its maker left out on purpose is not needed (pandas' tzdata),
    /// what only he knows of is.
    fn as_locked(&self, locked: &LockedPackage, mut requirements: Vec<Requirement>) -> Vec<Requirement> {
        requirements.retain(|requirement| {
            locked.depends.contains(&requirement.name) || !requirement.applies::<&str>(&self.environment, &[])
        });
        requirements.extend(locked.depends.iter().cloned().map(any_version));
        requirements
    }

    fn page(&self, name: &PackageName) -> Option<&Option<Vec<IndexedFile>>> {
        self.pages.iter().find(|(known, _)| known == name).map(|(_, page)| page)
    }

    fn indexed(&self, name: &PackageName, file: &str) -> Option<&IndexedFile> {
        self.page(name)?.as_ref()?.iter().find(|indexed| indexed.candidate.file == file)
    }

    pub(super) fn detail(&self, name: &PackageName, file: &str) -> Option<&Result<Metadata, String>> {
        let mut details = self.details.iter();
        details.find(|(package, known, _)| package == name && known == file).map(|(.., detail)| detail)
    }
}

fn question(name: PackageName, file: &str, url: String, origin: Origin, sha256: Option<String>) -> Question {
    Question::Metadata(Box::new(WheelQuestion { name, file: file.to_owned(), url, origin, sha256 }))
}

fn parse_filename(path: &str) -> Result<WheelFilename, String> {
    let file = path.rsplit('/').next().unwrap_or(path);
    file.parse().map_err(|error| format!("{error}"))
}

/// Metadata that belongs to the wheel with a file name.
fn checked(text: &str, filename: &WheelFilename) -> Result<Metadata, String> {
    let metadata = Metadata::parse(text).map_err(|error| error.to_string())?;
    check_identity(&metadata, filename).map_err(|error| error.to_string())?;
    Ok(metadata)
}

fn requirements(metadata: &Metadata) -> Result<Vec<Requirement>, String> {
    let read = |text: &String| text.parse().map_err(|error| format!("it requires {text:?}: {error}"));
    metadata.requires_dist.iter().map(read).collect()
}

fn any_version(name: PackageName) -> Requirement {
    let specifiers = VersionSpecifiers::default();
    Requirement { name, extras: BTreeSet::new(), specifiers, url: None, marker: None }
}

/// The SHA-256 in the fragment of a direct URL.
fn hash_in(url: &str) -> Option<String> {
    let (_, fragment) = url.split_once('#')?;
    fragment.split('&').find_map(|pair| pair.strip_prefix("sha256=")).map(str::to_ascii_lowercase)
}

fn is_wheel(file_name: &str) -> bool {
    file_name.to_ascii_lowercase().ends_with(".whl")
}
