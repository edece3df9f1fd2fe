//! Connectors, run beside the pipeline on whichever log it runs on.

#![allow(dead_code, reason = "`serve` starts them once its configuration knows them")]

pub mod feeds;
pub mod payment;
