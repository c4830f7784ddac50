//! The class that JavaScript sees.

mod files;
mod mounts;

use futures::FutureExt as _;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

use crate::boot::{self, Face, Interpreter};
use crate::boundary::{
    BootOptions, BootOptionsObject, CheckpointInfoObject, EngineHost, FileStatObject, InstallOptionsObject,
    KeptImageArray, KnownFilesObject, MemoryUseObject, PackageInfoArray, RunEndObject, RunRequestObject,
    StoreBackendName, StoreUsageObject, TimingsObject, WantedImage, from_js, to_js,
};
use crate::bytecode::Bytecode;
use crate::error::{Code, Error};
use crate::fetch::Fetcher;
use crate::image::{self, AutomaticImage};
use crate::install;
use crate::part::Part;
use crate::session::{RunRequest, Session};

/// A started Python interpreter.
#[wasm_bindgen]
pub struct Engine {
    interpreter: Interpreter,
    session: Session,
}

type Thrown<T> = Result<T, JsValue>;

#[wasm_bindgen]
impl Engine {
    /// Starts Python. Rejects with an `EngineError`.
    ///
    /// # Errors
    /// Whatever keeps Python from starting; see `ErrorCode` in `boundary.d.ts`.
    pub async fn boot(options: BootOptionsObject, host: EngineHost, signal: Option<AbortSignal>) -> Thrown<Engine> {
        let mut interpreter = boot::boot(read_boot_options(&options)?, Face::Session, host, signal).await?;
        let missing = || Error::new(Code::Fatal, "The interpreter has no session.");
        let session = interpreter.session.take().ok_or_else(missing)?;
        Ok(Self { interpreter, session })
    }

    /// Runs code to its end. Output goes to the host as it happens.
    ///
    /// # Errors
    /// `PYTHON` for an exception, `INTERRUPTED`, `TIMEOUT`, `FATAL`.
    pub async fn run(&self, request: RunRequestObject) -> Thrown<RunEndObject> {
        let request = read_run_request(&request)?;
        self.interpreter.bytecode.note_activity();
        let ended = self.session.run(request).await;
        self.interpreter.note_modules();
        Bytecode::put_away_when_idle(&self.interpreter.bytecode, &self.interpreter.api);
        Ok(ended?.unchecked_into())
    }

    /// Cancels a run that is awaiting something; says whether there was one.
    pub fn cancel(&self, run: u32) -> bool {
        self.session.cancel(run)
    }

    /// Puts packages and what they need on the path: names of the lock file or addresses of wheels. Gives those that
    /// were not there before.
    ///
    /// # Errors
    /// `PACKAGE_NOT_FOUND`, `PACKAGES_FAILED` and what a single package can fail with.
    #[wasm_bindgen(js_name = loadPackage)]
    pub async fn load_package(&self, names: Vec<String>, signal: Option<AbortSignal>) -> Thrown<PackageInfoArray> {
        self.interpreter.bytecode.note_activity();
        let loaded = self.interpreter.packages.load(&names, &self.fetcher(signal)).await;
        Bytecode::put_away_when_idle(&self.interpreter.bytecode, &self.interpreter.api);
        Ok(to_js(&loaded?).unchecked_into())
    }

    /// Loads the packages that a piece of code imports, as far as the lock file knows them.
    ///
    /// # Errors
    /// As `loadPackage`.
    #[wasm_bindgen(js_name = loadPackagesFromImports)]
    pub async fn load_packages_from_imports(
        &self,
        code: String,
        signal: Option<AbortSignal>,
    ) -> Thrown<PackageInfoArray> {
        let loaded = self.interpreter.packages.load_for_imports(&code, &self.fetcher(signal)).await?;
        Ok(to_js(&loaded).unchecked_into())
    }

    /// Puts on the path what meets requirements, from the lock file and from package indexes. Gives what was not there
    /// before.
    ///
    /// # Errors
    /// `BAD_REQUIREMENT`, `PACKAGE_NOT_FOUND`, `RESOLUTION`, `BAD_INDEX` and what loading can fail with.
    pub async fn install(
        &self,
        requirements: Vec<String>,
        options: InstallOptionsObject,
        signal: Option<AbortSignal>,
    ) -> Thrown<PackageInfoArray> {
        let packages = &self.interpreter.packages;
        Part::Resolver.load(packages.host()).await?;
        let installed = install::install(packages, &requirements, &options, self.fetcher(signal)).await?;
        Ok(to_js(&installed).unchecked_into())
    }

