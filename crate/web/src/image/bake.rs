//! Baking: from an interpreter at rest to the bytes of an image.

use std::collections::BTreeMap;
use std::rc::Rc;

use js_sys::{Array, Function, Reflect, Uint8Array};
use taipan_core::image::{
    ContentHash, Distribution, FileTree, Identity, ImagePackage, ImageWriter, LayerReference, Limits, LinkedModule,
    Manifest, ModuleBytes, PartKind, SHIM, SideModuleImages,
};
use wasm_bindgen::{JsCast, JsValue};

use super::{ARCHIVE_ROLE, content_hash, engine, not_usable, python_files_hash, random, states, stored_name};
use crate::archive_bytes::ArchiveBytes;
use crate::boot::Interpreter;
use crate::emscripten::snapshot::{self, Holders};
use crate::error::{Code, Error, Result};
use crate::fetch::{Fetcher, sha256_now};
use crate::global;

/// The bytes of an image, in pieces that belong one behind the other. Side modules whose files are named in `at_work` are
/// linked at once when it is restored ([`Interpreter::at_work`]): coming to rest and writing the image link all.
///
/// # Errors
/// [`Code::NotSupported`] for what an image cannot hold, naming it.
#[inline(never)]
pub fn bake(interpreter: &Interpreter, at_work: &[String]) -> Result<Array> {
    quiesce(interpreter)?;
    let mut manifest = Manifest::default();
    if let Some(address) = random::find(interpreter) {
        manifest.numbers.insert(random::NUMPY_RANDOM.to_owned(), address.into());
    }
    snapshot::heap::scrub(&interpreter.module)?;
    let holders = Holders {
        internal: interpreter.module.api().into(),
        public: interpreter.api.clone().into(),
        host: interpreter.host_module.clone(),
    };
    let (paths, libraries) = capture(interpreter, &holders, at_work, &mut manifest)?;
    let contents = add_files(interpreter, &mut manifest)?;
    let packages = interpreter.packages.loaded();
    add_state(&mut manifest, states::PACKAGES, &packages)?;
    add_state(&mut manifest, states::MODULE_PATHS, &paths)?;
    add_state(&mut manifest, states::LOCK_FILE, &sha256_now(interpreter.packages.lock().bytes()))?;
    let identity = identity(interpreter, &manifest)?;

    let parts: Vec<(String, bool)> = manifest.modules.iter().map(|module| (part_name(module), module.is_hot)).collect();
    let pieces = Array::new();
    let mut writer = ImageWriter::new(
        manifest,
        |_| None,
        |bytes| {
            pieces.push(&Uint8Array::from(bytes));
        },
    );
    writer.part(PartKind::Files, "files", contents.iter().map(|bytes| &**bytes));
    let add_modules = |writer: &mut ImageWriter, wanted: bool| {
        for ((name, is_hot), bytes) in parts.iter().zip(&libraries.bytes) {
            if *is_hot == wanted {
                writer.part(PartKind::Module, name, [bytes]);
            }
        }
    };
    add_modules(&mut writer, true);
    if let Some(shim) = &libraries.shim {
        writer.part(PartKind::Module, SHIM, [shim]);
    }
    let heap = ArchiveBytes::new(interpreter.module.heap_u8(), &Rc::default());
    writer.memory(&heap, None).map_err(|error| not_usable(&error))?;
    // Nobody waits for what is not called at once.
    add_modules(&mut writer, false);
    let baked = writer.finish(identity, None, &Limits::default()).map_err(|error| not_usable(&error))?;
    pieces.unshift(&Uint8Array::from(baked.bytes.as_slice()));
    Ok(pieces)
}

fn part_name(module: &LinkedModule) -> String {
    match &module.bytes {
        ModuleBytes::Part { name }
        | ModuleBytes::Archive { entry: name, .. }
        | ModuleBytes::File { path: name, .. } => name.clone(),
    }
}

/// Bakes an image and keeps it in this browser under a name, in the place of what had it.
///
/// # Errors
/// As [`bake`], [`Code::OutOfMemory`] if there is no room for it within the limit, or the browser has none or denies
/// it, and [`Code::Aborted`] if the caller has given it up before it is written.
pub async fn keep(interpreter: &Interpreter, name: &str, fetcher: &Fetcher) -> Result<()> {
    let image = whole(interpreter, &interpreter.at_work())?;
    // What has been said meanwhile is heard only now.
    global::sleep(0.0).await;
    fetcher.check_aborted()?;
    let (store, length) = (&interpreter.store, image.length());
    if store.is_persistent() && store.put(&stored_name(name), &image).await && store.is_persistent() {
        return Ok(());
    }
    Err(Error::new(Code::OutOfMemory, format!("The image {name:?} cannot be kept: {length} bytes."))
        .hint(
            "Images that have a name are never removed to make room: forget one with `python.forgetImage`, or give loadPython a \
             higher `cacheLimit`. The browser may also have no room for it, or deny this page storage: see \
             `python.store.usage()`.",
        ))
}

/// The bytes of an image, in one piece.
///
/// # Errors
/// As [`bake`].
pub fn whole(interpreter: &Interpreter, at_work: &[String]) -> Result<Uint8Array> {
    let pieces = bake(interpreter, at_work)?;
    // It may be the one that is replaced.
    interpreter.let_go_of_image()?;
    let length = pieces.iter().map(|piece| piece.unchecked_ref::<Uint8Array>().length()).sum();
    let image = Uint8Array::new_with_length(length);
    let mut offset = 0;
    for piece in pieces.iter() {
        let piece: Uint8Array = piece.unchecked_into();
        image.set(&piece, offset);
        offset += piece.length();
    }
    Ok(image)
}

