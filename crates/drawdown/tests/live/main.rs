//! Running processes, their API and the command line that speaks to it, on the embedded store and on a real Kafka.
//!
//! One program for all of it, since each would be linked anew. What takes the machine for itself (`chaos`, `recharges`, …) is
//! beside it.

#[path = "../common/client.rs"]
mod client;
#[path = "../common/described.rs"]
mod described;
#[path = "../common/guarded.rs"]
mod guarded;
#[path = "../common/process.rs"]
mod process;

mod api;
mod commands;
mod cutover;
mod hostile;
mod metrics;
mod scopes;
mod serve;
mod streams;
mod walk;
