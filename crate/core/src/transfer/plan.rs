//! Whom to ask for a file, and when.

/// What became of one attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Failure {
    /// No answer came, or it broke off, or nothing came any more.
    Lost {
        /// Bytes that this attempt brought beyond what had come before, and that the next can go on from.
        gained: u64,
    },
    /// The server answered with a status that is no success.
    Status {
        /// The status.
        status: u16,
        /// Milliseconds that it asks to wait.
        retry_after: Option<f64>,
    },
    /// The bytes are not those of the file.
    Wrong,
    /// This server does not have the file.
    Absent,
}

/// How long to go on trying.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Patience {
    /// How often each mirror is asked.
    pub attempts: u32,
    /// Milliseconds that are waited at most between two attempts, whatever a server asks for.
    pub longest_wait: f64,
}

/// The next attempt.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Step {
    /// Which mirror to ask.
    pub mirror: usize,
    /// Milliseconds to wait before.
    pub wait: f64,
    /// Whether caches on the way must not answer.
    pub reload: bool,
}

/// An attempt that brought so many bytes is none that failed: what has come stays, and the network is not dead.
const GAIN: u64 = 64 << 10;

/// Decides whom to ask next.
///
/// - A mirror that fails is left for one that has not been asked; when all have been, for the one that may be asked
///   again soonest.
/// - A failure that may pass lets a mirror be asked again after a wait: twice as long each time, longer where it asks
///   for that ([`back_off`]).
/// - A mirror whose bytes are wrong is asked once more past all caches, at once: a bad transfer may be kept in one.
/// - A mirror that does not have the file is not asked again.
/// - A transfer that broke off after it had brought something is taken up at the same mirror, and does not count.
#[derive(Debug, Clone)]
pub struct Plan {
    patience: Patience,
    mirrors: Vec<Mirror>,
    current: usize,
}

#[derive(Debug, Clone, Copy, Default)]
struct Mirror {
    attempts: u32,
    not_before: f64,
    reload: bool,
    is_out: bool,
}

impl Plan {
    /// So many mirrors. `reload`: caches on the way must not answer, from the first attempt on.
    pub fn new(mirrors: usize, patience: Patience, reload: bool) -> Self {
        Self { patience, mirrors: vec![Mirror { reload, ..Mirror::default() }; mirrors], current: 0 }
    }

    /// The first attempt, where there is anybody to ask.
    pub fn first(&self) -> Option<Step> {
        self.mirrors.first().map(|mirror| Step { mirror: 0, wait: 0.0, reload: mirror.reload })
    }

    /// What to do after a failure; `None` is to give up. `now` is milliseconds on any clock, `random` is from [0, 1).
    pub fn after(&mut self, failure: Failure, now: f64, random: f64) -> Option<Step> {
        let Patience { attempts, longest_wait } = self.patience;
        let mirror = self.mirrors.get_mut(self.current)?;
        if let Failure::Lost { gained: GAIN.. } = failure {
            let wait = back_off(1, random).min(longest_wait);
            return Some(Step { mirror: self.current, wait, reload: mirror.reload });
        }
        mirror.attempts += 1;
        let wait = back_off(mirror.attempts, random);
        mirror.not_before = now + wait.min(longest_wait);
        match failure {
            Failure::Lost { .. } => {}
            Failure::Status { status, retry_after } => {
                mirror.is_out = !is_passing(status);
                mirror.not_before = now + wait.max(retry_after.unwrap_or_default()).min(longest_wait);
            }
            Failure::Wrong => {
                mirror.is_out = mirror.reload;
                mirror.reload = true;
                mirror.not_before = now;
            }
            Failure::Absent => mirror.is_out = true,
        }
        mirror.is_out |= mirror.attempts >= attempts;
        let candidates = self.mirrors.iter().enumerate().filter(|(_, mirror)| !mirror.is_out);
        let (index, mirror) = candidates.min_by(|(_, one), (_, other)| one.not_before.total_cmp(&other.not_before))?;
        self.current = index;
        Some(Step { mirror: index, wait: (mirror.not_before - now).max(0.0), reload: mirror.reload })
    }
}

/// Whether an answer with this status may be another one when the request is made again. `wasm_module.ts`, which fetches the
/// module that this is in, has the same list.
pub const fn is_passing(status: u16) -> bool {
    matches!(status, 408 | 425 | 429 | 500 | 502 | 503 | 504)
}

