//! Every backend that this browser has on a page's own thread; `tests/browser/store.test.mjs` has the workers' road.

use std::cell::RefCell;
use std::rc::Rc;

use js_sys::Object;
use wasm_bindgen::JsCast;
use wasm_bindgen::closure::Closure;
use wasm_bindgen_test::wasm_bindgen_test;

use super::cache::CacheStore;
use super::opfs::Opfs;
use super::*;
use crate::emscripten::abi::set;

fn host() -> EngineHost {
    Object::new().unchecked_into()
}

/// Every backend, empty.
async fn backends() -> [Backend; 3] {
    let backends = [
        Backend::Opfs(Opfs::open().await.unwrap()),
        Backend::Cache(CacheStore::open().await.unwrap()),
        Backend::Memory(Memory::default()),
    ];
    for backend in &backends {
        store(backend, None).clear().await;
    }
    backends
}

/// A store as another tab would open it: it knows nothing but what is written.
fn store(backend: &Backend, limit: Option<u64>) -> Store {
    Store::with_backend(backend.clone(), limit, &host())
}

async fn opened(backend: &Backend, limit: Option<u64>) -> Store {
    let store = store(backend, limit);
    store.refresh().await;
    store
}

fn bytes(text: &str) -> Uint8Array {
    Uint8Array::from(text.as_bytes())
}

async fn text(store: &Store, name: &str) -> Option<String> {
    store.get(name).await.map(|found| String::from_utf8(found.to_vec()).unwrap())
}

#[wasm_bindgen_test]
async fn what_is_put_is_found_by_others_until_it_is_removed() {
    for backend in backends().await {
        let store = opened(&backend, None).await;
        assert!(store.put("image/b", &bytes("one")).await);
        assert!(store.put("image/a", &bytes("two")).await);
        assert!(store.put("bytecode/a", &bytes("one")).await);
        let hash = ContentHash::of(b"three");
        assert!(store.put_content(hash, &bytes("three")).await);

        let other = opened(&backend, None).await;
        assert_eq!(text(&other, "image/b").await.as_deref(), Some("one"), "{}", backend.as_str());
        assert_eq!(other.get_content(&hash).await.unwrap().to_vec(), b"three");
        assert_eq!(other.names("image/").await, ["image/b", "image/a"]);
        assert_eq!(other.usage().await.bytes as u64, 11, "the same content is there once");

        store.remove("image/b").await;
        assert_eq!(text(&opened(&backend, None).await, "bytecode/a").await.as_deref(), Some("one"));
        store.remove("bytecode/a").await;
        assert_eq!(store.usage().await.entries, 2);
        assert!(text(&other, "bytecode/a").await.is_none(), "another tab finds it gone");
        assert!(store.put("image/a", &bytes("four")).await);
        assert_eq!(other.usage().await.bytes as u64, 9, "what a name referred to before is gone");

        other.clear().await;
        assert_eq!((other.usage().await.bytes as u64, other.usage().await.entries), (0, 0));
        assert!(text(&store, "image/a").await.is_none());
        assert!(store.put("image/a", &bytes("four")).await, "what was cleared can be put again");
        assert_eq!(text(&opened(&backend, None).await, "image/a").await.as_deref(), Some("four"));
        store.clear().await;
    }
}

#[wasm_bindgen_test]
async fn what_is_damaged_or_half_written_is_not_there() {
    for backend in backends().await {
        for damage in ["dam", "damage", ""] {
            let store = opened(&backend, None).await;
            assert!(store.put("a", &bytes("damage me")).await);
            let place = Place::Content(ContentHash::of(b"damage me"));
            backend.write(place, &bytes(damage)).await.unwrap();
            assert!(text(&store, "a").await.is_none(), "{}", backend.as_str());
            assert!(backend.size(place).await.is_none(), "it is thrown away");
            assert!(store.names("").await.is_empty());
        }
        let store = opened(&backend, None).await;
        assert!(store.put("a", &bytes("kept")).await);
        assert!(store.put("b", &bytes("as well")).await);
        let (next, _) = backend.index().await.encode();
        backend.write(Place::Index(1 - next), &bytes("half of an ind")).await.unwrap();
        let other = opened(&backend, None).await;
        assert_eq!(other.names("").await, ["a"], "the index before is used");
        backend.write(Place::Index(next), &bytes("")).await.unwrap();
        let third = opened(&backend, None).await;
        assert!(third.names("").await.is_empty());
        assert!(third.get_content(&ContentHash::of(b"as well")).await.is_some(), "content is found without its name");
        third.clear().await;
    }
}

