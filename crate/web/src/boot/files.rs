//! The files of a distribution on their way in.

use std::cell::OnceCell;

use futures::FutureExt as _;
use futures::future::{LocalBoxFuture, Shared, try_join, try_join3, try_join4};
use js_sys::{Array, Function, Uint8Array, WebAssembly};
use taipan_core::image::Distribution;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Blob, BlobPropertyBag, Url};

use crate::boundary::{BootOptions, EngineHost, Stage};
use crate::distribution::{self, CoreFile, LOCK_FILE, STANDARD_LIBRARY_FILE, WASM_FILE};
use crate::emscripten::abi::Abi;
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, Label, compare_sha256, settle, sha256, spawn};
use crate::packages::Lock;

pub type Incoming<T> = Shared<LocalBoxFuture<'static, Result<T>>>;

/// Bytes and their SHA-256.
pub type Hashed = (Uint8Array, String);

/// Every request that a boot makes, started together.
pub struct DistributionFiles {
    index_url: String,
    fetcher: Fetcher,
    guessed_abi: Abi,
    lock: Incoming<Lock>,
    glue: Incoming<Hashed>,
    glue_file: &'static str,
    /// Asked for when it is first wanted.
    standard_library: OnceCell<Incoming<Hashed>>,
    module: Incoming<WebAssembly::Module>,
    module_hash: Incoming<String>,
}

impl DistributionFiles {
    /// Asks for everything at once, except for the standard library.
    pub fn request(options: &BootOptions, fetcher: &Fetcher) -> Self {
        let index_url = options.index_url.clone();
        let guessed_abi = Abi::guess(&index_url);
        let (module, module_hash) = request_module(fetcher, format!("{index_url}{WASM_FILE}"));
        let lock = lock_file(lock_text(options, fetcher), fetcher);
        Self {
            glue: hashed(fetcher, &index_url, guessed_abi.glue_file()),
            glue_file: guessed_abi.glue_file(),
            standard_library: OnceCell::new(),
            lock,
            module,
            module_hash,
            guessed_abi,
            index_url,
            fetcher: fetcher.clone(),
        }
    }

    /// The ABI that the folder's address speaks for.
    pub fn guessed_abi(&self) -> Abi {
        self.guessed_abi
    }

    /// The lock file, read, and the ABI that it names.
    pub async fn lock_file(&mut self) -> Result<Lock> {
        let lock = self.lock.clone().await?;
        if lock.abi != self.guessed_abi {
            self.glue_file = lock.abi.glue_file();
            self.glue = hashed(&self.fetcher, &self.index_url, self.glue_file);
        }
        Ok(lock)
    }

    /// The function that the glue defines. A glue that is not of a known release runs only when all other files are
    /// seen not to be of one either.
    pub fn factory(&self, abi: Abi, host: &EngineHost) -> impl Future<Output = Result<Function>> + use<> {
        let (glue, verified, lock) = (self.glue.clone(), self.verified(), self.lock.clone());
        let (host, url) = (host.clone(), format!("{}{}", self.index_url, abi.glue_file()));
        async move {
            let (bytes, hash) = glue.await?;
            if !distribution::is_known(&hash) {
                match lock.await?.file().manifest().file(abi.glue_file()) {
                    Some(facts) => compare_sha256(abi.glue_file(), &hash, &facts.sha256)?,
                    None => verified.await?,
                }
            }
            let namespace = evaluate(&host, &url, &bytes).await?;
            abi.factory(&namespace)
        }
    }

    /// The archive of the standard library.
    pub fn standard_library(&self) -> impl Future<Output = Result<Hashed>> + use<> {
        let (standard_library, verified) = (self.request_library(), self.verified());
        async move { Ok(try_join(standard_library, verified).await?.0) }
    }

    /// Asks for the standard library, unless that has been done: an image does not need it at once.
    pub fn request_library(&self) -> Incoming<Hashed> {
        let request = || hashed(&self.fetcher, &self.index_url, STANDARD_LIBRARY_FILE);
        self.standard_library.get_or_init(request).clone()
    }

    /// The SHA-256 of every file that a boot has brought.
    pub fn hashes(&self) -> impl Future<Output = Result<[String; 3]>> + use<> {
        let (glue, module, library) = (self.glue.clone(), self.module_hash.clone(), self.request_library());
        async move {
            let ((_, glue), module, (_, library)) = try_join3(glue, module, library).await?;
            Ok([glue, module, library])
        }
    }

