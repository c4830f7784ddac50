//! JavaScript values that Python holds.
//!
//! Pyodide keeps them in a table and Python has their numbers (`hiwire`). A value goes into an image as a description of
//! where it is found: on the global object, on Pyodide's API, or in what Taipan itself gave to Python.

use js_sys::{Array, Function, JsString, Map, Object, Reflect};
use serde::{Deserialize, Serialize};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::{JsCast, JsValue};

use super::glue::{Glue, entries, get, values};
use crate::emscripten::abi::set;
use crate::error::{Code, Error, Result};

/// Where a JavaScript value is found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reference {
    /// Its number, if it is one of those that every interpreter makes first.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub number: Option<u32>,
    /// Where to begin; absent for `null` and for a reference that is free.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub holder: Option<Holder>,
    /// The properties to go through from there.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    pub path: Vec<String>,
}

/// An object that every interpreter has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Holder {
    /// The global object.
    Global,
    /// Pyodide's internal `API`.
    Internal,
    /// The object that Pyodide's `loadPyodide` gives.
    Public,
    /// The module `_taipan_host`.
    Host,
}

/// The objects of one interpreter that values are found on.
#[derive(Clone)]
pub struct Holders {
    /// Pyodide's internal `API`.
    pub internal: JsValue,
    /// The object that Pyodide's `loadPyodide` gives.
    pub public: JsValue,
    /// The module `_taipan_host`.
    pub host: JsValue,
}

/// Which of Python's variables holds a JavaScript value, if that can be told.
pub type Owner<'a> = dyn Fn(&JsValue) -> Option<String> + 'a;

/// Properties of the global object whose own properties Python is likely to hold.
const NAMESPACES: [&str; 12] = [
    "Object",
    "Array",
    "JSON",
    "Math",
    "Promise",
    "Reflect",
    "Symbol",
    "console",
    "crypto",
    "performance",
    "navigator",
    "URL",
];

/// Properties of Pyodide's `API` that Python is known to hold; micropip takes two functions of these.
const INTERNAL: [&str; 9] = [
    "abortSignalAny",
    "config",
    "install",
    "loadBinaryFile",
    "lockfile",
    "lockfile_info",
    "lockfile_packages",
    "lockfile_unvendored_stdlibs_and_test",
    "_import_name_to_package_name",
];

/// Properties of what `loadPyodide` gives that Python is known to hold.
const PUBLIC: [&str; 2] = ["loadPackage", "loadedPackages"];

/// References that every interpreter makes first, in the same order (`API.getExpectedKeys`).
const EXPECTED: &str = "getExpectedKeys";

/// Which of these is `loadedPackages`, though it is checked against an empty object.
const LOADED_PACKAGES: u32 = 6;

/// Reads the table of references: those that every interpreter makes first are left out, unless Python has given one back and
/// it stands for another value now. And the strings that are never given back.
///
/// # Errors
/// [`Code::NotSupported`] for a value that is found nowhere; `owner` tells which of Python's variables has it.
pub fn capture(glue: &Glue, holders: &Holders, owner: &Owner<'_>) -> Result<(Vec<Reference>, Vec<String>)> {
    let known = known(holders);
    let describe = |number: Option<u32>, value: &JsValue| {
        if value.is_null() || value.is_undefined() {
            return Ok(Reference { number, holder: None, path: Vec::new() });
        }
        let found = known.get(value);
        if found.is_undefined() {
            return Err(unknown(value, owner(value)));
        }
        let found: Array = found.unchecked_into();
        let holder = HOLDERS[found.get(0).as_f64().unwrap_or_default() as usize];
        let path = found.iter().skip(1).filter_map(|name| name.as_string()).collect();
        Ok(Reference { number, holder: Some(holder), path })
    };
    let expected = expected(&holders.internal)?;
    let all = values(glue, "__hiwire_get", 0);
    let (first, own) = all.split_at(all.len().min(expected.length() as usize));
    let mut references = own.iter().map(|value| describe(None, value)).collect::<Result<Vec<_>>>()?;
    for (number, value) in (0..).zip(first) {
        if !value.is_null() && *value != expected.get(number) {
            references.push(describe(Some(number), value)?);
        }
    }
    // The first of them are made by every interpreter; a marker comes last among those.
    let is_marker = |value: &JsValue| get(value, "noValueMarker").as_f64() == Some(1.0);
    let immortal: Vec<JsValue> = values(glue, "__hiwire_immortal_get", 0);
    let after = immortal.iter().position(is_marker).map_or(immortal.len(), |marker| marker + 1);
    let strings = immortal[after..].iter().map(|value| value.as_string().ok_or_else(|| unknown(value, None)));
    Ok((references, strings.collect::<Result<_>>()?))
}

/// Puts values in the place of those that every interpreter makes first.
///
/// # Errors
/// [`Code::Fatal`] if the table cannot be written.
pub fn reuse(glue: &Glue, references: &[Reference], holders: &Holders) -> Result<()> {
    for reference in references {
        if let Some(number) = reference.number {
            glue.call("__hiwire_set", &[number.into(), reference.find(holders)])?;
        }
    }
    Ok(())
}

