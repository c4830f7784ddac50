//! Python objects that JavaScript holds: Pyodide's `PyProxy`.
//!
//! Each has a record, `shared`, with the object's address; copies of a proxy have it in common (Pyodide's
//! `src/core/pyproxy.ts`).

use js_sys::{Array, Map, Object};
use wasm_bindgen::JsCast;

use crate::emscripten::abi::set;
use crate::emscripten::snapshot::glue::get;

/// What JavaScript is told that uses an object of a time that has been undone.
const UNDONE: &str = "This Python object was made after the checkpoint that Python was rolled back to.";

/// What of a record changes.
const FIELDS: [&str; 6] = ["ptr", "cache", "flags", "promise", "destroyed_msg", "gcRegistered"];

/// What the proxies of one object have in common: proxies of its attributes.
const CACHES: [&str; 2] = ["map", "json_adaptor_map"];

/// A record at one moment.
pub struct SavedProxy {
    fields: Object,
    /// What is in `cache`, with lists instead of maps.
    contents: Option<Object>,
}

/// Whether what is registered is the record of a proxy.
pub fn is_record(target: &Object) -> bool {
    !get(target, "ptr").is_undefined()
}

/// Makes the proxies of a record throw when they are used.
pub fn undo(record: &Object) {
    set(record, "ptr", &0.into());
    set(record, "destroyed_msg", &UNDONE.into());
}

impl SavedProxy {
    /// A record as it is, if it is one.
    pub fn of(record: &Object) -> Option<Self> {
        if !is_record(record) {
            return None;
        }
        let fields = Object::assign(&Object::new(), record);
        let cache = get(record, "cache");
        let contents = cache.is_object().then(|| {
            let contents = Object::assign(&Object::new(), cache.unchecked_ref());
            for name in CACHES {
                set(&contents, name, &Array::from(&get(&cache, name)));
            }
            contents
        });
        Some(Self { fields, contents })
    }

    /// Makes the record be as it was.
    pub fn put_back(&self, record: &Object) {
        for name in FIELDS {
            set(record, name, &get(&self.fields, name));
        }
        let Some(contents) = &self.contents else { return };
        let cache = get(&self.fields, "cache");
        for name in ["refcnt", "leaked"] {
            set(cache.unchecked_ref(), name, &get(contents, name));
        }
        for name in CACHES {
            let map: Map = get(&cache, name).unchecked_into();
            map.clear();
            for pair in get(contents, name).unchecked_into::<Array>().iter() {
                let pair: Array = pair.unchecked_into();
                map.set(&pair.get(0), &pair.get(1));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use wasm_bindgen::JsValue;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    fn only_a_record_is_saved() {
        assert!(SavedProxy::of(&Object::new()).is_none());
        let record = Object::new();
        set(&record, "ptr", &8.into());
        let saved = SavedProxy::of(&record).unwrap();
        undo(&record);
        assert_eq!(get(&record, "ptr"), 0);
        saved.put_back(&record);
        assert_eq!(get(&record, "ptr"), 8);
        assert_eq!(get(&record, "destroyed_msg"), JsValue::UNDEFINED);
    }
}