    /// The text of a lock file with everything that is loaded.
    ///
    /// # Errors
    /// `NOT_SUPPORTED` for what has no address on the network.
    pub async fn freeze(&self) -> Thrown<String> {
        Part::Resolver.load(self.interpreter.packages.host()).await?;
        Ok(self.interpreter.packages.freeze()?)
    }

    /// The packages that are on the path.
    #[wasm_bindgen(js_name = loadedPackages)]
    pub fn loaded_packages(&self) -> PackageInfoArray {
        to_js(&self.interpreter.packages.loaded()).unchecked_into()
    }

    /// A global variable as plain data.
    ///
    /// # Errors
    /// `PYTHON` if there is none of that name, or it has no plain form.
    #[wasm_bindgen(js_name = globalsGet)]
    pub fn globals_get(&self, name: &str) -> Thrown<JsValue> {
        Ok(self.session.get_global(name)?)
    }

    /// Sets a global variable to plain data.
    ///
    /// # Errors
    /// `PYTHON` if it cannot be converted.
    #[wasm_bindgen(js_name = globalsSet)]
    pub fn globals_set(&self, name: &str, value: &JsValue) -> Thrown<()> {
        Ok(self.session.set_global(name, value)?)
    }

    /// An image of the interpreter as it is, variables included, in pieces that belong one behind the other. Nothing may
    /// be running.
    ///
    /// # Errors
    /// `NOT_SUPPORTED` for what an image cannot hold, naming it.
    pub async fn bake(&self) -> Thrown<js_sys::Array> {
        Part::Image.load(self.interpreter.packages.host()).await?;
        self.interpreter.complete_image().await?;
        Ok(image::bake(&self.interpreter, &self.interpreter.at_work())?)
    }

    /// Bakes an image and keeps it in this browser under a name, in the place of what had it, unless `signal` aborts before it
    /// is written.
    ///
    /// # Errors
    /// As `bake`, `OUT_OF_MEMORY` if it cannot be kept, and `ABORTED`.
    #[wasm_bindgen(js_name = keepImage)]
    pub async fn keep_image(&self, name: String, signal: Option<AbortSignal>) -> Thrown<()> {
        Part::Image.load(self.interpreter.packages.host()).await?;
        self.interpreter.complete_image().await?;
        Ok(image::keep(&self.interpreter, &name, &self.fetcher(signal)).await?)
    }

    /// The images that are kept under a name.
    pub async fn images(&self) -> KeptImageArray {
        to_js(&image::list(&self.interpreter.store).await).unchecked_into()
    }

    /// Forgets the image of a name, if there is one.
    #[wasm_bindgen(js_name = forgetImage)]
    pub async fn forget_image(&self, name: String) {
        // What cannot be read of it now cannot be read later either.
        let _ = self.interpreter.let_go_of_image();
        self.interpreter.store.remove(&image::stored_name(&name)).await;
    }

    /// Keeps the interpreter as it is, to go back to. Nothing may be running.
    ///
    /// # Errors
    /// `NOT_SUPPORTED` for what could not be gone back to, `OUT_OF_MEMORY`; `LOAD_NETWORK` and the like for the part that does
    /// it.
    pub async fn checkpoint(&self) -> Thrown<CheckpointInfoObject> {
        Part::Checkpoint.load(self.interpreter.packages.host()).await?;
        let info = self.interpreter.checkpoints.take(&self.interpreter).await?;
        Ok(to_js(&info).unchecked_into())
    }

    /// Makes the interpreter be as it was at a checkpoint. Nothing may be running.
    ///
    /// # Errors
    /// `CHECKPOINT_GONE`, `NOT_SUPPORTED`; nothing has changed then. `FATAL`.
    pub async fn rollback(&self, id: u32) -> Thrown<()> {
        Part::Checkpoint.load(self.interpreter.packages.host()).await?;
        Ok(self.interpreter.checkpoints.roll_back(&self.interpreter, id).await?)
    }

    /// Lets go of a checkpoint, if it is there.
    ///
    /// # Errors
    /// `FATAL`.
    #[wasm_bindgen(js_name = disposeCheckpoint)]
    pub fn dispose_checkpoint(&self, id: u32) -> Thrown<()> {
        Ok(self.interpreter.checkpoints.dispose(&self.interpreter, id)?)
    }

