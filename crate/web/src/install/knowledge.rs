//! What is known of packages while requirements are being resolved, and how more is found out.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use js_sys::Uint8Array;
use taipan_core::index::{ACCEPT, CoreMetadata, IndexedFile, MAX_BYTES, ProjectPage, candidates};
use taipan_core::lock::LockedPackage;
use taipan_core::name::PackageName;
use taipan_core::requirement::Requirement;
use taipan_core::resolve::{Candidate, Conflict, Request, Resolution, Resolver};
use taipan_core::tag::SupportedTags;
use taipan_core::version::{Version, VersionSpecifiers};
use taipan_core::wheel::{Metadata, WheelFilename, check_identity};

use super::metadata::{self, Found};
use crate::boundary::PackageInfo;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, compare_sha256, sha256, sha256_now};
use crate::index_client::{IndexClient, join};
use crate::packages::{InstalledWheel, Packages, Wanted, WheelFacts, filename_in, is_wheel};

/// The most bytes that metadata may have.
const MAX_METADATA: usize = 8 << 20;

/// What the resolver calls the file of a package that is loaded.
const LOADED: &str = "loaded";

/// What the resolver calls the lock file's file.
const LOCKED: &str = "locked";

/// The state of one call.
pub struct Knowledge<'a> {
    packages: &'a Packages,
    indexes: Vec<String>,
    client: IndexClient,
    fetcher: Fetcher,
    tags: SupportedTags,
    /// What is on the path, with its metadata where it is a wheel.
    loaded: Vec<Loaded>,
    /// Packages of the lock file of which indexes may have other versions that are wanted.
    beyond_lock: Vec<PackageName>,
    /// Packages of the lock file whose own metadata counts, and not only the names that the lock file says.
    in_detail: Vec<PackageName>,
    pages: RefCell<Vec<(PackageName, Page)>>,
    details: RefCell<Vec<(FileKey, Detail)>>,
}

/// A file of a package, as the resolver calls it.
type FileKey = (PackageName, String);

/// Something on the path.
struct Loaded {
    name: PackageName,
    info: PackageInfo,
    wheel: Option<InstalledWheel>,
}

/// What is known of one file.
#[derive(Clone)]
struct Detail {
    metadata: std::result::Result<Metadata, String>,
    wheel: Option<Uint8Array>,
}

/// The files that an index has of a project, or why there are none.
type Page = std::result::Result<Rc<Vec<IndexedFile>>, String>;

/// The answer to a request.
pub enum Answer {
    Candidates(PackageName, std::result::Result<Vec<Candidate>, String>),
    Direct(String, std::result::Result<Candidate, String>),
    Dependencies(PackageName, String, std::result::Result<Vec<Requirement>, String>),
}

impl Answer {
    /// Hands the answer in.
    pub fn tell(self, resolver: &mut Resolver) {
        match self {
            Answer::Candidates(name, answer) => resolver.provide_candidates(name, answer),
            Answer::Direct(url, answer) => resolver.provide_direct(url, answer),
            Answer::Dependencies(name, file, answer) => {
                resolver.provide_dependencies(name, file, answer);
            }
        }
    }
}

impl<'a> Knowledge<'a> {
    /// What can be known without asking anybody.
    pub fn new(packages: &'a Packages, indexes: Vec<String>, client: IndexClient, fetcher: Fetcher) -> Self {
        let tags = packages.lock().abi.tags();
        let wheels = packages.installed_wheels();
        let loaded = packages.loaded().into_iter().filter_map(|info| {
            let name: PackageName = info.name.parse().ok()?;
            let wheel = wheels.iter().find(|wheel| wheel.name == name).cloned();
            Some(Loaded { name, info, wheel })
        });
        Self {
            packages,
            indexes,
            client,
            fetcher,
            tags: SupportedTags::cpython(tags.python, &tags.platforms),
            loaded: loaded.collect(),
            beyond_lock: Vec::new(),
            in_detail: Vec::new(),
            pages: RefCell::default(),
            details: RefCell::default(),
        }
    }

    /// The versions of the lock file.
    pub fn preferred(&self) -> BTreeMap<PackageName, Version> {
        let locked = self.packages.lock().file().packages();
        let mut versions = BTreeMap::new();
        versions.extend(locked.filter_map(|(name, package)| Some((name.clone(), package.version.parse().ok()?))));
        versions
    }

