//! What a running process shows over HTTP: metrics, health, and the accounts as they were last committed.
//!
//! Nothing here is on the way of a record: a worker hands over sums, one a transaction, and beats its pulse once a turn.

pub mod access;
pub mod authorise;
pub mod body;
pub mod books;
pub mod calls;
pub mod desk;
pub mod health;
pub mod meters;
pub mod names;
pub mod openapi;
pub mod owners;
pub mod problem;
pub mod routes;
pub mod server;
pub mod service;
pub mod tls;
pub mod views;

pub use calls::Calls;
pub use desk::Desk;
pub use health::{Health, Pulse, Stage};
pub use meters::{EventTally, Telemetry, WorkerMeters};
pub use server::{Guard, Proxies, Routes, Server};
pub use service::Service;
pub use views::{Figures, Totals, Views};
