//! The files of a distribution on their way in.

use futures::FutureExt as _;
use futures::channel::oneshot;
use futures::future::{LocalBoxFuture, Shared, try_join3};
use js_sys::{Array, Function, Uint8Array, WebAssembly};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Url};

use crate::boundary::{BootOptions, EngineHost, Stage};
use crate::distribution::{self, CoreFile, LOCK_FILE, Mismatch, STANDARD_LIBRARY_FILE, WASM_FILE};
use crate::emscripten::abi::Abi;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Label, Sources, settle, spawn};
use crate::packages::Lock;

type Incoming<T> = Shared<LocalBoxFuture<'static, Result<T>>>;

/// Bytes and their SHA-256.
pub type Hashed = (Uint8Array, String);

/// The three files that have to be of one release.
#[derive(Clone)]
struct CoreFiles {
    glue: Hashed,
    module: Hashed,
    standard_library: Hashed,
}

/// Every request that a boot makes, started together.
pub struct DistributionFiles {
    index_url: String,
    fetcher: Fetcher,
    guessed_abi: Abi,
    lock: Incoming<String>,
    glue: Incoming<Hashed>,
    standard_library: Incoming<Hashed>,
    module: Incoming<Hashed>,
    /// Compiled while it streamed.
    compiled: Incoming<WebAssembly::Module>,
    /// Every file has arrived and is of the release that the others are of.
    verified: Incoming<CoreFiles>,
}

impl DistributionFiles {
    /// Asks for everything at once.
    pub fn request(options: &BootOptions, fetcher: &Fetcher) -> Self {
        let index_url = options.index_url.clone();
        let guessed_abi = Abi::guess(&index_url);
        let (module, compiled) = request_module(fetcher, format!("{index_url}{WASM_FILE}"));
        let glue = hashed(fetcher, &index_url, guessed_abi.glue_file());
        let standard_library = hashed(fetcher, &index_url, STANDARD_LIBRARY_FILE);
        let lock = lock_text(options, fetcher);
        let verified = verify(fetcher, &index_url, guessed_abi, [&glue, &module, &standard_library]);
        Self {
            index_url,
            fetcher: fetcher.clone(),
            guessed_abi,
            lock,
            glue,
            standard_library,
            module,
            compiled,
            verified,
        }
    }

    /// The ABI that the folder's address speaks for.
    pub fn guessed_abi(&self) -> Abi {
        self.guessed_abi
    }

    /// The lock file, read, and the ABI that it names.
    pub async fn lock_file(&mut self) -> Result<Lock> {
        let lock = Lock::parse(self.lock.clone().await?)?;
        if lock.abi != self.guessed_abi {
            self.glue = hashed(&self.fetcher, &self.index_url, lock.abi.glue_file());
            let files = [&self.glue, &self.module, &self.standard_library];
            self.verified = verify(&self.fetcher, &self.index_url, lock.abi, files);
        }
        Ok(lock)
    }

    /// The function that the glue defines. A glue that is not of a known release runs only when all other files are
    /// seen not to be of one either.
    pub fn factory(&self, abi: Abi, host: &EngineHost) -> impl Future<Output = Result<Function>> + use<> {
        let (glue, verified) = (self.glue.clone(), self.verified.clone());
        let (host, url) = (host.clone(), format!("{}{}", self.index_url, abi.glue_file()));
        async move {
            let (mut bytes, hash) = glue.await?;
            if !distribution::is_known(&hash) {
                bytes = verified.await?.glue.0;
            }
            let namespace = evaluate(&host, &url, &bytes).await?;
            abi.factory(&namespace)
        }
    }

    /// The archive of the standard library.
    pub fn standard_library(&self) -> impl Future<Output = Result<Hashed>> + use<> {
        let verified = self.verified.clone();
        async move { Ok(verified.await?.standard_library) }
    }

    /// The compiled module.
    pub fn module(&self) -> LocalBoxFuture<'static, Result<WebAssembly::Module>> {
        let (module, compiled, verified) = (self.module.clone(), self.compiled.clone(), self.verified.clone());
        let timeline = self.fetcher.timeline();
        let url = format!("{}{WASM_FILE}", self.index_url);
        async move {
            let compiled = compiled.await;
            timeline.end(Stage::Compile);
            let (bytes, hash) = verified.await?.module;
            timeline.end(Stage::Fetch);
            if hash == module.await?.1 { compiled } else { compile(&url, &bytes).await }
        }
        .boxed_local()
    }
}