    /// The versions of what is loaded.
    pub fn loaded_versions(&self) -> BTreeMap<PackageName, Version> {
        let mut versions = BTreeMap::new();
        let loaded = self.loaded.iter();
        versions.extend(loaded.filter_map(|loaded| Some((loaded.name.clone(), loaded.info.version.parse().ok()?))));
        versions
    }

    /// Whether a package is loaded.
    pub fn is_loaded(&self, name: &PackageName) -> bool {
        self.loaded_as(name).is_some()
    }

    /// The names that the lock file knows.
    pub fn locked_names(&self) -> impl Iterator<Item = &str> {
        self.packages.lock().file().packages().map(|(name, _)| name.as_str())
    }

    /// After a conflict: whether indexes can be asked for other versions of packages that the lock file has.
    pub fn look_further(&mut self, conflict: &Conflict) -> bool {
        let before = self.beyond_lock.len();
        if !self.indexes.is_empty() {
            let is_open = |name: &&PackageName| {
                self.locked(name).is_some() && !self.is_loaded(name) && !self.beyond_lock.contains(name)
            };
            let names: Vec<PackageName> = conflict.names.iter().filter(is_open).cloned().collect();
            self.beyond_lock.extend(names);
        }
        self.beyond_lock.len() > before
    }

    /// After a solution: whether the metadata of a package of the lock file has to be read. The lock file names what a
    /// package needs and not in which versions, nor what its extras need; the versions that it has fit each other.
    pub fn look_closer(&mut self, resolution: &Resolution) -> bool {
        let is_own = |name: &PackageName| {
            resolution.packages.get(name).is_none_or(|package| package.file == LOCKED || package.file == LOADED)
                && self.loaded_as(name).is_none_or(|loaded| loaded.info.source == "lock")
        };
        let unclear: Vec<PackageName> = resolution
            .packages
            .iter()
            .filter(|(name, package)| {
                package.file == LOCKED
                    && !self.in_detail.contains(*name)
                    && self.locked(name).is_some_and(|locked| is_wheel(&locked.file_name))
                    && (!package.extras.is_empty() || !package.dependencies.iter().all(is_own))
            })
            .map(|(name, _)| name.clone())
            .collect();
        let found = !unclear.is_empty();
        self.in_detail.extend(unclear);
        found
    }

    /// What has to be brought for a solution.
    ///
    /// # Errors
    /// [`Code::Resolution`] if the solution names a file that nobody has named.
    pub fn wanted(&self, resolution: &Resolution) -> Result<Vec<Wanted>> {
        let missing = resolution.packages.iter().filter(|(_, package)| package.file != LOADED);
        missing
            .map(|(name, package)| {
                if package.file == LOCKED {
                    return self.locked(name).cloned().map(Wanted::Locked).ok_or_else(|| unknown_file(name));
                }
                let detail = self.detail(&(name.clone(), package.file.clone()));
                let detail = detail.as_ref();
                let facts = WheelFacts {
                    name: self.locked(name).map(|locked| locked.name.clone()),
                    bytes: detail.and_then(|detail| detail.wheel.clone()),
                    metadata: detail.and_then(|detail| detail.metadata.clone().ok()),
                    ..WheelFacts::default()
                };
                if let Some(url) = &package.url {
                    let filename = filename_in(self.packages.lock(), url)?;
                    let facts = WheelFacts { sha256: hash_in(url), ..facts };
                    let url = url.split('#').next().unwrap_or_default().to_owned();
                    return Ok(Wanted::Wheel { url, filename, facts: Box::new(facts) });
                }
                let indexed = self.indexed(name, &package.file).ok_or_else(|| unknown_file(name))?;
                let filename = indexed.file.filename.parse().map_err(|_| unknown_file(name))?;
                let facts = WheelFacts { sha256: indexed.file.sha256.clone(), is_indexed: true, ..facts };
                Ok(Wanted::Wheel { url: indexed.file.url.clone(), filename, facts: Box::new(facts) })
            })
            .collect()
    }

