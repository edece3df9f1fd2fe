//! `drawdown rerate`: what calls would cost by another deck, and booking the difference as corrections.
//!
//! Nothing is booked here: corrections are records of the next revision, which the engine takes like any other. That
//! makes it safe to do again after a crash half-way: what was sent twice is a duplicate, what was booked costs what the
//! deck says and is not sent again.

mod difference;
mod record;

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use drawdown_engine::log::{Attributes, Input, Output};
use drawdown_rating::Deck;
use drawdown_stream::embedded;
use drawdown_stream::kafka::publish::Publisher;
use drawdown_units::Timestamp;
use drawdown_wire::debit;
use drawdown_wire::framing::{Chunk, Kind};
use rustc_hash::FxHashSet;
use xxhash_rust::xxh3::xxh3_64;

use crate::arguments::parse_time;
use crate::config::{Config, ConfigArgs, Log, TimeSource};
use crate::exit::{Done, Failure, Run};
use crate::pipeline::kafka_settings;
use crate::{outputs, verify};
use difference::{Differences, Priced};

/// Show what calls would cost by another deck, and book the difference as corrections
///
/// Compared is every call that was priced by another version of the deck, and with --unrated every call that had no
/// price. Calls whose charge would be the same are left alone. Publish the deck first: a correction is priced by the
/// deck that the engine has in force.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 nothing differs, or --apply sent all; 1 charges differ; 2 wrong usage; 3 a fault.

JSON (--json): one object
  {\"compared\", \"differing\", \"tooOld\", \"byOrganisation\": [{\"orgId\", \"currency\", \"calls\", \"before\", \"after\", \"difference\"}],
   \"byRow\": [{\"deck\", \"prefix\", \"destination\", …}], \"byFunder\": [{\"funder\", \"currency\", \"takenBack\"}], \"sent\"}

Examples:
  drawdown rerate out --deck acs-pstn-2.toml --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z
  drawdown rerate --deck acs-pstn-2.toml --unrated --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z --apply
  drawdown rerate out --deck acs-pstn-2.toml --from 2026-03-01T00:00:00Z --to 2026-04-01T00:00:00Z --out corrections.jsonl")]
pub struct Args {
    /// The directory of debits.jsonl; without it, what the pipeline wrote
    #[arg(value_name = "DIR", conflicts_with = "apply")]
    dir: Option<PathBuf>,
    /// A deck's manifest: the version, or versions, that should have priced the calls
    #[arg(long = "deck", value_name = "FILE", required = true)]
    decks: Vec<PathBuf>,
    /// Calls that started at or after this instant
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Timestamp,
    /// Calls that started before this instant
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Timestamp,
    /// Only calls of this organisation
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// Calls that had no price too
    #[arg(long)]
    unrated: bool,
    /// Write the corrections as a file of usage records
    #[arg(long, value_name = "FILE", conflicts_with = "apply")]
    out: Option<PathBuf>,
    /// Send the corrections to the pipeline
    #[arg(long)]
    apply: bool,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

/// Compares, shows, and sends if asked to.
pub fn run(args: &Args) -> Run {
    let decks = verify::read_decks(&args.decks)?;
    if args.unrated && decks.iter().any(|deck| deck.id() != decks[0].id()) {
        return Err(Failure::usage("--unrated with several decks: which of them should price a call is not known"));
    }
    let config = Config::load(&args.config)?;
    let mut differences = Differences::default();
    let mut corrections: Box<dyn Corrections> = match (&args.out, args.apply, &config.log) {
        (Some(path), ..) => Box::new(File::create(path, None)?),
        (None, true, Log::Kafka(kafka)) => {
            Box::new(Publisher::new(&kafka_settings(kafka)).map_err(|error| Failure::Fault(error.into()))?)
        }
        (None, true, Log::Embedded(log)) => {
            let draft = std::env::temp_dir().join(format!("drawdown-corrections-{}.jsonl", std::process::id()));
            Box::new(File::create(&draft, Some(&log.directory))?)
        }
        (None, false, _) => Box::new(Nowhere),
    };
    let source = Source { dir: args.dir.as_deref(), config: &config };
    // Where only records move time, nobody here knows how late it is: the engine says what is too old.
    let is_live = args.apply && config.time.source == TimeSource::Clock;
    let window_s = 86_400 * i64::from(config.rating.limits.window_days);
    let oldest = is_live.then(|| now().plus_seconds(-window_s));
    compare(args, &source, &decks, &mut |compared, line| {
        differences.note(&compared, oldest);
        if compared.differs() && oldest.is_none_or(|oldest| compared.started >= oldest) {
            let arrival = if is_live { now() } else { compared.started };
            corrections.send(&record::correction(&compared, line)?, &compared.org, arrival)?;
            differences.sent += u64::from(args.apply || args.out.is_some());
        }
        Ok(())
    })?;
    corrections.end()?;
    let mut out = io::stdout().lock();
    if args.json {
        differences.write_json(&mut out)?
    } else {
        differences.write_text(&mut out, args.apply)?
    }
    Ok(if differences.differing == 0 || args.apply { Done::Well } else { Done::WithFindings })
}

fn now() -> Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), 0)
}

