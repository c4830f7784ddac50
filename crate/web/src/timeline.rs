//! When each stage ended, what was moved, and who is told.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use js_sys::{Object, Reflect};
use taipan_core::transfer::{Overall, TransferId};
use wasm_bindgen::{JsCast, JsValue};

use crate::boundary::{EngineHost, ImageOrigin, OverallProgress, Progress, Stage, TimingsObject};
use crate::error::{Code, Error};
use crate::global;

/// Progress and timings of one engine.
pub struct Timeline {
    host: EngineHost,
    start: f64,
    stages: RefCell<Vec<(Stage, f64)>>,
    transfers: RefCell<Overall>,
    bytes_fetched: Cell<f64>,
    modules_compiled: Cell<u32>,
    modules_linked: Cell<u32>,
    image_origin: Cell<Option<ImageOrigin>>,
    image_refused: RefCell<Option<(Code, String)>>,
    /// Sizes that are known before the bytes come, by the name that is reported.
    expected: RefCell<HashMap<String, f64>>,
}

impl Timeline {
    /// Starts the clock.
    pub fn start(host: EngineHost) -> Self {
        Self {
            host,
            start: global::now(),
            stages: RefCell::default(),
            transfers: RefCell::default(),
            bytes_fetched: Cell::new(0.0),
            modules_compiled: Cell::new(0),
            modules_linked: Cell::new(0),
            image_origin: Cell::default(),
            image_refused: RefCell::default(),
            expected: RefCell::default(),
        }
    }

    /// The answer to a request that was made before the engine was there.
    pub fn early_answer(&self, url: &str) -> Option<js_sys::Promise> {
        self.host.early_answer(url)
    }

    /// Notes how many bytes something has, for progress on it.
    pub fn expect(&self, name: &str, bytes: u64) {
        self.expected.borrow_mut().insert(name.to_owned(), bytes as f64);
    }

    /// Notes that a stage has ended and tells the page.
    pub fn end(&self, stage: Stage) {
        let elapsed = global::now() - self.start;
        self.stages.borrow_mut().push((stage, elapsed));
        self.report(stage, "", 1.0, Some(1.0));
    }

    /// Tells the page how far something is.
    pub fn report(&self, stage: Stage, name: &str, loaded: f64, total: Option<f64>) {
        let total = total.or_else(|| self.expected.borrow().get(name).map(|expected| expected.max(loaded)));
        self.host.tell(&Progress { stage, name, loaded, total, overall: None });
    }

    /// A file was asked for, whose size in bytes may be known.
    pub fn open_transfer(&self, size: Option<u64>) -> TransferId {
        self.transfers.borrow_mut().open(size)
    }

    /// Tells the page how far a file is, and everything that was asked for.
    pub fn report_transfer(&self, id: TransferId, stage: Stage, name: &str, loaded: u64, total: Option<u64>) {
        let total = total.or_else(|| self.expected.borrow().get(name).map(|expected| (*expected as u64).max(loaded)));
        let (done, all) = {
            let mut transfers = self.transfers.borrow_mut();
            transfers.advance(id, loaded, total);
            transfers.sum()
        };
        let overall = Some(OverallProgress { loaded: done as f64, total: all.map(|all| all as f64) });
        let (loaded, total) = (loaded as f64, total.map(|total| total as f64));
        self.host.tell(&Progress { stage, name, loaded, total, overall });
    }

    /// No more of a file is to come.
    pub fn close_transfer(&self, id: TransferId) {
        self.transfers.borrow_mut().close(id);
    }

    /// Counts bytes that came from the network or the HTTP cache.
    pub fn add_bytes(&self, bytes: f64) {
        self.bytes_fetched.set(self.bytes_fetched.get() + bytes);
    }

    /// Notes that an image was restored, and where it came from.
    pub fn note_image(&self, origin: ImageOrigin) {
        self.image_origin.set(Some(origin));
    }

    /// Where the image came from that was restored, if one was.
    pub const fn image_origin(&self) -> Option<ImageOrigin> {
        self.image_origin.get()
    }

    /// Notes why an image was not restored.
    pub fn note_refusal(&self, error: &Error) {
        *self.image_refused.borrow_mut() = Some((error.code(), error.message().to_owned()));
    }

    /// Counts a compiled side module.
    pub fn add_compiled(&self) {
        self.modules_compiled.set(self.modules_compiled.get() + 1);
    }

    /// Counts a linked side module.
    pub fn add_linked(&self) {
        self.modules_linked.set(self.modules_linked.get() + 1);
    }

    /// `Timings` of `boundary.d.ts`.
    pub fn to_object(&self, files_inflated: u64) -> TimingsObject {
        let stages = Object::new();
        for (stage, elapsed) in self.stages.borrow().iter() {
            set(&stages, stage.as_str(), &(*elapsed).into());
        }
        let timings = Object::new();
        set(&timings, "stages", &stages);
        set(&timings, "bytesFetched", &self.bytes_fetched.get().into());
        set(&timings, "modulesCompiled", &self.modules_compiled.get().into());
        set(&timings, "modulesLinked", &self.modules_linked.get().into());
        set(&timings, "filesInflated", &(files_inflated as f64).into());
        if let Some(origin) = self.image_origin.get() {
            set(&timings, "image", &origin.as_str().into());
        }
        if let Some((code, reason)) = &*self.image_refused.borrow() {
            set(&timings, "imageRefused", &reason.as_str().into());
            set(&timings, "imageRefusedCode", &code.as_str().into());
        }
        JsValue::from(timings).unchecked_into()
    }
}

fn set(object: &Object, name: &str, value: &JsValue) {
    // A fresh plain object accepts every property.
    let _ = Reflect::set(object, &name.into(), value);
}
