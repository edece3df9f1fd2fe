//! The values every other crate counts in: money, currencies, instants.
//!
//! Invariant: nothing here is approximate. Money is a whole number of millionths of a currency
//! unit, an instant a whole number of nanoseconds; there is no floating point and no clock.
#![deny(missing_docs, clippy::float_arithmetic, clippy::arithmetic_side_effects, clippy::wildcard_enum_match_arm)]

mod currency;
mod decimal;
mod digits;
mod money;
mod price;
mod sum;
mod timestamp;

pub use currency::Currency;
pub use decimal::{DECIMAL_TEXT_MAX, DecimalError, DecimalText};
pub use digits::sixteen_digits;
pub use money::Money;
pub use price::Price;
pub use sum::Sum;
pub use timestamp::{TIME_TEXT_MAX, TimeText, Timestamp, TimestampError};
