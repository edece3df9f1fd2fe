//! What the safe client library does not offer, straight from librdkafka: batches without a copy, producing by topic
//! handle, commits without a floor of 100 ms, and a look at the membership that a commit is fenced by.
//!
//! The only unsafe code of the project. Invariants: every handle is owned by one value and destroyed before the client it
//! belongs to, since librdkafka waits for ever otherwise; nothing of a message outlives it; no call blocks without a
//! bound but those that say so. Decides nothing: what an error means for a transaction is told, not acted upon.

#![allow(unsafe_code)]

mod consume;
mod failure;
mod group;
mod produce;

pub use consume::{Headers, Message, Queue, TopicHandle, hold, known_watermarks};
pub use failure::{Failure, Severity};
pub use group::GroupMetadata;
pub use produce::Producer;

/// As librdkafka counts: −1 would be for ever, which is never what a duration means.
fn milliseconds(wait: std::time::Duration) -> i32 {
    wait.as_millis().try_into().unwrap_or(i32::MAX)
}
