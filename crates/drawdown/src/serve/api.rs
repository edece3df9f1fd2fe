//! What the HTTP API stands on in a running process: the log for reading and for writing, decks, reports.

mod books;
mod decks;
mod owners;

use std::sync::Arc;

pub use owners::Ours;

use drawdown_api::authorise::books::States;
use drawdown_api::{Calls, Desk, Service, Telemetry};
use drawdown_engine::inbox::Inbox;
use drawdown_stream::Views;
use drawdown_stream::embedded::SpoolInbox;
use drawdown_stream::kafka::KafkaInbox;

use super::supply::Supply;
use crate::config::{Config, Log};
use crate::exit::Failure;
use crate::pipeline::kafka_settings;

/// Committed states, for who authorises.
struct Published(Arc<Views>);

impl States for Published {
    fn account(&self, org: &str) -> Option<Vec<u8>> {
        self.0.get(org)
    }

    fn users(&self, org: &str, each: &mut dyn FnMut(&[u8])) {
        self.0.each_user(org, each);
    }

    fn partition(&self, org: &str) -> Option<u32> {
        self.0.partition(org)
    }
}

/// The running calls of a process.
pub fn calls(config: &Config, telemetry: &Telemetry, views: Arc<Views>, supply: Arc<Supply>) -> Calls {
    let catalogue = Box::new(move || supply.current());
    let (settings, states, rules) = (config.authorisation.clone(), Arc::new(Published(views)), config.rules.clone());
    Calls::new(settings, states, rules, catalogue, telemetry.calls())
}

/// The service of a process.
///
/// # Errors
/// There is no inbox to be had.
pub fn service(
    config: &Arc<Config>,
    telemetry: &Telemetry,
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
    let mut service = Service::new(telemetry, views, desk, inbox, books, decks);
    service.window_days = config.rating.limits.window_days;
    service.owners = match &config.log {
        Log::Embedded(_) => Arc::new(owners::Single(Arc::clone(ours))),
        Log::Kafka(kafka) => Arc::new(owners::GroupOwners::new(&kafka_settings(kafka), Arc::clone(ours))),
    };
    Ok(service)
}
