//! Reports for the people who pay: what was used, what became of the money, what to buy, what is about to be lost.
//!
//! Everything is made from debits and account events alone, as lines of JSON from whatever keeps them ([`Lines`]): files,
//! an embedded store, a topic. Memory does not grow with the number of debits.
//!
//! Invariant: money is added exactly; it is rounded only where a line is shown, and the difference is reported with it.
//! Invariant: a line that cannot be read ends the report. One that was left out would make every sum of it a guess.
//! Knows nothing of the ledger, on purpose: a statement that shared its code would repeat its mistakes.
#![deny(missing_docs, clippy::float_arithmetic, clippy::wildcard_enum_match_arm)]

mod account;
pub mod breakage;
mod fault;
mod fields;
pub mod funding;
mod holdings;
mod line;
mod lines;
mod lot;
mod sort;
pub mod statement;
pub mod usage;

pub use fault::Fault;
pub use lines::{Buffered, Line, Lines};
pub use lot::{Lot, State};
pub use sort::Sorter;
