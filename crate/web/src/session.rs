//! Running code: the interpreter's side of `python.run`.

mod host_module;
mod signals;

use std::rc::Rc;

use futures::future::{Either, select};
use js_sys::{Function, JSON, Object, Promise, Reflect};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use self::signals::{Interruption, Signals};
use crate::boundary::EngineHost;
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::emscripten::handles::{Callbacks, Handles};
use crate::error::{Code, Error, Result};
use crate::global;
use crate::output::Output;
use crate::packages::Packages;

/// How to run a piece of code: `RunRequest` of `boundary.d.ts`.
pub struct RunRequest {
    /// Number of the run, from 1.
    pub run: u32,
    /// Python source.
    pub code: String,
    /// The name in tracebacks.
    pub filename: String,
    /// Variables to set, an object of plain data, or undefined.
    pub globals: JsValue,
    /// Milliseconds until the run is interrupted.
    pub timeout: Option<f64>,
}

/// The interpreter, ready to run code.
pub struct Session {
    cell: JsValue,
    output: Rc<Output>,
    signals: Rc<Signals>,
}

/// What joins the Python side to the page.
pub struct Connection {
    host: EngineHost,
    output: Rc<Output>,
    signals: Rc<Signals>,
    /// What Python imports as `_taipan_host`.
    pub module: Object,
}

impl Connection {
    /// Makes what Python will be able to call.
    pub fn new(
        module: &Module,
        host: &EngineHost,
        output: Rc<Output>,
        packages: &Rc<Packages>,
        handles: &Handles,
    ) -> Self {
        let api = module.api();
        let signals = Rc::new(Signals::new(host.clone()));
        let module = host_module::make(host, &output, packages, &signals, &api);
        set(&module, "schedule", &Callbacks::scheduler(&handles.callbacks, &api));
        Self { host: host.clone(), output, signals, module }
    }
}

impl Session {
    /// Sets up streams, signals and the Python side.
    ///
    /// # Errors
    /// [`Code::Fatal`] if the interpreter cannot be set up.
    pub fn new(api: &PublicApi, connection: Connection) -> Result<Self> {
        api.register_js_module("_taipan_host", &connection.module).map_err(not_set_up)?;
        destroy(&api.pyimport("_taipan.finder").map_err(not_set_up)?);
        Self::resume(api, connection)
    }

    /// As [`Session::new`], where the Python side has been set up before it was captured.
    ///
    /// # Errors
    /// As [`Session::new`].
    pub fn resume(api: &PublicApi, connection: Connection) -> Result<Self> {
        let Connection { host, output, signals, .. } = connection;
        host_module::connect_streams(api, &host, &output).map_err(not_set_up)?;
        api.set_interrupt_buffer(&Signals::buffer(&signals)).map_err(not_set_up)?;
        let cell = api.pyimport("_taipan.cell").map_err(not_set_up)?;
        Ok(Self { cell, output, signals })
    }

    /// Runs code to its end and gives `RunEnd`.
    ///
    /// # Errors
    /// [`Code::Python`] for an exception, [`Code::Interrupted`], [`Code::Timeout`], [`Code::Fatal`] if the interpreter
    /// broke down.
    pub async fn run(&self, request: RunRequest) -> Result<JsValue> {
        let deadline = request.timeout.map(|timeout| global::now() + timeout);
        self.signals.begin(deadline);
        self.output.set_run(request.run);
        let ended = self.run_to_end(&request, deadline).await;
        self.output.set_run(0);
        let interruption = self.signals.end();
        conclude(&request, &ended?, interruption)
    }

    /// Cancels a run that is awaiting; says whether there was one.
    pub fn cancel(&self, run: u32) -> bool {
        let cancelled =
            self.call("cancel", &[run.into()]).is_ok_and(|cancelled| cancelled.as_bool().unwrap_or_default());
        if cancelled {
            self.signals.note(Interruption::Asked);
        }
        cancelled
    }

    /// A global variable as plain data.
    ///
    /// # Errors
    /// [`Code::Python`] if there is none of that name or it is not plain data.
    pub fn get_global(&self, name: &str) -> Result<JsValue> {
        self.call("get_global", &[name.into()])
            .map_err(|thrown| python_error(thrown, &format!("`{name}` cannot be read")))
    }

    /// Sets a global variable to plain data.
    ///
    /// # Errors
    /// [`Code::Python`] if it cannot be converted.
    pub fn set_global(&self, name: &str, value: &JsValue) -> Result<()> {
        self.call("set_global", &[name.into(), value.clone()])
            .map(drop)
            .map_err(|thrown| python_error(thrown, &format!("`{name}` cannot be set")))
    }

