//! What the glue keeps in JavaScript at one moment, to go back to within the same module.
//!
//! The function table is never put back. It only grows: a slot that was given to a function since is the function's for
//! ever, because the glue remembers that (`functionsInTableMap`), and memory of an earlier moment does not know its
//! number. While a moment is kept, slots that are given back are not given to others.

mod links;
mod references;
mod streams;

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use self::links::SavedLinks;
use self::references::SavedReferences;
use self::streams::Streams;
use super::abi::set;
use super::bindings::Module;
use super::file_system::SharedFileSystem;
use super::linker::Linker;
use super::snapshot::glue::{Glue, get};
use crate::error::Result;

/// The glue at one moment.
pub struct Moment {
    stack_pointer: JsValue,
    links: SavedLinks,
    references: SavedReferences,
    streams: Streams,
    /// Pyodide's `loadedPackages`.
    packages: Object,
}

impl Moment {
    /// The glue as it is. `before` is another moment that is kept, to share with.
    ///
    /// # Errors
    /// [`crate::error::Code::NotSupported`] for what cannot be gone back to.
    pub fn now(module: &Module, linker: &Linker, before: Option<&Self>) -> Result<Self> {
        let glue = Glue::new(module);
        linker.complete()?;
        Ok(Self {
            stack_pointer: glue.call("stackSave", &[])?,
            links: SavedLinks::now(&glue, linker, before.map(|before| &before.links)),
            references: SavedReferences::now(&glue),
            streams: Streams::now(&module.fs())?,
            packages: Object::assign(&Object::new(), &loaded_packages(module)),
        })
    }

    /// Makes the glue be as it was. Memory and files have to be so already.
    ///
    /// # Errors
    /// [`crate::error::Code::Fatal`] if the glue fails.
    pub fn roll_back(&self, module: &Module, linker: &Linker, files: &SharedFileSystem) -> Result<()> {
        let glue = Glue::new(module);
        glue.call("stackRestore", std::slice::from_ref(&self.stack_pointer))?;
        self.links.roll_back(&glue, linker);
        self.references.roll_back(&glue)?;
        make_equal(&loaded_packages(module), &self.packages);
        self.streams.roll_back(&module.fs(), files)
    }
}

/// Keeps slots that are given back from being given to others, or lets them be.
pub fn hold_slots(module: &Module, hold: bool) {
    const PUSH: &str = "push";
    let free: Object = Glue::new(module).free_slots().into();
    if hold {
        let ignore = Closure::<dyn Fn(JsValue)>::new(|_: JsValue| {}).into_js_value();
        let ignore: Function = ignore.unchecked_into();
        set(&free, PUSH, &ignore);
    } else {
        // What is left is the array's own method.
        let _ = Reflect::delete_property(&free, &PUSH.into());
    }
}

/// Empties the slots of side modules that no moment has linked any more.
///
/// # Errors
/// [`crate::error::Code::Fatal`] if the glue fails.
pub fn clear_abandoned<'a>(module: &Module, linker: &Linker, kept: impl Iterator<Item = &'a Moment>) -> Result<()> {
    links::clear_abandoned(&Glue::new(module), linker, kept.map(|moment| &moment.links))
}

fn loaded_packages(module: &Module) -> Object {
    get(&get(&module.api(), "public_api"), "loadedPackages").unchecked_into()
}

/// Gives an object the entries of another.
fn make_equal(object: &Object, wanted: &Object) {
    for name in Object::keys(object).iter() {
        if !Reflect::has(wanted, &name).unwrap_or(true) {
            // A plain object of the glue's: its entries can be deleted.
            let _ = Reflect::delete_property(object, &name);
        }
    }
    Object::assign(object, wanted);
}