/// Waits for all files and checks that they are of one release. One that is not, while another is of a known release,
/// is asked for again past the HTTP cache, which may have kept a bad transfer.
fn verify(fetcher: &Fetcher, folder: &str, abi: Abi, files: [&Incoming<Hashed>; 3]) -> Incoming<CoreFiles> {
    let [glue, module, standard_library] = files.map(Clone::clone);
    let (fetcher, folder) = (fetcher.clone(), folder.to_owned());
    share(async move {
        let (glue, module, standard_library) = try_join3(glue, module, standard_library).await?;
        let mut core = CoreFiles { glue, module, standard_library };
        while let Err(mismatch) = distribution::check(&core.hashes()) {
            let (file, wrong) = match mismatch.file {
                CoreFile::Glue => (abi.glue_file(), &mut core.glue),
                CoreFile::Wasm => (WASM_FILE, &mut core.module),
                CoreFile::StandardLibrary => (STANDARD_LIBRARY_FILE, &mut core.standard_library),
            };
            let sources = Sources::at(&format!("{folder}{file}")).with_sha256(mismatch.expected).reloaded();
            let label = Label { stage: Stage::Fetch, name: file, size: None };
            *wrong = match fetcher.download_from(sources, label).await {
                Err(error) if error.code() != Code::Aborted => return Err(mismatch_error(&mismatch)),
                outcome => outcome?,
            };
        }
        Ok(core)
    })
}

fn mismatch_error(mismatch: &Mismatch) -> Error {
    Error::new(Code::Integrity, mismatch.to_string())
        .hint("Take all files of the distribution from one release, unmodified; reload if it was a bad transfer.")
}

impl CoreFiles {
    fn hashes(&self) -> [(CoreFile, String); 3] {
        [
            (CoreFile::Glue, self.glue.1.clone()),
            (CoreFile::Wasm, self.module.1.clone()),
            (CoreFile::StandardLibrary, self.standard_library.1.clone()),
        ]
    }
}

fn share<T: Clone + 'static>(future: impl Future<Output = Result<T>> + 'static) -> Incoming<T> {
    spawn(future).boxed_local().shared()
}

fn hashed(fetcher: &Fetcher, folder: &str, file: &'static str) -> Incoming<Hashed> {
    let label = Label { stage: Stage::Fetch, name: file, size: None };
    share(fetcher.download_from(Sources::at(&format!("{folder}{file}")), label))
}

fn lock_text(options: &BootOptions, fetcher: &Fetcher) -> Incoming<String> {
    if let Some(contents) = options.lock_file_contents.clone() {
        return share(async move { Ok(contents) });
    }
    let default = || format!("{}{LOCK_FILE}", options.index_url);
    let url = options.lock_file_url.clone().unwrap_or_else(default);
    let download = fetcher.download(&url, Label { stage: Stage::Fetch, name: LOCK_FILE, size: None });
    share(async move {
        String::from_utf8(download.await?.to_vec())
            .map_err(|_| Error::new(Code::BadLockFile, format!("{url} is not text in UTF-8.")))
    })
}

/// Asks for the interpreter's module. It is compiled while it streams: the answer itself goes to the compiler, so that
/// the browser can keep the compiled code with it, and a copy of it is hashed.
fn request_module(fetcher: &Fetcher, url: String) -> (Incoming<Hashed>, Incoming<WebAssembly::Module>) {
    let (sender, first_answer) = oneshot::channel();
    let label = Label { stage: Stage::Fetch, name: WASM_FILE, size: None };
    let bytes = share(fetcher.download_watched(Sources::at(&url), label, move |response| {
        // The compiler waits for it until the download ends.
        let _ = sender.send(response);
    }));
    let module = share({
        let bytes = bytes.clone();
        async move {
            if let Ok(response) = first_answer.await {
                let streaming = WebAssembly::compile_streaming(&js_sys::Promise::resolve(&JsValue::from(response)));
                if let Ok(module) = JsFuture::from(streaming).await {
                    return Ok(module.unchecked_into());
                }
            }
            // Streaming needs the MIME type application/wasm and a transfer that does not break off; the bytes alone may
            // still be fine.
            compile(&url, &bytes.await?.0).await
        }
    });
    (bytes, module)
}

async fn compile(url: &str, bytes: &Uint8Array) -> Result<WebAssembly::Module> {
    let context = format!("{url} is not WebAssembly that this browser can compile");
    Ok(settle(Code::BadWasm, &context, WebAssembly::compile(bytes)).await?.unchecked_into())
}

/// Evaluates a script whose bytes have been checked: from those very bytes where the page's content security policy
/// allows `blob:` scripts, else from its address, which the HTTP cache answers.
async fn evaluate(host: &EngineHost, url: &str, bytes: &Uint8Array) -> Result<JsValue> {
    let failed = |thrown| {
        Error::from_js(Code::BadArgument, &format!("{url} cannot be evaluated"), thrown)
            .hint("`indexURL` must be the folder of a whole and unmodified Pyodide distribution.")
    };
    let options = BlobPropertyBag::new();
    options.set_type(Abi::glue_type());
    let blob = Blob::new_with_u8_array_sequence_and_options(&Array::of1(bytes), &options).map_err(failed)?;
    let object_url = Url::create_object_url_with_blob(&blob).map_err(failed)?;
    let evaluated = JsFuture::from(host.import_module(&object_url).map_err(failed)?).await;
    // Whether it is revoked changes nothing but memory.
    let _ = Url::revoke_object_url(&object_url);
    match evaluated {
        Ok(namespace) => Ok(namespace),
        Err(_) => JsFuture::from(host.import_module(url).map_err(failed)?).await.map_err(failed),
    }
}
