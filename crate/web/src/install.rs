//! `python.install`: requirements met from the lock file and from package indexes.
//!
//! The lock file comes first: its packages are built for this very interpreter. Only where they do not do are indexes
//! asked, in their order, and the first that knows a project has all its files (as with micropip; a project that somebody
//! put on a later index under the same name is never looked at). What is loaded stays as it is.

mod collision;
mod import;
mod knowledge;
mod metadata;
mod problem;
mod wish;

use futures::future::LocalBoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt as _, StreamExt as _};
use taipan_core::resolve::{PreReleases, Request, Resolution, ResolveOptions, Resolver, Step};
use web_sys::AbortSignal;

pub use self::import::{install_for_import, install_for_import_now};
use self::knowledge::Knowledge;
use self::wish::Wish;
use crate::boundary::{InstallOptions, PackageInfo, Stage};
use crate::error::{Code, Error, Result};
use crate::fetch::Fetcher;
use crate::index_client::IndexClient;
use crate::packages::{Packages, PreparedPackage};

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
    options: InstallOptions,
    signal: Option<AbortSignal>,
    fetcher: Fetcher,
) -> LocalBoxFuture<'a, Result<Vec<PackageInfo>>> {
    meet(packages, asked, options, signal, fetcher).boxed_local()
}

async fn meet(
    packages: &Packages,
    asked: &[String],
    options: InstallOptions,
    signal: Option<AbortSignal>,
    fetcher: Fetcher,
) -> Result<Vec<PackageInfo>> {
    let wishes: Vec<Wish> = asked.iter().map(|text| Wish::parse(packages.lock(), text)).collect::<Result<_>>()?;
    if wishes.is_empty() {
        return Ok(Vec::new());
    }
    let _one_at_a_time = packages.one_at_a_time().await;
    let prepared = prepare(packages, wishes, options, IndexClient::new(signal), &fetcher).await?;
    packages.install(prepared)
}

/// Finds what meets wishes, downloads and checks it.
async fn prepare(
    packages: &Packages,
    wishes: Vec<Wish>,
    options: InstallOptions,
    client: IndexClient,
    fetcher: &Fetcher,
) -> Result<Vec<PreparedPackage>> {
    let constraints = options.constraints.iter().map(|text| wish::constraint(text)).collect::<Result<_>>()?;
    let timeline = fetcher.timeline();
    timeline.report(Stage::Resolve, "", 0.0, None);
    let indexes = options.index_urls.unwrap_or_else(|| packages.index_urls().to_vec());
    let is_blocking = client.is_blocking;
    let mut knowledge = Knowledge::new(packages, indexes, client, fetcher.clone());
    let mut resolve_options = ResolveOptions::new(packages.lock().environment());
    resolve_options.constraints = constraints;
    resolve_options.preferred = knowledge.preferred();
    resolve_options.loaded = knowledge.loaded_versions();
    if options.pre {
        resolve_options.pre_releases = PreReleases::Allow;
    }
    let requirements: Vec<_> = wishes.into_iter().map(|wish| wish.requirement).collect();
    let resolution = loop {
        let resolver = Resolver::new(requirements.clone(), resolve_options.clone());
        if let Some(resolution) = round(resolver, &mut knowledge).await? {
            break resolution;
        }
    };
    fetcher.check_aborted()?;
    let wanted = knowledge.wanted(&resolution)?;
    let count = wanted.len() as f64;
    timeline.report(Stage::Resolve, "", count, Some(count));
    let prepared =
        if is_blocking { packages.prepare_all_now(&wanted)? } else { packages.prepare_all(&wanted, fetcher).await? };
    packages.check_still_missing(&prepared)?;
    collision::check(packages, &prepared)?;
    Ok(prepared)
}

/// Resolves with what is known, finding out what is asked for on the way. `None` if more has to be looked at than was
/// thought: then everything is to be done again.
async fn round(mut resolver: Resolver, knowledge: &mut Knowledge<'_>) -> Result<Option<Resolution>> {
    let mut asked: Vec<Request> = Vec::new();
    let end = {
        let knowledge = &*knowledge;
        let mut under_way = FuturesUnordered::new();
        loop {
            match resolver.step() {
                Step::Need(requests) => {
                    for request in requests {
                        if !asked.contains(&request) {
                            asked.push(request.clone());
                            under_way.push(knowledge.find(request));
                        }
                    }
                }
                end => break end,
            }
            let stuck = || Error::new(Code::Resolution, "The resolver asks again for what it has been told.");
            under_way.next().await.ok_or_else(stuck)??.tell(&mut resolver);
        }
    };
    match end {
        Step::Resolved(resolution) => Ok((!knowledge.look_closer(&resolution)).then_some(resolution)),
        Step::Conflict(conflict) if !knowledge.look_further(&conflict) => Err(problem::conflict(&conflict, knowledge)),
        Step::Conflict(_) | Step::Need(_) => Ok(None),
    }
}
