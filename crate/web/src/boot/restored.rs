//! Starting Python from an image: CPython's `main` is not run, and nothing is imported.

use std::cell::RefCell;
use std::rc::Rc;

use futures::FutureExt as _;
use futures::future::{ready, try_join3};
use taipan_core::image::ArchiveReference;

use super::files::DistributionFiles;
use super::image_source::{FoundImage, ImageSource};
use super::{Ground, Interpreter, StartParts, environment};
use crate::boundary::Stage;
use crate::bytecode::Bytecode;
use crate::checkpoint::Checkpoints;
use crate::distribution::STANDARD_LIBRARY_FILE;
use crate::emscripten::abi::set;
use crate::emscripten::bindings::{Module, PublicApi};
use crate::emscripten::file_system::SharedFileSystem;
use crate::emscripten::snapshot::Restore;
use crate::emscripten::start::Populate;
use crate::error::{Code, Error, Result};
use crate::fetch::{Sources, spawn};
use crate::global::wall_clock;
use crate::image::OpenImage;
use crate::packages::Packages;
use crate::session::{Connection, Session};

/// Restores an image, if it is there.
///
/// # Errors
/// Whatever keeps it from being restored: the caller then starts in another way.
pub async fn restore(
    ground: Ground,
    distribution: &mut DistributionFiles,
    source: &ImageSource,
) -> Result<Option<Interpreter>> {
    if !source.may_be_there(&ground, distribution).await? {
        return Ok(None);
    }
    let Ground { options, host, timeline, fetcher, .. } = &ground;
    let early = distribution.early_factory(host);
    let FoundImage { bytes, is_trusted } = source.find(&ground, distribution).await?;
    let store = ground.store.clone().await;
    let image = Rc::new(OpenImage::read(bytes, &ground.held)?);
    // Every chunk has a checksum, against accidents.
    let verified = spawn(if is_trusted { ready(Ok(())).boxed_local() } else { image.verify().boxed_local() });
    let compiling = spawn(image.compile(&ground.linker)?);
    let (factory, main) = distribution.restored(&image.identity().distribution, image.abi()?, host, early);
    let factory = spawn(factory);
    let lock = distribution.lock_file().await?;
    if lock.abi != image.abi()? {
        return Err(Error::new(Code::WrongAbi, "The image was baked for another distribution."));
    }
    if matches!(source, ImageSource::Automatic(_)) {
        image.check_lock_file(&lock)?;
    }
    image.check_packages(&lock)?;
    let (packages, bytecode) = ground.packages(lock, &store);
    let factory = factory.await?;
    timeline.end(Stage::Glue);
    let restore = Rc::new(Restore::new(image.abi()?, &image.manifest, image.memory_length())?);
    let parts = StartParts {
        factory,
        module: main.clone().boxed_local(),
        populate: populate(&ground, &image, &packages),
        restore: Some(Rc::clone(&restore)),
    };
    let (module, compiled, ()) = try_join3(ground.start(&packages, parts), compiling, verified).await?;
    restore.link(&module, &ground.linker, &compiled)?;
    timeline.end(Stage::Interpreter);
    ground.linker.add(compiled);
    image.copy_memory(&restore.heap(), Restore::dirty_end(&module)?)?;
    restore.connect(&module)?;
    for (layer, hash) in image.layers() {
        bytecode.note_layer(layer, hash);
    }
    packages.note_loaded(&image.packages);
    let connection = Connection::new(&module, host, Rc::clone(&ground.output), &packages, &ground.handles);
    let host_module = connection.module.clone();
    let api = restore.finish_bootstrap(&module.api(), &host_module)?;
    finish(&module, &api, &restore, &packages)?;
    let session = Some(Session::resume(&api, connection)?);
    renew(&api, &ground)?;
    timeline.end(Stage::Bootstrap);
    packages.connect(&api);
    packages.load(&options.packages, fetcher).await?;
    timeline.end(Stage::Packages);
    fetcher.check_aborted()?;
    timeline.note_image(source.origin());
    timeline.end(Stage::Ready);
    Bytecode::put_away_when_idle(&bytecode, &api);
    let baked = &image.identity().distribution;
    Ok(Some(Interpreter {
        main: main.await?,
        hashes: [baked.glue, baked.module, baked.standard_library].map(|hash| hash.to_string()),
        module,
        api,
        host_module: host_module.into(),
        session,
        packages,
        store,
        automatic: ground.automatic,
        bytecode,
        timeline: ground.timeline,
        network: ground.network,
        files: ground.files,
        linker: ground.linker,
        held: ground.held,
        mounts: RefCell::default(),
        handles: ground.handles,
        checkpoints: Checkpoints::new(ground.options.checkpoint_limit),
    }))
}

/// Puts the image's files in the place of those that the glue has just made: they are the same, with the same numbers,
/// and all others.
fn populate(
    ground: &Ground,
    image: &Rc<OpenImage>,
    packages: &Rc<Packages>,
) -> crate::emscripten::start::PopulateFuture {
    let (image, archives, held) = (Rc::clone(image), Rc::clone(&ground.archives), Rc::clone(&ground.held));
    let (index_url, base_urls) = (ground.options.index_url.clone(), packages.base_urls().to_vec());
    let network = ground.network.clone();
    let folders = move |archive: &ArchiveReference| match archive.file_name.as_str() {
        STANDARD_LIBRARY_FILE => Sources::at(&format!("{index_url}{STANDARD_LIBRARY_FILE}")),
        file => Sources::in_folders(&base_urls, file),
    };
    let populate = move |files: &SharedFileSystem| {
        let mut restored = image.files(&archives, &held, &network, folders)?;
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
    async move { Ok(Box::new(populate) as Populate) }.boxed_local()
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

/// What must not be the same in two interpreters.
fn renew(api: &PublicApi, ground: &Ground) -> Result<()> {
    let failed = |thrown| Error::from_js(Code::Fatal, "The image's interpreter cannot be renewed", thrown);
    let module = api.pyimport("_taipan.image").map_err(failed)?;
    let environment = serde_json::to_string(&environment(&ground.options, &ground.face))
        .map_err(|error| Error::new(Code::Fatal, format!("The environment cannot be written: {error}")))?;
    let renew: js_sys::Function =
        wasm_bindgen::JsCast::unchecked_into(js_sys::Reflect::get(&module, &"renew".into()).map_err(failed)?);
    renew.call1(&wasm_bindgen::JsValue::UNDEFINED, &environment.into()).map(drop).map_err(failed)
}
