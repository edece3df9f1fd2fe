//! `drawdown deck check`: every fault of decks and rate plans in one pass.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use drawdown_rating::{Catalogue, Deck, Fault, RatePlan};
use drawdown_units::Price;
use serde_json::{Value, json};

use super::load::{read_text, try_load};
use crate::exit::{Done, Failure, Run};
use crate::table::{count, counted};

/// Check decks: every fault in one pass, with file, line, column and what to do about it
///
/// Faults make a deck unusable. Warnings are about rows that are legal but suspicious: overlapping ones that say nothing
/// new, prices a hundred times the median, free destinations, names written in two ways, and the like. Versions of one
/// deck are also checked against one another and, with --rate-plan, decks against the plans that name them.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit code:
  0  no faults, perhaps warnings
  1  no faults, but warnings, and --strict was given
  2  faults

JSON (--json): one object
  {\"clean\": false, \"decks\": [deck], \"faults\": [fault], \"warnings\": [fault]}
  deck   {\"file\", \"id\", \"version\", \"currency\", \"effectiveFrom\", \"rounding\", \"rows\",
          \"prefixes\", \"destinations\", \"priceMin\", \"priceMax\"}
  fault  {\"file\", \"line\", \"column\", \"what\", \"mend\"}
  Prices are decimal strings per minute; line and column are null where no single one is
  to blame. Decks with faults are not among the decks.

Examples:
  drawdown deck check config/decks/acs-pstn.toml
  drawdown deck check --strict --rate-plan plans/standard.toml decks/*.toml
  drawdown deck check --json deck.toml | jq -r '.faults[] | \"\\(.file):\\(.line) \\(.what)\"'")]
pub struct Args {
    /// The decks' manifests
    #[arg(required = true, value_name = "FILE")]
    decks: Vec<PathBuf>,
    /// A rate plan to check against the decks; may be given several times
    #[arg(long, value_name = "FILE")]
    rate_plan: Vec<PathBuf>,
    /// End with exit code 1 where there are warnings
    #[arg(long)]
    strict: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// What was found.
#[derive(Debug, Default)]
struct Report {
    decks: Vec<Summary>,
    faults: Vec<Fault>,
    warnings: Vec<Fault>,
}

/// A sound deck in figures.
#[derive(Debug)]
struct Summary {
    file: String,
    id: String,
    version: u32,
    currency: String,
    effective_from: String,
    rounding: String,
    row_count: u64,
    prefix_count: u64,
    destination_count: u64,
    prices: Option<(Price, Price)>,
}

/// Checks, and says what was found.
pub fn run(args: &Args) -> Run {
    let report = check(args);
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", report.to_json())?;
    } else {
        report.write(&mut out)?;
    }
    match (report.faults.is_empty(), report.warnings.is_empty()) {
        // They have been said already.
        (false, _) => Err(Failure::Usage(Vec::new())),
        (true, false) if args.strict => Ok(Done::WithFindings),
        (true, _) => Ok(Done::Well),
    }
}

fn check(args: &Args) -> Report {
    let mut report = Report::default();
    let mut decks = Vec::new();
    for path in &args.decks {
        match try_load(path) {
            Ok(loaded) => {
                report.decks.push(Summary::of(&loaded.deck));
                report.warnings.extend(loaded.warnings);
                decks.push(loaded.deck);
            }
            Err(faults) => report.faults.extend(faults),
        }
    }
    let mut plans = Vec::new();
    for path in &args.rate_plan {
        let text = read_text(path, "give the path of a rate plan's TOML").map_err(|fault| vec![fault]);
        match text.and_then(|text| RatePlan::parse(&path.display().to_string(), &text)) {
            Ok(plan) => plans.push(plan),
            Err(faults) => report.faults.extend(faults),
        }
    }
    // A plan that names a deck which is itself at fault would only seem to be at fault too.
    if args.rate_plan.is_empty() {
        report.faults.extend(faults_between_versions(decks));
    } else if report.faults.is_empty() {
        report.faults.extend(Catalogue::new(decks, plans).err().unwrap_or_default());
    }
    report
}

/// Versions given twice, or in another currency than the others of their deck.
fn faults_between_versions(mut decks: Vec<Deck>) -> Vec<Fault> {
    let mut faults = Vec::new();
    decks.sort_by(|a, b| b.id().cmp(a.id()));
    while let Some(id) = decks.last().map(|deck| deck.id().to_owned()) {
        let from = decks.partition_point(|deck| *deck.id() > *id);
        faults.extend(Catalogue::new(decks.split_off(from), Vec::new()).err().unwrap_or_default());
    }
    faults
}

impl Summary {
    fn of(deck: &Deck) -> Self {
        let rows = deck.rows();
        let prefixes: BTreeSet<_> = rows.iter().map(|row| (row.product, row.prefix)).collect();
        let destinations: BTreeSet<&str> = rows.iter().map(|row| &*row.destination).collect();
        let prices = || rows.iter().map(|row| row.price);
        Summary {
            file: deck.manifest_name().to_owned(),
            id: deck.id().to_owned(),
            version: deck.version(),
            currency: deck.currency().to_string(),
            effective_from: deck.effective_from().to_string(),
            rounding: deck.rounding().to_string(),
            row_count: rows.len() as u64,
            prefix_count: prefixes.len() as u64,
            destination_count: destinations.len() as u64,
            prices: prices().min().zip(prices().max()),
        }
    }

    fn to_json(&self) -> Value {
        json!({
            "file": self.file,
            "id": self.id,
            "version": self.version,
            "currency": self.currency,
            "effectiveFrom": self.effective_from,
            "rounding": self.rounding,
            "rows": self.row_count,
            "prefixes": self.prefix_count,
            "destinations": self.destination_count,
            "priceMin": self.prices.map(|(least, _)| least.to_string()),
            "priceMax": self.prices.map(|(_, most)| most.to_string()),
        })
    }
}

impl Report {
    fn write(&self, out: &mut impl Write) -> io::Result<()> {
        for fault in &self.faults {
            writeln!(out, "error: {fault}")?;
        }
        for warning in &self.warnings {
            writeln!(out, "warning: {warning}")?;
        }
        for deck in &self.decks {
            let Summary { file, id, version, currency, effective_from, rounding, .. } = deck;
            write!(out, "{file}: {id} version {version}, from {effective_from}, {rounding}: ")?;
            write!(out, "{}, ", counted(deck.row_count, "row"))?;
            write!(out, "{} prefixes, {}", count(deck.prefix_count), counted(deck.destination_count, "destination"))?;
            if let Some((least, most)) = deck.prices {
                write!(out, ", {least} to {most} {currency} a minute")?;
            }
            writeln!(out)?;
        }
        let (faults, warnings) = (self.faults.len() as u64, self.warnings.len() as u64);
        writeln!(out, "{}, {}", counted(faults, "fault"), counted(warnings, "warning"))
    }

    fn to_json(&self) -> Value {
        let list = |faults: &[Fault]| faults.iter().map(fault_to_json).collect::<Vec<_>>();
        json!({
            "clean": self.faults.is_empty() && self.warnings.is_empty(),
            "decks": self.decks.iter().map(Summary::to_json).collect::<Vec<_>>(),
            "faults": list(&self.faults),
            "warnings": list(&self.warnings),
        })
    }
}

fn fault_to_json(fault: &Fault) -> Value {
    json!({
        "file": fault.file,
        "line": fault.line,
        "column": fault.column,
        "what": fault.what,
        "mend": fault.mend,
    })
}
