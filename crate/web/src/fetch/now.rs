//! A file, while everything else waits.

use js_sys::Uint8Array;
use taipan_core::transfer::{Failure, Patience, Plan, Step, check_length, parse_retry_after};
use web_sys::{XmlHttpRequest, XmlHttpRequestResponseType};

use super::attempt::Failed;
use super::download::Downloaded;
use super::failure::{http_error, length_error, network_error, page_error};
use super::hash::{compare_sha256, sha256_now};
use super::progress::Transfer;
use super::sources::Answers;
use super::{Fetcher, Label, Sources};
use crate::error::{Code, Error, Result};
use crate::global;

/// How long an `import` statement goes on. Nothing else runs meanwhile, so that waits are short.
const PATIENCE: Patience = Patience { attempts: 4, longest_wait: 1000.0 };

/// How many times the time without a byte that is too much a whole transfer may take: what comes cannot be seen while
/// everything waits.
const STALLS: f64 = 10.0;

impl Fetcher {
    /// As [`Fetcher::download_from`], while everything else waits. Browsers allow that in workers only. What breaks off
    /// starts afresh.
    ///
    /// # Errors
    /// As [`Fetcher::download_from`], and [`Code::NotSupported`] outside a worker.
    pub fn download_now(&self, sources: &Sources, label: Label<'_>) -> Result<Downloaded> {
        let transfer = Transfer::open(self.network.timeline(), label);
        let mut answers = Answers::new(sources.mirrors.len());
        let mut plan = Plan::new(sources.mirrors.len(), PATIENCE, sources.reload);
        let mut next = plan.first();
        while let Some(step) = next {
            self.check_aborted()?;
            global::block(step.wait);
            let (error, failure) = match self.attempt_now(sources, step, &transfer) {
                Ok(downloaded) => return Ok(downloaded),
                Err(failed) => failed,
            };
            if matches!(error.code(), Code::OutOfMemory | Code::NotSupported) {
                return Err(error);
            }
            answers.note(step.mirror, error);
            next = plan.after(failure, global::now(), js_sys::Math::random());
        }
        Err(answers.into_error(transfer.name()))
    }

    fn attempt_now(&self, sources: &Sources, step: Step, transfer: &Transfer) -> Result<Downloaded, Failed> {
        let url = &sources.mirrors[step.mirror];
        let bytes = receive(url, step.reload, self.network.stall() * STALLS)?;
        transfer.count(bytes.length());
        let wrong = |error| (error, Failure::Wrong);
        let length = u64::from(bytes.length());
        check_length(length, &[transfer.size()]).map_err(|found| wrong(length_error(url, Code::Integrity, found)))?;
        let hash = sha256_now(&bytes);
        if let Some(expected) = &sources.sha256 {
            compare_sha256(url, &hash, expected).map_err(wrong)?;
        }
        transfer.finish(length);
        Ok((bytes, hash))
    }
}

fn receive(url: &str, reload: bool, timeout: f64) -> Result<Uint8Array, Failed> {
    let lost = |thrown| (network_error(url, thrown), Failure::Lost { gained: 0 });
    let request = XmlHttpRequest::new().map_err(lost)?;
    request.open_with_async("GET", url, false).map_err(lost)?;
    request.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    if request.response_type() != XmlHttpRequestResponseType::Arraybuffer {
        let error = Error::new(Code::NotSupported, format!("{url} cannot be waited for on this thread."))
            .hint("Load the package before the code runs, or run Python in a worker.");
        return Err((error, Failure::Absent));
    }
    request.set_timeout(timeout as u32);
    if reload {
        request.set_request_header("Cache-Control", "no-cache").map_err(lost)?;
    }
    request.send().map_err(lost)?;
    let status = request.status().unwrap_or_default();
    if !(200..300).contains(&status) {
        let retry_after = request.get_response_header("retry-after").ok().flatten();
        let retry_after = retry_after.and_then(|text| parse_retry_after(&text, global::wall_clock()));
        let error = http_error(url, status, &request.status_text().unwrap_or_default());
        return Err((error, Failure::Status { status, retry_after }));
    }
    let kind = request.get_response_header("content-type").ok().flatten();
    if kind.is_some_and(|kind| kind.starts_with("text/html")) {
        return Err((page_error(url), Failure::Absent));
    }
    Ok(Uint8Array::new(&request.response().map_err(lost)?))
}
