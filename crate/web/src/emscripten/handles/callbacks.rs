//! Python functions that JavaScript calls once: when a timer ends, when a promise is settled.
//!
//! Pyodide makes them (`create_once_callable` and `create_promise_handles` of `src/core/pyproxy.c`) and counts a
//! reference to the Python object for each. Here each gets a number; one whose number is not known any more does nothing.
//! What is to be freed when JavaScript forgets one is for [`super::registrations`].

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Proxy, Reflect, WeakMap};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Api, Module};
use crate::emscripten::snapshot::glue::get;
use crate::global;

type Thrown<T> = Result<T, JsValue>;

/// The imports that make them.
const ONCE: &str = "create_once_callable";
const PROMISE: &str = "create_promise_handles";

/// Which of the arguments of [`PROMISE`] are Python objects.
const OBJECTS: [u32; 3] = [0, 1, 3];

/// What JavaScript is told that destroys one that it cannot have any more.
const GONE: &str =
    "This function has been called already, or was made after the checkpoint that Python was rolled back to.";

/// A function that has not been called yet.
#[derive(Clone)]
struct Callback {
    is_promise: bool,
    /// What it was made of.
    arguments: Array,
}

/// What a promise was settled with.
#[derive(Clone)]
struct Settled {
    is_rejected: bool,
    value: JsValue,
}

#[derive(Clone)]
struct Timer {
    callback: Function,
    due: f64,
}

/// The functions of one interpreter.
#[derive(Default)]
pub struct Callbacks {
    /// Numbers of callbacks by function: twice the number, and one more for what is called on rejection.
    numbers: WeakMap,
    waiting: RefCell<BTreeMap<u32, Callback>>,
    /// Promises that were settled since a moment that is kept.
    settled: RefCell<HashMap<u32, Settled>>,
    timers: RefCell<BTreeMap<u32, Timer>>,
    /// Tasks that have given their stack away.
    suspended: Cell<u32>,
    last: Cell<u32>,
    makers: RefCell<[Option<Function>; 2]>,
    handler: RefCell<Object>,
}

/// The functions at one moment.
pub struct SavedCallbacks {
    waiting: BTreeMap<u32, Callback>,
    /// Callbacks that timers call, and when.
    timers: Vec<(u32, f64)>,
}

impl Callbacks {
    /// Takes the place of the imports that make such functions.
    pub fn watch_imports(this: &Rc<Self>, imports: &Object) {
        let env = get(imports, "env");
        let handler = Object::new();
        let callbacks = Rc::clone(this);
        let apply = Closure::<dyn Fn(Function, JsValue, Array) -> Thrown<JsValue>>::new(
            move |function: Function, receiver: JsValue, arguments: Array| {
                let Some(is_promise) = callbacks.note_call(&function, &arguments) else {
                    return Ok(JsValue::UNDEFINED);
                };
                let result = Reflect::apply(&function, &receiver, &arguments)?;
                if is_promise && let Some(promise) = result.dyn_ref::<Promise>() {
                    let ended = Self::suspend(&callbacks);
                    let then: Function = get(promise, "then").dyn_into()?;
                    then.call2(promise, &ended, &ended)?;
                }
                Ok(result)
            },
        );
        set(&handler, "apply", &apply.into_js_value());
        let callbacks = Rc::clone(this);
        let refuse = Closure::<dyn Fn() -> Thrown<()>>::new(|| Err(js_sys::Error::new(GONE).into())).into_js_value();
        let find =
            Closure::<dyn Fn(Function, JsValue) -> Thrown<JsValue>>::new(move |function: Function, name: JsValue| {
                // It would free an address, which may be one of a time that has been undone.
                let is_refused = name == "destroy" && !callbacks.is_waiting(&function);
                if is_refused { Ok(refuse.clone()) } else { Reflect::get(&function, &name) }
            });
        set(&handler, "get", &find.into_js_value());
        *this.handler.borrow_mut() = handler;

        let callbacks = Rc::clone(this);
        let once = Closure::<dyn Fn(u32, JsValue) -> Thrown<JsValue>>::new(move |object: u32, may_suspend: JsValue| {
            callbacks.make(callbacks.next(), false, &Array::of2(&object.into(), &may_suspend))
        });
        let callbacks = Rc::clone(this);
        let promise = Closure::<dyn Fn(u32, u32, JsValue, u32) -> Thrown<JsValue>>::new(
            move |result: u32, exception: u32, done: JsValue, converter: u32| {
                let arguments = Array::of4(&result.into(), &exception.into(), &done, &converter.into());
                callbacks.make(callbacks.next(), true, &arguments)
            },
        );
        let watched = [(ONCE, once.into_js_value()), (PROMISE, promise.into_js_value())];
        let originals = watched.map(|(import, watched)| {
            let original = get(&env, import).dyn_into::<Function>().ok()?;
            set(env.unchecked_ref(), import, &watched);
            Some(original)
        });
        *this.makers.borrow_mut() = originals;
    }

