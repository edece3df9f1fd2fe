//! `drawdown deck list`: the decks, withdrawn ones too, and the rate plans in force, through the HTTP API.

use std::io::{self, Write};

use clap::Args as ClapArgs;
use serde_json::Value;

use crate::client::{Reading, instant, list, text};
use crate::exit::Run;
use crate::table::{Align, Table};

/// List the decks and rate plans in force on a running server
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(flatten)]
    reading: Reading,
}

/// Asks for them, and shows them.
pub fn run(args: &Args) -> Run {
    args.reading.show("/v1/decks", |shelf, mut out| show(shelf, &mut out))
}

fn show(shelf: &Value, out: &mut impl Write) -> io::Result<()> {
    let mut decks = Table::new(&[
        ("deck", Align::Left),
        ("version", Align::Right),
        ("currency", Align::Left),
        ("in force from", Align::Left),
        ("rows", Align::Right),
        ("withdrawn", Align::Left),
    ]);
    for deck in list(&shelf["decks"]) {
        let [id, version, currency, rows] = ["id", "version", "currency", "rows"].map(|name| text(&deck[name]));
        let withdrawn = deck["withdrawnAt"].as_str().map(|_| format!("since {}", instant(&deck["withdrawnAt"])));
        decks.row([id, version, currency, instant(&deck["effectiveFrom"]), rows, withdrawn.unwrap_or_default()]);
    }
    decks.write(out, "")?;
    if list(&shelf["ratePlans"]).is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let mut plans = Table::new(&["rate plan", "currency", "decks"].map(|name| (name, Align::Left)));
    for plan in list(&shelf["ratePlans"]) {
        let products = plan["products"].as_object().into_iter().flatten();
        let products: Vec<_> = products.map(|(product, deck)| format!("{product}: {}", text(deck))).collect();
        plans.row([text(&plan["id"]), text(&plan["currency"]), products.join(", ")]);
    }
    plans.write(out, "")
}
