//! One tab at a time.

use futures::channel::oneshot;
use futures::future::select;
use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use super::navigator;

/// The lock's name (Web Locks), one for the origin.
const NAME: &str = "taipan-store";

/// What no other tab has at the same time, where the browser has locks. Given back when dropped, and when the tab dies.
pub struct Lock {
    release: Option<Function>,
}

impl Lock {
    /// Waits until no other tab has it.
    pub async fn acquire() -> Self {
        let mut release = None;
        let ending = Promise::new(&mut |resolve, _| release = Some(resolve));
        let lock = Self { release };
        let Some(locks) = navigator::locks() else { return lock };
        let (granted, is_granted) = oneshot::channel::<()>();
        let hold = Closure::once(move |_: JsValue| -> Promise {
            // Whoever asked may have gone away meanwhile: then `ending` is settled already.
            let _ = granted.send(());
            ending
        });
        if let Ok(request) = locks.request(NAME, hold.as_ref().unchecked_ref()) {
            // A request that is refused (where storage is denied) must not be waited for.
            select(is_granted, JsFuture::from(request)).await;
        }
        lock
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if let Some(release) = self.release.take() {
            // A function that settles a promise does not throw.
            let _ = release.call0(&JsValue::UNDEFINED);
        }
    }
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
        let work = async || {
            let _lock = Lock::acquire().await;
            inside.set(inside.get() + 1);
            most.set(most.get().max(inside.get()));
            global::sleep(5.0).await;
            inside.set(inside.get() - 1);
        };
        join3(work(), work(), work()).await;
        assert_eq!((inside.get(), most.get()), (0, 1));

        let held = Lock::acquire().await;
        let dropped = select(Box::pin(Lock::acquire()), global::sleep(20.0)).await;
        drop(dropped);
        drop(held);
        work().await;
    }
}
