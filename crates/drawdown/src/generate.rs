//! `drawdown generate`: a synthetic switch. Usage records and commands of any number, from a seed.
//!
//! Invariants: the same options make the same bytes on every machine, since nothing but whole numbers decides; memory
//! does not grow with the number of records; every record is a function of the seed and its number alone, so that one
//! can be sent again later without having been kept.

mod commands;
mod corrections;
mod destinations;
mod licences;
mod organisations;
mod random;
mod record;
mod row;
mod switch;
#[cfg(test)]
mod tests;
mod traffic;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args as ClapArgs;
use drawdown_units::{Currency, Money, Timestamp};
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use crate::arguments::parse_time;
use crate::exit::{Done, Failure, Run};
use crate::table::{count, counted};
use switch::{Corrected, Counts, Switch};

/// Generate the usage records and commands of a synthetic switch
///
/// Writes cdrs.jsonl and commands.jsonl into DIR. Organisations differ in size as in life: the first has 30 % of all
/// calls, the others follow Zipf's law. Calls follow hours and weekdays, and stand in the order in which they end;
/// 64.6 % are answered; durations are log-logistic with a median of 75 s; 22 % go abroad, and all go to numbers that the
/// bundled deck acs-pstn prices.
///
/// Every organisation is opened with two lots and buys a third later. Every second one has a lot that expires within the
/// period, some recharge automatically, some run out of money, some are strict or post-usage.
///
/// People of licensed organisations have a Calling Plan, Audio Conferencing, the right to draw credits, or not: pools
/// are used up within a month, calls are split where they end, and some calls may not be paid by credits. A few licences
/// are taken away in the second half, and most of them given back. Few people organise all conferences, which others call
/// into as well.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
The same options make the same bytes, on every machine. Percentages such as 0.5% may have up to four decimals.

JSON (--json): one object
  {\"records\", \"organisations\", \"licensed\", \"commands\", \"duplicates\", \"late\", \"masked\", \"broken\",
   \"revisions\", \"voids\", \"repeated\", \"bytes\", \"seconds\"}
  The number of each, the bytes of cdrs.jsonl, and how long it took as a decimal string. Revisions, voids, and those of
  both that are repeated, come on top of the records.

Examples:
  drawdown generate --records 1000000 --seed 1 --out synthetic
  drawdown generate --records 50000 --seed 7 --duplicates 1% --late 2% --broken 0.1% --out bad
  drawdown generate --records 120000 --seed 3 --orgs 200 --licensed 60% --corrections 20 --out credits
  drawdown rate --deck config/decks/acs-pstn.toml --commands bad/commands.jsonl bad/cdrs.jsonl")]
pub struct Args {
    /// How many records, duplicates and broken ones among them; corrections come on top
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000_000_000))]
    records: u64,
    /// The seed that decides everything
    #[arg(long, value_name = "S")]
    seed: u64,
    /// The directory to write to; made if it is not there
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// How many organisations
    #[arg(long, value_name = "N", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(1..=10_000_000))]
    orgs: u32,
    /// The first instant of the period, as RFC 3339
    #[arg(long, value_name = "TIME", default_value = "2026-03-01T00:00:00Z", value_parser = parse_time)]
    start: Timestamp,
    /// How many days the period has
    #[arg(long, value_name = "N", default_value_t = 31, value_parser = clap::value_parser!(u32).range(1..=3_660))]
    days: u32,
    /// How many records are exact copies of one up to two days before
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_share)]
    duplicates: Share,
    /// How many arrive up to four days after the call
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_share)]
    late: Share,
    /// How many have a called number whose last digits are masked, if they go out
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_share)]
    masked: Share,
    /// How many are broken: truncated, or a field missing or wrong
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_share)]
    broken: Share,
    /// How many organisations need licences; their people have some
    #[arg(long, value_name = "PERCENT", default_value = "0%", value_parser = parse_share)]
    licensed: Share,
    /// Of a thousand records that are whole and in time, how many are corrected within days: revised, once or twice, or withdrawn
    #[arg(long, value_name = "PER_MILLE", default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=1_000))]
    corrections: u32,
    /// The rate plan that organisations are opened with
    #[arg(long, value_name = "NAME", default_value = "standard")]
    rate_plan: String,
    /// The currency that organisations are opened with; must be the deck's
    #[arg(long, value_name = "CODE", default_value = "USD", value_parser = parse_currency)]
    currency: Currency,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// A share of records or organisations, in parts per million.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Share(u32);

fn parse_share(text: &str) -> Result<Share, String> {
    let percent = Money::parse(text.strip_suffix('%').unwrap_or(text)).ok().map(Money::micros);
    let parts = percent.filter(|micros| micros % 100 == 0).and_then(|micros| u32::try_from(micros / 100).ok());
    let share = parts.filter(|parts| *parts <= 1_000_000).map(Share);
    share.ok_or_else(|| "write 0% to 100%, with at most four decimals, such as 0.5%".to_owned())
}

fn parse_currency(text: &str) -> Result<Currency, String> {
    Currency::parse(text).ok_or_else(|| "write three capital letters, such as USD".to_owned())
}

