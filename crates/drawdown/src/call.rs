//! `drawdown call`: what became of an organisation's calls, through the HTTP API: debits, rejects, and why.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use serde_json::Value;

use crate::client::{
    Client, LinesArgs, List, PageArgs, Reading, SpanArgs, instant, list, path, print_json, query, read, text,
};
use crate::exit::{Done, Run};
use crate::table::Align;

/// List debits and rejects of calls, and explain a charge, on a running server
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 done; 1 computed anew a charge differs (explain); 2 refused, or wrong usage; 3 a fault.

Examples:
  drawdown call debits contoso --from 2026-03-01 --to 2026-04-01 --prefix 44 --all
  drawdown call explain contoso 4016eb57-f99c-447d-ad70-0864fe3fe22e")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Debits(DebitsArgs),
    /// List records that were not debited
    Rejects(LinesArgs),
    Explain(ExplainArgs),
}

/// List debits: what was charged, and who paid
#[derive(Debug, ClapArgs)]
struct DebitsArgs {
    /// The organisation
    org: String,
    /// Calls of this user
    #[arg(long)]
    user: Option<String>,
    /// Calls to numbers that begin with these digits
    #[arg(long, value_name = "DIGITS")]
    prefix: Option<String>,
    /// The id of the usage record
    #[arg(long)]
    id: Option<String>,
    /// The source of the usage record
    #[arg(long)]
    source: Option<String>,
    #[command(flatten)]
    span: SpanArgs,
    #[command(flatten)]
    pages: PageArgs,
    #[command(flatten)]
    reading: Reading,
}

/// Explain why a call was charged so, in words, and compute it anew
#[derive(Debug, ClapArgs)]
struct ExplainArgs {
    /// The organisation
    org: String,
    /// The id of the usage record
    id: String,
    /// The source of the usage record, where several have this id
    #[arg(long)]
    source: Option<String>,
    #[command(flatten)]
    span: SpanArgs,
    #[command(flatten)]
    reading: Reading,
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::Debits(args) => debits(args),
        Command::Rejects(args) => rejects(args),
        Command::Explain(args) => explain(args),
    }
}

fn debits(args: &DebitsArgs) -> Run {
    let wanted = [("user", &args.user), ("prefix", &args.prefix), ("id", &args.id), ("source", &args.source)];
    let wanted = wanted.map(|(name, value)| (name, value.clone()));
    let list = List {
        path: path(&["accounts", &args.org, "debits"]),
        goes_on: "cursor",
        given: args.span.given().into_iter().chain(wanted).collect(),
        columns: &[
            ("seq", Align::Right),
            ("started", Align::Left),
            ("call", Align::Left),
            ("seconds", Align::Right),
            ("amount", Align::Right),
            ("paid by", Align::Left),
            ("balance", Align::Right),
            ("record", Align::Left),
        ],
        row: &debit_row,
    };
    args.reading.list(&args.pages, &list)
}

fn debit_row(debit: &Value) -> Vec<String> {
    let call = &debit["call"];
    let taken_back = if debit["reverses"].is_object() { "taken back: " } else { "" };
    let called = call["called"].as_str().map(|digits| format!(" +{digits}")).unwrap_or_default();
    vec![
        text(&debit["seq"]),
        instant(&call["startDateTime"]),
        format!("{taken_back}{}{called}", text(&call["callType"])),
        text(&call["duration"]),
        text(&debit["charge"]["amount"]),
        list(&debit["funding"]).iter().map(payer).collect::<Vec<_>>().join(", "),
        text(&debit["balanceAfter"]),
        text(&debit["id"]),
    ]
}

fn payer(funding: &Value) -> String {
    match funding["type"].as_str() {
        Some("lot") => text(&funding["lotId"]),
        Some("pool") => format!("{} min of {}", text(&funding["minutes"]), text(&funding["pool"])),
        _ => text(&funding["type"]),
    }
}

fn rejects(args: &LinesArgs) -> Run {
    let row = |reject: &Value| ["kind", "reason", "field", "id", "detail"].map(|name| text(&reject[name])).into();
    let list = List {
        path: path(&["accounts", &args.org, "rejects"]),
        goes_on: "cursor",
        given: args.span.given().into(),
        columns: &["kind", "reason", "field", "record", "detail"].map(|name| (name, Align::Left)),
        row: &row,
    };
    args.reading.list(&args.pages, &list)
}

fn explain(args: &ExplainArgs) -> Run {
    let given: Vec<_> = args.span.given().into_iter().chain([("source", args.source.clone())]).collect();
    let place = query(&path(&["accounts", &args.org, "calls", &args.id, "explanation"]), &given);
    let body = Client::new(&args.reading.server)?.get(&place)?;
    let explained = read(&body)?;
    let mut out = io::stdout().lock();
    if args.reading.json {
        print_json(&body, &mut out)?;
    } else {
        for (index, item) in list(&explained["items"]).iter().enumerate() {
            if index > 0 {
                writeln!(out)?;
            }
            write_explanation(item, &mut out)?;
        }
    }
    let differs = list(&explained["items"]).iter().any(|item| item["recomputed"]["equal"] == false);
    Ok(if differs { Done::WithFindings } else { Done::Well })
}

fn write_explanation(item: &Value, out: &mut impl Write) -> io::Result<()> {
    let mut last = String::new();
    for line in list(&item["explanation"]) {
        let about = text(&line["about"]);
        let shown = if about == last { "" } else { &about };
        writeln!(out, "{shown:<12}{}", text(&line["text"]))?;
        last = about;
    }
    match item["recomputed"]["equal"].as_bool() {
        Some(true) => writeln!(out, "recomputed: equal")?,
        Some(false) => writeln!(out, "recomputed: the charge differs")?,
        None => {}
    }
    for flaw in list(&item["recomputed"]["differences"]) {
        let [field, expected, found] = ["field", "expected", "found"].map(|name| text(&flaw[name]));
        writeln!(out, "  {field}: {expected} by the deck, {found} in the debit")?;
    }
    Ok(())
}
