//! `drawdown deck diff`: what changed between two decks, row by row and, over real calls, in money.

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use drawdown_rating::{Deck, Row};
use indicatif::ProgressBar;
use serde_json::{Map, Value, json};

use super::calls::{Comparison, Pair};
use super::changes::{Changed, Changes, percent};
use super::load::{Loaded, load};
use super::show;
use crate::exit::{Done, Failure, Run};
use crate::files::read_profile;

/// Compare two decks: rows added, removed, dearer, cheaper and otherwise changed
///
/// A row is known by its prefix, product, origin prefix and band. Dearer and cheaper are about the price per minute; a
/// row of the same price with another fee, increment, bound, tier or name is otherwise changed.
///
/// With --calls every call of those files is priced by both decks, as if each were in force at its start. Records that
/// occur twice count twice. The hours of time bands are not compared, but calls are priced by them.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit code:
  0  compared
  1  the decks differ, and --strict was given
  2  a deck has faults, the currencies differ, or the command line is wrong

JSON (--json): one object
  {\"before\": deck, \"after\": deck, \"alike\": 6500, \"added\": [row], \"removed\": [row],
   \"dearer\": [change], \"cheaper\": [change], \"otherwise\": [change], \"calls\": calls}
  deck    {\"file\", \"id\", \"version\", \"currency\", \"effectiveFrom\", \"rounding\", \"rows\"}
  row     {\"prefix\", \"product\", \"originPrefix\", \"band\", \"destination\", \"line\",
           \"pricePerMinute\", \"connectionFee\"}
  change  {\"before\": row, \"after\": row, \"percent\": \"+33.33\" (null from 0),
           \"others\": [{\"what\", \"before\", \"after\"}]}
  calls   {\"total\": pair, \"becameUnrated\": pair, \"becameRated\": pair, \"unrated\", \"free\",
           \"leftOut\", \"rejected\", \"firstRejected\", \"byDestination\": [pair, \"destination\"]}
  pair    {\"calls\": 12, \"before\": \"1.20\", \"after\": \"1.50\", \"difference\": \"0.30\",
           \"percent\": \"+25.00\"}
  Money and prices are decimal strings in the decks' currency; \"calls\" is there only with
  --calls.

Examples:
  drawdown deck diff deck-2026-03.toml deck-2026-04.toml
  drawdown deck diff --all old.toml new.toml | less
  drawdown deck diff old.toml new.toml --calls march.jsonl.gz --org contoso
  drawdown deck diff old.toml new.toml --calls Master.csv --source asterisk-csv,zone=Europe/Berlin,region=DE")]
pub struct Args {
    /// The manifest of the deck before
    #[arg(value_name = "A")]
    before: PathBuf,
    /// The manifest of the deck after
    #[arg(value_name = "B")]
    after: PathBuf,
    /// Usage records to price by both decks; may be given several times, `-` is standard input
    #[arg(long, value_name = "FILE")]
    calls: Vec<PathBuf>,
    /// How those records are written: a source by name, or the file of a profile
    #[arg(long, value_name = "NAME|FILE", default_value = "native", requires = "calls")]
    source: String,
    /// Only the calls of this organisation, and of records that name none
    #[arg(long, value_name = "ID", requires = "calls")]
    org: Option<String>,
    /// How many lines each table has at most
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Show all lines of each table
    #[arg(long, conflicts_with = "top")]
    all: bool,
    /// End with exit code 1 where the decks differ
    #[arg(long)]
    strict: bool,
    /// Print one JSON object instead of tables
    #[arg(long)]
    json: bool,
}

/// Two decks, and what lies between them.
pub struct Diff<'d> {
    pub before: &'d Loaded,
    pub after: &'d Loaded,
    pub changes: Changes<'d>,
    pub calls: Option<Comparison<'d>>,
}

/// Compares, and says what was found.
pub fn run(args: &Args) -> Run {
    let (before, after) = load_both(args)?;
    let calls = match args.calls.as_slice() {
        [] => None,
        [..] => Some(price_calls(args, &before.deck, &after.deck)?),
    };
    let changes = Changes::between(&before.deck, &after.deck);
    let diff = Diff { before: &before, after: &after, changes, calls };
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", diff.to_json())?;
    } else {
        let mut buffered = io::BufWriter::new(&mut out);
        show::write(&diff, if args.all { usize::MAX } else { args.top }, &mut buffered)?;
        buffered.flush()?;
    }
    let differ = !diff.changes.is_empty() || before.deck.rounding() != after.deck.rounding();
    Ok(if differ && args.strict { Done::WithFindings } else { Done::Well })
}

/// Reads both decks; what is wrong with either is said at once.
fn load_both(args: &Args) -> Result<(Loaded, Loaded), Failure> {
    let (before, after) = match (load(&args.before), load(&args.after)) {
        (Ok(before), Ok(after)) => (before, after),
        (Err(Failure::Usage(mut messages)), Err(Failure::Usage(more))) => {
            messages.extend(more);
            return Err(Failure::Usage(messages));
        }
        (Err(failure), _) | (_, Err(failure)) => return Err(failure),
    };
    let (currency, other) = (before.deck.currency(), after.deck.currency());
    if currency != other {
        let (file, other_file) = (args.before.display(), args.after.display());
        return Err(Failure::usage(format!("{file} is in {currency}, {other_file} in {other}: nothing is converted")));
    }
    Ok((before, after))
}

fn price_calls<'d>(args: &Args, before: &'d Deck, after: &'d Deck) -> Result<Comparison<'d>, Failure> {
    let profile = read_profile(&args.source)?;
    let mut comparison = Comparison::new(before, after);
    // Hidden by itself where standard error is no terminal.
    let progress = ProgressBar::new_spinner();
    for path in &args.calls {
        progress.set_message(format!("pricing {}", path.display()));
        comparison.read(path, &profile, args.org.as_deref(), || progress.tick())?;
    }
    progress.finish_and_clear();
    Ok(comparison)
}

impl Diff<'_> {
    fn to_json(&self) -> Value {
        let mut json = changes_to_json(&self.before.deck, &self.after.deck, &self.changes);
        if let Some(calls) = &self.calls {
            json["calls"] = calls_to_json(calls);
        }
        json
    }
}

/// What lies between two decks, without calls.
pub fn changes_to_json(before: &Deck, after: &Deck, changes: &Changes<'_>) -> Value {
    let rows = |rows: &[&Row]| rows.iter().map(|row| row_to_json(row)).collect::<Vec<_>>();
    let changed = |rows: &[Changed<'_>]| rows.iter().map(change_to_json).collect::<Vec<_>>();
    json!({
        "before": deck_to_json(before),
        "after": deck_to_json(after),
        "alike": changes.alike_count,
        "added": rows(&changes.added),
        "removed": rows(&changes.removed),
        "dearer": changed(&changes.dearer),
        "cheaper": changed(&changes.cheaper),
        "otherwise": changed(&changes.otherwise),
    })
}

/// A deck in a few words.
pub fn deck_to_json(deck: &Deck) -> Value {
    json!({
        "file": deck.manifest_name(),
        "id": deck.id(),
        "version": deck.version(),
        "currency": deck.currency().to_string(),
        "effectiveFrom": deck.effective_from().to_string(),
        "rounding": deck.rounding().to_string(),
        "rows": deck.rows().len(),
    })
}

fn row_to_json(row: &Row) -> Value {
    json!({
        "prefix": row.prefix.to_string(),
        "product": row.product.as_str(),
        "originPrefix": row.origin_prefix.map(|origin| origin.to_string()),
        "band": row.band.as_deref(),
        "destination": &*row.destination,
        "line": row.line,
        "pricePerMinute": row.price.to_string(),
        "connectionFee": row.connection_fee.to_string(),
    })
}

fn change_to_json(row: &Changed<'_>) -> Value {
    let other = |(what, before, after): (&str, String, String)| json!({"what": what, "before": before, "after": after});
    json!({
        "before": row_to_json(row.before),
        "after": row_to_json(row.after),
        "percent": row.percent(),
        "others": row.others().into_iter().map(other).collect::<Vec<_>>(),
    })
}

fn calls_to_json(calls: &Comparison<'_>) -> Value {
    let by_destination = calls.destinations().into_iter().map(|(destination, pair)| {
        let mut json = pair_to_json(&pair);
        json.insert("destination".to_owned(), destination.into());
        json
    });
    json!({
        "total": pair_to_json(&calls.total),
        "becameUnrated": pair_to_json(&calls.became_unrated),
        "becameRated": pair_to_json(&calls.became_rated),
        "unrated": calls.unrated_count,
        "free": calls.free_count,
        "leftOut": calls.left_out_count,
        "rejected": calls.rejected_count,
        "firstRejected": calls.first_rejected,
        "byDestination": by_destination.collect::<Vec<_>>(),
    })
}

fn pair_to_json(pair: &Pair) -> Map<String, Value> {
    let json = [
        ("calls", pair.call_count.into()),
        ("before", pair.before.to_string().into()),
        ("after", pair.after.to_string().into()),
        ("difference", pair.difference().to_string().into()),
        ("percent", percent(pair.before.micros().into(), pair.after.micros().into()).into()),
    ];
    json.into_iter().map(|(name, value): (_, Value)| (name.to_owned(), value)).collect()
}
