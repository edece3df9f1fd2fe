//! `drawdown verify`: an audit of what `rate` or the pipeline wrote.
//!
//! Every balance and lot is rebuilt from debits and account events alone and compared with the account states; with
//! decks every charge is computed anew from its call. The rebuilding shares no code with the ledger.

mod books;
pub mod charge;
mod compare;
mod entry;
mod findings;
mod identities;
mod merge;
mod report;
mod stream;
mod sum;

use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Args as ClapArgs;
use drawdown_rating::Deck;
use drawdown_wire::account::{self, Snapshot};
use drawdown_wire::framing::{Chunk, Kind, Reader};

use crate::deck::load::load;
use crate::exit::{Done, Failure, Run};
use crate::rate;
use findings::{Findings, Place, Stream};
use merge::Merge;
use report::Report;
use stream::Log;

pub use findings::Flaw;
pub use stream::open;

/// Audit a run: rebuild every balance from debits and events, and report whatever differs
///
/// Checked are: each debit's sum, its funding lines and their chain, the balance after it, the order in which lots are
/// drawn, `seq` without a gap and nothing twice, every account's figures and lots, and conservation. With --deck every
/// charge is computed anew from its call.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 clean; 1 differences; 2 wrong usage, or a file is not there; 3 a fault.

JSON (--json): one object
  {\"clean\": true, \"debits\", \"events\", \"accounts\", \"recomputed\", \"differences\": 0,
   \"listed\": [{\"file\", \"line\", \"orgId\", \"field\", \"expected\", \"found\"}],
   \"money\": [{\"currency\", \"charged\", \"byFunder\", \"purchased\", \"adjusted\", \"spent\", \"forfeited\", \"refunded\", \"remaining\"}],
   \"tookMs\", \"debitsPerSecond\"}

Examples:
  drawdown verify out
  drawdown verify out --deck config/decks/acs-pstn.toml
  drawdown verify --debits debits.jsonl.gz --events account-events.jsonl.gz --accounts accounts.jsonl --json")]
pub struct Args {
    /// The directory of debits.jsonl, account-events.jsonl and accounts.jsonl (or .gz, .zst)
    #[arg(value_name = "DIR", required_unless_present_all = ["debits", "events", "accounts"])]
    dir: Option<PathBuf>,
    /// The debits, where they are not in DIR
    #[arg(long, value_name = "FILE")]
    debits: Option<PathBuf>,
    /// The account events, where they are not in DIR
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    /// The account states, where they are not in DIR
    #[arg(long, value_name = "FILE")]
    accounts: Option<PathBuf>,
    /// A deck's manifest: with the decks that debits name, every charge is computed anew
    #[arg(long = "deck", value_name = "FILE")]
    decks: Vec<PathBuf>,
    /// How many differences are listed; all are counted
    #[arg(long, value_name = "N", default_value_t = 50)]
    list: usize,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// The files of a log.
struct Paths {
    debits: PathBuf,
    events: PathBuf,
    accounts: PathBuf,
}

/// Audits, and reports.
pub fn run(args: &Args) -> Run {
    let decks = read_decks(&args.decks)?;
    let paths = Paths {
        debits: path_of(args.debits.as_ref(), args.dir.as_deref(), "debits.jsonl"),
        events: path_of(args.events.as_ref(), args.dir.as_deref(), "account-events.jsonl"),
        accounts: path_of(args.accounts.as_ref(), args.dir.as_deref(), "accounts.jsonl"),
    };
    let report = audit(&paths, &decks, args.list)?;
    let mut out = std::io::stdout().lock();
    if args.json {
        report.write_json(&mut out)?;
    } else {
        report.write_text(&mut out)?;
    }
    Ok(if report.is_clean() { Done::Well } else { Done::WithFindings })
}

/// Reads decks; each version of each deck may be given once.
pub fn read_decks(paths: &[PathBuf]) -> Result<Vec<Deck>, Failure> {
    let mut decks: Vec<Deck> = Vec::new();
    for path in paths {
        let deck = load(path)?.deck;
        if decks.iter().any(|other| (other.id(), other.version()) == (deck.id(), deck.version())) {
            let (id, version) = (deck.id(), deck.version());
            return Err(Failure::usage(format!("{}: deck {id} version {version} was given before", path.display())));
        }
        decks.push(deck);
    }
    Ok(decks)
}

/// A file by its option, else in the directory, plain or compressed.
pub fn path_of(option: Option<&PathBuf>, dir: Option<&Path>, name: &str) -> PathBuf {
    if let Some(path) = option {
        return path.clone();
    }
    let plain = dir.unwrap_or(Path::new("")).join(name);
    let compressed = ["gz", "zst"].map(|extension| PathBuf::from(format!("{}.{extension}", plain.display())));
    if plain.exists() { plain } else { compressed.into_iter().find(|path| path.exists()).unwrap_or(plain) }
}

fn audit(paths: &Paths, decks: &[Deck], listed: usize) -> Result<Report, Failure> {
    let started = Instant::now();
    let mut logs = [Log::open(Stream::Debits, &paths.debits, decks)?, Log::open(Stream::Events, &paths.events, decks)?];
    let mut states = open(&paths.accounts)?;
    let mut findings = Findings::new(listed);
    let mut merge = Merge::default();
    let progress = rate::progress_bar();
    loop {
        while let Some(side) = merge.wanting() {
            let entry = logs[side].next(&mut findings)?;
            merge.supply(side, entry, &mut findings);
        }
        if !merge.step(&mut findings) {
            break;
        }
        progress.set_position(logs[0].lines);
    }
    progress.finish_and_clear();
    let accounts = compare_all(&mut states, &merge, &mut findings)?;
    let [debits, events] = [logs[0].lines, logs[1].lines];
    let files = [&paths.debits, &paths.events, &paths.accounts].map(|path| path.display().to_string());
    let recomputed = (!decks.is_empty()).then_some(merge.recomputed);
    let mut report = Report::of(&merge.books, findings, files);
    report.count(debits, events, accounts, recomputed);
    Ok(report.timed(started.elapsed()))
}

/// Compares every account state with its books; returns how many there are.
fn compare_all(states: &mut Reader, merge: &Merge, findings: &mut Findings) -> Result<u64, Failure> {
    let mut is_compared = vec![false; merge.books.len()];
    let (mut chunk, mut count) = (Chunk::new(), 0);
    while states.next_chunk(&mut chunk)? {
        for (frame, bytes) in chunk.iter() {
            count += 1;
            let place = Place { stream: Stream::Accounts, line: frame.line };
            match frame.kind {
                Kind::TooLarge { length, .. } => {
                    findings.at(place, "").differs("line", "a line of at most 64 MiB", format_args!("{length} bytes"));
                }
                Kind::Whole => match account::snapshot(bytes) {
                    Ok(state) => compare_one(&state, place, merge, &mut is_compared, findings),
                    Err(error) => findings.at(place, "").differs("line", "an account state", error),
                },
            }
        }
    }
    let place = Place { stream: Stream::Accounts, line: 0 };
    for (books, is_compared) in merge.books.iter().zip(is_compared) {
        let mut at = findings.at(place, &books.org);
        if !is_compared {
            at.differs("orgId", "a state of this account", "none");
        }
        books.check_conservation(&mut at);
    }
    Ok(count)
}

fn compare_one(state: &Snapshot<'_>, place: Place, merge: &Merge, is_compared: &mut [bool], findings: &mut Findings) {
    let mut at = findings.at(place, &state.org_id);
    match merge.find(&state.org_id) {
        None => at.differs("orgId", "an account with debits or events", "one without"),
        Some(org) if std::mem::replace(&mut is_compared[org], true) => {
            at.differs("orgId", "one state of an account", "a second one");
        }
        Some(org) => compare::compare(&merge.books[org], state, &mut at),
    }
}
