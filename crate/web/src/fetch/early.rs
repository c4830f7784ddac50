//! A small file that has been asked for before this module was there, and that the HTTP cache is likely to have.

use std::pin::pin;

use futures::future::{Either, select};
use js_sys::{ArrayBuffer, Uint8Array};
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

use super::progress::Transfer;
use super::request::{answer, is_page};
use super::{Fetcher, Label};
use crate::global;

impl Fetcher {
    /// All of what has come for a request of [`EngineHost::early_answer`](crate::boundary::EngineHost::early_answer), at once:
    /// nothing of what a download needs is called, each function of which would be compiled for it. Nothing where it is no
    /// success or does not come in the time that a transfer may stall: a download then brings it, or says what is wrong.
    pub async fn early(&self, url: &str, label: Label<'_>) -> Option<Uint8Array> {
        let asked = self.network.timeline().early_answer(url)?;
        let transfer = Transfer::open(self.network.timeline(), label);
        let body = async {
            let response = answer(url, asked).await.ok()?;
            if !response.ok() || is_page(&response) {
                return None;
            }
            JsFuture::from(response.array_buffer().ok()?).await.ok()
        };
        let timeout = global::sleep(self.network.stall());
        let Either::Left((body, _)) = select(pin!(body), pin!(timeout)).await else { return None };
        let bytes = Uint8Array::new(body?.unchecked_ref::<ArrayBuffer>());
        transfer.count(bytes.length());
        transfer.finish(u64::from(bytes.length()));
        Some(bytes)
    }
}
