//! One request and its headers.

use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;
use web_sys::{RequestInit, Response};

use super::Fetcher;
use super::failure::{http_error, network_error, page_error};
use crate::error::Result;
use crate::global;

impl Fetcher {
    /// Starts a request at once; the returned future waits for its headers.
    ///
    /// # Errors
    /// [`Code::LoadNetwork`] where there is no answer, [`Code::LoadHttp`] where the answer is not a success.
    pub fn request(&self, url: &str) -> impl Future<Output = Result<Response>> + use<> {
        let init = RequestInit::new();
        if let Some(signal) = &self.signal {
            init.set_signal(Some(signal));
        }
        let started =
            self.check_aborted().and_then(|()| global::fetch(url, &init).map_err(|thrown| network_error(url, thrown)));
        let url = url.to_owned();
        async move {
            let response: Response =
                JsFuture::from(started?).await.map_err(|thrown| network_error(&url, thrown))?.unchecked_into();
            if response.ok() {
                return if is_page(&response) { Err(page_error(&url)) } else { Ok(response) };
            }
            Err(http_error(&url, response.status(), &response.status_text()))
        }
    }
}

/// Whether the answer is a web page. None of our files is: a server that answers every address with its start page
/// does so here.
fn is_page(response: &Response) -> bool {
    response.headers().get("content-type").ok().flatten().is_some_and(|kind| kind.starts_with("text/html"))
}
