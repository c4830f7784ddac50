//! Python functions that JavaScript calls once: when a timer ends, when a promise is settled.
//!
//! Pyodide makes them (`src/core/pyproxy.c`, `src/core/jsproxy.c`) and counts a reference to the Python object for
//! each. Here each gets a number; one whose number is not known any more does nothing. What is to be freed when
//! JavaScript forgets one is for [`super::registrations`].

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, HashMap, HashSet};
use std::rc::Rc;

use js_sys::{Array, Function, Object, Promise, Proxy, Reflect, WeakMap};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Api, Module};
use crate::emscripten::snapshot::glue::get;
use crate::global;

type Thrown<T> = Result<T, JsValue>;

/// What they are for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A function that anybody may call: a timer's.
    Once,
    /// The two functions that a promise calls which Python waits for.
    Promise,
    /// The two functions that are called when an asynchronous generator of JavaScript's has its next value.
    Step,
}

impl Kind {
    const ALL: [Self; 3] = [Self::Once, Self::Promise, Self::Step];

    /// The import that makes them.
    const fn import(self) -> &'static str {
        match self {
            Self::Once => "create_once_callable",
            Self::Promise => "create_promise_handles",
            Self::Step => "_agen_handle_result_js",
        }
    }

    /// Which of its arguments are Python objects that nobody frees but a call.
    const fn objects(self) -> &'static [u32] {
        match self {
            // It is registered, to be freed with the function.
            Self::Once => &[],
            Self::Promise => &[0, 1, 3],
            Self::Step => &[2, 3],
        }
    }
}

/// What JavaScript is told that destroys one that it cannot have any more.
const GONE: &str =
    "This function has been called already, or was made after the checkpoint that Python was rolled back to.";

/// A function that has not been called yet.
#[derive(Clone)]
struct Callback {
    kind: Kind,
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
    /// What was waiting at a moment that is kept.
    kept: RefCell<HashSet<u32>>,
    /// What it was called with since.
    settled: RefCell<HashMap<u32, Settled>>,
    timers: RefCell<BTreeMap<u32, Timer>>,
    /// Tasks that have given their stack away.
    suspended: Cell<u32>,
    last: Cell<u32>,
    makers: RefCell<[Option<Function>; Kind::ALL.len()]>,
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

        *this.makers.borrow_mut() = Kind::ALL.map(|kind| {
            let original = get(&env, kind.import()).dyn_into::<Function>().ok()?;
            let callbacks = Rc::clone(this);
            let make = Closure::<dyn Fn(JsValue, JsValue, Array) -> Thrown<JsValue>>::new(
                move |_target: JsValue, _this: JsValue, arguments: Array| {
                    callbacks.make(callbacks.next(), kind, &arguments)
                },
            );
            let handler = Object::new();
            set(&handler, "apply", &make.into_js_value());
            set(env.unchecked_ref(), kind.import(), &Proxy::new(&original, &handler));
            Some(original)
        });
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
        let waiting = self.waiting.borrow().clone();
        self.kept.borrow_mut().extend(waiting.keys());
        SavedCallbacks { waiting, timers: timers.collect() }
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
            if callback.kind == Kind::Step {
                // It waits for the same promise again, which tells again what it was settled with.
                let _ = this.make_again(*number, callback, module);
            }
            if callback.kind != Kind::Promise {
                continue;
            }
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
        let kept: HashSet<u32> = kept.flat_map(|saved| saved.waiting.keys().copied()).collect();
        self.settled.borrow_mut().retain(|number, _| kept.contains(number));
        self.kept.replace(kept);
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
        let (number, is_rejected) = (number / 2, number % 2 == 1);
        if self.kept.borrow().contains(&number) {
            let settled = Settled { is_rejected, value: arguments.get(0) };
            self.settled.borrow_mut().entry(number).or_insert(settled);
        }
        let callback = self.waiting.borrow_mut().remove(&number)?;
        Some(callback.kind == Kind::Promise)
    }

    /// Makes a function, or a pair of them for a promise.
    fn make(&self, number: u32, kind: Kind, arguments: &Array) -> Thrown<JsValue> {
        let maker = self.makers.borrow()[kind as usize].clone();
        let maker = maker.ok_or_else(|| JsValue::from("CPython cannot make callbacks"))?;
        self.waiting.borrow_mut().insert(number, Callback { kind, arguments: arguments.clone() });
        if kind == Kind::Step {
            let guarded = Array::from(arguments);
            guarded.set(0, self.guard(number, &arguments.get(0)));
            return maker.apply(&JsValue::UNDEFINED, &guarded);
        }
        let made = maker.apply(&JsValue::UNDEFINED, arguments)?;
        if kind == Kind::Promise && Array::is_array(&made) {
            let pair: Array = made.unchecked_into();
            let (fulfilled, rejected) = (self.watch(pair.get(0), 2 * number), self.watch(pair.get(1), 2 * number + 1));
            return Ok(Array::of2(&fulfilled, &rejected).into());
        }
        Ok(self.watch(made, 2 * number))
    }

    /// Gives a function a number.
    fn watch(&self, function: JsValue, number: u32) -> JsValue {
        if !function.is_function() {
            return function;
        }
        let watched = Proxy::new(&function, &self.handler.borrow());
        self.numbers.set(function.unchecked_ref(), &number.into());
        // Timers look their callback up by what was handed out.
        self.numbers.set(watched.unchecked_ref(), &number.into());
        watched.into()
    }

    /// A promise that is settled as another is, if its number is known then.
    fn guard(&self, number: u32, promise: &JsValue) -> JsValue {
        let Ok(then) = get(promise, "then").dyn_into::<Function>() else { return promise.clone() };
        let mut wait = |resolve: Function, reject: Function| {
            let (resolve, reject) = (self.watch(resolve.into(), 2 * number), self.watch(reject.into(), 2 * number + 1));
            if let Err(thrown) = then.call2(promise, &resolve, &reject) {
                // Rejecting does not throw.
                let _ = reject.unchecked_into::<Function>().call1(&JsValue::UNDEFINED, &thrown);
            }
        };
        Promise::new(&mut wait).into()
    }

    /// Makes a function of an earlier moment again. Memory counts a reference for the first one, which nobody calls.
    fn make_again(&self, number: u32, callback: &Callback, module: &Module) -> Option<JsValue> {
        let made = self.make(number, callback.kind, &callback.arguments).ok()?;
        let release: Function = get(module, "_Py_DecRef").dyn_into().ok()?;
        let objects = callback.kind.objects().iter().map(|index| callback.arguments.get(*index));
        for object in objects.filter(JsValue::is_truthy) {
            release.call1(&JsValue::UNDEFINED, &object).ok()?;
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
