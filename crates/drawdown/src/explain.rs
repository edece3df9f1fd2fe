//! `drawdown explain`: one debit in words. What was called, which row priced it and why, how seconds became money, who
//! paid; and with the deck whether it would be charged the same again.

mod figures;
mod find;
mod rules;
mod words;

use std::io::{self, Write};
use std::path::PathBuf;

use clap::Args as ClapArgs;
use drawdown_rating::Deck;
use drawdown_wire::debit::{self, Debit};
use serde_json::{Value, json};

use crate::exit::{Done, Failure, Run};
use crate::verify;
use find::{Found, Wanted};
use words::{Explanation, Offered, in_force};

/// Explain one debit in words: the call, the row that priced it, the sum, who paid, the balance
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 explained; 1 computed anew the charge differs; 2 wrong usage, or there is no such debit; 3 a fault.

JSON (--json): one object for each debit found, one a line
  {\"file\", \"line\", \"debit\": {…as it stands…}, \"explanation\": [{\"about\", \"text\"}],
   \"rules\": [\"lots-in-order\"], \"calculation\": null | calculation,
   \"recomputed\": null | {\"equal\": true, \"differences\": [{\"field\", \"expected\", \"found\"}]}}
  calculation  {\"callSeconds\", \"coveredSeconds\", \"ratedSeconds\", \"initialSeconds\", \"incrementSeconds\",
                \"billableSeconds\", \"connectionFee\", \"parts\": [part], \"sum\", \"bound\": null | {\"kind\", \"amount\"},
                \"rounding\": {\"mode\", \"decimals\"}, \"amount\", \"currency\"}
  part         {\"fromSecond\", \"seconds\", \"pricePerMinute\", \"band\", \"line\"}
  There is one rule for each line of the debit's funding. Minutes of a pool cover whole minutes; what is left is rated,
  by the deck given with --deck: each part of the billed seconds at its price, by tier or time band. The sum is fee and
  parts before bounds and rounding; it ends in … where its decimals do not end. Times are in seconds.

Examples:
  drawdown explain out 7f5c1d2e-0000-4000-8000-000000000001
  drawdown explain out/debits.jsonl --org contoso --seq 17 --deck config/decks/acs-pstn.toml")]
pub struct Args {
    /// A file of debits, or the directory of debits.jsonl
    #[arg(value_name = "FILE|DIR")]
    path: PathBuf,
    /// The id of the usage record
    #[arg(value_name = "ID", required_unless_present_all = ["org", "seq"], conflicts_with_all = ["org", "seq"])]
    id: Option<String>,
    /// The source of the usage record, where several have a record of that id
    #[arg(long, value_name = "NAME", requires = "id")]
    source: Option<String>,
    /// The organisation, with --seq instead of ID
    #[arg(long, value_name = "ID", requires = "seq")]
    org: Option<String>,
    /// The debit's place among the debits and events of the organisation
    #[arg(long, value_name = "N", requires = "org")]
    seq: Option<u64>,
    /// A deck's manifest: with the deck that the debit names, the charge is computed anew
    #[arg(long = "deck", value_name = "FILE")]
    decks: Vec<PathBuf>,
    /// Print JSON instead of text
    #[arg(long)]
    json: bool,
}

/// Finds the debit, and explains it.
pub fn run(args: &Args) -> Run {
    let decks = verify::read_decks(&args.decks)?;
    let path =
        if args.path.is_dir() { verify::path_of(None, Some(&args.path), "debits.jsonl") } else { args.path.clone() };
    let wanted =
        Wanted { id: args.id.as_deref(), source: args.source.as_deref(), org: args.org.as_deref(), seq: args.seq };
    let found = find::find(&path, &wanted)?;
    if found.is_empty() {
        return Err(Failure::usage(format!("{}: there is no debit {wanted}", path.display())));
    }
    let mut out = io::stdout().lock();
    let mut differs = false;
    for (index, found) in found.iter().enumerate() {
        let debit = debit::read(&found.bytes).map_err(|error| Failure::Fault(error.into()))?;
        let explanation = Explanation::of(&debit, &decks, &|_, started| in_force(&decks, started));
        differs |= explanation.differs();
        if args.json {
            writeln!(out, "{}", to_json(&path.display().to_string(), found, &explanation))?;
        } else {
            if index > 0 {
                writeln!(out)?;
            }
            write_text(&explanation, &debit, &decks, &mut out)?;
        }
    }
    Ok(if differs { Done::WithFindings } else { Done::Well })
}

fn write_text(explanation: &Explanation, debit: &Debit<'_>, decks: &[Deck], out: &mut impl Write) -> io::Result<()> {
    let mut last = "";
    for (about, text) in &explanation.lines {
        let shown = if *about == last { "" } else { about };
        writeln!(out, "{shown:<12}{text}")?;
        last = about;
    }
    match &explanation.differences {
        Some(differences) if differences.is_empty() => writeln!(out, "recomputed: equal"),
        Some(differences) => {
            writeln!(out, "recomputed: the charge differs")?;
            for flaw in differences {
                writeln!(out, "  {}: {} by the deck, {} in the debit", flaw.field, flaw.expected, flaw.found)?;
            }
            Ok(())
        }
        None if debit.charge.deck.is_some() && decks.is_empty() => {
            writeln!(out, "not recomputed: give the deck with --deck")
        }
        None => Ok(()),
    }
}

/// A debit in words, with all decks and those that might price it now: what the API says of it.
///
/// # Errors
/// It is no debit.
pub fn explained(line: &[u8], decks: &[Deck], offered: &Offered<'_, '_>) -> Result<Value, String> {
    let debit = debit::read(line).map_err(|error| error.to_string())?;
    Ok(json_of(line, &Explanation::of(&debit, decks, offered)))
}

fn to_json(file: &str, found: &Found, explanation: &Explanation) -> Value {
    let mut json = json_of(&found.bytes, explanation);
    json["file"] = file.into();
    json["line"] = found.line.into();
    json
}

fn json_of(line: &[u8], explanation: &Explanation) -> Value {
    let debit: Value = serde_json::from_slice(line).unwrap_or_default();
    let lines = explanation.lines.iter().map(|(about, text)| json!({"about": about, "text": text}));
    let recomputed = explanation.differences.as_ref().map(|differences| {
        let listed = differences
            .iter()
            .map(|flaw| json!({"field": flaw.field, "expected": flaw.expected, "found": flaw.found}))
            .collect::<Vec<_>>();
        json!({"equal": differences.is_empty(), "differences": listed})
    });
    json!({
        "debit": debit,
        "explanation": lines.collect::<Vec<_>>(),
        "rules": explanation.rules,
        "calculation": explanation.calculation,
        "recomputed": recomputed,
    })
}

#[cfg(test)]
mod tests;
