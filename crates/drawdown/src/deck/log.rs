//! The decks of a log without a server in between: what stands there, judged as a server judges it, and publishing.

use std::slice;
use std::time::{Duration, Instant};

use drawdown_stream::bundle::Bundle;
use drawdown_stream::embedded::decks::{self, Found};
use drawdown_stream::kafka::decks::Decks;
use drawdown_stream::kafka::publish::{DeckPublisher, PublishError};

use crate::config::{Config, Kafka, Log};
use crate::exit::Failure;
use crate::pipeline::kafka_settings;
use crate::serve::supply::Supply;

/// When what was put on the log holds.
pub const FROM_WHEN: &str = "a running process takes it up at once, the next one at its start";

/// How long a topic of decks is read before it is said that it does not end.
const PATIENCE: Duration = Duration::from_secs(60);
const WAIT: Duration = Duration::from_millis(100);

/// What a server would have taken up that starts now, with the files that the configuration names.
///
/// # Errors
/// Files with faults, or a log that cannot be read.
pub fn supply(config: &Config) -> Result<Supply, Failure> {
    let supply = Supply::from_files(&config.rating)?;
    match &config.log {
        Log::Embedded(log) => {
            for found in [decks::in_force(&log.directory), decks::waiting(&log.directory)] {
                let found = found.map_err(|error| Failure::Fault(error.into()))?;
                // Whoever takes them up says what is wrong with those that cannot be read.
                supply.take_up(found.into_iter().filter_map(|Found { bundle, .. }| bundle.ok()).collect());
            }
        }
        Log::Kafka(kafka) => drop(supply.take_up(on_topic(kafka)?)),
    }
    Ok(supply)
}

fn on_topic(kafka: &Kafka) -> Result<Vec<Bundle>, Failure> {
    let mut topic = Decks::open(&kafka_settings(kafka)).map_err(|error| Failure::Fault(error.into()))?;
    let (mut bundles, until) = (Vec::new(), Instant::now() + PATIENCE);
    loop {
        let news = topic.read(WAIT).map_err(|error| Failure::Fault(anyhow::anyhow!(error)))?;
        bundles.extend(news.bundles.into_iter().flatten());
        if news.is_caught_up {
            return Ok(bundles);
        }
        if Instant::now() > until {
            let waited = PATIENCE.as_secs();
            return Err(Failure::Fault(anyhow::anyhow!(
                "the published decks were not read to their end in {waited} s"
            )));
        }
    }
}

/// Puts bundles where every process looks for them, if nothing that stands there speaks against it.
///
/// # Errors
/// What speaks against it, or the log cannot be written to.
pub fn put(config: &Config, bundles: &[Bundle]) -> Result<(), Failure> {
    match &config.log {
        Log::Embedded(log) => {
            check(&supply(config)?, bundles)?;
            bundles.iter().try_for_each(|bundle| {
                let placed = decks::place(&log.directory, bundle);
                placed.map(drop).map_err(|error| Failure::Fault(anyhow::anyhow!("{}: {error}", bundle.key())))
            })
        }
        Log::Kafka(kafka) => {
            let fault = |error: PublishError| Failure::Fault(error.into());
            let publisher = DeckPublisher::begin(&kafka_settings(kafka)).map_err(fault)?;
            // What others published until here is read; what they publish from here on fences us.
            check(&supply(config)?, bundles)?;
            bundles.iter().try_for_each(|bundle| publisher.publish(bundle).map_err(fault))
        }
    }
}

fn check(supply: &Supply, bundles: &[Bundle]) -> Result<(), Failure> {
    let refused = bundles.iter().filter_map(|bundle| supply.may_be_published(bundle).err());
    let faults: Vec<_> = refused.flatten().collect();
    if faults.is_empty() { Ok(()) } else { Err(Failure::faults(faults)) }
}

/// Puts one bundle there.
///
/// # Errors
/// As [`put`].
pub fn put_one(config: &Config, bundle: &Bundle) -> Result<(), Failure> {
    put(config, slice::from_ref(bundle))
}
