//! Test-only: a naive reference model of rating and of the ledger, seeded workloads to drive it and the real engine, a
//! real Kafka, a real mail server, real SIP and testers of HTTP APIs.
//!
//! Invariant: nothing here shares code with the engine. The model is written from the normative rules alone, so that an
//! error in one of the two shows as a difference.

pub mod compare;
pub mod kafka;
pub mod mail;
pub mod model;
pub mod python;
pub mod sip;
pub mod workload;