/// Generates, and says what.
pub fn run(args: &Args) -> Run {
    check(args)?;
    let started = Instant::now();
    std::fs::create_dir_all(&args.out).map_err(|error| unwritable(&args.out, &error))?;
    let switch = Switch::new(args);
    let mut commands = Sink::create(&args.out.join("commands.jsonl"))?;
    let command_count = commands::write(&switch, args, |line| commands.put(line))?;
    commands.finish()?;
    let mut cdrs = Sink::create(&args.out.join("cdrs.jsonl"))?;
    let counts = write_records(&switch, &mut cdrs)?;
    let bytes = cdrs.finish()?;
    let took_ms = started.elapsed().as_millis().max(1);
    let licensed_count = switch.organisations.licensed_count();
    let corrected = counts.corrections;
    let mut out = io::stdout().lock();
    if args.json {
        let summary = json!({
            "records": args.records,
            "organisations": args.orgs,
            "licensed": licensed_count,
            "commands": command_count,
            "duplicates": counts.duplicates,
            "late": counts.late,
            "masked": counts.masked,
            "broken": counts.broken,
            "revisions": corrected.revisions,
            "voids": corrected.voids,
            "repeated": corrected.repeated,
            "bytes": bytes,
            "seconds": format!("{}.{:03}", took_ms / 1_000, took_ms % 1_000),
        });
        writeln!(out, "{summary}")?;
    } else {
        let a_second = u128::from(args.records) * 1_000 / took_ms;
        let Counts { duplicates, late, masked, broken, .. } = counts;
        let megabytes = count(bytes.div_ceil(1_000_000));
        writeln!(out, "{}: {}, {megabytes} MB", cdrs.name, counted(args.records, "record"))?;
        writeln!(
            out,
            "  {} duplicate, {} late, {} masked, {} broken",
            count(duplicates),
            count(late),
            count(masked),
            count(broken)
        )?;
        if args.corrections > 0 {
            let Corrected { revisions, voids, repeated } = corrected;
            let (revisions, voids) = (counted(revisions, "revision"), counted(voids, "void"));
            writeln!(out, "  and {revisions} and {voids} on top, {} of them repeated", count(repeated))?;
        }
        let organisations = counted(args.orgs.into(), "organisation");
        let licensed = if licensed_count > 0 { format!(", {} licensed", count(licensed_count)) } else { String::new() };
        writeln!(out, "{}: {}, {organisations}{licensed}", commands.name, counted(command_count, "command"))?;
        writeln!(out, "{} records a second", count(u64::try_from(a_second).unwrap_or(u64::MAX)))?;
    }
    Ok(Done::Well)
}

fn check(args: &Args) -> Result<(), Failure> {
    // What is sent again is looked for among the records before it, which therefore must not be rare.
    if args.duplicates.0 + args.broken.0 > 900_000 {
        return Err(Failure::usage("--duplicates and --broken make more than 90% together: lower one of them"));
    }
    let (first, last) =
        (args.start.plus_seconds(-400 * 86_400), args.start.plus_seconds(i64::from(args.days) * 86_400));
    let lasting_year = 1971..=9_000;
    if !lasting_year.contains(&first.date().0) || !lasting_year.contains(&last.date().0) {
        return Err(Failure::usage("--start and --days lead out of the years 1972 to 9000"));
    }
    if args.rate_plan.is_empty() || args.rate_plan.contains(|c: char| c.is_control() || matches!(c, '"' | '\\')) {
        return Err(Failure::usage("--rate-plan: write a name without quotes and control characters"));
    }
    Ok(())
}

fn write_records(switch: &Switch, sink: &mut Sink) -> Result<Counts, Failure> {
    // Hidden by itself where standard error is no terminal.
    let style = ProgressStyle::with_template("{bar:40} {human_pos} of {human_len} records  {per_sec}  {eta} left");
    let progress = ProgressBar::new(switch.record_count).with_style(style.expect("invariant: the template is right"));
    let mut counts = Counts::default();
    for number in 0..switch.place_count() {
        switch.write_place(number, &mut sink.buffer, &mut counts);
        if sink.buffer.len() >= Sink::FULL_BYTES {
            sink.flush()?;
            progress.set_position(number.min(switch.record_count));
        }
    }
    progress.finish_and_clear();
    Ok(counts)
}

/// A file written in large pieces.
struct Sink {
    file: File,
    name: String,
    buffer: Vec<u8>,
    flushed_bytes: u64,
}

impl Sink {
    const FULL_BYTES: usize = 1 << 20;

    fn create(path: &Path) -> Result<Self, Failure> {
        let file = File::create(path).map_err(|error| unwritable(path, &error))?;
        let buffer = Vec::with_capacity(Self::FULL_BYTES + (64 << 10));
        Ok(Sink { file, name: path.display().to_string(), buffer, flushed_bytes: 0 })
    }

    fn put(&mut self, line: std::fmt::Arguments<'_>) -> io::Result<()> {
        writeln!(self.buffer, "{line}")?;
        if self.buffer.len() >= Self::FULL_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        let written = self.file.write_all(&self.buffer);
        written.map_err(|error| io::Error::new(error.kind(), format!("{}: {error}", self.name)))?;
        self.flushed_bytes += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    /// Writes what is left, and returns the size of the file.
    fn finish(&mut self) -> io::Result<u64> {
        self.flush()?;
        Ok(self.flushed_bytes)
    }
}

fn unwritable(path: &Path, error: &io::Error) -> Failure {
    Failure::usage(format!("{}: cannot be written: {error}", path.display()))
}