    /// The function that the glue defines and the compiled module, if they are those that an image was baked with.
    pub fn restored(
        &self,
        wanted: &Distribution,
        abi: Abi,
        host: &EngineHost,
    ) -> (impl Future<Output = Result<Function>> + use<>, Shared<LocalBoxFuture<'static, Result<WebAssembly::Module>>>)
    {
        let (glue, host, url) = (self.glue.clone(), host.clone(), format!("{}{}", self.index_url, abi.glue_file()));
        let (wanted_glue, wanted_module) = (wanted.glue.to_string(), wanted.module.to_string());
        let factory = async move {
            let (bytes, hash) = glue.await?;
            compare_sha256(abi.glue_file(), &hash, &wanted_glue)?;
            abi.factory(&evaluate(&host, &url, &bytes).await?)
        };
        let (module, module_hash, timeline) = (self.module.clone(), self.module_hash.clone(), self.fetcher.timeline());
        let module = async move {
            let module = module.await?;
            timeline.end(Stage::Compile);
            compare_sha256(WASM_FILE, &module_hash.await?, &wanted_module)?;
            timeline.end(Stage::Fetch);
            Ok(module)
        };
        (factory, module.boxed_local().shared())
    }

    /// The compiled module.
    pub fn module(&self) -> LocalBoxFuture<'static, Result<WebAssembly::Module>> {
        let (module, verified) = (self.module.clone(), self.verified());
        let timeline = self.fetcher.timeline();
        async move {
            let module = module.await?;
            timeline.end(Stage::Compile);
            verified.await?;
            timeline.end(Stage::Fetch);
            Ok(module)
        }
        .boxed_local()
    }

    /// Every file has arrived and is the one that the lock file's manifest names, or, where it names none, is of the release
    /// that the others are of.
    fn verified(&self) -> impl Future<Output = Result<()>> + use<> {
        let (glue, module, library) = (self.glue.clone(), self.module_hash.clone(), self.request_library());
        let (lock, glue_file) = (self.lock.clone(), self.glue_file);
        async move {
            let ((_, glue), module, (_, library), lock) = try_join4(glue, module, library, lock).await?;
            let files = [
                (CoreFile::Glue, glue_file, glue),
                (CoreFile::Wasm, WASM_FILE, module),
                (CoreFile::StandardLibrary, STANDARD_LIBRARY_FILE, library),
            ];
            let mut hashes = Vec::new();
            for (file, name, hash) in files {
                match lock.file().manifest().file(name) {
                    Some(facts) => compare_sha256(name, &hash, &facts.sha256)?,
                    None => hashes.push((file, hash)),
                }
            }
            distribution::check(&hashes).map_err(|mismatch| {
                Error::new(Code::Integrity, mismatch.to_string()).hint(
                    "Take all files of the distribution from one release, unmodified; reload if it was a bad transfer.",
                )
            })
        }
    }
}

fn share<T: Clone + 'static>(future: impl Future<Output = Result<T>> + 'static) -> Incoming<T> {
    spawn(future).boxed_local().shared()
}

fn hashed(fetcher: &Fetcher, folder: &str, file: &'static str) -> Incoming<Hashed> {
    let download = fetcher.download(&format!("{folder}{file}"), Label { stage: Stage::Fetch, name: file, size: None });
    share(async move {
        let bytes = download.await?;
        let hash = sha256(&bytes).await;
        Ok((bytes, hash))
    })
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

/// Reads the lock file. From then on, progress on the files of a prepared distribution has totals.
fn lock_file(text: Incoming<String>, fetcher: &Fetcher) -> Incoming<Lock> {
    let timeline = fetcher.timeline();
    share(async move {
        let lock = Lock::parse(text.await?)?;
        for (name, facts) in lock.file().manifest().files() {
            timeline.expect(name, facts.size);
        }
        Ok(lock)
    })
}

/// Asks for the interpreter's module. It is compiled while it streams: the answer itself goes to the compiler, so that
/// the browser can keep the compiled code with it, and a copy of it is hashed.
fn request_module(fetcher: &Fetcher, url: String) -> (Incoming<WebAssembly::Module>, Incoming<String>) {
    let request = fetcher.request(&url);
    let response = share(async move {
        let original = request.await?;
        let copy = original
            .clone()
            .map_err(|thrown| Error::from_js(Code::LoadNetwork, "The interpreter cannot be read", thrown))?;
        Ok((original, copy))
    });
    let bytes = share({
        let (response, fetcher, url) = (response.clone(), fetcher.clone(), url.clone());
        async move {
            let (_, copy) = response.await?;
            fetcher.read_body(&url, &copy, Label { stage: Stage::Fetch, name: WASM_FILE, size: None }).await
        }
    });
    let hash = share({
        let bytes = bytes.clone();
        async move { Ok(sha256(&bytes.await?).await) }
    });
    let module = share(async move {
        let (original, _) = response.await?;
        let streaming = WebAssembly::compile_streaming(&js_sys::Promise::resolve(&JsValue::from(original)));
        if let Ok(module) = JsFuture::from(streaming).await {
            return Ok(module.unchecked_into());
        }
        // Streaming needs the MIME type application/wasm; the bytes alone may still be fine.
        let bytes = bytes.await?;
        let context = format!("{url} is not WebAssembly that this browser can compile");
        let module = settle(Code::BadWasm, &context, WebAssembly::compile(&bytes)).await?;
        Ok(module.unchecked_into())
    });
    (module, hash)
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
