//! The image that Taipan makes by itself when nothing runs, for the next start of the same kind.
//!
//! It is not made of the interpreter that the page uses but of a fresh one, in a worker of its own, which imports the modules
//! of packages that the page's has imported, and nothing else. So it holds no variable, file or output of anybody's.

use js_sys::{Array, Function, Object, Reflect, Uint8Array};
use taipan_core::image::ContentHash;
use taipan_core::source::SharedSource;
use wasm_bindgen::{JsCast, JsValue};

use super::{bake, engine};
use crate::boot::Interpreter;
use crate::boundary::{BootOptions, WantedImage};
use crate::emscripten::abi::set;
use crate::error::{Code, Error, Result};
use crate::python_files;
use crate::store::Store;

/// What the image of one kind of start is called.
#[derive(Clone)]
pub struct AutomaticImage {
    key: String,
}

/// First line of what is kept beside an image: the modules that it was to hold follow, one a line.
const MADE: &str = "made";

/// The same where no image could be made of them: it is not tried again.
const NOT_MADE: &str = "not made";

impl AutomaticImage {
    /// That of a start with these options, by this release. The contents of the lock file and of the distribution are
    /// compared when it is restored.
    pub fn of(options: &BootOptions) -> Self {
        let mut kind = vec![engine(), python_files::OWN_HASH.to_owned()];
        kind.extend(options.of_distribution().map(str::to_owned));
        let mut packages = options.packages.clone();
        packages.sort();
        kind.extend(packages);
        Self { key: ContentHash::of(kind.join("\0").as_bytes()).to_string() }
    }

    /// That of a request.
    pub const fn requested(key: String) -> Self {
        Self { key }
    }

    /// Whether there may be one.
    pub fn is_in(&self, store: &Store) -> bool {
        store.contains(&self.name())
    }

    /// Its bytes, as they are.
    pub async fn read(&self, store: &Store) -> Option<SharedSource> {
        store.open_unchecked(&self.name()).await
    }

    /// Forgets it, so that it is made again.
    pub async fn forget(&self, store: &Store) {
        store.remove(&self.record_name()).await;
        store.remove(&self.name()).await;
    }

    /// What an image for the next start should hold; nothing if there is one that does.
    ///
    /// # Errors
    /// [`Code::Fatal`] if Python cannot be asked.
    pub async fn wanted(&self, interpreter: &Interpreter) -> Result<Option<WantedImage>> {
        let Interpreter { store, packages, timeline, .. } = interpreter;
        let imported = call(interpreter, "imported", &[])?.as_string().unwrap_or_default();
        let (has_new, modules) = imported.split_once('\n').unwrap_or_default();
        if timeline.image_origin().is_some() && has_new.is_empty() {
            return Ok(None);
        }
        // Another tab may have made one.
        store.refresh().await;
        if self.is_known(store, modules).await {
            return Ok(None);
        }
        let strings = |names: &mut dyn Iterator<Item = &str>| names.map(JsValue::from).collect::<Array>();
        let packages = packages.loaded();
        let mut names = packages.iter().filter(|package| package.source == "lock").map(|package| &*package.name);
        let request = Object::new();
        set(&request, "key", &self.key.as_str().into());
        set(&request, "packages", &strings(&mut names));
        set(&request, "modules", &strings(&mut modules.lines()));
        let at_work = interpreter.at_work();
        set(&request, "atWork", &strings(&mut at_work.iter().map(String::as_str)));
        Ok(Some(request.unchecked_into()))
    }

    /// Imports what is wanted and keeps an image of it. Says whether it is kept. What is `at_work` is as for [`bake`].
    ///
    /// # Errors
    /// As [`bake`].
    pub async fn make(&self, interpreter: &Interpreter, modules: &[String], at_work: &[String]) -> Result<bool> {
        let (store, modules) = (&interpreter.store, modules.join("\n"));
        call(interpreter, "import_modules", &[modules.as_str().into()])?;
        let made = bake::whole(interpreter, at_work);
        // One that takes more than half of the room would push out what it was made of.
        let is_kept = match &made {
            Ok(image) if store.can_spare(image.length()).await => {
                store.put(&self.name(), image).await && store.is_persistent()
            }
            _ => false,
        };
        let record = format!("{}\n{modules}", if is_kept { MADE } else { NOT_MADE });
        store.put(&self.record_name(), &Uint8Array::from(record.as_bytes())).await;
        made.map(|_| is_kept)
    }

    /// Whether an image of these modules is there, or cannot be made.
    async fn is_known(&self, store: &Store, modules: &str) -> bool {
        let Some(record) = store.get(&self.record_name()).await else { return false };
        let record = String::from_utf8(record.to_vec()).unwrap_or_default();
        let (outcome, of) = record.split_once('\n').unwrap_or_default();
        let of: Vec<&str> = of.lines().collect();
        (outcome == NOT_MADE || self.is_in(store)) && modules.lines().all(|module| of.contains(&module))
    }

    /// What it is called in the store.
    pub fn name(&self) -> String {
        format!("automatic-image/{}", self.key)
    }

    fn record_name(&self) -> String {
        format!("automatic-image/{}/modules", self.key)
    }
}

fn call(interpreter: &Interpreter, function: &str, arguments: &[JsValue]) -> Result<JsValue> {
    let failed = |thrown| Error::from_js(Code::Fatal, "Modules for an image cannot be looked at", thrown);
    let module = interpreter.api.pyimport("_taipan.image").map_err(failed)?;
    let function: Function = Reflect::get(&module, &function.into()).map_err(failed)?.unchecked_into();
    function.apply(&JsValue::UNDEFINED, &arguments.iter().collect()).map_err(failed)
}
