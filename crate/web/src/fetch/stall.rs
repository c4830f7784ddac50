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
