//! The files of a distribution on their way in.

use std::cell::OnceCell;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared, try_join4};
use js_sys::{Function, Uint8Array, WebAssembly};
use taipan_core::image::Distribution;
use taipan_core::prepared::Manifest;

use super::glue::{Glue, GlueSource};
use super::known::Known;
use super::lock::{lock_bytes, lock_file};
use super::module::{ModuleSource, RequestedModule};
use crate::boundary::{BootOptions, EngineHost, KnownFile, KnownFiles, Stage};
use crate::distribution::{self, CoreFile, STANDARD_LIBRARY_FILE, WASM_FILE};
use crate::emscripten::abi::Abi;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Label, Sources, compare_sha256, spawn};
use crate::packages::Lock;

pub type Incoming<T> = Shared<LocalBoxFuture<'static, Result<T>>>;

/// Bytes and their SHA-256.
pub type Hashed = (Uint8Array, String);

/// The three files that have to be of one release.
#[derive(Clone)]
struct CoreFiles {
    glue: Hashed,
    module: Hashed,
    standard_library: Hashed,
}

/// What a boot asks for.
pub struct DistributionFiles {
    index_url: String,
    fetcher: Fetcher,
    host: EngineHost,
    guessed_abi: Abi,
    known: Option<Known>,
    lock_bytes: Incoming<Uint8Array>,
    /// Read when it is first wanted, as all that follows.
    lock: OnceCell<Incoming<Lock>>,
    /// Of the ABI that is guessed.
    glue_source: OnceCell<GlueSource>,
    glue: OnceCell<Glue>,
    /// Where the standard library is.
    library_url: String,
    /// The caller has a standard library of another make.
    is_library_own: bool,
    standard_library: OnceCell<Incoming<Hashed>>,
    module_source: ModuleSource,
    module: OnceCell<RequestedModule>,
    /// Every file has arrived and is the one that the lock file's manifest names, or, where it names none, is of the release
    /// that the others are of.
    verified: OnceCell<Incoming<CoreFiles>>,
}

impl DistributionFiles {
    /// Asks for the lock file.
    pub fn request(options: &BootOptions, fetcher: &Fetcher, host: &EngineHost) -> Self {
        let index_url = options.index_url.clone();
        let guessed_abi = Abi::guess(&index_url);
        let lock_bytes = lock_bytes(options, fetcher);
        let library_url = options.standard_library_url.clone();
        Self {
            is_library_own: library_url.is_some(),
            library_url: library_url.unwrap_or_else(|| format!("{index_url}{STANDARD_LIBRARY_FILE}")),
            index_url,
            fetcher: fetcher.clone(),
            host: host.clone(),
            known: Known::of(options, guessed_abi, host),
            guessed_abi,
            lock_bytes,
            lock: OnceCell::new(),
            glue_source: OnceCell::new(),
            glue: OnceCell::new(),
            standard_library: OnceCell::new(),
            module_source: ModuleSource::new(fetcher, &options.index_url),
            module: OnceCell::new(),
            verified: OnceCell::new(),
        }
    }

    /// Asks for the glue and the interpreter's module, unless that has been done.
    pub fn request_core(&self) {
        self.glue();
        self.requested_module();
    }

    /// Begins to evaluate the glue, if an earlier visit has found what it is: an image that is kept will need it.
    pub fn evaluate_known_glue(&self) {
        if let Some(known) = &self.known {
            known.evaluate_glue(self.glue_source());
        }
    }

    /// Whether the page has what an earlier visit has found the files to be, and compiles the module: an image that was baked
    /// with them needs no other answer.
    pub fn are_known_to_page(&self) -> bool {
        self.known.as_ref().is_some_and(|known| known.module().is_some())
    }

    fn glue_source(&self) -> &GlueSource {
        self.glue_source.get_or_init(|| GlueSource::new(&self.fetcher, &self.host, &self.index_url, self.guessed_abi))
    }

    fn glue(&self) -> &Glue {
        self.glue.get_or_init(|| self.glue_source().request())
    }

    fn requested_module(&self) -> &RequestedModule {
        self.module.get_or_init(|| match self.known.as_ref().and_then(Known::module) {
            Some(known) => self.module_source.known_or_requested(known),
            None => self.module_source.request(),
        })
    }

    /// The ABI that the folder's address speaks for.
    pub fn guessed_abi(&self) -> Abi {
        self.guessed_abi
    }

    /// The lock file, as it came.
    pub fn lock_bytes(&self) -> Incoming<Uint8Array> {
        self.lock_bytes.clone()
    }

    fn lock(&self) -> &Incoming<Lock> {
        self.lock.get_or_init(|| lock_file(self.lock_bytes(), &self.fetcher))
    }

