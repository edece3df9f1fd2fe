//! The log as a connector has it: account events to follow from where it left off, and a place to put commands.

use std::path::PathBuf;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use drawdown_connect::feed::{Feed, FeedError, Orders};
use drawdown_engine::log::{Attributes, Input, Output};
use drawdown_stream::embedded;
use drawdown_stream::kafka::publish::{PublishError, Publisher};
use drawdown_stream::kafka::{KafkaSettings, follower};
use drawdown_units::Timestamp;

use crate::config::{Config, Log};
use crate::exit::Failure;
use crate::pipeline::kafka_settings;

/// The account events for the connector of this name, from where it left off.
///
/// On Kafka its group is the pipeline's with its name behind: processes of one configuration share the partitions.
///
/// # Errors
/// The log cannot be reached, or the place cannot be read.
pub fn feed(config: &Config, connector: &str) -> Result<Box<dyn Feed>, Failure> {
    let fault = |error: anyhow::Error| Failure::Fault(error);
    Ok(match &config.log {
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
    })
}

/// Where the connector of this name puts commands.
pub fn orders(config: &Config, connector: &str) -> Box<dyn Orders> {
    match &config.log {
        Log::Embedded(log) => {
            Box::new(SpoolOrders { directory: log.directory.clone(), connector: connector.to_owned(), count: 0 })
        }
        Log::Kafka(kafka) => Box::new(KafkaOrders { settings: kafka_settings(kafka), publisher: None }),
    }
}

/// The time of day.
pub fn now() -> Timestamp {
    // A clock before 1970 is as good as none.
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), since.subsec_nanos())
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
}

/// A file in the spool for each command.
struct SpoolOrders {
    directory: PathBuf,
    connector: String,
    /// So that files of one instant have names of their own.
    count: u64,
}

impl Orders for SpoolOrders {
    fn send(&mut self, _: &str, command: &[u8]) -> Result<(), FeedError> {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        self.count += 1;
        let drafts = self.directory.join("connectors");
        std::fs::create_dir_all(&drafts).map_err(fault)?;
        let draft = drafts.join(format!("{}-{}-{}.jsonl", self.connector, since.as_millis(), self.count));
        std::fs::write(&draft, [command, b"\n"].concat()).map_err(fault)?;
        // Copied and synced there; the draft has done its work, whatever came of it.
        let placed = embedded::place(&self.directory, Input::Commands, &draft, None, None);
        let _ = std::fs::remove_file(&draft);
        placed.map(|_| ()).map_err(fault)
    }
}

/// A publisher that is made anew after it failed: what it counted as undelivered says nothing of the next command.
struct KafkaOrders {
    settings: KafkaSettings,
    publisher: Option<Publisher>,
}

impl KafkaOrders {
    fn publish(&mut self, org: &str, command: &[u8]) -> Result<(), PublishError> {
        let publisher = match &self.publisher {
            Some(publisher) => publisher,
            None => self.publisher.insert(Publisher::new(&self.settings)?),
        };
        publisher.send(Input::Commands, Some(org), now(), command, &Attributes::default())?;
        publisher.flush(Input::Commands)
    }
}

impl Orders for KafkaOrders {
    fn send(&mut self, org: &str, command: &[u8]) -> Result<(), FeedError> {
        self.publish(org, command).map_err(|error| {
            self.publisher = None;
            fault(error)
        })
    }
}

#[cfg(test)]
mod tests {
    use drawdown_wire::command;

    use super::*;

    #[test]
    fn an_order_stands_in_the_spool_whole_and_alone() {
        let directory = tempfile::tempdir().unwrap();
        let mut orders =
            SpoolOrders { directory: directory.path().to_owned(), connector: "payment".to_owned(), count: 0 };
        let order = br#"{"commandId":"c","orgId":"o","at":"2026-03-01T00:00:00Z","type":"closeAccount"}"#;
        orders.send("o", order).unwrap();
        orders.send("o", order).unwrap();
        let files = |path: &str| std::fs::read_dir(directory.path().join(path)).unwrap().flatten().collect::<Vec<_>>();
        let spooled = files("spool/commands");
        assert_eq!((spooled.len(), files("connectors").len()), (2, 0));
        for file in spooled {
            let bytes = std::fs::read(file.path()).unwrap();
            assert!(bytes.ends_with(b"\n") && command::decode(&bytes).is_ok());
        }
    }
}
