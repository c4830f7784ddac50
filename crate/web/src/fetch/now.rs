//! A file, while everything else waits.

use js_sys::Uint8Array;
use web_sys::{XmlHttpRequest, XmlHttpRequestResponseType};

use super::failure::{http_error, network_error};
use crate::error::{Code, Error, Result};

/// Downloads while everything else waits. Browsers allow that in workers only.
///
/// # Errors
/// As [`Fetcher::download`], and [`Code::NotSupported`] outside a worker.
pub fn fetch_now(url: &str) -> Result<Uint8Array> {
    let request = XmlHttpRequest::new().map_err(|thrown| network_error(url, thrown))?;
    request.open_with_async("GET", url, false).map_err(|thrown| network_error(url, thrown))?;
    request.set_response_type(XmlHttpRequestResponseType::Arraybuffer);
    if request.response_type() != XmlHttpRequestResponseType::Arraybuffer {
        return Err(Error::new(Code::NotSupported, format!("{url} cannot be waited for on this thread."))
            .hint("Load the package before the code runs, or run Python in a worker."));
    }
    request.send().map_err(|thrown| network_error(url, thrown))?;
    let status = request.status().unwrap_or_default();
    if !(200..300).contains(&status) {
        return Err(http_error(url, status, &request.status_text().unwrap_or_default()));
    }
    let body = request.response().map_err(|thrown| network_error(url, thrown))?;
    Ok(Uint8Array::new(&body))
}