    /// Finds out what the resolver asks.
    ///
    /// # Errors
    /// What keeps a server from being asked. That it does not have something is an answer.
    pub async fn find(&self, request: Request) -> Result<Answer> {
        match request {
            Request::Candidates { name } => self.find_candidates(name).await,
            Request::Direct { name, url } => self.find_direct(name, url).await,
            Request::Dependencies { name, file, .. } => self.find_dependencies(name, file).await,
        }
    }

    async fn find_candidates(&self, name: PackageName) -> Result<Answer> {
        let of = |version: &str, file: &str| {
            let (version, file) = (version.parse().ok()?, file.to_owned());
            Some(Candidate { version, file, rank: Some(0), requires_python: None, yanked: false })
        };
        if let Some(Loaded { info, .. }) = self.loaded_as(&name) {
            let candidate = of(&info.version, LOADED).ok_or_else(|| format!("{} is not a version", info.version));
            return Ok(Answer::Candidates(name, candidate.map(|candidate| vec![candidate])));
        }
        let locked = self.locked(&name).and_then(|locked| of(&locked.version, LOCKED));
        if locked.is_some() && !self.beyond_lock.contains(&name) {
            return Ok(Answer::Candidates(name, Ok(locked.into_iter().collect())));
        }
        let known = self.page(&name);
        let page = if let Some(page) = known {
            page
        } else {
            let page = self.ask_indexes(&name).await?;
            self.pages.borrow_mut().push((name.clone(), page.clone()));
            page
        };
        let all = match &page {
            Err(_) if locked.is_some() => Ok(locked.into_iter().collect()),
            Err(message) => Err(message.clone()),
            Ok(files) => Ok(locked.into_iter().chain(files.iter().map(|file| file.candidate.clone())).collect()),
        };
        Ok(Answer::Candidates(name, all))
    }

    /// The files that the first index which knows a project has of it.
    async fn ask_indexes(&self, name: &PackageName) -> Result<Page> {
        for root in &self.indexes {
            let url = if root.contains("{package_name}") {
                root.replace("{package_name}", name.as_str())
            } else {
                format!("{}/{name}/", root.trim_end_matches('/'))
            };
            let answer = match self.client.get(&url, Some(("Accept", ACCEPT)), MAX_BYTES).await {
                Err(error) if matches!(error.status(), Some(404 | 410)) => continue,
                answer => answer?,
            };
            let page = ProjectPage::parse(name, &answer.content_type, &answer.bytes.to_vec()).map_err(|error| {
                Error::new(Code::BadIndex, format!("{url} is not the page of {name} on a package index: {error}."))
                    .hint("`indexURLs` must be roots of the Simple API (PEP 503 or 691), such as https://pypi.org/simple.")
                    .field("url", url.as_str())
            })?;
            let base = page.base.as_ref().and_then(|base| join(&answer.url, base)).unwrap_or(answer.url);
            let mut files = candidates(page, name, &self.tags);
            files.retain_mut(|file| {
                let url = join(&base, &file.file.url);
                file.file.url = url.clone().unwrap_or_default();
                url.is_some()
            });
            return Ok(Ok(Rc::new(files)));
        }
        Ok(Err(match self.indexes.len() {
            0 => "the lock file does not have it, and there is no index to ask".to_owned(),
            1 => format!("neither the lock file nor {} has it", self.indexes[0]),
            _ => "neither the lock file nor any index has it".to_owned(),
        }))
    }

