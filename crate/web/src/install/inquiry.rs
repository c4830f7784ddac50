//! What a resolution has to know, found out: by asking servers, and from files that are here.

use js_sys::Uint8Array;
use taipan_core::index::{ACCEPT, CoreMetadata, MAX_BYTES};
use taipan_core::install::{Installation, LoadedPackage, Origin, PageAnswer, Question, WheelQuestion};
use taipan_core::name::PackageName;

use super::metadata::{self, Found};
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, compare_sha256, sha256, sha256_now};
use crate::index_client::{Answer, IndexClient, join};
use crate::packages::{InstalledWheel, Packages, filename_in};

/// The most bytes that metadata may have.
const MAX_METADATA: usize = 8 << 20;

/// Asks on behalf of one call.
pub struct Inquiry<'a> {
    packages: &'a Packages,
    installed: Vec<InstalledWheel>,
    indexes: &'a [String],
    client: IndexClient,
    fetcher: &'a Fetcher,
}

/// What was found out.
pub enum Finding {
    /// The page of a project, and what was asked for it; nothing if no index has one.
    Page(PackageName, Option<(String, Answer)>),
    /// What a wheel says of itself.
    Metadata(Box<WheelQuestion>, Found),
}

/// A wheel that had to be fetched as a whole: its package, what the resolver calls it, its bytes.
pub type FetchedWheel = (PackageName, String, Uint8Array);

impl Finding {
    /// Hands it in. Gives the wheel if it is here now.
    ///
    /// # Errors
    /// [`Code::BadIndex`] if it is no page of an index.
    pub fn tell(self, installation: &mut Installation) -> Result<Option<FetchedWheel>> {
        match self {
            Self::Page(name, None) => installation.provide_no_page(name),
            Self::Page(name, Some((url, answer))) => {
                let bytes = answer.bytes.to_vec();
                let page = PageAnswer { url: &answer.url, content_type: &answer.content_type, bytes: &bytes };
                installation.provide_page(&name, &page, join).map_err(|error| {
                    Error::new(Code::BadIndex, format!("{url} is not the page of {name} on a package index: {error}."))
                        .hint("`indexURLs` must be roots of the Simple API (PEP 503 or 691), such as https://pypi.org/simple.")
                        .field("url", url.as_str())
                })?;
            }
            Self::Metadata(question, Found { text, wheel }) => {
                let WheelQuestion { name, file, .. } = *question;
                installation.provide_metadata(name.clone(), file.clone(), text);
                return Ok(wheel.map(|wheel| (name, file, wheel)));
            }
        }
        Ok(None)
    }
}

impl<'a> Inquiry<'a> {
    /// `indexes` are asked in their order.
    pub fn new(packages: &'a Packages, indexes: &'a [String], client: IndexClient, fetcher: &'a Fetcher) -> Self {
        Self { packages, installed: packages.installed_wheels(), indexes, client, fetcher }
    }

    /// Finds out what is asked.
    ///
    /// # Errors
    /// What keeps a server from being asked. That it does not have something is an answer.
    pub async fn find(&self, question: Question) -> Result<Finding> {
        match question {
            Question::Page { name } => {
                let page = self.page(&name).await?;
                Ok(Finding::Page(name, page))
            }
            Question::Metadata(wheel) => {
                let found = self.metadata(&wheel).await?;
                Ok(Finding::Metadata(wheel, found))
            }
        }
    }

    /// What the first index says that knows a project.
    async fn page(&self, name: &PackageName) -> Result<Option<(String, Answer)>> {
        for root in self.indexes {
            let url = if root.contains("{package_name}") {
                root.replace("{package_name}", name.as_str())
            } else {
                format!("{}/{name}/", root.trim_end_matches('/'))
            };
            match self.client.get(&url, Some(("Accept", ACCEPT)), MAX_BYTES).await {
                Err(error) if matches!(error.status(), Some(404 | 410)) => {}
                answer => return Ok(Some((url, answer?))),
            }
        }
        Ok(None)
    }

