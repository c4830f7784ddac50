//! Pyodide's own package manager, with our package engine under it.
//!
//! `PackageManager` (Pyodide's `src/js/load-package.ts`) reads names and addresses, tells callbacks what happens and
//! keeps `loadedPackages`. All of that stays. What it does for one package, download, unpack and link
//! (`downloadAndInstall`), and what micropip asks for (`API.install`), is done here instead: nothing is unpacked, and
//! side modules are linked when they are imported.

use std::rc::Rc;

use js_sys::{Array, Function, JsString, Map, Object, Promise, Reflect, Set, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::abi::set;
use super::bindings::{Api, PackageManager, RequestedPackage};
use crate::error::{Code, Error, Result};
use crate::packages::Packages;

/// What Pyodide calls packages of the lock file in `loadedPackages`.
const LOCK_CHANNEL: &str = "default channel";

/// Puts our engine under the package manager of an interpreter. To be called as soon as the glue has run, before Pyodide
/// asks for the packages of its configuration.
pub fn connect(api: &Api, packages: &Rc<Packages>) {
    let Some(manager) = api.package_manager() else { return };
    let (this, engine) = (manager.clone(), (api.clone(), Rc::clone(packages)));
    let download_and_install = Closure::<dyn Fn(RequestedPackage, Map, Set, Map, Option<bool>) -> Promise>::new(
        move |package: RequestedPackage, wanted: Map, loaded: Set, failed: Map, check: Option<bool>| {
            let (this, (api, packages)) = (this.clone(), engine.clone());
            future_to_promise(async move {
                match load(&this, &api, &packages, &package, &wanted, check.unwrap_or(true)).await {
                    Ok(true) => drop(loaded.add(&package.package_data())),
                    Ok(false) => {}
                    Err(error) => drop(failed.set(&package.name().into(), &error.into())),
                }
                package.done().resolve();
                Ok(JsValue::UNDEFINED)
            })
        },
    );
    set(manager.unchecked_ref(), "downloadAndInstall", &download_and_install.into_js_value());
    if let Some(own) = api.install_function() {
        let engine = (api.clone(), Rc::clone(packages));
        let install = Closure::<dyn Fn(JsValue, String, String, JsValue) -> Promise>::new(
            move |buffer: JsValue, file_name: String, folder: String, metadata: JsValue| {
                let (own, (api, packages)) = (own.clone(), engine.clone());
                // Python may free its dictionary as soon as this returns.
                let marks = read_marks(&metadata);
                future_to_promise(async move {
                    if folder == packages.site_packages()
                        && let Some(bytes) = buffer.dyn_ref::<Uint8Array>()
                        && install(&api, &packages, &file_name, bytes, &marks).await.is_ok()
                    {
                        return Ok(JsValue::UNDEFINED);
                    }
                    // Other archives, other folders, and wheels that are none.
                    let metadata = Map::new();
                    for (name, text) in marks {
                        metadata.set(&name.into(), &text.into());
                    }
                    let arguments = [buffer, file_name.into(), folder.into(), metadata.into()];
                    let installed = own.apply(&JsValue::UNDEFINED, &arguments.iter().collect())?;
                    JsFuture::from(Promise::resolve(&installed)).await
                })
            },
        );
        set(api.unchecked_ref(), "install", &install.into_js_value());
    }
}

/// Brings one package, after those that it needs. Says whether it is new.
async fn load(
    manager: &PackageManager,
    api: &Api,
    packages: &Rc<Packages>,
    package: &RequestedPackage,
    wanted: &Map,
    check: bool,
) -> Result<bool> {
    let (name, channel) = (package.name(), package.channel());
    if is_loaded(manager, &name) {
        return Ok(false);
    }
    let from_lock = channel == LOCK_CHANNEL;
    let address = (!from_lock).then_some(channel.as_str());
    let normalized_name = package.normalized_name();
    let fetcher = packages.fetcher();
    let prepared = packages.prepare_single(&normalized_name, address, check, &fetcher).await?;
    for needed in package.depends().iter() {
        let needed = wanted.get(&needed);
        if let Some(needed) = needed.dyn_ref::<Object>() {
            // It is never rejected: what it waits for fails by itself.
            let _ = JsFuture::from(Promise::from(needed.unchecked_ref::<RequestedPackage>().done())).await;
        }
    }
    let failed = |thrown| Error::from_js(Code::Fatal, "The interpreter cannot be set up", thrown);
    JsFuture::from(api.bootstrap_finalized()).await.map_err(failed)?;
    if is_loaded(manager, &name) {
        return Ok(false);
    }
    let source = if from_lock { "pyodide" } else { &channel };
    let marks = [("INSTALLER", "pyodide.loadPackage"), ("PYODIDE_SOURCE", source)];
    let marks = marks.map(|(file, text)| (file.to_owned(), text.to_owned())).to_vec();
    packages.install_single(prepared, Some(&name), marks, api).await?;
    set(&manager.loaded(), &name, &channel.into());
    Ok(true)
}

async fn install(
    api: &Api,
    packages: &Rc<Packages>,
    file_name: &str,
    bytes: &Uint8Array,
    marks: &[(String, String)],
) -> Result<()> {
    let package = packages.prepare_bytes(file_name, bytes.clone()).await?;
    packages.install_single(package, None, marks.to_vec(), api).await
}

fn is_loaded(manager: &PackageManager, name: &str) -> bool {
    Reflect::get(&manager.loaded(), &name.into()).is_ok_and(|channel| !channel.is_undefined())
}

/// The pairs of a Python dictionary, a map or an object.
fn read_marks(metadata: &JsValue) -> Vec<(String, String)> {
    let method = |object: &JsValue, name: &str| -> Option<Function> {
        Reflect::get(object, &name.into()).ok()?.dyn_into::<Function>().ok()
    };
    let plain = match metadata.is_object().then(|| method(metadata, "toJs")).flatten() {
        Some(to_js) => to_js.call0(metadata).unwrap_or(JsValue::UNDEFINED),
        None => metadata.clone(),
    };
    let pairs = match plain.dyn_ref::<Map>() {
        Some(map) => Array::from(map),
        None => plain.dyn_ref::<Object>().map(Object::entries).unwrap_or_default(),
    };
    let text = |value: JsValue| value.dyn_into::<JsString>().map(String::from).ok();
    pairs
        .iter()
        .filter_map(|pair| {
            let pair: Array = pair.unchecked_into();
            Some((text(pair.get(0))?, text(pair.get(1))?))
        })
        .collect()
}
