//! The ledger of one organisation: licences and included minutes, lots of prepaid money, what calls drew from them, and
//! automatic recharging.
//!
//! `Account::apply` takes a command, a rated call or the passing of time and answers with effects. It is a pure state
//! machine: no I/O, no clock (time arrives with every input), no randomness, no logging, no floating point.
//!
//! Invariants, asserted after every input and in release too (domain.md section 6):
//! purchased + adjusted = spent + forfeited + refunded + remaining, and
//! charged = drawn from lots + overdraft + post-usage + uncollected + unlicensed.
#![deny(missing_docs, clippy::float_arithmetic, clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm)]

pub mod account;
pub mod command;
pub mod effects;
pub mod entitlements;
pub mod lots;
pub mod plans;
pub mod recharge;
pub mod reversal;
pub mod rules;

pub use account::{Account, Input, Opening, RatedCall};
pub use command::Command;
pub use effects::{Effects, Event, FundingLine, FundingSource, Occurrence, Refusal};
pub use entitlements::Entitlements;
pub use lots::{Lot, LotId};
pub use plans::Plans;
pub use reversal::Reversal;
pub use rules::Rules;
