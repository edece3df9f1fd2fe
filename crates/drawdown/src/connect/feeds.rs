//! The log as a connector has it: account events to follow from where it left off, and a place to put commands.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use drawdown_connect::feed::{Feed, FeedError, Orders};
use drawdown_connect::lag::Measured;
use drawdown_engine::inbox::{Inbox, Message};
use drawdown_engine::log::{Input, Output};
use drawdown_stream::embedded;
use drawdown_stream::kafka::follower;

use crate::config::{Config, Log};
use crate::exit::Failure;
use crate::pipeline::kafka_settings;

/// The account events for the connector of this name, from where it left off.
///
/// On Kafka its group is the pipeline's with its name behind: processes of one configuration share the partitions.
///
/// # Errors
/// The log cannot be reached, or the place cannot be read.
pub fn feed(config: &Config, connector: &str) -> Result<Measured<Box<dyn Feed>>, Failure> {
    let fault = |error: anyhow::Error| Failure::Fault(error);
    let feed: Box<dyn Feed> = match &config.log {
        Log::Embedded(log) => {
            let follower = embedded::Follower::open(&log.directory, connector, Output::Events);
            Box::new(EmbeddedFeed(follower.map_err(|error| fault(error.into()))?))
        }
        Log::Kafka(kafka) => {
            let settings = kafka_settings(kafka);
            let group = format!("{}-{connector}", settings.group);
            let follower = follower::Follower::output(&settings, Output::Events, &group);
            Box::new(KafkaFeed(follower.map_err(|error| fault(error.into()))?))
        }
    };
    Ok(Measured::new(feed))
}

fn fault(error: impl ToString) -> FeedError {
    FeedError(error.to_string())
}

struct EmbeddedFeed(embedded::Follower);

impl Feed for EmbeddedFeed {
    fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, FeedError> {
        self.0.next(wait).map_err(fault)
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        self.0.commit().map_err(fault)
    }

    fn is_caught_up(&mut self) -> bool {
        self.0.is_caught_up()
    }

    fn logged_ms(&self) -> Option<i64> {
        self.0.logged_ms()
    }

    fn waiting(&mut self) -> u64 {
        // What cannot be read now is told by whoever reads it next.
        self.0.waiting_count().unwrap_or_default()
    }
}

struct KafkaFeed(follower::Follower);

impl Feed for KafkaFeed {
    fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, FeedError> {
        self.0.next(wait).map_err(FeedError)
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        self.0.commit().map_err(FeedError)
    }

    fn is_caught_up(&mut self) -> bool {
        self.0.is_caught_up()
    }

    fn logged_ms(&self) -> Option<i64> {
        self.0.logged_ms()
    }

    fn waiting(&mut self) -> u64 {
        self.0.waiting_count()
    }

    fn look(&mut self) {
        self.0.look();
    }
}

/// Commands by the log's inbox, one after the other.
pub struct InboxOrders(pub Arc<dyn Inbox>);

impl Orders for InboxOrders {
    fn send(&mut self, org: &str, command: &[u8]) -> Result<(), FeedError> {
        let (tell, told) = mpsc::channel();
        let done = Box::new(move |result| {
            let _ = tell.send(result);
        });
        let message =
            Message { input: Input::Commands, org: Some(org.to_owned()), source: None, value: command.to_vec() };
        self.0.put(message, done);
        told.recv().map_err(|_| fault("the inbox has ended"))?.map_err(fault)
    }
}

#[cfg(test)]
mod tests {
    use drawdown_wire::command;

    use super::*;

    #[test]
    fn an_order_stands_in_the_spool_whole_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut orders = InboxOrders(Arc::new(embedded::SpoolInbox::start(directory.path()).unwrap()));
        let order = br#"{"commandId":"c","orgId":"o","at":"2026-03-01T00:00:00Z","type":"closeAccount"}"#;
        orders.send("o", order).unwrap();
        orders.send("o", order).unwrap();
        let files = |path: &str| {
            std::fs::read_dir(directory.path().join(path)).into_iter().flatten().flatten().collect::<Vec<_>>()
        };
        let spooled = files("spool/commands");
        assert_eq!((spooled.len(), files("connectors").len()), (2, 0));
        for file in spooled {
            let bytes = std::fs::read(file.path()).unwrap();
            let (key, record) = embedded::keyed::split(&bytes);
            assert_eq!(key.as_deref(), Some("o"));
            assert!(record.ends_with(b"\n") && command::decode(record).is_ok());
        }
    }
}