/// What `API.finalizeBootstrap` takes to restore the table: a description and a function that reads it.
pub fn describe(references: &[Reference], immortal: &[String], holders: &Holders) -> (Object, JsValue) {
    let keys: Array = references
        .iter()
        .enumerate()
        .filter(|(_, reference)| reference.number.is_none())
        .map(|(index, reference)| {
            if reference.holder.is_none() {
                return JsValue::NULL;
            }
            let key = Object::new();
            set(&key, "serialized", &(index as u32).into());
            key.into()
        })
        .collect();
    let immortal: Array = immortal.iter().map(|text| JsValue::from(text.as_str())).collect();
    let state = Object::new();
    set(&state, "hiwireKeys", &keys);
    set(&state, "immortalKeys", &immortal);
    let (references, holders) = (references.to_vec(), holders.clone());
    let find = Closure::<dyn Fn(u32) -> JsValue>::new(move |index: u32| {
        references.get(index as usize).map_or(JsValue::NULL, |reference| reference.find(&holders))
    });
    (state, find.into_js_value())
}

/// Makes Pyodide's own list of first references say what is the case: one of them is `loadedPackages`.
///
/// # Errors
/// [`Code::NotSupported`] if the bridge has another shape.
pub fn correct_expected(internal: &Object) -> Result<()> {
    let original = get(internal, EXPECTED).dyn_into::<Function>().map_err(|_| super::glue::missing(EXPECTED))?;
    let holder = internal.clone();
    let corrected = Closure::<dyn Fn() -> std::result::Result<JsValue, JsValue>>::new(move || {
        let keys: Array = original.call0(&holder)?.unchecked_into();
        let loaded = get(&get(&holder, "public_api"), "loadedPackages");
        if loaded.is_object() {
            keys.set(LOADED_PACKAGES, loaded);
        }
        Ok(keys.into())
    });
    set(internal, EXPECTED, &corrected.into_js_value());
    Ok(())
}

impl Reference {
    fn find(&self, holders: &Holders) -> JsValue {
        let Some(holder) = self.holder else { return JsValue::NULL };
        let mut value = match holder {
            Holder::Global => js_sys::global().into(),
            Holder::Internal => holders.internal.clone(),
            Holder::Public => holders.public(),
            Holder::Host => holders.host.clone(),
        };
        for name in &self.path {
            value = get(&value, name);
        }
        // What another browser lacks is `null` to Python.
        if value.is_undefined() { JsValue::NULL } else { value }
    }
}

impl Holders {
    /// While the bridge is being set up, its public object is known to itself alone.
    fn public(&self) -> JsValue {
        if self.public.is_object() { self.public.clone() } else { get(&self.internal, "public_api") }
    }
}

const HOLDERS: [Holder; 4] = [Holder::Global, Holder::Internal, Holder::Public, Holder::Host];

/// Every value that can be described, with its description.
fn known(holders: &Holders) -> Map {
    let known = Map::new();
    let add = |value: &JsValue, holder: u32, path: &[&str]| {
        if (value.is_object() || value.is_function()) && !known.has(value) {
            let description = Array::of1(&holder.into());
            for name in path {
                description.push(&(*name).into());
            }
            known.set(value, &description);
        }
    };
    add(&holders.host, 3, &[]);
    for (name, value) in entries(holders.host.unchecked_ref()) {
        add(&value, 3, &[&name]);
    }
    let public = holders.public();
    add(&holders.internal, 1, &[]);
    add(&public, 2, &[]);
    for name in INTERNAL {
        add(&get(&holders.internal, name), 1, &[name]);
    }
    for name in PUBLIC {
        add(&get(&public, name), 2, &[name]);
    }
    let global: JsValue = js_sys::global().into();
    add(&global, 0, &[]);
    let mut level: JsValue = global.clone();
    while level.is_object() {
        for name in property_names(&level) {
            if is_plain(&level, &name) {
                add(&get(&global, &name), 0, &[&name]);
            }
        }
        level = Object::get_prototype_of(&level).into();
    }
    for namespace in NAMESPACES {
        let object = get(&global, namespace);
        add(&object, 0, &[namespace]);
        for name in property_names(&object) {
            if is_plain(&object, &name) {
                add(&get(&object, &name), 0, &[namespace, &name]);
            }
        }
    }
    known
}

fn property_names(object: &JsValue) -> Vec<String> {
    if !object.is_object() && !object.is_function() {
        return Vec::new();
    }
    let names = Object::get_own_property_names::<JsValue>(object.unchecked_ref());
    names.iter().filter_map(|name| name.dyn_into::<JsString>().ok()).map(String::from).collect()
}

/// Whether reading a property runs no code: a getter may warn or ask the user.
fn is_plain(object: &JsValue, name: &str) -> bool {
    let descriptor = Object::get_own_property_descriptor::<JsValue>(object.unchecked_ref(), &name.into());
    Reflect::has(&descriptor, &"value".into()).unwrap_or(false)
}

fn expected(internal: &JsValue) -> Result<Array> {
    let function = get(internal, EXPECTED).dyn_into::<Function>().map_err(|_| super::glue::missing(EXPECTED))?;
    let keys =
        function.call0(internal).map_err(|thrown| Error::from_js(Code::Fatal, "The bridge cannot be read", thrown))?;
    Ok(keys.unchecked_into())
}

/// What a value is, as `Object.prototype.toString` has it: `[object Response]`.
fn kind(value: &JsValue) -> String {
    let prototype = get(&get(&js_sys::global(), "Object"), "prototype");
    let to_string = get(&prototype, "toString").dyn_into::<Function>().ok();
    to_string.and_then(|to_string| to_string.call0(value).ok()?.as_string()).unwrap_or_default()
}

fn unknown(value: &JsValue, owner: Option<String>) -> Error {
    let text = kind(value);
    let owner = owner.map_or_else(|| "Python".to_owned(), |name| format!("The variable `{name}`"));
    Error::new(
        Code::NotSupported,
        format!("{owner} holds a JavaScript value that cannot be put into an image: {text}."),
    )
    .hint("Delete it, or convert it with `.to_py()`, and try again.")
}
