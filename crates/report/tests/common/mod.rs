//! The hand-made log of the tests: three organisations, every payer, every masking country, every kind of correction.
#![allow(dead_code, reason = "each test uses some of it")]

use std::io::Cursor;

use drawdown_report::{Buffered, Sorter};
use drawdown_units::Timestamp;

pub const DEBITS: &str = include_str!("../data/debits.jsonl");
pub const EVENTS: &str = include_str!("../data/account-events.jsonl");

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Lines that come from a text.
pub fn lines(name: &str, text: &str) -> Buffered<Cursor<Vec<u8>>> {
    Buffered::new(name, Cursor::new(text.as_bytes().to_vec()))
}

pub fn debits() -> Buffered<Cursor<Vec<u8>>> {
    lines("debits.jsonl", DEBITS)
}

pub fn events() -> Buffered<Cursor<Vec<u8>>> {
    lines("account-events.jsonl", EVENTS)
}

/// A sorter that spills all the time.
pub fn sorter() -> Sorter {
    Sorter::new(std::env::temp_dir(), 1_000)
}