    /// The function with which Python's event loop sets timers: `(callback, milliseconds)`. They have to be known, since a
    /// timer that has ended since must be set again.
    pub fn scheduler(this: &Rc<Self>, api: &Api) -> JsValue {
        let (callbacks, api) = (Rc::clone(this), api.clone());
        Closure::<dyn Fn(Function, f64) -> Thrown<()>>::new(move |callback: Function, delay: f64| {
            Self::schedule(&callbacks, &api, callback, delay)
        })
        .into_js_value()
    }

    /// Whether a task has given its stack away (`run_sync`) and not come back.
    pub fn has_suspended(&self) -> bool {
        self.suspended.get() > 0
    }

    /// What there is now.
    pub fn save(&self) -> SavedCallbacks {
        let timers = self.timers.borrow();
        let timers = timers.values().filter_map(|timer| Some((self.number(&timer.callback)? / 2, timer.due)));
        SavedCallbacks { waiting: self.waiting.borrow().clone(), timers: timers.collect() }
    }

    /// Makes it be as it was, when memory already is: timers run again, and promises that have been settled since are told
    /// again what they were settled with.
    pub fn roll_back(this: &Rc<Self>, saved: &SavedCallbacks, module: &Module) {
        let waiting = this.waiting.replace(saved.waiting.clone());
        this.timers.borrow_mut().clear();
        for (number, due) in &saved.timers {
            let Some(callback) = saved.waiting.get(number) else { continue };
            if let Some(again) = this.make_again(*number, callback, module) {
                let delay = (due - global::now()).max(0.0);
                // It is a timer of the browser's: setting one does not fail.
                let _ = Self::schedule(this, &module.api(), again.unchecked_into(), delay);
            }
        }
        let settled = this.settled.borrow();
        for (number, callback) in saved.waiting.iter().filter(|(number, _)| !waiting.contains_key(number)) {
            let Some(Settled { is_rejected, value }) = settled.get(number).cloned() else { continue };
            let Some(pair) = this.make_again(*number, callback, module) else { continue };
            wasm_bindgen_futures::spawn_local(async move {
                global::sleep(0.0).await;
                let function: Function = pair.unchecked_into::<Array>().get(u32::from(is_rejected)).unchecked_into();
                // As for any promise, what the callback throws is Python's affair.
                let _ = function.call1(&JsValue::UNDEFINED, &value);
            });
        }
    }

