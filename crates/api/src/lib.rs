//! What a running process shows over HTTP: metrics, health, and the accounts as they were last committed.
//!
//! Nothing here is on the way of a record: a worker hands over sums, one a transaction, and beats its pulse once a turn.

pub mod access;
pub mod authorise;
pub mod health;
pub mod meters;
pub mod names;
pub mod problem;
pub mod server;
pub mod views;

pub use health::{Health, Pulse, Stage};
pub use meters::{EventTally, Telemetry, WorkerMeters};
pub use server::{Routes, Server};
pub use views::{Figures, Totals, Views};
