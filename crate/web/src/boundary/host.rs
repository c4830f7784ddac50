//! The worker that the engine runs in, or the page.

use wasm_bindgen::prelude::*;

use super::{Notice, Progress, to_js};

#[wasm_bindgen]
extern "C" {
    /// What the engine asks of the worker it runs in; `EngineHost` in `boundary.d.ts`.
    #[wasm_bindgen(typescript_type = "EngineHost")]
    #[derive(Clone)]
    pub type EngineHost;

    #[wasm_bindgen(method, catch, js_name = importModule)]
    pub fn import_module(this: &EngineHost, url: &str) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(method, getter, js_name = earlyAnswer)]
    fn early_answer_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, js_name = earlyAnswer)]
    fn early_answer_to(this: &EngineHost, url: &str) -> Option<js_sys::Promise>;

    #[wasm_bindgen(method, getter, js_name = knownGlue)]
    fn known_glue_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, js_name = knownGlue)]
    fn known_glue_promised(this: &EngineHost) -> js_sys::Promise;

    #[wasm_bindgen(method, getter, js_name = knownModule)]
    fn known_module_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, js_name = knownModule)]
    fn known_module_promised(this: &EngineHost) -> js_sys::Promise;

    #[wasm_bindgen(method, getter, js_name = earlyStore)]
    pub fn early_store(this: &EngineHost) -> Option<js_sys::Promise>;

    #[wasm_bindgen(method, catch, js_name = loadPart)]
    pub fn load_part(this: &EngineHost, name: &str) -> Result<js_sys::Promise, JsValue>;

    #[wasm_bindgen(method, getter, js_name = loadPartNow)]
    pub fn load_part_now_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, catch, js_name = loadPartNow)]
    pub fn load_part_now(this: &EngineHost, name: &str) -> Result<(), JsValue>;

    #[wasm_bindgen(method, getter, js_name = onProgress)]
    fn progress_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, js_name = onProgress)]
    fn on_progress(this: &EngineHost, progress: &JsValue);

    #[wasm_bindgen(method, getter, js_name = onNotice)]
    fn notice_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, catch, js_name = onNotice)]
    fn on_notice(this: &EngineHost, notice: &JsValue) -> Result<(), JsValue>;

    #[wasm_bindgen(method, js_name = onOutput)]
    pub fn on_output(this: &EngineHost, run: u32, output: &JsValue);

    #[wasm_bindgen(method, getter, js_name = readLine)]
    pub fn read_line_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, catch, js_name = readLine)]
    pub fn read_line(this: &EngineHost, prompt: &str) -> Result<Option<String>, JsValue>;

    #[wasm_bindgen(method, getter, js_name = takeInterrupt)]
    pub fn take_interrupt_function(this: &EngineHost) -> Option<js_sys::Function>;

    #[wasm_bindgen(method, catch, js_name = takeInterrupt)]
    pub fn take_interrupt(this: &EngineHost) -> Result<bool, JsValue>;

    #[wasm_bindgen(method, getter)]
    pub fn outputs(this: &EngineHost) -> Option<WaitingText>;

    /// `WaitingText` of `boundary.d.ts`.
    pub type WaitingText;

    #[wasm_bindgen(method, setter)]
    pub fn set_collect(this: &WaitingText, collect: &JsValue);

    #[wasm_bindgen(method)]
    pub fn notice(this: &WaitingText);

    #[wasm_bindgen(method, getter)]
    pub fn signals(this: &EngineHost) -> Option<SignalPoll>;

    /// `SignalPoll` of `boundary.d.ts`.
    pub type SignalPoll;

    #[wasm_bindgen(method, setter)]
    pub fn set_look(this: &SignalPoll, look: &JsValue);

    #[wasm_bindgen(method, getter)]
    pub fn poll(this: &SignalPoll) -> js_sys::Function;

    #[wasm_bindgen(method, getter)]
    pub fn buffer(this: &SignalPoll) -> js_sys::Object;
}

impl EngineHost {
    /// The answer to a request that was made before the engine was there.
    pub fn early_answer(&self, url: &str) -> Option<js_sys::Promise> {
        self.early_answer_function()?;
        self.early_answer_to(url)
    }

    /// What the glue exports, if the page has seen that it is what `BootOptions.known` says.
    pub fn known_glue(&self) -> Option<js_sys::Promise> {
        self.known_glue_function()?;
        Some(self.known_glue_promised())
    }

    /// CPython's module as the page compiles it, if it is what `BootOptions.known` says.
    pub fn known_module(&self) -> Option<js_sys::Promise> {
        self.known_module_function()?;
        Some(self.known_module_promised())
    }

    /// Tells the page how far something is, where it listens.
    pub fn tell(&self, progress: &Progress<'_>) {
        if self.progress_function().is_some() {
            self.on_progress(&to_js(progress));
        }
    }

    /// Tells the page something, where it listens.
    pub fn notify(&self, notice: &Notice) {
        if self.notice_function().is_some() {
            // What a listener throws is its own affair.
            let _ = self.on_notice(&to_js(notice));
        }
    }
}
