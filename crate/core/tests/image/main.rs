//! Images: what is written is read, and nothing else is.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod chain;
mod damage;
mod detached;
mod files;
mod fixture;
mod head;
mod manifest;
mod round_trip;
mod specification;
