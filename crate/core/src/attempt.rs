//! Inflating, and once more where that went wrong.
//!
//! `JavaScriptCore` (seen in `WebKitGTK` 2.50.6, about once in 400 fresh workers on a busy machine) miscompiles a loop of the
//! inflater while it replaces the loop's code by faster code: an index is then out of bounds, and the module traps. The same
//! bytes inflate well the next time. So a host may give a way to catch traps, and what has trapped is tried again.

use std::sync::OnceLock;

/// Does the work to its end, or until it traps.
pub type Catch = fn(work: &mut dyn FnMut());

static CATCH: OnceLock<Catch> = OnceLock::new();

/// Catches traps from now on. Only the first call counts.
pub fn catch_traps(catch: Catch) {
    let _ = CATCH.set(catch);
}

/// The result of `work`, or of a second try if that trapped or is not `good`. `None` if both trapped. Without a way to catch
/// traps there is one try.
pub(crate) fn attempt<T>(mut work: impl FnMut() -> T, good: impl Fn(&T) -> bool) -> Option<T> {
    let Some(catch) = CATCH.get() else { return Some(work()) };
    let mut result = None;
    for _ in 0..2 {
        result = None;
        catch(&mut || result = Some(work()));
        if result.as_ref().is_some_and(&good) {
            break;
        }
    }
    result
}

/// Catches panics, which are what traps are where tests run, in all tests of this process from now on.
#[cfg(test)]
pub(crate) fn catch_panics() {
    catch_traps(|work| drop(std::panic::catch_unwind(std::panic::AssertUnwindSafe(work))));
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::{attempt, catch_panics};

    #[test]
    fn what_trapped_or_is_not_good_is_tried_once_more() {
        catch_panics();
        let tries = Cell::new(0);
        let try_number = || {
            tries.set(tries.get() + 1);
            tries.get()
        };
        let traps_until = |last: u32| {
            tries.set(0);
            move |number| if number <= last { std::panic::resume_unwind(Box::new(())) } else { number }
        };

        let trap = traps_until(0);
        assert_eq!((attempt(|| trap(try_number()), |_| true), tries.get()), (Some(1), 1));
        let trap = traps_until(1);
        assert_eq!((attempt(|| trap(try_number()), |_| true), tries.get()), (Some(2), 2));
        let trap = traps_until(2);
        assert_eq!((attempt(|| trap(try_number()), |_| true), tries.get()), (None, 2));

        tries.set(0);
        assert_eq!((attempt(try_number, |number| *number == 2), tries.get()), (Some(2), 2));
        tries.set(0);
        assert_eq!((attempt(try_number, |_| false), tries.get()), (Some(2), 2));
    }
}
