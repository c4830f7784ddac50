//! What to do about downloads: when to ask again and whom, what a server's answer to a resumed request means, how far
//! everything is.
//!
//! The host makes the requests and hands in what became of them; nothing here knows of requests, timers or random
//! numbers.

mod cache_control;
mod content_range;
mod overall;
mod plan;
mod resume;
mod retry_after;

pub use cache_control::may_be_reused;
pub use content_range::ContentRange;
pub use overall::{Overall, TransferId};
pub use plan::{Failure, Patience, Plan, Step, back_off, is_passing};
pub use resume::{Resumed, Validator, WrongLength, check_length};
pub use retry_after::parse_retry_after;
