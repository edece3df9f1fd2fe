//! Rating: what a call costs, from an immutable deck. Pure: no I/O, no clock, no logging, no floating point.
#![deny(missing_docs, clippy::float_arithmetic, clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm)]

mod number;

pub use number::Number;
