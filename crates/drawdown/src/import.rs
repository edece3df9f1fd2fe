//! `drawdown import`: files of usage records and commands into the pipeline, at full speed.
//!
//! To Kafka record by record, each with the time at which it arrived (boundaries.md T5) and what its file says of it;
//! into the embedded log as whole files, which its process rates and moves away.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use drawdown_engine::log::{Attributes, Input};
use drawdown_stream::embedded;
use drawdown_stream::kafka::publish::Publisher;
use drawdown_units::Timestamp;
use drawdown_wire::framing::{Chunk, Kind, Layout, Options, Reader};
use drawdown_wire::source::{Context, Decoded, Header, Profile};
use drawdown_wire::{Cdr, command};
use indicatif::ProgressBar;

use crate::config::{Config, ConfigArgs, Log};
use crate::exit::{Done, Failure, Run};
use crate::pipeline::kafka_settings;
use crate::rate::{arrival_of, progress_bar};

/// Send files of usage records and commands to the pipeline
///
/// Commands go first, so that accounts are open when their calls come. Importing a file twice charges nothing twice.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown import --commands commands.jsonl cdrs.jsonl.gz
  drawdown import --source asterisk-csv,zone=Europe/Berlin,region=DE --org acme Master.csv
  drawdown import --config drawdown.toml --commands funds.jsonl")]
pub struct Args {
    /// Files of usage records
    #[arg(value_name = "FILE", required_unless_present = "commands")]
    files: Vec<PathBuf>,
    /// Files of commands, as JSON Lines
    #[arg(long, value_name = "FILE")]
    commands: Vec<PathBuf>,
    /// How the records are written; else what the configuration says
    #[arg(long, value_name = "NAME")]
    source: Option<String>,
    /// The organisation of records that name none
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

/// What went where.
#[derive(Debug, Default)]
struct Sent {
    records: u64,
    commands: u64,
    unreadable: u64,
}

/// Imports everything.
pub fn run(args: &Args) -> Run {
    let config = Config::load(&args.config)?;
    if let Some(source) = &args.source {
        Profile::named(source).map_err(Failure::faults)?;
    }
    for path in args.commands.iter().chain(&args.files) {
        std::fs::File::open(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))?;
    }
    match &config.log {
        Log::Embedded(log) => into_spool(args, &log.directory),
        Log::Kafka(kafka) => {
            let publisher = Publisher::new(&kafka_settings(kafka)).map_err(|error| Failure::Fault(error.into()))?;
            to_kafka(args, &config, &publisher)
        }
    }
}

fn into_spool(args: &Args, directory: &Path) -> Run {
    let place = |input, path: &Path, source: Option<&str>, org: Option<&str>| {
        embedded::place(directory, input, path, source, org).map_err(|error| Failure::Fault(error.into()))
    };
    let mut placed = Vec::new();
    for path in &args.commands {
        placed.push(place(Input::Commands, path, None, None)?);
    }
    for path in &args.files {
        placed.push(place(Input::Cdrs, path, args.source.as_deref(), args.org.as_deref())?);
    }
    let mut out = io::stdout().lock();
    for path in placed {
        writeln!(
            out,
            "{}: waits to be rated; `drawdown serve` moves it to done when its last record is",
            path.display()
        )?;
    }
    Ok(Done::Well)
}

fn to_kafka(args: &Args, config: &Config, publisher: &Publisher) -> Run {
    let progress = progress_bar();
    let mut sent = Sent::default();
    for path in &args.commands {
        send_commands(path, publisher, &mut sent, &progress)?;
    }
    publisher.flush(Input::Commands).map_err(|error| Failure::Fault(error.into()))?;
    // What the processes read by default needs no header.
    let named = args.source.as_deref().filter(|source| *source != config.rating.source);
    let profile = Profile::named(named.unwrap_or(&config.rating.source)).map_err(Failure::faults)?;
    for path in &args.files {
        let file = RecordFile { path, profile: &profile, named, org: args.org.as_deref() };
        file.send(publisher, &mut sent, &progress)?;
    }
    publisher.flush(Input::Cdrs).map_err(|error| Failure::Fault(error.into()))?;
    let took = progress.elapsed();
    progress.finish_and_clear();
    let mut out = io::stdout().lock();
    let per_second = (sent.records + sent.commands) as f64 / took.as_secs_f64().max(0.001);
    writeln!(out, "{} records and {} commands sent, {per_second:.0} a second", sent.records, sent.commands)?;
    if sent.unreadable > 0 {
        writeln!(out, "{} of them cannot be read and will be among the rejects", sent.unreadable)?;
    }
    Ok(Done::Well)
}

