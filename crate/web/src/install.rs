//! `python.install`: requirements met from the lock file and from package indexes.
//!
//! The lock file comes first: its packages are built for this very interpreter. Only where they do not do are indexes
//! asked, in their order, and the first that knows a project has all its files (as with micropip; a project that somebody
//! put on a later index under the same name is never looked at). What is loaded stays as it is. `taipan_core::install`
//! decides; here its questions are answered.

mod collision;
mod import;
mod inquiry;
mod metadata;
mod problem;
mod wish;

use std::rc::Rc;

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use taipan_core::install::{Chosen, Installation, Outcome, Places, Question};
use taipan_core::requirement::Requirement;
use taipan_core::resolve::{PreReleases, ResolveOptions};

pub use self::import::{install_for_import, install_for_import_now};
use self::inquiry::{FetchedWheel, Inquiry};
use crate::boundary::{InstallOptions, InstallOptionsObject, PackageInfo, Stage, from_js};
use crate::error::{Code, Error, Result};
use crate::fetch::Fetcher;
use crate::index_client::IndexClient;
use crate::packages::{Lock, Packages, PreparedPackage, Wanted, WheelFacts};

/// Where wheels may be that others require.
const REQUIRED_SCHEMES: [&str; 3] = ["https://", "http://", "emfs:/"];

/// Puts on the path what meets requirements (PEP 508, or addresses of wheels), all of it or nothing. Gives what was not
/// there before.
///
/// # Errors
/// `BAD_REQUIREMENT` for a requirement that cannot be read, `PACKAGE_NOT_FOUND` for one that nobody has, `RESOLUTION` with
/// the conflict in sentences, `BAD_INDEX` for an answer that is no page of an index, and what downloading and mounting
/// can fail with.
#[inline(never)]
pub fn install<'a>(
    packages: &'a Packages,
    asked: &'a [String],
    options: &'a InstallOptionsObject,
    fetcher: Fetcher,
) -> LocalBoxFuture<'a, Result<Vec<PackageInfo>>> {
    meet(packages, asked, options, fetcher).boxed_local()
}

async fn meet(
    packages: &Packages,
    asked: &[String],
    options: &InstallOptionsObject,
    fetcher: Fetcher,
) -> Result<Vec<PackageInfo>> {
    let options = from_js("The options of the install", options)?;
    let requirements: Vec<_> = asked.iter().map(|text| wish::wish(packages.lock(), text)).collect::<Result<_>>()?;
    if requirements.is_empty() {
        return Ok(Vec::new());
    }
    let _one_at_a_time = packages.one_at_a_time().await;
    let prepared = prepare(packages, requirements, options, IndexClient::new(&fetcher), &fetcher).await?;
    packages.install(prepared)
}

/// Finds what meets requirements, downloads and checks it.
async fn prepare(
    packages: &Packages,
    requirements: Vec<Requirement>,
    options: InstallOptions,
    client: IndexClient,
    fetcher: &Fetcher,
) -> Result<Vec<PreparedPackage>> {
    let lock = packages.lock();
    let mut resolve_options = ResolveOptions::new(lock.environment());
    resolve_options.constraints =
        options.constraints.iter().map(|text| wish::constraint(text)).collect::<Result<_>>()?;
    if options.pre {
        resolve_options.pre_releases = PreReleases::Allow;
    }
    let timeline = fetcher.timeline();
    timeline.report(Stage::Resolve, "", 0.0, None);
    let indexes = options.index_urls.unwrap_or_else(|| packages.index_urls().to_vec());
    let places = Places {
        lock: Rc::clone(lock.file()),
        tags: lock.abi.tags(),
        indexes: indexes.clone(),
        schemes: &REQUIRED_SCHEMES,
        loaded: inquiry::loaded(packages),
    };
    let is_blocking = client.is_blocking;
    let inquiry = Inquiry::new(packages, &indexes, client, fetcher);
    let wanted = resolve(Installation::new(places, requirements, resolve_options), &inquiry, lock).await?;
    fetcher.check_aborted()?;
    let count = wanted.len() as f64;
    timeline.report(Stage::Resolve, "", count, Some(count));
    let prepared =
        if is_blocking { packages.prepare_all_now(&wanted)? } else { packages.prepare_all(&wanted, fetcher).await? };
    packages.check_still_missing(&prepared)?;
    collision::check(packages, &prepared)?;
    Ok(prepared)
}

/// What has to be brought. All questions that are open are asked at the same time.
async fn resolve(mut installation: Installation, inquiry: &Inquiry<'_>, lock: &Lock) -> Result<Vec<Wanted>> {
    let mut wheels: Vec<FetchedWheel> = Vec::new();
    let mut asked: Vec<Question> = Vec::new();
    let mut under_way = FuturesUnordered::new();
    loop {
        let open = match installation.advance() {
            Outcome::Need(questions) => questions,
            Outcome::Done(chosen) => {
                return chosen.iter().map(|one| wanted(one, &installation, &wheels, lock)).collect();
            }
            Outcome::Failed(failure) => return Err(problem::failure(&failure)),
        };
        for question in &open {
            if !asked.contains(question) {
                asked.push(question.clone());
                let question = question.clone();
                under_way.push(inquiry.find(question.clone()).map(|found| (question, found)));
            }
        }
        let stuck = || Error::new(Code::Resolution, "The resolver asks again for what it has been told.");
        let (question, found) = under_way.next().await.ok_or_else(stuck)?;
        match found.and_then(|found| found.tell(&mut installation)) {
            // Nobody wants to know it any more.
            Err(_) if !open.contains(&question) => asked.retain(|known| *known != question),
            wheel => wheels.extend(wheel?),
        }
    }
}

/// What was chosen, with what is known and here of it already.
fn wanted(chosen: &Chosen, installation: &Installation, wheels: &[FetchedWheel], lock: &Lock) -> Result<Wanted> {
    let unknown = || {
        let message = format!("The file that was chosen for {} is not known any more.", chosen.name);
        Error::new(Code::Resolution, message)
    };
    let locked = lock.file().get(&chosen.name);
    let fetched = wheels.iter().find(|(name, file, _)| *name == chosen.name && *file == chosen.file);
    let bytes = fetched.map(|(.., bytes)| bytes.clone());
    let Some(wheel) = &chosen.wheel else {
        return locked.cloned().map(|locked| Wanted::Locked { locked, bytes }).ok_or_else(unknown);
    };
    let facts = WheelFacts {
        name: locked.map(|locked| locked.name.clone()),
        sha256: wheel.sha256.clone(),
        bytes,
        is_indexed: wheel.is_indexed,
        metadata: installation.metadata(chosen).cloned(),
    };
    let filename = wheel.filename.parse().map_err(|_| unknown())?;
    Ok(Wanted::Wheel { url: wheel.url.clone(), filename, facts: Box::new(facts) })
}
