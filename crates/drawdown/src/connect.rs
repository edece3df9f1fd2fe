//! Connectors, run beside the pipeline on whichever log it runs on.

pub mod dead_letters;
pub mod feeds;
pub mod mail;
pub mod payment;
mod running;
pub mod webhooks;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use drawdown_api::Telemetry;
use drawdown_connect::dead::{DeadLetters, FileDeadLetters, Limits};
use drawdown_connect::stop::Stop;
use drawdown_engine::inbox::Inbox;

use crate::config::{Config, Log};
use crate::exit::Failure;
use running::{LettersWatch, Running};

/// The running connectors.
#[derive(Default)]
pub struct Connectors {
    running: Vec<Running>,
    letters: Option<LettersWatch>,
    stop: Stop,
    /// The same for those that look at a flag.
    flag: Arc<AtomicBool>,
}

/// Tells the currency of an organisation's account.
pub type CurrencyOf = Arc<dyn Fn(&str) -> Option<String> + Send + Sync>;

/// Starts those that the configuration sets; what is wrong with one ends the program before anything runs.
///
/// # Errors
/// Their faults.
pub fn start(
    config: &Config,
    telemetry: &Telemetry,
    inbox: &Arc<dyn Inbox>,
    currency_of: &CurrencyOf,
) -> Result<Connectors, Failure> {
    let mut connectors = Connectors::default();
    if let Some(payment) = &config.connect.payment {
        connectors.running.push(payment::start(config, telemetry, payment, inbox, &connectors.flag)?);
    }
    if config.connect.mail.is_some() || config.connect.webhooks.is_some() {
        let letters = dead_letters(config)?;
        connectors.letters = Some(LettersWatch::new(Arc::clone(&letters), telemetry.dead_letters()));
        let dead: Arc<dyn DeadLetters> = letters;
        if let Some(mail) = &config.connect.mail {
            let stop = &connectors.stop;
            connectors.running.push(mail::start(config, telemetry, mail, Arc::clone(&dead), currency_of, stop)?);
        }
        if let Some(endpoints) = &config.connect.webhooks {
            connectors.running.extend(webhooks::start(config, telemetry, endpoints, &dead, &connectors.stop)?);
        }
    }
    Ok(connectors)
}

impl Connectors {
    /// Shows how each stands, and what it counted.
    pub fn look(&mut self) {
        self.running.iter().for_each(Running::look);
        if let Some(letters) = &mut self.letters {
            letters.look();
        }
    }

    /// Tells all to stop; what is not finished is done again next time.
    pub fn stop(&self) {
        self.flag.store(true, Ordering::Relaxed);
        self.stop.ask();
    }

    /// Waits for those that have ended, and leaves the others behind.
    pub fn join(self) {
        for running in self.running {
            if running.thread.is_finished() && running.thread.join().is_err() {
                tracing::error!("a connector had failed before it was stopped");
            }
        }
    }
}

/// Where dead letters are kept.
///
/// # Errors
/// They cannot be kept there.
pub fn dead_letters(config: &Config) -> Result<Arc<FileDeadLetters>, Failure> {
    let path = match (&config.connect.dead_letters, &config.log) {
        (Some(path), _) => path.clone(),
        (None, Log::Embedded(log)) => log.directory.join("dead-letters.jsonl"),
        (None, Log::Kafka(_)) => PathBuf::from("dead-letters.jsonl"),
    };
    let opened = FileDeadLetters::open(&path, Limits::default());
    Ok(Arc::new(opened.map_err(|error| Failure::usage(format!("dead_letters.file {}: {error}", path.display())))?))
}

/// What is wrong with a file that the configuration names.
fn fault(key: &str, path: &std::path::Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("{key} {}: {error}", path.display()))
}
