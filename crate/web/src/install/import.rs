//! What an `import` statement needs and the lock file does not have.
//!
//! A project of the module's name (or the one that is known to bring it) is looked up on the indexes and installed as by
//! [`super::install`], if its wheel really brings the module. What is not found is not looked for again.

use futures::FutureExt as _;
use futures::future::LocalBoxFuture;
use taipan_core::imports::project_of;

use super::prepare;
use super::wish::wish;
use crate::boundary::InstallOptions;
use crate::error::{Code, Error, Result};
use crate::index_client::IndexClient;
use crate::packages::Packages;

/// Installs the project that brings a module at top level.
///
/// # Errors
/// [`Code::PackageNotFound`] if no index has one, or it does not bring the module; what installing can fail with.
#[inline(never)]
pub fn install_for_import<'a>(packages: &'a Packages, module: &'a str) -> LocalBoxFuture<'a, Result<()>> {
    async move {
        let _one_at_a_time = packages.one_at_a_time().await;
        bring(packages, module, IndexClient::new(&packages.fetcher())).await
    }
    .boxed_local()
}

/// As [`install_for_import`], while everything else waits: in a worker.
///
/// # Errors
/// As [`install_for_import`].
#[inline(never)]
pub fn install_for_import_now(packages: &Packages, module: &str) -> Result<()> {
    let stuck = || Error::new(Code::Fatal, format!("The project of {module} cannot be waited for."));
    let client = IndexClient::blocking(&packages.fetcher());
    bring(packages, module, client).boxed_local().now_or_never().ok_or_else(stuck)?
}

async fn bring(packages: &Packages, module: &str, client: IndexClient) -> Result<()> {
    if let Some(error) = packages.absent().borrow().get(module) {
        return Err(error.clone());
    }
    let found = find(packages, module, client).await;
    if let Err(error) = &found
        && error.code() == Code::PackageNotFound
    {
        packages.absent().borrow_mut().insert(module.to_owned(), error.clone());
    }
    found
}

async fn find(packages: &Packages, module: &str, client: IndexClient) -> Result<()> {
    let project = project_of(module);
    let places = packages.index_urls().join(" and ");
    let not_found = |what: &str| {
        let message = format!(
            "Neither a file on the path nor the lock file provides it, and the project {project} of {places} {what}."
        );
        Error::new(Code::PackageNotFound, message).hint("Check the spelling, or install the project that provides it.")
    };
    let requirement = wish(packages.lock(), project).map_err(|_| not_found("cannot exist"))?;
    let name = requirement.name.clone();
    let fetcher = packages.fetcher();
    let prepared = prepare(packages, vec![requirement], InstallOptions::default(), client, &fetcher).await;
    let prepared = prepared.map_err(|error| match error.code() {
        Code::PackageNotFound => not_found("does not exist"),
        _ => error,
    })?;
    let brings = prepared
        .iter()
        .filter(|package| package.info().name.parse().as_ref() == Ok(&name))
        .any(|package| package.top_level_modules().contains_key(module));
    if !brings {
        return Err(not_found(&format!("does not bring a module {module}, so nothing was installed")));
    }
    packages.install(prepared).map(drop)
}