#[wasm_bindgen_test]
async fn the_least_recently_used_makes_room_and_what_is_in_use_does_not() {
    for backend in backends().await {
        let first = opened(&backend, Some(10)).await;
        assert!(first.put("a", &bytes("aaaa")).await);
        crate::global::sleep(2.0).await;
        assert!(first.put("b", &bytes("bbbb")).await);
        assert!(!first.put("c", &bytes("cccc")).await, "a and b are in use here");
        assert!(!first.put("c", &bytes("longer than ten")).await);

        crate::global::sleep(2.0).await;
        let second = opened(&backend, Some(10)).await;
        assert!(text(&second, "a").await.is_some());
        second.tidy(|| true).await;
        let third = opened(&backend, Some(10)).await;
        assert!(third.put("c", &bytes("cccc")).await);
        assert_eq!(third.names("").await, ["a", "c"], "b was used longer ago ({})", backend.as_str());
        assert_eq!(third.usage().await.bytes as u64, 8);
        third.clear().await;
    }
}

#[wasm_bindgen_test]
async fn what_was_saved_makes_no_room_but_for_what_takes_its_place() {
    for backend in backends().await {
        let first = opened(&backend, Some(10)).await;
        assert!(first.put("image/mine", &bytes("mine")).await);
        assert!(first.put("other", &bytes("other")).await);

        let second = opened(&backend, Some(10)).await;
        assert!(!second.put("large", &bytes("seven b")).await, "{}", backend.as_str());
        assert_eq!(second.names("").await, ["image/mine", "other"], "nothing goes in vain");
        assert!(second.put("small", &bytes("small")).await);
        assert_eq!(second.names("").await, ["image/mine", "small"]);
        assert!(!second.put("image/theirs", &bytes("sevenby")).await);

        let third = opened(&backend, Some(10)).await;
        assert!(third.put("image/mine", &bytes("ten bytes.")).await, "the old one does not count");
        assert_eq!(third.names("").await, ["image/mine"]);
        assert!(!third.put("image/mine", &bytes("eleven byte")).await);
        assert_eq!(text(&third, "image/mine").await.as_deref(), Some("ten bytes."));
        third.clear().await;
    }
}

#[wasm_bindgen_test]
async fn many_at_once_lose_nothing() {
    for backend in backends().await {
        let tabs = [opened(&backend, None).await, opened(&backend, None).await];
        let putting = (0..12).map(|number| {
            let tab = tabs[number % 2].clone();
            async move { tab.put(&format!("many/{number}"), &bytes(&number.to_string())).await }
        });
        assert!(futures::future::join_all(putting).await.into_iter().all(|kept| kept));
        assert_eq!(tabs[0].names("many/").await.len(), 12, "{}", backend.as_str());
        tabs[0].clear().await;
    }
}

#[wasm_bindgen_test]
async fn what_waits_is_kept_when_there_is_time_and_can_then_be_read_at_once() {
    let [opfs, cache, _] = backends().await;
    for backend in [opfs, cache] {
        let (store, hash) = (opened(&backend, None).await, ContentHash::of(b"later"));
        store.put_content_later(None, hash, &bytes("later"));
        store.tidy(|| false).await;
        assert_eq!(store.usage().await.entries, 0);
        store.tidy(|| true).await;
        assert_eq!(store.usage().await.entries, 1);
        store.clear().await;
    }
}

#[wasm_bindgen_test]
async fn a_store_that_cannot_be_written_goes_on_in_memory_and_says_so() {
    let [backend, ..] = backends().await;
    let told = Rc::new(RefCell::new(Vec::new()));
    let listener = Closure::<dyn FnMut(Object)>::new({
        let told = Rc::clone(&told);
        move |notice: Object| told.borrow_mut().push(notice)
    });
    let object = Object::new();
    set(&object, "onNotice", listener.as_ref());
    let store = Store::with_backend(backend, None, &object.unchecked_into());
    store.degrade(&js_sys::Error::new("no room").into());
    assert_eq!((store.backend_name(), store.is_persistent()), ("memory", false));
    let told = told.take();
    let code = js_sys::Reflect::get(&told[0], &"code".into()).unwrap();
    assert_eq!((told.len(), code), (1, "STORE_IN_MEMORY".into()));
    assert!(store.put("a", &bytes("a")).await);
    assert_eq!(text(&store, "a").await.as_deref(), Some("a"));
}

#[wasm_bindgen_test]
async fn nothing_is_kept_where_nobody_wants_it() {
    let store = Store::open(false, None, &host()).await;
    assert_eq!((store.backend_name(), store.is_persistent()), ("none", false));
    assert!(!store.put("a", &bytes("a")).await);
    assert!(store.get("a").await.is_none());
    assert_eq!(store.usage().await.limit as u64, 0);
}

#[wasm_bindgen_test]
async fn the_best_place_is_the_origin_private_file_system() {
    assert_eq!(Store::open(true, None, &host()).await.backend_name(), "opfs");
}
