//! Side modules of a prepared distribution that an import will link.
//!
//! Several come in one file, which is kept like a wheel. A browser that compiles a file of each while it streams spends as
//! much on it as on compiling a small module, most of it on the thread that Python runs on, and keeps next to no code.

use futures::future::try_join_all;
use taipan_core::prepared::Detached;

use super::{PackageParts, download};
use crate::boundary::Stage;
use crate::emscripten::linker::CompiledModule;
use crate::error::Result;
use crate::fetch::{Fetcher, Label, Sources};

/// Brings a file of side modules, and compiles what is in it, for the paths below `directory`.
///
/// # Errors
/// Those of [`Fetcher::download_from`], [`Code::BadWasm`](crate::error::Code::BadWasm).
pub async fn compile(
    file: &Detached,
    directory: &str,
    base_urls: &[String],
    fetcher: &Fetcher,
    parts: &PackageParts,
) -> Result<Vec<CompiledModule>> {
    let (served, contents) = (&file.file, file.contents());
    let sources = Sources::in_folders(base_urls, &served.file_name).with_sha256(&served.sha256);
    let label = Label { stage: Stage::Download, name: served.name(), size: Some(served.size as f64) };
    let (bytes, _) = download::download_file(sources, label, fetcher, &parts.store).await?;
    let mut start = 0;
    let compiling = contents.map(|(path, size)| {
        // A file has less than 4 GiB, and its contents fill it.
        let end = start + size as u32;
        let module = parts.linker.compile(&format!("{directory}/{path}"), &bytes.subarray(start, end));
        start = end;
        module
    });
    try_join_all(compiling).await
}