    async fn run_to_end(&self, request: &RunRequest, deadline: Option<f64>) -> Result<JsValue> {
        let arguments = [
            request.run.into(),
            request.code.as_str().into(),
            request.filename.as_str().into(),
            request.globals.clone(),
        ];
        let started = self.call("start", &arguments).map_err(fatal)?;
        if !is_awaitable(&started) {
            return Ok(started);
        }
        let task = JsFuture::from(Promise::resolve(&started));
        let ended = match deadline {
            None => task.await,
            Some(deadline) => match select(task, global::sleep(deadline - global::now())).await {
                Either::Left((ended, _)) => ended,
                Either::Right(((), task)) => {
                    self.signals.note(Interruption::Deadline);
                    // The cancelled code gets time to clean up before it is interrupted as well.
                    self.signals.postpone_deadline();
                    self.call("cancel", &[request.run.into()]).map_err(fatal)?;
                    task.await
                }
            },
        };
        destroy(&started);
        ended.map_err(fatal)
    }

    fn call(&self, name: &str, arguments: &[JsValue]) -> std::result::Result<JsValue, JsValue> {
        let function: Function = Reflect::get(&self.cell, &name.into())?.unchecked_into();
        let result = function.apply(&JsValue::UNDEFINED, &arguments.iter().collect());
        destroy(&function);
        result
    }
}

fn not_set_up(thrown: JsValue) -> Error {
    Error::from_js(Code::Fatal, "The interpreter cannot be set up", thrown)
}

/// Makes the result of a run from what the Python side gave.
fn conclude(request: &RunRequest, ended: &JsValue, interruption: Option<Interruption>) -> Result<JsValue> {
    let property = |name: &str| Reflect::get(ended, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let Some(description) = property("error").as_string() else {
        let end = Object::new();
        let value = property("value");
        if !value.is_undefined() {
            set(&end, "value", &value);
        }
        return Ok(end.into());
    };
    let details = JSON::parse(&description).unwrap_or(JsValue::UNDEFINED);
    let detail = |name: &str| Reflect::get(&details, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let kind = detail("type").as_string().unwrap_or_default();
    let is_interrupt = kind == "KeyboardInterrupt" || kind == "CancelledError";
    let error = match interruption {
        Some(Interruption::Deadline) if is_interrupt => Error::new(
            Code::Timeout,
            format!("The code took longer than {} ms and was stopped.", request.timeout.unwrap_or_default()),
        )
        .hint("Give it more time with `timeoutMs`, or make it do less."),
        Some(Interruption::Asked) if is_interrupt => {
            Error::new(Code::Interrupted, "The code was interrupted.").hint("The variables are as they were left.")
        }
        _ => {
            let message = detail("message").as_string().unwrap_or_default();
            let text = if message.is_empty() { kind } else { format!("{kind}: {message}") };
            Error::new(Code::Python, text).field("pythonMessage", message)
        }
    };
    Err(error.field("type", detail("type")).field("traceback", detail("traceback")).field("frames", detail("frames")))
}

/// Whether a result of Python's is something to await: a proxy of a `Task`.
fn is_awaitable(value: &JsValue) -> bool {
    Reflect::get(value, &"then".into()).is_ok_and(|then| then.is_function())
}

/// Lets Python free what a proxy stands for.
fn destroy(proxy: &JsValue) {
    if let Ok(destroy) = Reflect::get(proxy, &"destroy".into())
        && let Some(destroy) = destroy.dyn_ref::<Function>()
    {
        // A proxy that is destroyed already is as good.
        let _ = destroy.call0(proxy);
    }
}

/// An exception that came through Pyodide's bridge instead of our description of it.
fn python_error(thrown: JsValue, context: &str) -> Error {
    let kind = Reflect::get(&thrown, &"type".into()).ok().and_then(|kind| kind.as_string());
    match kind {
        Some(kind) => {
            let text = crate::error::describe(&thrown);
            let message = text.trim_end().rsplit('\n').next().unwrap_or_default().to_owned();
            Error::new(Code::Python, format!("{context}: {message}"))
                .field("type", kind)
                .field("traceback", text)
                .field("frames", js_sys::Array::new())
                .cause(thrown)
        }
        None => fatal(thrown),
    }
}

/// What is thrown past the Python side can only be the interpreter breaking down: a trap, an overflowed stack.
fn fatal(thrown: JsValue) -> Error {
    const HINT: &str = "Start a new interpreter with `restart()`; the variables are lost.";
    // What CPython could not even put into words, for want of memory, comes as what it wrote while it tried.
    if crate::error::describe(&thrown).contains("MemoryError") {
        return Error::new(Code::Fatal, "Python has run out of memory and broke down").hint(HINT).cause(thrown);
    }
    let error = Error::from_js(Code::Fatal, "The interpreter broke down", thrown);
    match error.code() {
        Code::OutOfMemory => error,
        _ => error.hint(HINT),
    }
}
