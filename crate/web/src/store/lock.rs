//! One tab at a time.

use futures::channel::oneshot;
use futures::future::select;
use js_sys::Promise;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::{JsFuture, future_to_promise};

use super::navigator;

/// The lock's name (Web Locks), one for the origin.
const NAME: &str = "taipan-store";

/// Does something while no other tab does, where the browser has locks. A tab that dies gives its lock back; so does work
/// that is dropped half done.
pub async fn exclusive<T>(work: impl Future<Output = T>) -> T {
    let (granted, is_granted) = oneshot::channel::<()>();
    let (release, released) = oneshot::channel::<()>();
    let hold = Closure::once(move |_lock: JsValue| -> Promise {
        // Whoever asked may have gone away meanwhile: then `released` is settled already.
        let _ = granted.send(());
        future_to_promise(async move {
            let _ = released.await;
            Ok(JsValue::UNDEFINED)
        })
    });
    let request = navigator::locks().and_then(|locks| locks.request(NAME, hold.as_ref().unchecked_ref()).ok());
    if let Some(request) = request {
        // A request that is refused (where storage is denied) must not be waited for.
        select(is_granted, JsFuture::from(request)).await;
    }
    let result = work.await;
    drop(release);
    result
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures::future::join3;
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;
    use crate::global;

    #[wasm_bindgen_test]
    async fn one_at_a_time_and_not_for_ever() {
        let (inside, most) = (Cell::new(0), Cell::new(0));
        let work = || {
            exclusive(async {
                inside.set(inside.get() + 1);
                most.set(most.get().max(inside.get()));
                global::sleep(5.0).await;
                inside.set(inside.get() - 1);
            })
        };
        join3(work(), work(), work()).await;
        assert_eq!((inside.get(), most.get()), (0, 1));

        let dropped = select(Box::pin(exclusive(std::future::pending::<()>())), global::sleep(20.0)).await;
        drop(dropped);
        work().await;
    }
}
