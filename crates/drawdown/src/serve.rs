//! `drawdown serve`: the pipeline, for as long as it is wanted.
//!
//! One thread for each worker, one for HTTP, one that follows the decks. SIGTERM and SIGINT end it in good order: what is
//! in flight is committed, what was only read is left to whoever comes next.

mod api;
mod decks;
pub mod supply;
mod watch;
mod workers;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use clap::Args as ClapArgs;
use drawdown_api::Guard;
use drawdown_stream::Views;

use crate::config::{Config, ConfigArgs, Log};
use crate::connect::{self, CurrencyOf};
use crate::exit::{Done, Failure, Run};
use crate::logging;
use supply::Supply;
use watch::Shared;

/// Run the pipeline: rate records as they come, exactly once
///
/// Without brokers it runs on a store of its own in a directory, and takes files from its spool (`drawdown import`). With
/// brokers it is one of any number of processes that share the partitions of a Kafka cluster.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown serve --set 'rating.decks=[\"config/decks/acs-pstn.toml\"]'
  drawdown serve --config drawdown.toml
  drawdown serve --config drawdown.toml --check

Exit codes: 0 stopped in good order, or (--check) without fault; 2 wrong configuration; 3 a fault.")]
pub struct Args {
    #[command(flatten)]
    config: ConfigArgs,
    /// Check the configuration, and what it names, whole; start nothing
    #[arg(long)]
    check: bool,
}

/// How often the main thread looks whether it is to stop.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);
/// A worker that has not stopped by then is left behind: what it did not commit is as if it had not been done.
const STOP_PATIENCE: Duration = Duration::from_millis(4_500);

/// Runs the pipeline until it is told to stop.
pub fn run(args: &Args) -> Run {
    let config = Config::load(&args.config)?;
    let supply = Arc::new(Supply::from_files(&config.rating)?);
    crate::pipeline::sources(&config)?;
    let http = &config.http;
    let guard = Guard::open(http.access.clone(), http.tls.as_ref(), http.body_max_bytes).map_err(Failure::Usage)?;
    let guard = guard.behind(http.proxies.clone());
    if args.check {
        return check(&config);
    }
    logging::begin(&config.logging)?;
    for warning in config.http.warnings() {
        tracing::warn!("{warning}");
    }
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT] {
        signal_hook::flag::register(signal, Arc::clone(&stop))?;
    }
    let config = Arc::new(config);
    let shared = Arc::new(Shared::new(&config, guard, Arc::clone(&supply), Arc::new(Views::default()))?);
    let result = serve(&config, &shared, &stop);
    stop.store(true, Ordering::Relaxed);
    shared.stop();
    result
}

fn serve(config: &Arc<Config>, shared: &Arc<Shared>, stop: &Arc<AtomicBool>) -> Run {
    let decks = decks::follow(config, shared, stop)?;
    let workers = workers::start(config, shared, stop)?;
    let of_currency = Arc::clone(shared);
    let currency_of: CurrencyOf = Arc::new(move |org| of_currency.currency_of(org));
    let mut connectors = match connect::start(config, shared.telemetry(), shared.inbox(), &currency_of) {
        Ok(connectors) => connectors,
        Err(failure) => {
            stop.store(true, Ordering::Relaxed);
            let _ = workers.join(STOP_PATIENCE);
            return Err(failure);
        }
    };
    tracing::info!(file = config.file.as_deref(), workers = workers.count(), listen = %config.http.listen, "serving");
    while !stop.load(Ordering::Relaxed) && !workers.have_ended() && !decks.is_finished() {
        if shared.look() {
            connectors.look();
        }
        shared.telemetry().upkeep();
        std::thread::sleep(LOOK_INTERVAL);
    }
    stop.store(true, Ordering::Relaxed);
    connectors.stop();
    let outcome = workers.join(STOP_PATIENCE).and(decks::outcome(decks));
    connectors.join();
    tracing::info!("stopped");
    outcome
}

fn check(config: &Config) -> Run {
    use std::io::Write as _;
    let mut out = std::io::stdout().lock();
    let on = match &config.log {
        Log::Embedded(embedded) => format!("the embedded store in {}", shown(&embedded.directory)),
        Log::Kafka(kafka) => {
            let settings = crate::pipeline::kafka_settings(kafka);
            let faults = settings.faults();
            if !faults.is_empty() {
                return Err(Failure::Usage(faults));
            }
            format!("Kafka at {}", settings.brokers)
        }
    };
    for warning in config.http.warnings() {
        writeln!(out, "warning: {warning}")?;
    }
    writeln!(out, "no fault: {} workers on {on}, {} decks from files", config.workers, config.rating.decks.len())?;
    Ok(Done::Well)
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}
