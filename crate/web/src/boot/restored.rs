//! Starting Python from an image: CPython's `main` is not run, and nothing is imported.

use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::try_join4;
use taipan_core::image::ArchiveReference;

use super::files::DistributionFiles;
use super::ground::{Ground, StartParts, environment};
use super::image_source::ImageSource;
use super::interpreter::{Interpreter, Started};
use crate::boundary::Stage;
use crate::bytecode::Bytecode;
use crate::distribution::STANDARD_LIBRARY_FILE;
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::linker::Linker;
use crate::emscripten::snapshot::{Restore, SideModuleSource};
use crate::emscripten::start::Populate;
use crate::error::{Code, Error, Result};
use crate::fetch::{Sources, spawn};
use crate::global::{is_worker, saves_data, sleep, wall_clock};
use crate::image::{CalledModules, ImageBytes, OpenImage};
use crate::packages::{Lock, Packages};
use crate::part::Part;
use crate::session::{Connection, Session};
use crate::store::Store;

/// Addresses from here on are not written to before CPython's memory is restored: static data, the stack and what the
/// glue allocates while it starts lie below.
const EARLY: u32 = 12 << 20;

/// Milliseconds that the first work of a page has the thread for itself.
const IDLE: f64 = 1500.0;

/// Restores an image, if it is there.
///
/// # Errors
/// Whatever keeps it from being restored: the caller then starts in another way.
pub async fn restore(
    ground: impl Fn() -> Ground,
    distribution: &mut DistributionFiles,
    source: &ImageSource,
) -> Result<Option<Interpreter>> {
    let first = ground();
    if !source.may_be_there(&first, distribution).await? {
        return Ok(None);
    }
    let part = spawn({
        let host = first.host.clone();
        async move { Part::Image.load(&host).await }
    });
    let found = source.find(&first, distribution).await?;
    if !is_at_hand(found.is_kept(), distribution) {
        distribution.request_core();
    }
    part.await?;
    loop {
        let bytes = found.bytes();
        // Boxed, so that it can be in the part that has just been fetched.
        let restoring = restore_from(bytes.clone(), ground(), distribution, source).boxed_local();
        match restoring.await {
            // What has been made of a transfer that broke off, and could not go on, is worth nothing, nor is that of a copy
            // of what is no longer there.
            Err(error) if found.comes_again(&bytes, &error).await => {
                if bytes.are_kept() {
                    source.forget_copy(&first.store.clone().await).await;
                }
            }
            outcome => return outcome.map(Some),
        }
    }
}

/// Whether the browser has the glue and the module already that an image needs, so that the server is not asked for them.
fn is_at_hand(is_kept: bool, distribution: &DistributionFiles) -> bool {
    is_kept || distribution.are_known_to_page()
}

