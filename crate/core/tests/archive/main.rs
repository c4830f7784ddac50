//! Archives that are as they should be, archives that lie in every way we know of, and real ones.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod contents;
mod end;
mod fixture;
mod headers;
mod names;
mod random;
mod reading;
mod zip64;