/// Where debits are read.
struct Source<'s> {
    dir: Option<&'s Path>,
    config: &'s Config,
}

impl Source<'_> {
    fn each(&self, each: &mut dyn FnMut(&[u8]) -> Result<(), Failure>) -> Result<(), Failure> {
        let Some(dir) = self.dir else {
            return outputs::read_all(self.config, Output::Debits, &mut |_, line| each(line));
        };
        let path = if dir.is_dir() { verify::path_of(None, Some(dir), "debits.jsonl") } else { dir.to_owned() };
        let mut reader = verify::open(&path)?;
        let mut chunk = Chunk::new();
        while reader.next_chunk(&mut chunk)? {
            for (frame, line) in chunk.iter() {
                if matches!(frame.kind, Kind::TooLarge { .. }) {
                    let text = format!("{}:{}: the line is too long to be a debit", path.display(), frame.line);
                    return Err(Failure::usage(text));
                }
                each(line)?;
            }
        }
        Ok(())
    }
}

/// What is done with a call and the line of its debit.
type Each<'e> = dyn FnMut(Priced<'_>, &[u8]) -> Result<(), Failure> + 'e;

/// Hands out every debit that stands, was asked for and has another price, or may have.
fn compare(args: &Args, source: &Source<'_>, decks: &[Deck], each: &mut Each<'_>) -> Result<(), Failure> {
    let unreadable = |error: drawdown_wire::ReadError| Failure::Fault(anyhow::Error::new(error).context("a debit"));
    // What was taken back does not stand: few, so that they fit in memory.
    let mut reversed: FxHashSet<u64> = FxHashSet::default();
    source.each(&mut |line| {
        let debit = debit::read(line).map_err(unreadable)?;
        if let Some(reverses) = debit.reverses {
            reversed.insert(key(&debit.source, &debit.id, reverses.revision));
        }
        Ok(())
    })?;
    source.each(&mut |line| {
        let debit = debit::read(line).map_err(unreadable)?;
        let stands = debit.reverses.is_none() && !reversed.contains(&key(&debit.source, &debit.id, debit.revision));
        let is_asked_for = args.org.as_deref().is_none_or(|org| org == &*debit.org_id);
        if !stands || !is_asked_for {
            return Ok(());
        }
        match Priced::of(&debit, decks, args.from..args.to, args.unrated) {
            Some(priced) => each(priced, line),
            None => Ok(()),
        }
    })
}

fn key(source: &str, id: &str, revision: u32) -> u64 {
    xxh3_64(format!("{source}\u{0}{id}\u{0}{revision}").as_bytes())
}

/// Where corrections go.
trait Corrections {
    fn send(&mut self, record: &str, org: &str, arrival: Timestamp) -> Result<(), Failure>;
    fn end(&mut self) -> Result<(), Failure>;
}

struct Nowhere;

impl Corrections for Nowhere {
    fn send(&mut self, _: &str, _: &str, _: Timestamp) -> Result<(), Failure> {
        Ok(())
    }

    fn end(&mut self) -> Result<(), Failure> {
        Ok(())
    }
}

impl Corrections for Publisher {
    fn send(&mut self, record: &str, org: &str, arrival: Timestamp) -> Result<(), Failure> {
        let attributes = Attributes { source: Some("native"), ..Attributes::default() };
        let sending = Publisher::send(self, Input::Cdrs, Some(org), arrival, record.as_bytes(), &attributes);
        sending.map_err(|error| Failure::Fault(error.into()))
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.flush(Input::Cdrs).map_err(|error| Failure::Fault(error.into()))
    }
}

/// A file of its own, or one that goes into the spool when it is complete.
struct File {
    out: io::BufWriter<std::fs::File>,
    path: PathBuf,
    store: Option<PathBuf>,
    is_empty: bool,
}

impl File {
    fn create(path: &Path, store: Option<&Path>) -> Result<Self, Failure> {
        let file = std::fs::File::create(path)
            .map_err(|error| Failure::usage(format!("{}: cannot be written: {error}", path.display())))?;
        let (path, store) = (path.to_owned(), store.map(Path::to_owned));
        Ok(File { out: io::BufWriter::new(file), path, store, is_empty: true })
    }
}

impl Corrections for File {
    fn send(&mut self, record: &str, _: &str, _: Timestamp) -> Result<(), Failure> {
        self.is_empty = false;
        Ok(writeln!(self.out, "{record}")?)
    }

    fn end(&mut self) -> Result<(), Failure> {
        self.out.flush()?;
        let Some(store) = &self.store else { return Ok(()) };
        let placed = if self.is_empty {
            Ok(())
        } else {
            embedded::place(store, Input::Cdrs, &self.path, Some("native"), None).map(|_| ())
        };
        let _ = std::fs::remove_file(&self.path);
        placed.map_err(|error| Failure::Fault(error.into()))
    }
}