/// Makes an interpreter of an image while it arrives: what can be done with what is there is done.
async fn restore_from(
    bytes: ImageBytes,
    ground: Ground,
    distribution: &mut DistributionFiles,
    source: &ImageSource,
) -> Result<Interpreter> {
    let Ground { options, host, timeline, fetcher, .. } = &ground;
    let is_kept = bytes.are_kept();
    let early = (!is_at_hand(is_kept, distribution)).then(|| distribution.early_factory());
    bytes.beginning().await?;
    let beside = source.beside(&ground, distribution).await?;
    let image = Rc::new(OpenImage::read(bytes, beside, &ground.held)?);
    let whole = image.whole();
    let compiling = spawn(image.compile(&ground.linker));
    let called = if is_kept {
        Some(CalledModules::of(&source.stored_name(options), &image, &ground.store.clone().await))
    } else {
        None
    };
    if let Some(called) = called.clone() {
        wasm_bindgen_futures::spawn_local(called.compile(ground.linker.clone()));
    }
    let (factory, main) = distribution.restored(&image.identity().distribution, image.abi()?, early);
    let restore = Rc::new(Restore::new(image.abi()?, &image.manifest, image.memory_length())?);
    // Where the main module makes its memory itself, all of that is left for later.
    let early_end = if restore.heap().length() == 0 { u32::MAX } else { EARLY };
    // Nothing of this thread's is waited for while the module and the side modules are compiled.
    let copied = spawn(image.copy_arriving_memory(
        {
            let restore = Rc::clone(&restore);
            move || restore.heap()
        },
        early_end,
    ));
    let lock = lock_file(distribution, source, &image).await?;
    let store = ground.store.clone().await;
    let (packages, bytecode) = ground.packages(lock, &store);
    let factory = factory.await?;
    timeline.end(Stage::Glue);
    let parts = StartParts {
        factory,
        module: main.clone().boxed_local(),
        populate: populate(&ground, &image, &packages, &store),
        restore: Some(Rc::clone(&restore)),
    };
    let starting = ground.start(&packages, parts);
    let (module, compiled, (), ()) = try_join4(starting, compiling, copied, whole).await?;
    let ahead = called.as_ref().map(CalledModules::ahead).unwrap_or_default();
    let modules = SideModuleSource { ahead, ..modules_of(&image) };
    let side_modules = restore.link(&module, &ground.linker, modules, compiled.hot, compiled.shim.as_ref())?;
    timeline.end(Stage::Interpreter);
    let dirty_end = Restore::dirty_end(&module)?;
    let late_end = if dirty_end > early_end { u32::MAX } else { early_end };
    image.clear_memory(&restore.heap(), dirty_end, restore.unused_stack(&module))?;
    image.copy_memory(&restore.heap(), late_end)?;
    restore.connect(&module)?;
    bytecode.note_restored(image.layers(), packages.lock(), packages.base_urls());
    packages.note_loaded(&image.packages);
    let connection = Connection::new(&module, host, Rc::clone(&ground.output), &packages, &ground.handles);
    let host_module = connection.module.clone();
    let api = restore.finish_bootstrap(&module, &host_module)?;
    finish(&module, &api, &restore, &packages)?;
    let session = Some(Session::resume(&api, connection)?);
    renew(&api, &ground, image.renew_numpy_random(&restore.heap()))?;
    timeline.end(Stage::Bootstrap);
    packages.connect(&api);
    packages.load(&options.packages, fetcher).await?;
    timeline.end(Stage::Packages);
    fetcher.check_aborted()?;
    timeline.note_image(source.origin());
    timeline.end(Stage::Ready);
    Bytecode::put_away_when_idle(&bytecode, &api);
    // Nobody comes back to the address of a blob.
    let is_of_server = matches!(source, ImageSource::Address(url) if url.starts_with("http"));
    let copy = is_of_server.then(|| (store.clone(), source.stored_name(options)));
    if !options.is_rehearsal {
        let_go_when_idle(&image, called, (ground.linker.clone(), module.clone()), copy);
    }
    let baked = &image.identity().distribution;
    let hashes = [baked.glue, baked.module, baked.standard_library].map(|hash| hash.to_string());
    let started = Started {
        main: main.await?,
        known: distribution.known_files(&hashes),
        hashes,
        module,
        api,
        host_module: host_module.into(),
        session,
        packages,
        store,
        bytecode,
        restored: Some((image, side_modules)),
    };
    Ok(Interpreter::new(ground, started))
}

/// The lock file, if the image is of use with it. The very one with which it was baked need not be read, if it has not been to
/// find the image.
async fn lock_file(distribution: &mut DistributionFiles, source: &ImageSource, image: &OpenImage) -> Result<Lock> {
    let bytes = distribution.lock_bytes().await?;
    let is_same = image.is_of_lock_file(&bytes).await;
    if is_same && !distribution.is_lock_file_read() {
        return Ok(Lock::of_image(bytes, image.abi()?));
    }
    if !is_same && matches!(source, ImageSource::Automatic(_)) {
        return Err(Error::new(Code::WrongAbi, "The image was baked with another lock file."));
    }
    let lock = distribution.lock_file().await?;
    if lock.abi != image.abi()? {
        return Err(Error::new(Code::WrongAbi, "The image was baked for another distribution."));
    }
    image.check_packages(&lock)?;
    Ok(lock)
}

/// Where the side modules are, none of them compiled.
fn modules_of(image: &Rc<OpenImage>) -> SideModuleSource {
    let (reading, compiling) = (Rc::clone(image), Rc::clone(image));
    SideModuleSource {
        paths: image.module_paths.clone(),
        read: Box::new(move |index| reading.module(index)),
        compile: Box::new(move |index| compiling.compile_now(index)),
        ahead: Rc::default(),
    }
}