fn send_commands(path: &Path, publisher: &Publisher, sent: &mut Sent, progress: &ProgressBar) -> Result<(), Failure> {
    let options = Options::new(Layout::Json { items: Vec::new() });
    let mut reader = Reader::open(path, options).map_err(Failure::usage)?;
    let mut chunk = Chunk::new();
    let mut arrival = Timestamp::from_parts(0, 0);
    while reader.next_chunk(&mut chunk)? {
        for (_, bytes) in chunk.iter() {
            let envelope = command::decode(bytes).ok();
            sent.unreadable += u64::from(envelope.is_none());
            arrival = envelope.as_ref().map_or(arrival, |envelope| envelope.at);
            let key = envelope.as_ref().map(|envelope| &*envelope.org);
            let sending = publisher.send(Input::Commands, key, arrival, bytes, &Attributes::default());
            sending.map_err(|error| Failure::Fault(error.into()))?;
            sent.commands += 1;
        }
        progress.set_position(sent.commands);
    }
    Ok(())
}

/// A file of usage records on its way to Kafka.
struct RecordFile<'f> {
    path: &'f Path,
    profile: &'f Profile,
    /// The profile's name, where the processes would not read it so by themselves.
    named: Option<&'f str>,
    org: Option<&'f str>,
}

impl RecordFile<'_> {
    fn send(&self, publisher: &Publisher, sent: &mut Sent, progress: &ProgressBar) -> Result<(), Failure> {
        let name = self.path.display().to_string();
        let mut reader = Reader::open(self.path, Options::new(self.profile.layout())).map_err(Failure::usage)?;
        let mut chunk = Chunk::new();
        let mut header: Option<Header> = None;
        let mut columns = String::new();
        let mut before = Timestamp::from_parts(0, 0);
        while reader.next_chunk(&mut chunk)? {
            if header.is_none() {
                header = self.profile.header(&name, reader.header()).map_err(Failure::faults)?;
                let lines = reader.header().iter().map(|line| String::from_utf8_lossy(line).into_owned());
                columns = lines.collect::<Vec<_>>().join("\n");
            }
            let columns = Some(columns.as_str()).filter(|columns| !columns.is_empty());
            let named = self.named.map(|source| Attributes { source: Some(source), columns, ..Attributes::default() });
            let attributes = Attributes { org: self.org, ..named.unwrap_or_default() };
            let context = Context { org: self.org, ..Context::default() };
            for (frame, bytes) in chunk.iter() {
                let decoded = self.profile.decode(bytes, header.as_ref(), &context);
                let cdr = match &decoded {
                    Ok(Decoded::Cdr(cdr)) => Some(cdr),
                    Ok(Decoded::NotACall) => continue,
                    Err(_) => None,
                };
                sent.unreadable += u64::from(cdr.is_none());
                before = cdr.map_or(before, |cdr| arrival_of(cdr, before));
                let cut_from = match frame.kind {
                    Kind::Whole => None,
                    Kind::TooLarge { length, hash } => Some((length, hash)),
                };
                let key = cdr.map(|cdr: &Cdr<'_>| &*cdr.org).or(self.org);
                let attributes = Attributes { cut_from, ..attributes };
                let sending = publisher.send(Input::Cdrs, key, before, bytes, &attributes);
                sending.map_err(|error| Failure::Fault(error.into()))?;
                sent.records += 1;
            }
            progress.set_position(sent.records + sent.commands);
        }
        Ok(())
    }
}
