//! Test-only: a naive reference model of rating and of the ledger, and seeded workloads to drive it and the real
//! engine.
//!
//! Invariant: nothing here shares code with the engine. The model is written from the normative rules alone, so that an
//! error in one of the two shows as a difference.

pub mod compare;
pub mod model;
pub mod workload;