    async fn metadata(&self, wheel: &WheelQuestion) -> Result<Found> {
        match &wheel.origin {
            Origin::Loaded => Ok(Found { text: self.loaded_metadata(&wheel.name), wheel: None }),
            Origin::Lock => self.locked_metadata(&wheel.name).await,
            Origin::Address => {
                let found = self.metadata_in(&wheel.url, None).await?;
                if let (Some(expected), Some(bytes)) = (&wheel.sha256, &found.wheel) {
                    let filename = filename_in(self.packages.lock(), &wheel.url)?.to_string();
                    compare_sha256(&filename, &self.sha256(bytes).await, expected)?;
                }
                Ok(found)
            }
            Origin::Index { beside, size } => {
                if let CoreMetadata::Offered { sha256 } = beside
                    && let Some(text) = self.metadata_beside(&wheel.url, sha256.as_deref()).await?
                {
                    return Ok(Found { text, wheel: None });
                }
                match self.metadata_in(&wheel.url, *size).await {
                    Err(error) if matches!(error.status(), Some(403 | 404 | 410)) => {
                        Ok(Found { text: Err("the index has no such file".to_owned()), wheel: None })
                    }
                    found => found,
                }
            }
        }
    }

    /// What a wheel of the lock file says of itself. It is fetched as a whole, because the hash is of the whole; whoever asks
    /// is about to install it.
    async fn locked_metadata(&self, name: &PackageName) -> Result<Found> {
        let Some(locked) = self.packages.lock().file().get(name).cloned() else {
            return Ok(Found { text: Err("the lock file does not have it".to_owned()), wheel: None });
        };
        let archive = self.packages.archive(&locked.into(), self.fetcher, self.client.is_blocking).await?;
        Ok(metadata::of_wheel(archive))
    }

    fn loaded_metadata(&self, name: &PackageName) -> std::result::Result<String, String> {
        let wheel = self.installed.iter().find(|wheel| wheel.name == *name);
        let text = wheel.and_then(|wheel| self.packages.metadata_file(wheel, "METADATA"));
        text.ok_or_else(|| "it has no metadata".to_owned())
    }

    /// The metadata beside a wheel (PEP 658). An index that does not keep its word still has the wheel.
    async fn metadata_beside(
        &self,
        wheel: &str,
        expected: Option<&str>,
    ) -> Result<Option<std::result::Result<String, String>>> {
        let url = metadata_url(wheel);
        let Ok(answer) = self.client.get(&url, None, MAX_METADATA).await else {
            self.fetcher.check_aborted()?;
            return Ok(None);
        };
        if let Some(expected) = expected {
            compare_sha256(&url, &self.sha256(&answer.bytes).await, expected)?;
        }
        let text = String::from_utf8(answer.bytes.to_vec());
        Ok(Some(text.map_err(|_| "its metadata is not UTF-8".to_owned())))
    }

    async fn metadata_in(&self, url: &str, size: Option<u64>) -> Result<Found> {
        match url.strip_prefix("emfs:") {
            Some(path) => Ok(metadata::of_wheel(self.packages.read_local(path)?)),
            None => metadata::fetch(url, size, &self.client, self.fetcher).await,
        }
    }

    async fn sha256(&self, bytes: &Uint8Array) -> String {
        if self.client.is_blocking { sha256_now(bytes) } else { sha256(bytes).await }
    }
}

/// What is loaded, as the resolution takes it.
pub fn loaded(packages: &Packages) -> Vec<LoadedPackage> {
    let loaded = packages.loaded().into_iter().filter_map(|info| {
        let source = (info.source != "lock").then_some(info.source);
        Some(LoadedPackage { name: info.name.parse().ok()?, written_name: info.name, version: info.version, source })
    });
    loaded.collect()
}

/// The address of a wheel's metadata (PEP 658): before a query, if there is one.
fn metadata_url(url: &str) -> String {
    let path_end = url.find('?').unwrap_or(url.len());
    format!("{}.metadata{}", &url[..path_end], &url[path_end..])
}
