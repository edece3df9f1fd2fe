//! `drawdown replay`: what was rejected goes in again, after its cause was mended.
//!
//! Safe to do twice: what was debited meanwhile is a duplicate. Debits without a price are not replayed: they were booked.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use drawdown_engine::log::{Attributes, Input, Output};
use drawdown_stream::embedded::{self, keyed};
use drawdown_stream::kafka::publish::Publisher;
use drawdown_units::Timestamp;
use drawdown_wire::reject::{self, Rejected};

use crate::config::{Config, ConfigArgs, Log};
use crate::exit::{Done, Failure, Run};
use crate::outputs;
use crate::pipeline::kafka_settings;

/// Send rejected records and commands in again, after the cause was mended
///
/// Calls that were debited without a price (`unrated`) are booked: `drawdown rerate --unrated` corrects them once the deck
/// has their row.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown replay --reason unknown-org
  drawdown replay --reason unknown-org --org contoso --dry-run")]
pub struct Args {
    /// Only what was rejected for this reason; may be given several times
    #[arg(long = "reason", value_name = "NAME", required = true)]
    reasons: Vec<String>,
    /// Only what is of this organisation
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// Only count
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What was found.
#[derive(Debug, Default)]
struct Found {
    sent: u64,
    /// Not text, or only its beginning was kept: the record must come from its source again.
    unsendable: u64,
    /// Debited without a price.
    unrated: u64,
}

/// Replays what is asked for.
pub fn run(args: &Args) -> Run {
    for reason in &args.reasons {
        if !drawdown_wire::Reason::ALL.iter().any(|known| known.name() == reason) {
            return Err(Failure::usage(format!("--reason {reason}: there is no such reason")));
        }
    }
    let config = Config::load(&args.config)?;
    let found = match &config.log {
        Log::Kafka(kafka) => {
            let publisher = Publisher::new(&kafka_settings(kafka)).map_err(|error| Failure::Fault(error.into()))?;
            let found = each(args, &config, &mut |rejected| to_kafka(rejected, &publisher))?;
            for input in Input::ALL {
                publisher.flush(input).map_err(|error| Failure::Fault(error.into()))?;
            }
            found
        }
        Log::Embedded(log) => {
            let mut files = SpoolFiles::default();
            let found = each(args, &config, &mut |rejected| {
                files.add(rejected);
                Ok(())
            })?;
            files.place(&log.directory)?;
            found
        }
    };
    let mut out = io::stdout().lock();
    let what = if args.dry_run { "would be sent" } else { "sent" };
    writeln!(out, "{} {what} again", found.sent)?;
    if found.unsendable > 0 {
        writeln!(out, "{} cannot be: they are not text, or too large to have been kept whole", found.unsendable)?;
    }
    if found.unrated > 0 {
        writeln!(out, "{} were debited without a price: `drawdown rerate --unrated` has them priced", found.unrated)?;
    }
    Ok(Done::Well)
}

fn each(
    args: &Args,
    config: &Config,
    send: &mut dyn FnMut(&Rejected<'_>) -> Result<(), Failure>,
) -> Result<Found, Failure> {
    let mut found = Found::default();
    outputs::read_all(config, Output::Rejects, &mut |_, value| {
        let rejected = reject::read(value).map_err(|error| Failure::Fault(error.into()))?;
        let is_asked_for = args.reasons.iter().any(|reason| *reason == *rejected.reason)
            && args.org.as_deref().is_none_or(|org| rejected.org_id.as_deref() == Some(org));
        if !is_asked_for {
            return Ok(());
        }
        if !rejected.counted {
            found.unrated += 1;
            return Ok(());
        }
        let is_whole = rejected.record.as_ref().is_some_and(|record| record.len() as u64 == rejected.length);
        if !is_whole || rejected.resend.is_none() {
            found.unsendable += 1;
            return Ok(());
        }
        found.sent += 1;
        if args.dry_run { Ok(()) } else { send(&rejected) }
    })?;
    Ok(found)
}

fn input_of(rejected: &Rejected<'_>) -> Input {
    if *rejected.kind == *"command" { Input::Commands } else { Input::Cdrs }
}

fn to_kafka(rejected: &Rejected<'_>, publisher: &Publisher) -> Result<(), Failure> {
    let (Some(record), Some(resend)) = (&rejected.record, &rejected.resend) else { return Ok(()) };
    let arrival = Timestamp::parse(&resend.arrival).map_err(|error| Failure::Fault(error.into()))?;
    let key = resend.key.as_deref().or(rejected.org_id.as_deref());
    let attributes = Attributes {
        ce_id: resend.ce_id.as_deref(),
        ce_source: resend.ce_source.as_deref(),
        source: resend.profile.as_deref(),
        columns: resend.columns.as_deref(),
        org: resend.org_id.as_deref(),
        ..Attributes::default()
    };
    let sending = publisher.send(input_of(rejected), key, arrival, record.as_bytes(), &attributes);
    sending.map_err(|error| Failure::Fault(error.into()))
}

/// What records of one file have in common.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kind {
    input: Input,
    source: Option<String>,
    /// The header lines.
    columns: Option<String>,
    org: Option<String>,
    /// Whether they came with keys, each with its own.
    is_keyed: bool,
}

/// Files for the spool, one for each kind of record.
#[derive(Debug, Default)]
struct SpoolFiles {
    by_kind: BTreeMap<Kind, Vec<u8>>,
}

impl SpoolFiles {
    fn add(&mut self, rejected: &Rejected<'_>) {
        let (Some(record), Some(resend)) = (&rejected.record, &rejected.resend) else { return };
        let text = |text: &Option<_>| text.as_ref().map(|text: &drawdown_wire::Text<'_>| text.to_string());
        let kind = Kind {
            input: input_of(rejected),
            source: text(&resend.profile),
            columns: text(&resend.columns),
            org: text(&resend.org_id),
            is_keyed: resend.key.is_some(),
        };
        let bytes = self.by_kind.entry(kind).or_insert_with_key(|kind| {
            kind.columns.as_ref().map_or_else(Vec::new, |columns| format!("{columns}\n").into_bytes())
        });
        match resend.key.as_deref() {
            Some(key) => keyed::push(bytes, Some(key), record.as_bytes()),
            None => {
                bytes.extend_from_slice(record.as_bytes());
                bytes.push(b'\n');
            }
        }
    }

    fn place(&self, directory: &Path) -> Result<(), Failure> {
        for (number, (kind, bytes)) in self.by_kind.iter().enumerate() {
            let path = draft(number, kind)?;
            std::fs::write(&path, bytes)?;
            let placed = embedded::place(directory, kind.input, &path, kind.source.as_deref(), kind.org.as_deref());
            let _ = std::fs::remove_file(&path);
            placed.map_err(|error| Failure::Fault(error.into()))?;
        }
        Ok(())
    }
}

/// A file outside of the spool, from which it is copied whole.
fn draft(number: usize, kind: &Kind) -> Result<PathBuf, Failure> {
    let directory = std::env::temp_dir().join(format!("drawdown-replay-{}", std::process::id()));
    std::fs::create_dir_all(&directory)?;
    let suffix = if kind.is_keyed { keyed::SUFFIX } else { ".jsonl" };
    Ok(directory.join(format!("replay-{number}-{}{suffix}", kind.input.name())))
}
