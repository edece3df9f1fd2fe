//! `drawdown licence`: which licences users hold, and the minutes that they bring, through the HTTP API.

use std::io::{self, Write};

use clap::{Args as ClapArgs, Subcommand};
use serde_json::{Value, json};

use crate::client::{OrgArgs, Reading, Writing, instant, list, path, text};
use crate::exit::Run;
use crate::table::{Align, Table};

/// Assign and remove users' licences, and show pools of minutes, on a running server
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 done; 2 refused, or wrong usage; 3 a fault, or nobody knows what became of it.

Example:
  drawdown licence assign contoso ann@contoso.example MCOPSTN1 --country US")]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Assign(AssignArgs),
    Remove(RemoveArgs),
    Show(ShowArgs),
    /// Show the pools that an organisation's users share
    Pools(OrgArgs),
}

/// Assign a licence to a user
#[derive(Debug, ClapArgs)]
struct AssignArgs {
    /// The organisation
    org: String,
    /// The user, as usage records name them
    user: String,
    /// The licence, as the catalogue of plans names it
    licence: String,
    /// The country that it is for, ISO 3166, such as US
    #[arg(long)]
    country: String,
    #[command(flatten)]
    writing: Writing,
}

/// Take a licence from a user
#[derive(Debug, ClapArgs)]
struct RemoveArgs {
    /// The organisation
    org: String,
    /// The user
    user: String,
    /// The licence
    licence: String,
    #[command(flatten)]
    writing: Writing,
}

/// Show a user's licences, and pools of their own
#[derive(Debug, ClapArgs)]
struct ShowArgs {
    /// The organisation
    org: String,
    /// The user
    user: String,
    #[command(flatten)]
    reading: Reading,
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    let place = |org: &str, user: &str, licence: &str| path(&["accounts", org, "users", user, "licences", licence]);
    match &args.command {
        Command::Assign(args) => {
            let fields = json!({"country": args.country});
            args.writing.send("PUT", &place(&args.org, &args.user, &args.licence), Some(&fields))
        }
        Command::Remove(args) => args.writing.send("DELETE", &place(&args.org, &args.user, &args.licence), None),
        Command::Show(args) => {
            args.reading.show(&path(&["accounts", &args.org, "users", &args.user]), |user, mut out| {
                show_licences(list(&user["licences"]), &mut out)?;
                show_pools(list(&user["pools"]), &mut out)
            })
        }
        Command::Pools(args) => args.reading.show(&path(&["accounts", &args.org, "pools"]), |pools, mut out| {
            show_pools(list(&pools["pools"]), &mut out)
        }),
    }
}

fn show_licences(licences: &[Value], out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new(&["licence", "country", "since", "until"].map(|name| (name, Align::Left)));
    for licence in licences {
        let [name, country] = ["licence", "country"].map(|name| text(&licence[name]));
        table.row([name, country, instant(&licence["since"]), instant(&licence["until"])]);
    }
    table.write(out, "")
}

/// What was used of each pool, in minutes; nothing where no minutes were.
fn show_pools(pools: &[Value], out: &mut impl Write) -> io::Result<()> {
    let mut table = Table::new(&[
        ("pool", Align::Left),
        ("country", Align::Left),
        ("use", Align::Left),
        ("month", Align::Left),
        ("minutes used", Align::Right),
    ]);
    let uses = pools.iter().flat_map(|pool| list(&pool["uses"]).iter().map(move |used| (pool, used)));
    let mut is_empty = true;
    for (pool, used) in uses {
        let [licence, country] = ["licence", "country"].map(|name| text(&pool[name]));
        let [kind, month, minutes] = ["use", "month", "used"].map(|name| text(&used[name]));
        table.row([licence, country, kind, month, minutes]);
        is_empty = false;
    }
    if is_empty { writeln!(out, "no minutes used of a pool") } else { table.write(out, "") }
}
