//! The logs that the pipeline runs on: Kafka, and an embedded store on disk.

pub mod kafka;