/// Lets others have the image's file as soon as the first work has been done, or keeps a copy of what has been fetched, fetches
/// what is beside it, so that nobody has to wait for it, and notes which modules that work has called.
fn let_go_when_idle(
    image: &Rc<OpenImage>,
    called: Option<CalledModules>,
    (linker, module): (Linker, Module),
    copy: Option<(Store, String)>,
) {
    let image = Rc::clone(image);
    wasm_bindgen_futures::spawn_local(async move {
        sleep(IDLE).await;
        if let Some((store, name)) = copy {
            image.keep_copy(&store, &name).await;
        }
        // What cannot be read now is read, and reported, when it is called.
        let _ = image.let_go();
        if let Some(called) = called {
            called.note(&linker.at_work(&module)).await;
        }
        if is_worker() && !saves_data() {
            image.fetch_ahead().await;
        }
    });
}

/// Puts the image's files in the place of those that the glue has just made: they are the same, with the same numbers,
/// and all others.
fn populate(
    ground: &Ground,
    image: &Rc<OpenImage>,
    packages: &Rc<Packages>,
    store: &Store,
) -> crate::emscripten::start::PopulateFuture {
    let arriving = Rc::clone(image);
    let (image, archives, held) = (Rc::clone(image), Rc::clone(&ground.archives), Rc::clone(&ground.held));
    let (index_url, base_urls) = (ground.options.index_url.clone(), packages.base_urls().to_vec());
    let (network, store) = (ground.network.clone(), store.clone());
    let folders = move |archive: &ArchiveReference| match archive.file_name.as_str() {
        STANDARD_LIBRARY_FILE => Sources::at(&format!("{index_url}{STANDARD_LIBRARY_FILE}")),
        file => Sources::in_folders(&base_urls, file),
    };
    let populate = move |files: &SharedFileSystem| {
        let mut restored = image.files(&archives, &held, (&network, &store), folders)?;
        // The glue and the bridge make these anew.
        if let Ok(devices) = restored.resolve("/dev", true) {
            for stream in ["stdin", "stdout", "stderr"] {
                // One that the user has removed is not there.
                let _ = restored.unlink(devices, stream, wall_clock());
            }
        }
        *files.borrow_mut() = restored;
        Ok(())
    };
    async move {
        arriving.files_arrived().await?;
        Ok(Box::new(populate) as Populate)
    }
    .boxed_local()
}

/// Pyodide's own last steps, as far as they are not in memory already.
fn finish(module: &Module, api: &PublicApi, restore: &Restore, packages: &Packages) -> Result<()> {
    let failed = |thrown| Error::from_js(Code::Fatal, "The image's interpreter cannot be started", thrown);
    let loaded = api.loaded_packages();
    for package in packages.loaded() {
        let channel = if package.source == "lock" { "default channel" } else { &package.source };
        set(&loaded, &package.name, &channel.into());
    }
    module.fs().chdir(&restore.directory()).map_err(failed)?;
    let undefined = wasm_bindgen::JsValue::UNDEFINED;
    module.api().initialize_streams(&undefined, &undefined, &undefined).map_err(failed)?;
    restore.open_files(module)
}

/// What must not be the same in two interpreters, NumPy's random numbers too unless they are others already.
fn renew(api: &PublicApi, ground: &Ground, is_numpy_renewed: bool) -> Result<()> {
    let failed = |thrown| Error::from_js(Code::Fatal, "The image's interpreter cannot be renewed", thrown);
    let module = api.pyimport("_taipan.image").map_err(failed)?;
    let environment = serde_json::to_string(&environment(&ground.options, &ground.face))
        .map_err(|error| Error::new(Code::Fatal, format!("The environment cannot be written: {error}")))?;
    let renew: js_sys::Function =
        wasm_bindgen::JsCast::unchecked_into(js_sys::Reflect::get(&module, &"renew".into()).map_err(failed)?);
    let undefined = wasm_bindgen::JsValue::UNDEFINED;
    renew.call2(&undefined, &environment.into(), &is_numpy_renewed.into()).map(drop).map_err(failed)
}
