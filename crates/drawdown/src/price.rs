//! `drawdown price`: what a call would cost by a rate plan that is in force, through the HTTP API.

use std::io::{self, Write};

use clap::Args as ClapArgs;
use drawdown_units::Timestamp;
use serde_json::Value;

use crate::arguments::parse_time;
use crate::client::{Client, Reading, amount, instant, labelled, list, print_json, query, read, text};
use crate::exit::{Done, Run};

/// Price a call by a rate plan in force on a running server
///
/// A deck's file prices calls too, with every part of the sum: `drawdown deck price`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 priced, or free; 1 unrated: no row of the deck is for the number; 2 wrong usage; 3 a fault.

Example:
  drawdown price standard +442071838750 219")]
pub struct Args {
    /// The rate plan
    plan: String,
    /// The number that decides the price: +digits, perhaps masked with `*` at its end
    number: String,
    /// How long the call lasts, in whole seconds
    #[arg(default_value_t = 60)]
    seconds: u32,
    /// When it starts; now unless given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    #[command(flatten)]
    reading: Reading,
}

/// Asks for the price, and shows it.
pub fn run(args: &Args) -> Run {
    let given = [
        ("plan", Some(args.plan.clone())),
        ("number", Some(args.number.clone())),
        ("seconds", Some(args.seconds.to_string())),
        ("at", args.at.map(|time| time.to_string())),
    ];
    let body = Client::new(&args.reading.server)?.get(&query("/v1/price", &given))?;
    let price = read(&body)?;
    let mut out = io::stdout().lock();
    if args.reading.json {
        print_json(&body, &mut out)?;
    } else {
        show(&price, &mut out)?;
    }
    let is_unrated = list(&price["flags"]).iter().any(|flag| flag == "unrated");
    Ok(if is_unrated { Done::WithFindings } else { Done::Well })
}

fn show(price: &Value, out: &mut dyn Write) -> io::Result<()> {
    let [product, number, seconds] = ["product", "number", "seconds"].map(|name| text(&price[name]));
    writeln!(out, "{product} to {number}, {seconds} s from {}", instant(&price["at"]))?;
    let flags = list(&price["flags"]).iter().map(text).collect::<Vec<_>>().join(", ");
    let charge = &price["charge"];
    if !charge.is_object() {
        let name = if price["flags"].as_array().is_some_and(|flags| flags.is_empty()) { "free" } else { "unrated" };
        return labelled(&[(name, text(&price["why"])), ("flags", flags)], out);
    }
    labelled(
        &[
            ("deck", format!("{} version {}", text(&charge["deck"]), text(&charge["deckVersion"]))),
            ("row", format!("line {}, prefix {}", text(&charge["line"]), text(&charge["prefix"]))),
            ("destination", text(&charge["destination"])),
            (
                "billed",
                format!("{} s at {} a minute", text(&charge["billableSeconds"]), text(&charge["pricePerMinute"])),
            ),
            ("fee", text(&charge["connectionFee"])),
            ("sum", text(&price["sum"])),
            ("bound", text(&charge["bound"])),
            ("rounding", text(&charge["rounding"])),
            ("amount", amount(&charge["amount"], &charge["currency"])),
            ("flags", flags),
        ],
        out,
    )
}