/// Milliseconds to wait after so many failures: twice as long each time, and not the same for everybody, lest all come
/// back at once. `random` is from [0, 1).
pub fn back_off(failures: u32, random: f64) -> f64 {
    const FIRST: f64 = 250.0;
    FIRST * f64::from(1_u32 << failures.saturating_sub(1).min(16)) * (0.5 + random)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PATIENCE: Patience = Patience { attempts: 4, longest_wait: 30_000.0 };
    const LOST: Failure = Failure::Lost { gained: 0 };

    fn status(status: u16) -> Failure {
        Failure::Status { status, retry_after: None }
    }

    fn step(mirror: usize, wait: f64, reload: bool) -> Step {
        Step { mirror, wait, reload }
    }

    #[test]
    fn waits_grow_and_differ() {
        assert!((back_off(1, 0.0) - 125.0).abs() < 1e-9);
        assert!((back_off(3, 0.5) - 1000.0).abs() < 1e-9);
        assert!(back_off(u32::MAX, 0.5).is_finite());
    }

    #[test]
    fn failures_that_may_pass_are_tried_again_a_number_of_times() {
        for failure in [LOST, status(503), status(429), status(408)] {
            let mut plan = Plan::new(1, PATIENCE, false);
            assert_eq!(plan.after(failure, 0.0, 0.5), Some(step(0, 250.0, false)));
            assert_eq!(plan.after(failure, 250.0, 0.5), Some(step(0, 500.0, false)));
            assert_eq!(plan.after(failure, 750.0, 0.5), Some(step(0, 1000.0, false)));
            assert_eq!(plan.after(failure, 1750.0, 0.5), None);
        }
    }

    #[test]
    fn what_will_not_pass_is_not_tried_again() {
        for failure in [status(404), status(403), status(501), Failure::Absent] {
            assert_eq!(Plan::new(1, PATIENCE, false).after(failure, 0.0, 0.5), None);
        }
    }

    #[test]
    fn a_server_that_asks_to_wait_is_waited_for_within_reason() {
        let after = |retry_after| {
            let failure = Failure::Status { status: 429, retry_after: Some(retry_after) };
            Plan::new(1, PATIENCE, false).after(failure, 5.0, 0.5)
        };
        assert_eq!(after(7000.0), Some(step(0, 7000.0, false)));
        assert_eq!(after(0.0), Some(step(0, 250.0, false)));
        assert_eq!(after(3_600_000.0), Some(step(0, 30_000.0, false)));
    }

    #[test]
    fn wrong_bytes_are_asked_for_once_more_past_all_caches() {
        let mut plan = Plan::new(1, PATIENCE, false);
        assert_eq!(plan.after(Failure::Wrong, 0.0, 0.5), Some(step(0, 0.0, true)));
        assert_eq!(plan.after(Failure::Wrong, 0.0, 0.5), None);
        let mut plan = Plan::new(1, PATIENCE, false);
        plan.after(Failure::Wrong, 0.0, 0.5);
        assert_eq!(plan.after(LOST, 0.0, 0.5), Some(step(0, 500.0, true)));
    }

    #[test]
    fn other_mirrors_are_asked_before_any_is_asked_again() {
        let mut plan = Plan::new(3, PATIENCE, false);
        assert_eq!(plan.after(LOST, 100.0, 0.5), Some(step(1, 0.0, false)));
        assert_eq!(plan.after(status(404), 110.0, 0.5), Some(step(2, 0.0, false)));
        // The first may be asked from 350 on, the third from 120.
        assert_eq!(plan.after(Failure::Wrong, 120.0, 0.5), Some(step(2, 0.0, true)));
        assert_eq!(plan.after(Failure::Wrong, 130.0, 0.5), Some(step(0, 220.0, false)));
        plan.after(LOST, 400.0, 0.5);
        plan.after(LOST, 1000.0, 0.5);
        assert_eq!(plan.after(LOST, 3000.0, 0.5), None);
    }

    #[test]
    fn an_attempt_that_brought_something_does_not_count() {
        let mut plan = Plan::new(2, PATIENCE, false);
        for _ in 0..100 {
            assert_eq!(plan.after(Failure::Lost { gained: GAIN }, 0.0, 0.5), Some(step(0, 250.0, false)));
        }
        assert_eq!(plan.after(Failure::Lost { gained: GAIN - 1 }, 0.0, 0.5), Some(step(1, 0.0, false)));
    }

    #[test]
    fn bytes_that_are_wrong_past_all_caches_are_not_asked_for_again() {
        let mut plan = Plan::new(1, PATIENCE, true);
        assert_eq!(plan.first(), Some(step(0, 0.0, true)));
        assert_eq!(plan.after(Failure::Wrong, 0.0, 0.5), None);
    }

    #[test]
    fn no_mirrors_is_no_step() {
        assert_eq!(Plan::new(0, PATIENCE, false).first(), None);
        assert_eq!(Plan::new(0, PATIENCE, false).after(LOST, 0.0, 0.5), None);
    }
}