    async fn find_direct(&self, name: PackageName, url: String) -> Result<Answer> {
        let address = url.split('#').next().unwrap_or_default();
        if let Some(Loaded { info, .. }) = self.loaded_as(&name) {
            let candidate = match info.version.parse() {
                Ok(version) if info.source == address => Ok(Candidate {
                    version,
                    file: LOADED.to_owned(),
                    rank: Some(0),
                    requires_python: None,
                    yanked: false,
                }),
                _ => {
                    let from = if info.source == "lock" { "the lock file" } else { &info.source };
                    Err(format!(
                        "{} {} of {from} is loaded, and it takes a restart to replace it",
                        info.name, info.version
                    ))
                }
            };
            return Ok(Answer::Direct(url, candidate));
        }
        let filename: WheelFilename = match filename_in(self.packages.lock(), &url) {
            Ok(filename) if filename.name == name => filename,
            Ok(filename) => {
                let message = format!("the wheel at that address is one of {}", filename.name);
                return Ok(Answer::Direct(url, Err(message)));
            }
            Err(error) => return Err(error),
        };
        let key = (name, url.clone());
        let detail = match self.detail(&key) {
            Some(detail) => detail,
            None => self.detail_of_wheel(address, None, &filename).await?,
        };
        if let (Some(expected), Some(wheel)) = (hash_in(&url), &detail.wheel) {
            compare_sha256(&filename.to_string(), &self.sha256(wheel).await, &expected)?;
        }
        let candidate = detail.metadata.as_ref().map_err(Clone::clone).and_then(|metadata| {
            let requires_python: Option<VersionSpecifiers> =
                metadata.requires_python.as_ref().and_then(|specifiers| specifiers.parse().ok());
            let version = filename.version.parse().map_err(|error| format!("{error}"))?;
            let rank = self.tags.rank(&filename);
            Ok(Candidate { version, file: url.clone(), rank, requires_python, yanked: false })
        });
        self.remember(key, detail);
        Ok(Answer::Direct(url, candidate))
    }

    async fn find_dependencies(&self, name: PackageName, file: String) -> Result<Answer> {
        if file == LOADED {
            let requires = self.loaded_requires(&name);
            return Ok(Answer::Dependencies(name, file, requires));
        }
        let locked = self.locked(&name).filter(|_| file == LOCKED);
        if let Some(locked) = locked.filter(|_| !self.in_detail.contains(&name)) {
            let requires = Ok(locked.depends.iter().cloned().map(any_version).collect());
            return Ok(Answer::Dependencies(name, file, requires));
        }
        let key = (name.clone(), file.clone());
        let detail = match (self.detail(&key), locked, self.indexed(&name, &file)) {
            (Some(detail), ..) => detail,
            (None, Some(locked), _) => self.detail_of_locked(locked).await?,
            (None, None, Some(indexed)) => self.detail_of_indexed(&indexed).await?,
            (None, None, None) => return Err(unknown_file(&name)),
        };
        let requires = detail.metadata.as_ref().map_err(Clone::clone).and_then(requirements);
        let requires = match locked {
            Some(locked) => requires.map(|all| self.as_locked(locked, all)),
            None => requires,
        };
        self.remember(key, detail);
        Ok(Answer::Dependencies(name, file, requires))
    }

    /// What a loaded package requires: that is met by what is loaded, except for extras that nobody wanted before.
    fn loaded_requires(&self, name: &PackageName) -> std::result::Result<Vec<Requirement>, String> {
        let loaded = self.loaded_as(name);
        let wheel = loaded.and_then(|loaded| loaded.wheel.as_ref());
        let Some(metadata) = wheel.and_then(|wheel| self.packages.metadata_of(wheel)) else { return Ok(Vec::new()) };
        let all = requirements(&metadata)?;
        let is_locked = loaded.is_some_and(|loaded| loaded.info.source == "lock");
        Ok(match self.locked(name).filter(|_| is_locked) {
            Some(locked) => self.as_locked(locked, all),
            None => all,
        })
    }

    /// The requirements of a package of the lock file: what its maker left out on purpose is not needed (pandas' tzdata),
    /// what only he knows of is.
    fn as_locked(&self, locked: &LockedPackage, mut requirements: Vec<Requirement>) -> Vec<Requirement> {
        let environment = self.packages.lock().environment();
        requirements.retain(|requirement| {
            locked.depends.contains(&requirement.name) || !requirement.applies::<&str>(&environment, &[])
        });
        requirements.extend(locked.depends.iter().cloned().map(any_version));
        requirements
    }

    async fn detail_of_locked(&self, locked: &LockedPackage) -> Result<Detail> {
        let Some(filename) = locked.file_name.rsplit('/').next().and_then(|file| file.parse().ok()) else {
            return Ok(Detail { metadata: Err("its file name is none of a wheel".to_owned()), wheel: None });
        };
        self.detail_of_wheel(&self.packages.locked_url(locked), None, &filename).await
    }