    /// Forgets what was noted for moments other than these.
    pub fn retain<'a>(&self, kept: impl Iterator<Item = &'a SavedCallbacks>) {
        let kept: Vec<_> = kept.collect();
        self.settled.borrow_mut().retain(|number, _| kept.iter().any(|saved| saved.waiting.contains_key(number)));
    }

    fn next(&self) -> u32 {
        self.last.set(self.last.get() + 1);
        self.last.get()
    }

    fn number(&self, function: &Function) -> Option<u32> {
        self.numbers.get(function).as_f64().map(|number| number as u32)
    }

    fn is_waiting(&self, function: &Function) -> bool {
        self.number(function).is_some_and(|number| self.waiting.borrow().contains_key(&(number / 2)))
    }

    /// A function is called. Says whether it is of a promise, or nothing if it may not be called.
    fn note_call(&self, function: &Function, arguments: &Array) -> Option<bool> {
        let Some(number) = self.number(function) else { return Some(false) };
        let callback = self.waiting.borrow_mut().remove(&(number / 2))?;
        if callback.is_promise {
            let settled = Settled { is_rejected: number % 2 == 1, value: arguments.get(0) };
            self.settled.borrow_mut().insert(number / 2, settled);
        }
        Some(callback.is_promise)
    }

    /// Makes a function, or a pair of them for a promise.
    fn make(&self, number: u32, is_promise: bool, arguments: &Array) -> Thrown<JsValue> {
        let maker = self.makers.borrow()[usize::from(is_promise)].clone();
        let maker = maker.ok_or_else(|| JsValue::from("CPython cannot make callbacks"))?;
        let made = maker.apply(&JsValue::UNDEFINED, arguments)?;
        let wrap = |function: JsValue, number: u32| -> JsValue {
            if !function.is_function() {
                return function;
            }
            let watched = Proxy::new(&function, &self.handler.borrow());
            self.numbers.set(function.unchecked_ref(), &number.into());
            // Timers look their callback up by what was handed out.
            self.numbers.set(watched.unchecked_ref(), &number.into());
            watched.into()
        };
        self.waiting.borrow_mut().insert(number, Callback { is_promise, arguments: arguments.clone() });
        if is_promise && Array::is_array(&made) {
            let pair: Array = made.unchecked_into();
            let (fulfilled, rejected) = (wrap(pair.get(0), 2 * number), wrap(pair.get(1), 2 * number + 1));
            return Ok(Array::of2(&fulfilled, &rejected).into());
        }
        Ok(wrap(made, 2 * number))
    }

    /// Makes a function of an earlier moment again. Memory counts a reference for the first one: it goes with that if it is
    /// registered, and else now.
    fn make_again(&self, number: u32, callback: &Callback, module: &Module) -> Option<JsValue> {
        let made = self.make(number, callback.is_promise, &callback.arguments).ok()?;
        if callback.is_promise {
            let release: Function = get(module, "_Py_DecRef").dyn_into().ok()?;
            for object in OBJECTS.map(|index| callback.arguments.get(index)).iter().filter(|object| object.is_truthy())
            {
                release.call1(&JsValue::UNDEFINED, object).ok()?;
            }
        }
        Some(made)
    }

    fn schedule(this: &Rc<Self>, api: &Api, callback: Function, delay: f64) -> Thrown<()> {
        let timer = this.next();
        this.timers.borrow_mut().insert(timer, Timer { callback, due: global::now() + delay });
        let callbacks = Rc::clone(this);
        let fire = Closure::once_into_js(move || -> Thrown<()> { Self::fire(&callbacks, timer) });
        let schedule: Function = get(api, "scheduleCallback").dyn_into()?;
        schedule.call2(api, &fire, &delay.into()).map(drop)
    }

    fn fire(this: &Rc<Self>, timer: u32) -> Thrown<()> {
        let Some(Timer { callback, .. }) = this.timers.borrow_mut().remove(&timer) else { return Ok(()) };
        let result = callback.call0(&JsValue::UNDEFINED)?;
        if let Ok(promise) = result.dyn_into::<Promise>() {
            let ended = Self::suspend(this);
            // `finally`: a failure is still one that nobody has handled.
            let finally: Function = get(&promise, "finally").dyn_into()?;
            finally.call1(&promise, &ended)?;
        }
        Ok(())
    }

    /// Counts a task as suspended until what it gives is called.
    fn suspend(this: &Rc<Self>) -> JsValue {
        this.suspended.set(this.suspended.get() + 1);
        let callbacks = Rc::clone(this);
        Closure::once_into_js(move || callbacks.suspended.set(callbacks.suspended.get() - 1))
    }
}
