//! What the HTTP API stands on in a running process: the log for reading and for writing, decks, reports.

mod books;
mod decks;
mod owners;

use std::sync::Arc;

pub use owners::Ours;

use drawdown_api::{Desk, Service};
use drawdown_engine::inbox::Inbox;
use drawdown_stream::embedded::SpoolInbox;
use drawdown_stream::kafka::KafkaInbox;

use super::supply::Supply;
use crate::config::{Config, Log};
use crate::exit::Failure;
use crate::pipeline::kafka_settings;

/// The service of a process.
///
/// # Errors
/// There is no inbox to be had.
pub fn service(
    config: &Arc<Config>,
    supply: &Arc<Supply>,
    views: Arc<dyn drawdown_api::Views>,
    desk: Arc<Desk>,
    ours: &Arc<Ours>,
) -> Result<Service, Failure> {
    let inbox: Arc<dyn Inbox> = match &config.log {
        Log::Embedded(log) => Arc::new(SpoolInbox::start(&log.directory)?),
        Log::Kafka(kafka) => {
            Arc::new(KafkaInbox::new(&kafka_settings(kafka)).map_err(|error| Failure::Fault(error.into()))?)
        }
    };
    let books = Arc::new(books::LogBooks::new(Arc::clone(config), Arc::clone(supply)));
    let decks = Arc::new(decks::Shelf::new(Arc::clone(config), Arc::clone(supply)));
    let mut service = Service::new(views, desk, inbox, books, decks);
    service.window_days = config.rating.limits.window_days;
    if let Log::Kafka(kafka) = &config.log {
        service.owners = Arc::new(owners::GroupOwners::new(&kafka_settings(kafka), Arc::clone(ours)));
    }
    Ok(service)
}
