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
use crate::exit::{Done, Failure, Run};
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
            let kept: Result<Vec<Bundle>, _> =
                decks::in_force(&directory).map_err(fault)?.into_iter().map(|found| found.bundle).collect();
            take_up(&shared, kept.map_err(fault)?);
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
                // What stood there is taken up together: compaction leaves it in no order that ever was.
                let mut waiting = Vec::new();
                let mut is_caught_up = false;
                while !stop.load(Ordering::Relaxed) {
                    match topic.read(LOOK_INTERVAL) {
                        Ok(news) => {
                            for bundle in news.bundles {
                                match bundle {
                                    Ok(bundle) => waiting.push(bundle),
                                    Err(why) => tracing::error!("not taken up: {why}"),
                                }
                            }
                            is_caught_up |= news.is_caught_up;
                            if is_caught_up {
                                take_up(&shared, std::mem::take(&mut waiting));
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

/// How following ended. It ends by itself only where it breaks off; while it goes on, it is left behind.
pub fn outcome(thread: JoinHandle<()>) -> Run {
    if thread.is_finished() && thread.join().is_err() {
        return Err(Failure::Fault(anyhow::anyhow!("what follows the decks broke off: see the log")));
    }
    Ok(Done::Well)
}

fn take_waiting(directory: &Path, shared: &Shared) -> Result<(), decks::DecksError> {
    let (mut paths, mut bundles) = (Vec::new(), Vec::new());
    for Found { path, bundle } in decks::waiting(directory)? {
        match bundle {
            Ok(bundle) => {
                paths.push(path);
                bundles.push(bundle);
            }
            Err(error) => {
                tracing::error!("not taken up: {error}");
                decks::refuse(directory, &path)?;
            }
        }
    }
    for (path, is_taken) in paths.iter().zip(take_up(shared, bundles)) {
        if is_taken { decks::keep(directory, path)? } else { decks::refuse(directory, path)? }
    }
    Ok(())
}

/// Which of them are in force now.
fn take_up(shared: &Shared, bundles: Vec<Bundle>) -> Vec<bool> {
    if bundles.is_empty() {
        return Vec::new();
    }
    let keys: Vec<String> = bundles.iter().map(Bundle::key).collect();
    let outcomes = shared.supply().take_up(bundles);
    let is_taken = |(key, outcome): (&String, Result<(), Vec<_>>)| match outcome {
        Ok(()) => {
            tracing::info!(%key, "taken up");
            true
        }
        Err(faults) => {
            faults.iter().for_each(|fault| tracing::error!(%key, "not taken up: {fault}"));
            false
        }
    };
    let taken: Vec<bool> = keys.iter().zip(outcomes).map(is_taken).collect();
    if taken.contains(&true) {
        shared.decks_changed();
    }
    taken
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// Without it the process would go on, ready, and price by decks of yesterday.
    #[test]
    fn breaking_off_is_a_fault_and_going_on_is_none() {
        let broken: JoinHandle<()> = std::thread::spawn(|| panic!("an absurd deck"));
        while !broken.is_finished() {
            std::thread::yield_now();
        }
        assert!(matches!(outcome(broken), Err(Failure::Fault(_))));

        let (stop, told) = mpsc::channel::<()>();
        let following = std::thread::spawn(move || {
            let _ = told.recv();
        });
        assert!(matches!(outcome(following), Ok(Done::Well)));
        drop(stop);
    }
}