    /// What an image for the next start should hold: nothing if there is one that does, or none can be kept.
    ///
    /// # Errors
    /// `FATAL`; `LOAD_NETWORK` and the like for the part that makes images.
    #[wasm_bindgen(js_name = imageWanted)]
    pub async fn image_wanted(&self) -> Thrown<Option<WantedImage>> {
        let wanted = self.interpreter.automatic.as_ref().filter(|_| self.interpreter.store.is_persistent());
        let Some(image) = wanted else { return Ok(None) };
        Part::Image.load(self.interpreter.packages.host()).await?;
        // Boxed, so that it can be in that part.
        Ok(image.wanted(&self.interpreter).boxed_local().await?)
    }

    /// Imports modules, and keeps an image for the next start under the key of a request. Says whether it is kept.
    ///
    /// # Errors
    /// As `bake`.
    #[wasm_bindgen(js_name = makeImage)]
    pub async fn make_image(&self, key: String, modules: Vec<String>, at_work: Vec<String>) -> Thrown<bool> {
        Part::Image.load(self.interpreter.packages.host()).await?;
        Ok(AutomaticImage::requested(key).make(&self.interpreter, &modules, &at_work).boxed_local().await?)
    }

    /// Forgets the image that was made by itself for starts like this one.
    #[wasm_bindgen(js_name = forgetAutomaticImage)]
    pub async fn forget_automatic_image(&self) {
        if let Some(image) = &self.interpreter.automatic {
            image.forget(&self.interpreter.store).await;
        }
    }

    /// Sizes in bytes.
    pub fn memory(&self) -> MemoryUseObject {
        let memory = self.interpreter.memory();
        to_js(&memory).unchecked_into()
    }

    /// How long each stage of the boot took, and what was moved.
    pub fn timings(&self) -> TimingsObject {
        self.interpreter.timings()
    }

    /// What the distribution's files are.
    #[wasm_bindgen(js_name = knownFiles)]
    pub fn known_files(&self) -> KnownFilesObject {
        to_js(&self.interpreter.known).unchecked_into()
    }

    /// Where things are kept for the next visit.
    #[wasm_bindgen(js_name = storeBackend)]
    pub fn store_backend(&self) -> StoreBackendName {
        JsValue::from(self.interpreter.store.backend_name()).unchecked_into()
    }

    /// How much is kept for this origin.
    #[wasm_bindgen(js_name = storeUsage)]
    pub async fn store_usage(&self) -> StoreUsageObject {
        to_js(&self.interpreter.store.usage().await).unchecked_into()
    }

    /// Forgets everything that is kept for this origin.
    #[wasm_bindgen(js_name = storeClear)]
    pub async fn store_clear(&self) {
        // What cannot be read of an image now cannot be read later either.
        let _ = self.interpreter.let_go_of_image();
        self.interpreter.store.clear().await;
    }

    /// The version of the distribution, such as `0.28.3`.
    pub fn version(&self) -> String {
        self.interpreter.module.api().version()
    }

    /// The version of CPython, such as `3.13.2`.
    #[wasm_bindgen(js_name = pythonVersion)]
    pub fn python_version(&self) -> String {
        let parts = self.interpreter.module.api().py_version_tuple().unwrap_or_default();
        parts.join(".").into()
    }

    fn fetcher(&self, signal: Option<AbortSignal>) -> Fetcher {
        self.interpreter.network.fetcher(signal)
    }
}

/// Reads `BootOptions`.
///
/// # Errors
/// [`Code::BadArgument`].
pub fn read_boot_options(options: &BootOptionsObject) -> Result<BootOptions, Error> {
    from_js("The options of the boot", options)
}

fn read_run_request(request: &JsValue) -> Result<RunRequest, Error> {
    let property = |name: &str| js_sys::Reflect::get(request, &name.into()).unwrap_or(JsValue::UNDEFINED);
    let text = |name: &str| {
        property(name)
            .as_string()
            .ok_or_else(|| Error::new(Code::BadArgument, format!("`{name}` of a run must be a string.")))
    };
    let run = property("run").as_f64().unwrap_or_default() as u32;
    if run == 0 {
        return Err(Error::new(Code::BadArgument, "`run` of a run must be a number from 1."));
    }
    Ok(RunRequest {
        run,
        code: text("code")?,
        filename: text("filename")?,
        globals: property("globals"),
        timeout: property("timeoutMs").as_f64(),
    })
}