    /// Whether somebody has had the lock file read.
    pub fn is_lock_file_read(&self) -> bool {
        self.lock.get().is_some()
    }

    /// The lock file, read, and the ABI that it names.
    pub async fn lock_file(&mut self) -> Result<Lock> {
        let lock = self.lock().clone().await?;
        self.expect(lock.abi);
        Ok(lock)
    }

    /// Asks for the glue of an ABI, if another was guessed. Says whether the guess was right.
    fn expect(&mut self, abi: Abi) -> bool {
        if abi == self.guessed_abi {
            return true;
        }
        self.guessed_abi = abi;
        self.glue_source = OnceCell::new();
        if self.glue.take().is_some() {
            self.glue();
        }
        self.verified = OnceCell::new();
        false
    }

    /// The function that the glue defines. A glue that is not of a known release runs only when all other files are
    /// seen not to be of one either.
    pub fn factory(&self, abi: Abi) -> impl Future<Output = Result<Function>> + use<> {
        let (glue, verified, lock) = (self.glue().clone(), self.verified(), self.lock().clone());
        async move {
            let (bytes, hash) = glue.bytes.clone().await?;
            let is_vouched_for = |manifest: &Manifest| {
                manifest.file(abi.glue_file()).is_some_and(|facts| facts.sha256.eq_ignore_ascii_case(&hash))
            };
            if distribution::is_known(&hash) || is_vouched_for(lock.await?.file().manifest()) {
                return glue.evaluate(&bytes).await;
            }
            let verified = verified.await?.glue.0;
            glue.source.evaluate_bytes(&verified).await
        }
    }

    /// The archive of the standard library.
    pub fn standard_library(&self) -> impl Future<Output = Result<Hashed>> + use<> {
        let verified = self.verified();
        async move { Ok(verified.await?.standard_library) }
    }

    /// Asks for the standard library, unless that has been done: an image does not need it at once.
    pub fn request_library(&self) -> Incoming<Hashed> {
        let request = || {
            let label = Label { stage: Stage::Fetch, name: STANDARD_LIBRARY_FILE, size: None };
            share(self.fetcher.download_from(Sources::at(&self.library_url), label))
        };
        self.standard_library.get_or_init(request).clone()
    }

    /// The SHA-256 of every file that a boot has brought.
    pub async fn hashes(&self) -> Result<[String; 3]> {
        let core = self.verified().await?;
        Ok([core.glue.1, core.module.1, core.standard_library.1])
    }

    /// What the glue and the interpreter's module are, whose SHA-256 come first among those of all files, and the answers in
    /// which they came, if they came to this thread.
    pub fn known_files(&self, [glue, module, _]: &[String; 3]) -> KnownFiles {
        let file = |name: &str, sha256: &str, answer| KnownFile { name: name.into(), sha256: sha256.into(), answer };
        KnownFiles {
            glue: file(self.guessed_abi.glue_file(), glue, self.glue_source().answer()),
            module: file(WASM_FILE, module, self.module_source.answer()),
        }
    }

    /// The function that the glue defines, if it is that of a known release: it need not wait for anything else.
    pub fn early_factory(&self) -> Incoming<Option<Function>> {
        let glue = self.glue().clone();
        share(async move {
            let (bytes, hash) = glue.bytes.clone().await?;
            if !distribution::is_known(&hash) {
                return Ok(None);
            }
            glue.evaluate(&bytes).await.map(Some)
        })
    }

    /// The function that the glue defines and the compiled module, if they are those that an image was baked with. `early` is
    /// what is being made of a glue that has been asked for; without it nothing has been, and the HTTP cache may have both.
    pub fn restored(
        &mut self,
        wanted: &Distribution,
        abi: Abi,
        early: Option<Incoming<Option<Function>>>,
    ) -> (Incoming<Function>, Incoming<WebAssembly::Module>) {
        let is_right_glue = self.expect(abi);
        let known = self.known.as_ref().and_then(Known::module);
        let (glue, module) = (wanted.glue.to_string(), wanted.module.to_string());
        match early {
            Some(early) => (self.requested_factory(abi, glue, is_right_glue.then_some(early)), self.requested(module)),
            None => (self.cached_factory(abi, glue), self.module_source.cached(module, known)),
        }
    }

    fn requested_factory(
        &self,
        abi: Abi,
        wanted: String,
        early: Option<Incoming<Option<Function>>>,
    ) -> Incoming<Function> {
        let glue = self.glue().clone();
        share(async move {
            let (bytes, hash) = glue.bytes.clone().await?;
            compare_sha256(abi.glue_file(), &hash, &wanted)?;
            if let Some(early) = early
                && let Some(factory) = early.await?
            {
                return Ok(factory);
            }
            glue.evaluate(&bytes).await
        })
    }

