//! The log on a real Kafka. One broker serves all tests of this file; each has topics and a group of its own.

#[path = "kafka/brokers.rs"]
mod brokers;
#[path = "kafka/connecting.rs"]
mod connecting;
#[path = "kafka/decks.rs"]
mod decks;
#[path = "kafka/desk.rs"]
mod desk;
#[path = "kafka/fencing.rs"]
mod fencing;
#[path = "kafka/following.rs"]
mod following;
#[path = "kafka/reading_back.rs"]
mod reading_back;
#[path = "kafka/rebalance.rs"]
mod rebalance;
#[path = "kafka/sizes.rs"]
mod sizes;
#[path = "kafka/topics.rs"]
mod topics;
#[path = "kafka/transactions.rs"]
mod transactions;