/// Makes Python let go of what need not be in an image.
fn quiesce(interpreter: &Interpreter) -> Result<()> {
    let given = &interpreter.environment;
    // A list in JSON is one in Python.
    let given = serde_json::to_string(given)
        .map_err(|error| Error::new(Code::Fatal, format!("The environment cannot be written: {error}")))?;
    interpreter
        .api
        .run_python(&format!("__import__('_taipan.image').image.quiesce({given})"))
        .map(drop)
        .map_err(|thrown| Error::from_js(Code::Fatal, "The interpreter cannot be brought to rest", thrown))
}

/// The variable that holds a JavaScript value.
fn owner(interpreter: &Interpreter, value: &JsValue) -> Option<String> {
    let module = interpreter.api.pyimport("_taipan.image").ok()?;
    let owner: Function = Reflect::get(&module, &"owner".into()).ok()?.dyn_into().ok()?;
    owner.call1(&JsValue::UNDEFINED, value).ok()?.as_string()
}

/// Reads the state outside linear memory; gives the path of each side module and what will be linked in its place.
fn capture(
    interpreter: &Interpreter,
    holders: &Holders,
    at_work: &[String],
    manifest: &mut Manifest,
) -> Result<(Vec<String>, SideModuleImages)> {
    let Interpreter { module, main, linker, side_modules, .. } = interpreter;
    interpreter.link_all()?;
    let owner = |value: &JsValue| owner(interpreter, value);
    let abi = interpreter.packages.lock().abi;
    let paths = snapshot::capture(abi, module, main, linker, holders, &owner, manifest)?;
    let mut libraries = SideModuleImages::default();
    for (module, path) in manifest.modules.iter_mut().zip(&paths) {
        let known = side_modules.as_ref().and_then(|modules| Some((modules, modules.find(path)?)));
        let bytes = if let Some((modules, index)) = known {
            let (sha256, bytes) = modules.read(index)?;
            module.sha256 = sha256;
            bytes.to_vec()
        } else {
            let bytes = read_module(interpreter, path)?;
            module.sha256 = ContentHash::of(&bytes);
            bytes
        };
        module.is_hot = at_work.contains(path);
        libraries.bytes.push(bytes);
    }
    libraries.prepare(manifest);
    Ok((paths, libraries))
}

/// The bytes of a side module, from the file that it was linked from.
fn read_module(interpreter: &Interpreter, path: &str) -> Result<Vec<u8>> {
    interpreter.files.borrow_mut().read_file(path).map_err(|errno| {
        Error::new(Code::NotSupported, format!("{path} cannot be read ({errno}), so it cannot be put into an image."))
    })
}

/// Adds the file system: what can be fetched again by reference, other files as they are. What the page has mounted is
/// left out, and so is bytecode: both are there again, or made again, when the image is restored.
fn add_files(interpreter: &Interpreter, manifest: &mut Manifest) -> Result<Vec<Rc<[u8]>>> {
    let archives = &interpreter.packages.archives();
    manifest.archives = archives.references();
    for (layer, hash) in interpreter.bytecode.layers() {
        let hash = content_hash(&hash)?;
        let archive = manifest.archives.iter().position(|archive| archive.sha256 == hash);
        let reference = LayerReference {
            role: ARCHIVE_ROLE.to_owned(),
            name: hash.to_string(),
            archive: archive.and_then(|number| u32::try_from(number).ok()),
        };
        manifest.layers.insert(layer.get(), reference);
    }
    let tree = interpreter.files.borrow_mut().snapshot().map_err(|error| not_usable(&error))?;
    for layer in tree.nodes.iter().filter_map(|node| node.layer) {
        let other = || LayerReference { role: "other".to_owned(), name: String::new(), archive: None };
        manifest.layers.entry(layer).or_insert_with(other);
    }
    let (files, contents) =
        FileTree::of(&tree, |source| archives.placement(source)).map_err(|error| not_usable(&error))?;
    manifest.files = files;
    Ok(contents)
}

fn add_state(manifest: &mut Manifest, name: &str, value: &impl serde::Serialize) -> Result<()> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Error::new(Code::Fatal, format!("{name} cannot be written: {error}")))?;
    manifest.states.insert(name.to_owned(), bytes);
    Ok(())
}

fn identity(interpreter: &Interpreter, manifest: &Manifest) -> Result<Identity> {
    let [glue, module, standard_library] = &interpreter.hashes;
    let lock = interpreter.packages.lock();
    let packages = interpreter.packages.loaded();
    let archive_of = |file_name: &str| {
        let archive = manifest.archives.iter().find(|archive| archive.file_name.rsplit('/').next() == Some(file_name));
        archive.map_or_else(ContentHash::default, |archive| archive.sha256)
    };
    let packages: BTreeMap<String, ImagePackage> = packages
        .into_iter()
        .map(|package| {
            let archive = archive_of(&package.file_name);
            (package.name, ImagePackage { version: package.version, archive })
        })
        .collect();
    Ok(Identity {
        engine: engine(),
        python_files: python_files_hash()?,
        distribution: Distribution {
            version: lock.file().info().version.clone(),
            abi: lock.abi.version().to_owned(),
            glue: content_hash(glue)?,
            module: content_hash(module)?,
            standard_library: content_hash(standard_library)?,
        },
        // Nothing that stays as it was depends on the browser: what does is the glue's, which starts afresh, or is written
        // anew after a restoration.
        features: BTreeMap::new(),
        packages,
    })
}
