//! Follows what is published: decks and rate plans are taken up while calls are rated.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use drawdown_stream::bundle::Bundle;
use drawdown_stream::embedded::decks::{self, Found};
use drawdown_stream::kafka::decks::Decks;

use super::watch::Shared;
use crate::config::{Config, Log};
use crate::exit::Failure;
use crate::pipeline::kafka_settings;

const LOOK_INTERVAL: Duration = Duration::from_millis(200);

/// Takes up what stands there, then goes on in a thread of its own.
///
/// # Errors
/// Nothing can be read.
pub fn follow(config: &Arc<Config>, shared: &Arc<Shared>, stop: &Arc<AtomicBool>) -> Result<JoinHandle<()>, Failure> {
    let (shared, stop) = (Arc::clone(shared), Arc::clone(stop));
    let run: Box<dyn FnOnce() + Send> = match &config.log {
        Log::Embedded(embedded) => {
            let directory = embedded.directory.clone();
            let fault = |error: decks::DecksError| Failure::Fault(error.into());
            for found in decks::in_force(&directory).map_err(fault)? {
                let bundle = found.bundle.map_err(fault)?;
                take_up(&shared, bundle);
            }
            take_waiting(&directory, &shared).map_err(fault)?;
            shared.decks_known();
            Box::new(move || {
                while !stop.load(Ordering::Relaxed) {
                    if let Err(error) = take_waiting(&directory, &shared) {
                        tracing::error!("decks cannot be taken up: {error}");
                    }
                    std::thread::sleep(LOOK_INTERVAL);
                }
            })
        }
        Log::Kafka(kafka) => {
            let mut topic = Decks::open(&kafka_settings(kafka)).map_err(|error| Failure::Fault(error.into()))?;
            Box::new(move || {
                while !stop.load(Ordering::Relaxed) {
                    match topic.read(LOOK_INTERVAL) {
                        Ok(news) => {
                            for bundle in news.bundles {
                                match bundle {
                                    Ok(bundle) => drop(take_up(&shared, bundle)),
                                    Err(why) => tracing::error!("not taken up: {why}"),
                                }
                            }
                            if news.is_caught_up {
                                shared.decks_known();
                            }
                        }
                        Err(error) => tracing::error!("{error}"),
                    }
                }
            })
        }
    };
    std::thread::Builder::new().name("decks".to_owned()).spawn(run).map_err(|error| Failure::Fault(error.into()))
}

fn take_waiting(directory: &Path, shared: &Shared) -> Result<(), decks::DecksError> {
    for Found { path, bundle } in decks::waiting(directory)? {
        let is_taken = match bundle {
            Ok(bundle) => take_up(shared, bundle),
            Err(error) => {
                tracing::error!("not taken up: {error}");
                false
            }
        };
        if is_taken { decks::keep(directory, &path)? } else { decks::refuse(directory, &path)? }
    }
    Ok(())
}

/// Whether it is in force now.
fn take_up(shared: &Shared, bundle: Bundle) -> bool {
    let key = bundle.key();
    match shared.supply().take_up(bundle) {
        Ok(()) => {
            tracing::info!(%key, "taken up");
            shared.decks_changed();
            true
        }
        Err(faults) => {
            for fault in faults {
                tracing::error!(%key, "not taken up: {fault}");
            }
            false
        }
    }
}
