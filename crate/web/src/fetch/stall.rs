//! Noticing that nothing comes any more.

use std::cell::Cell;

use crate::global;

/// How many times within the limit it is looked.
const LOOKS: u32 = 8;

/// Ends when `activity` has not changed for so many milliseconds. The time is counted in looks, not by the clock: while
/// Python keeps this thread busy nobody can take what comes, and that is no stall.
pub async fn stalled(activity: &Cell<u64>, limit: f64) {
    let (mut seen, mut quiet) = (activity.get(), 0);
    while quiet < LOOKS {
        global::sleep(limit / f64::from(LOOKS)).await;
        let now = activity.get();
        quiet = if now == seen { quiet + 1 } else { 0 };
        seen = now;
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt as _;
    use futures::future::{Either, select};
    use wasm_bindgen_test::wasm_bindgen_test;

    use super::*;

    #[wasm_bindgen_test]
    async fn silence_is_noticed() {
        let begin = global::now();
        stalled(&Cell::new(0), 160.0).await;
        assert!(global::now() - begin >= 150.0);
    }

    #[wasm_bindgen_test]
    async fn time_in_which_the_thread_is_busy_does_not_count() {
        let activity = Cell::new(0);
        let mut watch = Box::pin(stalled(&activity, 200.0));
        assert!(watch.as_mut().now_or_never().is_none());
        global::block(400.0);
        let arrival = async {
            global::sleep(50.0).await;
            activity.set(1);
            global::sleep(100.0).await;
        };
        assert!(matches!(select(watch, pin!(arrival)).await, Either::Right(_)));
    }
}
