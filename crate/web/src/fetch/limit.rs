//! How many downloads run at a time.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;

use futures::channel::oneshot;

/// A number of places, given in the order in which they are asked for, those who are in a hurry first.
#[derive(Clone)]
pub struct Slots(Rc<RefCell<State>>);

/// A place. Whoever drops it gives it to the next.
pub struct Slot(Rc<RefCell<State>>);

struct State {
    free: usize,
    hurried: VecDeque<oneshot::Sender<Slot>>,
    patient: VecDeque<oneshot::Sender<Slot>>,
}

impl Slots {
    /// So many places.
    pub fn new(free: usize) -> Self {
        Self(Rc::new(RefCell::new(State { free, hurried: VecDeque::new(), patient: VecDeque::new() })))
    }

    /// Waits for a place.
    pub async fn take(&self, is_hurried: bool) -> Slot {
        loop {
            let turn = {
                let mut state = self.0.borrow_mut();
                if state.free > 0 {
                    state.free -= 1;
                    return Slot(Rc::clone(&self.0));
                }
                let (sender, turn) = oneshot::channel();
                if is_hurried { &mut state.hurried } else { &mut state.patient }.push_back(sender);
                turn
            };
            if let Ok(slot) = turn.await {
                return slot;
            }
        }
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let next = {
            let mut state = self.0.borrow_mut();
            let next = state.hurried.pop_front().or_else(|| state.patient.pop_front());
            if next.is_none() {
                state.free += 1;
            }
            next
        };
        if let Some(next) = next {
            // One who waits no more drops the place, and so passes it on.
            drop(next.send(Slot(Rc::clone(&self.0))));
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[test]
    fn places_are_given_in_order_and_those_in_a_hurry_come_first() {
        let slots = Slots::new(1);
        let first = slots.take(false).now_or_never().unwrap();
        let mut patient = Box::pin(slots.take(false));
        let mut late = Box::pin(slots.take(false));
        let mut hurried = Box::pin(slots.take(true));
        for waiting in [&mut patient, &mut late] {
            assert!(waiting.as_mut().now_or_never().is_none());
        }
        assert!(hurried.as_mut().now_or_never().is_none());
        drop(first);
        assert!(patient.as_mut().now_or_never().is_none());
        let second = hurried.as_mut().now_or_never().unwrap();
        drop(second);
        assert!(late.as_mut().now_or_never().is_none());
        let third = patient.as_mut().now_or_never().unwrap();
        drop(third);
        assert!(late.as_mut().now_or_never().is_some());
    }

    #[test]
    fn one_who_waits_no_more_is_passed_over() {
        let slots = Slots::new(1);
        let first = slots.take(false).now_or_never().unwrap();
        let mut given_up = Box::pin(slots.take(false));
        let mut next = Box::pin(slots.take(false));
        assert!(given_up.as_mut().now_or_never().is_none());
        assert!(next.as_mut().now_or_never().is_none());
        drop(given_up);
        drop(first);
        let second = next.as_mut().now_or_never().unwrap();
        let mut promised = Box::pin(slots.take(false));
        assert!(promised.as_mut().now_or_never().is_none());
        drop(second);
        // It has been given the place and goes before it has taken it.
        drop(promised);
        assert!(slots.take(false).now_or_never().is_some());
    }
}