    fn requested(&self, wanted: String) -> Incoming<WebAssembly::Module> {
        let (requested, source) = (self.requested_module().clone(), self.module_source.clone());
        share(async move { source.compared(requested, &wanted).await })
    }

    fn cached_factory(&self, abi: Abi, wanted: String) -> Incoming<Function> {
        let source = self.glue_source().clone();
        let known = self.known.as_ref().and_then(|known| known.factory(abi, &wanted));
        share(async move {
            if let Some(known) = known
                && let Some(factory) = known.await?
            {
                return Ok(factory);
            }
            source.evaluate_cached(&wanted).await
        })
    }

    fn verified(&self) -> Incoming<CoreFiles> {
        let verify = || {
            let files = [&self.glue().bytes, &self.requested_module().0, &self.request_library()];
            let wanted = Wanted { abi: self.guessed_abi, is_library_own: self.is_library_own };
            verify(&self.fetcher, &self.index_url, wanted, self.lock(), files)
        };
        self.verified.get_or_init(verify).clone()
    }

    /// The compiled module.
    pub fn module(&self) -> LocalBoxFuture<'static, Result<WebAssembly::Module>> {
        let ((module, compiled), verified) = (self.requested_module().clone(), self.verified());
        let timeline = self.fetcher.timeline();
        let source = self.module_source.clone();
        async move {
            let compiled = compiled.await;
            timeline.end(Stage::Compile);
            let (bytes, hash) = verified.await?.module;
            timeline.end(Stage::Fetch);
            if hash == module.await?.1 { compiled } else { source.compile(&bytes).await }
        }
        .boxed_local()
    }
}

/// What the files have to be.
#[derive(Clone, Copy)]
struct Wanted {
    abi: Abi,
    /// The caller has a standard library of another make.
    is_library_own: bool,
}

/// Waits for all files and checks them. One that is not what it has to be is asked for again past the HTTP cache, which may
/// have kept a bad transfer.
fn verify(
    fetcher: &Fetcher,
    folder: &str,
    wanted: Wanted,
    lock: &Incoming<Lock>,
    files: [&Incoming<Hashed>; 3],
) -> Incoming<CoreFiles> {
    let [glue, module, standard_library] = files.map(Clone::clone);
    let (fetcher, folder, lock) = (fetcher.clone(), folder.to_owned(), lock.clone());
    share(async move {
        let (glue, module, standard_library, lock) = try_join4(glue, module, standard_library, lock).await?;
        let mut core = CoreFiles { glue, module, standard_library };
        while let Err((file, expected, error)) = core.check(lock.file().manifest(), wanted) {
            let (name, wrong) = match file {
                CoreFile::Glue => (wanted.abi.glue_file(), &mut core.glue),
                CoreFile::Wasm => (WASM_FILE, &mut core.module),
                CoreFile::StandardLibrary => (STANDARD_LIBRARY_FILE, &mut core.standard_library),
            };
            let sources = Sources::at(&format!("{folder}{name}")).with_sha256(&expected).reloaded();
            let label = Label { stage: Stage::Fetch, name, size: None };
            *wrong = match fetcher.download_from(sources, label).await {
                Err(failure) if failure.code() != Code::Aborted => return Err(error),
                outcome => outcome?,
            };
        }
        Ok(core)
    })
}

impl CoreFiles {
    /// The first file that is not the one that the manifest names, or, where it names none, not of the release that the
    /// others are of; with the SHA-256 that it should have.
    fn check(&self, manifest: &Manifest, wanted: Wanted) -> std::result::Result<(), (CoreFile, String, Error)> {
        let files = [
            (CoreFile::Glue, wanted.abi.glue_file(), &self.glue.1),
            (CoreFile::Wasm, WASM_FILE, &self.module.1),
            (CoreFile::StandardLibrary, STANDARD_LIBRARY_FILE, &self.standard_library.1),
        ];
        let mut hashes = Vec::new();
        for (file, name, hash) in files {
            if file == CoreFile::StandardLibrary && wanted.is_library_own {
                continue;
            }
            match manifest.file(name) {
                Some(facts) => {
                    compare_sha256(name, hash, &facts.sha256).map_err(|error| (file, facts.sha256.clone(), error))?;
                }
                None => hashes.push((file, hash.clone())),
            }
        }
        distribution::check(&hashes).map_err(|mismatch| {
            let error = Error::new(Code::Integrity, mismatch.to_string()).hint(
                "Take all files of the distribution from one release, unmodified; reload if it was a bad transfer.",
            );
            (mismatch.file, mismatch.expected.to_owned(), error)
        })
    }
}

pub(super) fn share<T: Clone + 'static>(future: impl Future<Output = Result<T>> + 'static) -> Incoming<T> {
    spawn(future).boxed_local().shared()
}
