//! `Module.instantiateWasm`: Emscripten gives the imports and wants the instance.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::{Function, Object, WebAssembly};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;

use super::failure::Failure;
use super::options::{ModuleFuture, Populate, PopulateFuture};
use crate::boundary::Stage;
use crate::emscripten::abi::Abi;
use crate::emscripten::bindings::Module;
use crate::emscripten::call_sites;
use crate::emscripten::handles::Handles;
use crate::emscripten::linker::Linker;
use crate::emscripten::module_lookup::ModuleLookup;
use crate::emscripten::sentinel;
use crate::emscripten::signals;
use crate::emscripten::snapshot::Restore;
use crate::emscripten::snapshot::glue::get;
use crate::emscripten::wrapping::place_functions;
use crate::error::{Code, Error, Result};
use crate::timeline::Timeline;

/// What a start waits for while the glue is at work, and whom it tells of the instance.
pub struct Instantiation {
    /// Which glue it is.
    pub abi: Abi,
    /// The compiled module.
    pub module: ModuleFuture,
    /// Puts the files in their place.
    pub populate: PopulateFuture,
    /// Where `populate` is put for `preRun`.
    pub arrived: Rc<RefCell<Option<Populate>>>,
    /// Emscripten's module.
    pub emscripten: Module,
    /// A captured state that is to be restored.
    pub restore: Option<Rc<Restore>>,
    /// Answers questions about modules that Python asks through a system call.
    pub lookup: ModuleLookup,
    /// Where what JavaScript gets of Python's is noted.
    pub handles: Option<Rc<Handles>>,
    /// Answers CPython's question for signals; absent if the glue does.
    pub poll_signals: Option<Function>,
    /// Where side modules are found.
    pub linker: Linker,
    /// Takes the time.
    pub timeline: Rc<Timeline>,
}

impl Instantiation {
    /// The function that Emscripten calls.
    pub fn hook(self, failure: Failure) -> JsValue {
        Closure::once_into_js(move |imports: Object, receive: Function| -> Object {
            wasm_bindgen_futures::spawn_local(async move {
                if let Err(error) = self.run(imports, receive).await {
                    failure.set(error);
                }
            });
            Object::new()
        })
    }

    async fn run(self, imports: Object, receive: Function) -> Result<()> {
        let (import_module, names) = self.abi.sentinel();
        sentinel::add_to_imports(&imports, import_module, names)?;
        self.linker.watch_imports(&imports);
        self.lookup.watch_imports(&imports, &self.emscripten);
        if let Some(handles) = &self.handles {
            handles.watch_imports(&imports);
        }
        if let Some(poll) = &self.poll_signals {
            signals::answer(&imports, poll);
        }
        let module = self.module.await?;
        if let Some(restore) = &self.restore {
            restore.before_instantiation(&self.emscripten).await?;
        }
        let failed = |thrown| Error::from_js(Code::BadWasm, "CPython's module cannot be instantiated", thrown);
        let instance = JsFuture::from(WebAssembly::instantiate_module(&module, &imports)).await.map_err(failed)?;
        self.timeline.end(Stage::Instantiate);
        let exports: Object = get(&instance, "exports").unchecked_into();
        let table = function_table(&self.emscripten, &exports);
        self.linker.set_main_table_length(table.length());
        let env: Object = get(&imports, "env").unchecked_into();
        if let Ok(memory) = get(if self.abi.exports_memory() { &exports } else { &env }, "memory").dyn_into() {
            call_sites::show_another_instance(&memory, &exports, &table);
        }
        if let Some(restore) = &self.restore {
            restore.before_receiving(&self.emscripten, &exports, &table)?;
        } else {
            let symbols = self.emscripten.global_offset_table();
            place_functions(&env, &symbols, &exports, &table, self.abi.unresolved_symbol()).await;
        }
        *self.arrived.borrow_mut() = Some(self.populate.await?);
        // Everything up to the end of CPython's `main` happens inside this call.
        match &self.restore {
            Some(restore) => {
                self.linker.complete_later({
                    let (restore, module) = (Rc::clone(restore), self.emscripten.clone());
                    move || restore.complete(&module)
                });
                restore.hand_over(&receive, (&module, &exports), &env)?;
            }
            None => {
                receive
                    .call2(&JsValue::UNDEFINED, &instance, &module)
                    .map_err(|thrown| Error::from_js(Code::Fatal, "CPython cannot be started", thrown))?;
            }
        }
        self.timeline.end(Stage::Interpreter);
        Ok(())
    }
}

/// The function table, which is the module's own or was given to it.
fn function_table(emscripten: &Module, exports: &Object) -> WebAssembly::Table {
    let own = get(exports, "__indirect_function_table");
    if own.is_object() { own } else { get(emscripten, "wasmTable") }.unchecked_into()
}
