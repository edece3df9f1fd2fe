//! Rating: what a call costs, from an immutable deck. Pure: no I/O, no clock, no logging, no floating point.
//!
//! The hot path is [`Deck::charge`]: the prefix index finds the rows of the longest prefix, the caller and the time band
//! choose one of them, and one exact sum is bounded and rounded once. Everything slow happens earlier, in
//! [`Deck::compile`], which refuses a deck that could leave a question open, or later, in [`Deck::breakdown`].
#![deny(missing_docs, clippy::float_arithmetic, clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm)]
#![cfg_attr(test, allow(clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm))]

mod bands;
mod catalogue;
mod charge;
mod deck;
mod exact;
mod fault;
mod index;
mod keys;
mod number;
mod plan;
mod product;
mod rounding;
mod row;
#[cfg(test)]
mod testing;

pub use catalogue::{Catalogue, NoDeck, PlanId};
pub use charge::{Bound, Breakdown, Call, Called, Charge, Part, Uncharged};
pub use deck::{Compiled, Deck, DeckText, Match, rows_file_of};
pub use exact::ExactAmount;
pub use fault::Fault;
pub use number::Number;
pub use plan::RatePlan;
pub use product::Product;
pub use rounding::{Rounding, RoundingMode};
pub use row::{Memo, Row, Tier};
