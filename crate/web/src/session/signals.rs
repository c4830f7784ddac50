//! How a computing interpreter is told to stop.
//!
//! While Python computes, the worker's thread is busy: no message arrives and no timer fires. But CPython asks every
//! few hundred instructions whether a signal is pending: it reads element 0 of Pyodide's interrupt buffer (see
//! `pyodide.setInterruptBuffer`). Ours is an object whose element 0 is computed: from the page's wish, which comes
//! through shared memory, and from the clock.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Object;
use wasm_bindgen::JsValue;
use wasm_bindgen::closure::Closure;

use crate::boundary::EngineHost;
use crate::emscripten::abi::set;
use crate::global;

/// `SIGINT`: CPython raises `KeyboardInterrupt`.
const SIGINT: u32 = 2;

/// Every how many polls the page and the clock are really looked at. CPython polls more than a million times a second
/// in a tight loop; looking each time would slow it down.
const LOOK_EVERY: u32 = 32;

/// Milliseconds between two signals for one deadline, for code that catches the first.
const REPEAT: f64 = 200.0;

/// Why a run was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interruption {
    /// Somebody asked for it.
    Asked,
    /// It took too long.
    Deadline,
}

/// The signals of one interpreter.
pub struct Signals {
    host: EngineHost,
    can_ask: bool,
    polls: Cell<u32>,
    deadline: Cell<Option<f64>>,
    interruption: Cell<Option<Interruption>>,
}

impl Signals {
    /// No signal is pending.
    pub fn new(host: EngineHost) -> Self {
        let can_ask = host.take_interrupt_function().is_some();
        Self { host, can_ask, polls: Cell::new(0), deadline: Cell::new(None), interruption: Cell::new(None) }
    }

    /// A run begins. A wish that is there already is for this run: the host knows for which run a wish was made, and
    /// forgets those that came too late.
    pub fn begin(&self, deadline: Option<f64>) {
        self.deadline.set(deadline);
        self.interruption.set(None);
    }

    /// The run has ended; says why it was told to stop, if it was.
    pub fn end(&self) -> Option<Interruption> {
        self.deadline.set(None);
        self.interruption.take()
    }

    /// Notes that a run is stopped by other means.
    pub fn note(&self, interruption: Interruption) {
        if self.interruption.get().is_none() {
            self.interruption.set(Some(interruption));
        }
    }

    /// The code has been told that its time is up; it is told again a little later.
    pub fn postpone_deadline(&self) {
        self.deadline.set(Some(global::now() + REPEAT));
    }

    /// What Pyodide takes as its interrupt buffer.
    pub fn buffer(this: &Rc<Self>) -> Object {
        let signals = Rc::clone(this);
        let get = Closure::<dyn Fn() -> u32>::new(move || signals.poll()).into_js_value();
        let ignore = Closure::<dyn Fn(JsValue)>::new(|_: JsValue| {}).into_js_value();
        let descriptor = Object::new();
        set(&descriptor, "get", &get);
        set(&descriptor, "set", &ignore);
        let buffer = Object::new();
        Object::define_property(&buffer, &"0".into(), &descriptor);
        buffer
    }

    fn poll(&self) -> u32 {
        let polls = self.polls.get().wrapping_add(1);
        self.polls.set(polls);
        if polls.is_multiple_of(LOOK_EVERY) { self.look() } else { 0 }
    }

    /// The signal that is pending, if one is: 0 or `SIGINT`.
    pub fn look(&self) -> u32 {
        if self.can_ask && self.host.take_interrupt().unwrap_or_default() {
            self.note(Interruption::Asked);
            return SIGINT;
        }
        if let Some(deadline) = self.deadline.get()
            && global::now() >= deadline
        {
            self.note(Interruption::Deadline);
            self.postpone_deadline();
            return SIGINT;
        }
        0
    }
}
