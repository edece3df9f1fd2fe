//! `drawdown rate`: files of usage records in, debits, account events, rejects and balances out.
//!
//! The engine of the pipeline over files. Organisations are spread over a fixed number of partitions, and everything
//! is merged back into the order of the input, so the bytes that come out do not depend on the number of threads.

mod earlier;
mod feed;
mod finish;
mod output;
mod round;
mod shard;
mod summary;

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::time::Instant;

use clap::Args as ClapArgs;
use drawdown_engine::{Engine, Limits};
use drawdown_ledger::Rules;
use drawdown_ledger::command::OpenAccount;
use drawdown_rating::Catalogue;
use drawdown_units::Timestamp;
use drawdown_wire::source::Profile;
use indicatif::{ProgressBar, ProgressStyle};

use crate::arguments::parse_time;
use crate::exit::{Done, Failure, Run};
use crate::files;

pub use round::arrival_of_call as arrival_of;

/// Rate files of usage records: from records, a deck and commands to debits, events, rejects and balances
///
/// Each INPUT is a file of usage records (JSON Lines, a JSON array, a page of items, or CSV; plain, gz or zst), `-` is
/// standard input. Several inputs and the commands are merged by time of arrival.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown rate --deck config/decks/acs-pstn.toml calls.jsonl --org contoso
  drawdown rate --deck deck.toml --commands commands.jsonl --until 2026-04-01T00:00:00Z --out march cdrs.jsonl.gz
  drawdown rate --deck deck.toml --source asterisk-csv,zone=Europe/Berlin,region=DE --org acme Master.csv

Without --commands every organisation is opened when it is first seen, post-usage, in the deck's currency.
Exit codes: 0 done; 1 done, but records were rejected and --strict was given; 2 wrong usage; 3 a fault.")]
pub struct Args {
    /// Files of usage records; `-` is standard input
    #[arg(required = true, value_name = "INPUT")]
    inputs: Vec<PathBuf>,
    /// A deck's manifest; several decks, and several versions of one, may be given
    #[arg(long = "deck", value_name = "FILE", required = true)]
    decks: Vec<PathBuf>,
    /// A rate plan; with a single deck and none given, every plan means that deck
    #[arg(long = "rate-plan", value_name = "FILE")]
    rate_plans: Vec<PathBuf>,
    /// What licences bring: `teams`, or the file of a plan catalogue
    #[arg(long, value_name = "NAME|FILE", default_value = files::TEAMS)]
    plans: String,
    /// Commands as JSON Lines: openAccount, addFunds, …
    #[arg(long = "commands", value_name = "FILE")]
    commands: Vec<PathBuf>,
    /// How the records are written: a source by name, or the file of a profile
    #[arg(long, value_name = "NAME|FILE", default_value = "native")]
    source: String,
    /// The organisation of records that name none
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// Let time run on to this instant at the end: lots expire, requests are sent again
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    until: Option<Timestamp>,
    /// How many threads; the output is the same with any number
    #[arg(long, value_name = "N", default_value_t = default_threads(), value_parser = clap::value_parser!(u16).range(1..=256))]
    threads: u16,
    /// Where debits.jsonl, account-events.jsonl, rejects.jsonl and accounts.jsonl go
    #[arg(long, value_name = "DIR", default_value = "out")]
    out: PathBuf,
    /// How many days of call starts are remembered to find duplicates; older records are rejected
    #[arg(long, value_name = "N", default_value_t = 90, value_parser = clap::value_parser!(u16).range(1..=90))]
    dedup_days: u16,
    /// End with exit code 1 if a record or command was rejected
    #[arg(long)]
    strict: bool,
    /// Print the summary as one JSON object
    #[arg(long)]
    json: bool,
}

fn default_threads() -> u16 {
    std::thread::available_parallelism().map_or(1, |count| count.get().min(256) as u16)
}

/// What a run rates with.
pub struct Job<'a> {
    /// Catalogue, rules and limits.
    pub engine: Engine<'a>,
    /// How the records are written.
    pub profile: &'a Profile,
    /// The organisation of records that name none.
    pub org: Option<&'a str>,
}

/// Runs `rate` and prints its summary.
pub fn run(args: &Args) -> Run {
    let summary = rate(args)?;
    let mut stdout = std::io::stdout().lock();
    if args.json {
        summary.write_json(&mut stdout)?;
    } else {
        summary.write_text(&mut stdout)?;
    }
    Ok(if args.strict && summary.has_rejected() { Done::WithFindings } else { Done::Well })
}

fn rate(args: &Args) -> Result<summary::Summary, Failure> {
    let catalogue = files::read_catalogue(&args.decks, &args.rate_plans)?;
    let profile = files::read_profile(&args.source)?;
    let open_unknown = if args.commands.is_empty() { Some(post_usage_terms(&catalogue)?) } else { None };
    let rules = Rules { plans: files::read_plans(&args.plans)?, ..Rules::default() };
    let engine = Engine {
        catalogue: &catalogue,
        rules: &rules,
        limits: Limits { window_days: args.dedup_days, ..Limits::default() },
        open_unknown: open_unknown.as_ref(),
    };
    let job = Job { engine, profile: &profile, org: args.org.as_deref() };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(usize::from(args.threads))
        .build()
        .map_err(|error| Failure::Fault(error.into()))?;
    let started = Instant::now();
    let feeds = feed::Feeds::open(&args.inputs, &args.commands, &profile)?;
    let files = output::Files::create(&args.out)?;
    let progress = progress_bar();
    let mut run = round::Rating::new(job, feeds, files)?;
    while pool.install(|| run.round())? {
        progress.set_position(run.records());
    }
    progress.finish_and_clear();
    let summary = run.finish(args.until)?;
    Ok(summary.timed(started.elapsed(), args.threads, args.out.clone()))
}

/// How organisations are opened that no command opened: what it takes to price a file.
fn post_usage_terms(catalogue: &Catalogue) -> Result<OpenAccount, Failure> {
    let rate_plan = catalogue.sole_plan().ok_or_else(|| {
        Failure::usage("several rate plans, and no --commands to say which organisation has which: give one of the two")
    })?;
    let plan = catalogue.plan(rate_plan).expect("invariant: the sole plan is in the catalogue");
    let currency = catalogue.plan_currency(plan);
    Ok(files::terms_of_unknown(currency, rate_plan))
}

/// Shows how far a run is on a terminal, and nothing in a pipe.
pub fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{spinner} {human_pos} records  {per_sec}  {elapsed}");
    ProgressBar::new_spinner().with_style(style.expect("invariant: the template is right"))
}
