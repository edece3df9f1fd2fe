//! The logs that the pipeline runs on: Kafka, and an embedded store on disk; and what goes with them: views of
//! committed accounts, published decks.

pub mod bundle;
pub mod embedded;
pub mod kafka;
pub mod views;

pub use views::Views;
