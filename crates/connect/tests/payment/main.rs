//! The payment connector between a real partition and real gateways over HTTP: killed at every step, cut off, lied to.

mod bed;
mod contract;
mod crash;
mod silence;
mod stripe;
