//! How a computing interpreter is told to stop.
//!
//! While Python computes, the worker's thread is busy: no message arrives and no timer fires. But CPython asks every few
//! hundred instructions, and whenever it makes a text of an object, whether a signal is pending. The host answers, now and
//! then with what [`Signals::look`] says: from the page's wish, which comes through shared memory, and from the clock. CPython
//! asks only where Pyodide has an interrupt buffer (`pyodide.setInterruptBuffer`): there is one that answers the same.

use std::cell::Cell;
use std::rc::Rc;

use js_sys::Object;
use wasm_bindgen::closure::Closure;

use crate::boundary::EngineHost;
use crate::global;

/// `SIGINT`: CPython raises `KeyboardInterrupt`.
const SIGINT: u32 = 2;

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
    deadline: Cell<Option<f64>>,
    interruption: Cell<Option<Interruption>>,
}

impl Signals {
    /// No signal is pending.
    pub fn new(host: EngineHost) -> Self {
        let can_ask = host.take_interrupt_function().is_some();
        Self { host, can_ask, deadline: Cell::new(None), interruption: Cell::new(None) }
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
        let look = Closure::<dyn Fn() -> u32>::new(move || signals.look()).into_js_value();
        let Some(poll) = this.host.signals() else { return Object::new() };
        poll.set_look(&look);
        poll.buffer()
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
