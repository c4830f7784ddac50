//! The few globals that exist on a page and in a worker alike.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures::FutureExt as _;
use futures::channel::oneshot;
use js_sys::{Array, Atomics, Int32Array, Promise, Reflect, SharedArrayBuffer};
use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_namespace = performance)]
    /// Milliseconds on a clock that never goes back.
    pub fn now() -> f64;

    #[wasm_bindgen(catch, js_name = fetch)]
    /// `fetch(url, init)`.
    pub fn fetch(url: &str, init: &web_sys::RequestInit) -> Result<Promise, JsValue>;

    #[wasm_bindgen(catch, js_namespace = Reflect, js_name = apply)]
    /// `Reflect.apply(work, this, arguments)`: what WebAssembly traps with is an exception there.
    fn apply(work: &mut dyn FnMut(), this: &JsValue, arguments: &Array) -> Result<JsValue, JsValue>;

    #[wasm_bindgen(thread_local_v2, js_name = crypto)]
    /// `crypto`, absent only in very old browsers.
    pub static CRYPTO: Option<web_sys::Crypto>;
}

/// Does work until its end, or until it traps.
pub fn catch_trap(work: &mut dyn FnMut()) {
    // That the work was not done is all that its caller can know.
    if apply(&mut || work(), &JsValue::UNDEFINED, &Array::new()).is_err() {
        forget_panic();
    }
}

/// What a panic leaves for JavaScript, which sees no more than that an instruction trapped.
const PANIC: &str = "taipanPanic";

/// Leaves what a panic says in the global scope.
pub fn note_panic(panic: &str) {
    // Cannot fail on a global scope, and nothing could be done here if it did.
    let _ = Reflect::set(&js_sys::global(), &PANIC.into(), &panic.into());
}

fn forget_panic() {
    let _ = Reflect::delete_property(&js_sys::global(), &PANIC.into());
}

/// Whether this is a worker, which may wait for the network, and instantiate modules of any size, synchronously.
pub fn is_worker() -> bool {
    js_sys::Reflect::has(&js_sys::global(), &"WorkerGlobalScope".into()).unwrap_or_default()
}

/// Whether the user has asked for less data to be fetched (the Save Data API, where there is one).
pub fn saves_data() -> bool {
    let part = |of: JsValue, name: &str| Reflect::get(&of, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let navigator = part(js_sys::global().into(), "navigator");
    part(part(navigator, "connection"), "saveData").is_truthy()
}

/// Milliseconds since 1970, for file times.
pub fn wall_clock() -> f64 {
    js_sys::Date::now()
}

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &js_sys::Function, milliseconds: f64) -> JsValue;

    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(timer: &JsValue);
}

/// A wait. When it is dropped the timer goes with it.
pub struct Sleep {
    timer: JsValue,
    _wake: Closure<dyn FnMut()>,
    woken: oneshot::Receiver<()>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        self.woken.poll_unpin(context).map(drop)
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        clear_timeout(&self.timer);
    }
}

/// Waits, while other tasks go on.
pub fn sleep(milliseconds: f64) -> Sleep {
    let (sender, woken) = oneshot::channel();
    let mut sender = Some(sender);
    let wake = Closure::new(move || {
        if let Some(sender) = sender.take() {
            // The receiver is there as long as the timer is.
            let _ = sender.send(());
        }
    });
    let timer = set_timeout(wake.as_ref().unchecked_ref(), milliseconds.max(0.0));
    Sleep { timer, _wake: wake, woken }
}

/// Waits, while nothing else goes on: in a worker, asleep where memory can be shared and busily where not.
pub fn block(milliseconds: f64) {
    let end = now() + milliseconds;
    if Reflect::has(&js_sys::global(), &"SharedArrayBuffer".into()).unwrap_or_default() {
        let never_changed = Int32Array::new(&SharedArrayBuffer::new(4));
        // A thread that may not sleep throws; then the loop waits.
        let _ = Atomics::wait_with_timeout(&never_changed, 0, 0, milliseconds);
    }
    while now() < end {}
}

#[cfg(test)]
mod tests {
    use js_sys::Reflect;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::{PANIC, catch_trap, note_panic};

    #[wasm_bindgen_test]
    fn what_traps_ends_alone() {
        let mut steps = Vec::new();
        catch_trap(&mut || {
            steps.push("before");
            note_panic("panicked");
            std::process::abort();
        });
        assert!(!Reflect::has(&js_sys::global(), &PANIC.into()).unwrap());
        catch_trap(&mut || steps.push("after"));
        assert_eq!(steps, ["before", "after"]);
    }
}