    async fn detail_of_indexed(&self, indexed: &IndexedFile) -> Result<Detail> {
        let Ok(filename) = indexed.file.filename.parse::<WheelFilename>() else {
            return Ok(Detail { metadata: Err("it is no wheel".to_owned()), wheel: None });
        };
        if let CoreMetadata::Offered { sha256: expected } = &indexed.file.metadata {
            let url = metadata_url(&indexed.file.url);
            // An index that does not keep its word still has the wheel.
            if let Ok(answer) = self.client.get(&url, None, MAX_METADATA).await {
                if let Some(expected) = expected {
                    compare_sha256(&url, &self.sha256(&answer.bytes).await, expected)?;
                }
                let text = String::from_utf8(answer.bytes.to_vec()).map_err(|_| "its metadata is not UTF-8".to_owned());
                return Ok(Detail { metadata: checked(text, &filename), wheel: None });
            }
            self.fetcher.check_aborted()?;
        }
        match self.detail_of_wheel(&indexed.file.url, indexed.file.size, &filename).await {
            Err(error) if matches!(error.status(), Some(403 | 404 | 410)) => {
                Ok(Detail { metadata: Err("the index has no such file".to_owned()), wheel: None })
            }
            detail => detail,
        }
    }

    async fn detail_of_wheel(&self, url: &str, size: Option<u64>, filename: &WheelFilename) -> Result<Detail> {
        let Found { text, wheel } = match url.strip_prefix("emfs:") {
            Some(path) => metadata::of_wheel(self.packages.read_local(path)?),
            None => metadata::fetch(url, size, &self.client, &self.fetcher).await?,
        };
        Ok(Detail { metadata: checked(text, filename), wheel })
    }

    async fn sha256(&self, bytes: &Uint8Array) -> String {
        if self.client.is_blocking { sha256_now(bytes) } else { sha256(bytes).await }
    }

    fn locked(&self, name: &PackageName) -> Option<&LockedPackage> {
        self.packages.lock().file().get(name)
    }

    fn loaded_as(&self, name: &PackageName) -> Option<&Loaded> {
        self.loaded.iter().find(|loaded| loaded.name == *name)
    }

    fn page(&self, name: &PackageName) -> Option<Page> {
        self.pages.borrow().iter().find(|(known, _)| known == name).map(|(_, page)| page.clone())
    }

    fn indexed(&self, name: &PackageName, file: &str) -> Option<IndexedFile> {
        self.page(name)?.ok()?.iter().find(|indexed| indexed.candidate.file == file).cloned()
    }

    fn detail(&self, key: &FileKey) -> Option<Detail> {
        self.details.borrow().iter().find(|(known, _)| known == key).map(|(_, detail)| detail.clone())
    }

    fn remember(&self, key: FileKey, detail: Detail) {
        if self.detail(&key).is_none() {
            self.details.borrow_mut().push((key, detail));
        }
    }
}

/// Metadata that belongs to the wheel with a file name.
fn checked(
    text: std::result::Result<String, String>,
    filename: &WheelFilename,
) -> std::result::Result<Metadata, String> {
    let metadata = Metadata::parse(&text?).map_err(|error| error.to_string())?;
    check_identity(&metadata, filename).map_err(|error| error.to_string())?;
    Ok(metadata)
}

fn requirements(metadata: &Metadata) -> std::result::Result<Vec<Requirement>, String> {
    metadata
        .requires_dist
        .iter()
        .map(|text| text.parse().map_err(|error| format!("it requires {text:?}: {error}")))
        .collect()
}

fn any_version(name: PackageName) -> Requirement {
    let specifiers = VersionSpecifiers::default();
    Requirement { name, extras: BTreeSet::new(), specifiers, url: None, marker: None }
}

/// The address of a wheel's metadata (PEP 658): before a query, if there is one.
fn metadata_url(url: &str) -> String {
    let path_end = url.find('?').unwrap_or(url.len());
    format!("{}.metadata{}", &url[..path_end], &url[path_end..])
}

/// The SHA-256 in the fragment of a direct URL.
fn hash_in(url: &str) -> Option<String> {
    let (_, fragment) = url.split_once('#')?;
    fragment.split('&').find_map(|pair| pair.strip_prefix("sha256=")).map(str::to_ascii_lowercase)
}

fn unknown_file(name: &PackageName) -> Error {
    Error::new(Code::Resolution, format!("The file that was chosen for {name} is not known any more."))
}
