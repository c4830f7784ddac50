//! The resolver: rules by example, and solutions compared with trying everything in small universes.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod exhaustive;
mod rules;
mod universe;
