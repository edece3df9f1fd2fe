//! The engine: one partition of organisations, from decoded inputs to debits and account events.
//!
//! The hot path in five named functions: `wire::native::decode` reads a record, [`Partition::cdr`] admits it,
//! `rating::Deck::charge` prices it, `ledger::Account::apply` draws it down, `wire::debit::DebitLine::write` says so.
//!
//! Deterministic: the same inputs in the same order give the same bytes, whatever the batches. It never reads a clock
//! and does no I/O. A batch can be rolled back without a trace.

mod accounts;
pub mod dedup;
pub mod inbox;
pub mod intake;
mod journal;
pub mod log;
pub mod partition;
mod pricing;
pub mod quote;
pub mod sim;
pub mod tally;
pub mod worker;

pub use dedup::Dedup;
pub use intake::{Intake, Raw};
pub use partition::{AHEAD_COUNT, Booked, Engine, InProgress, Limits, Originals, Outcome, Outputs, Partition};
pub use quote::{Covering, Quote};
pub use tally::Tally;
pub use worker::Worker;
