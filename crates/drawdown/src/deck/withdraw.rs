//! `drawdown deck withdraw`: takes a version of a deck back on every running process. On the log, or, where a server is
//! named, through its API.

use std::io::Write as _;

use clap::Args as ClapArgs;
use drawdown_api::meters::clock;
use drawdown_stream::bundle::Bundle;

use super::log;
use crate::client::{Client, ServerArgs, instant, print_json, read, to_the_second};
use crate::config::{Config, ConfigArgs};
use crate::exit::{Done, Failure, Run};
use crate::serve::supply::Standing;

/// Withdraw a version of a deck on every running process
///
/// From when a process takes it up, between two batches, the version prices no call any more, whenever the call started:
/// the version that was in force before it does, and where there is none the call is unrated, and can be rated again.
/// What was booked stays booked; `drawdown rerate` shows and books the difference. A withdrawal is for good: mend the deck
/// and publish it with a higher version.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Exit codes: 0 withdrawn, now or before; 2 wrong usage, or there is no such version; 3 a fault.

Examples:
  drawdown deck withdraw acs-pstn 4
  drawdown deck withdraw acs-pstn 4 --config drawdown.toml
  drawdown deck withdraw acs-pstn 4 --url https://drawdown.example:9464 --key-file key")]
pub struct Args {
    /// The deck
    id: String,
    /// The version
    version: u32,
    /// Print the JSON of the API, where a server is asked
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Asks a server, or puts it on the log.
pub fn run(args: &Args) -> Run {
    if args.server.is_named() { ask(args) } else { place(args, &args.server.config) }
}

fn ask(args: &Args) -> Run {
    let mut out = std::io::stdout().lock();
    let withdrawn = Client::new(&args.server)?.withdraw(&args.id, args.version)?;
    if args.json {
        print_json(&withdrawn, &mut out)?;
        return Ok(Done::Well);
    }
    let withdrawn = read(&withdrawn)?;
    let key = Bundle::deck_key(&args.id, args.version);
    if withdrawn["inForce"] == true {
        writeln!(out, "{key}: to be withdrawn, still in force; `drawdown deck list` shows when it is not")?;
    } else {
        writeln!(out, "{key}: withdrawn since {}", instant(&withdrawn["withdrawnAt"]))?;
    }
    Ok(Done::Well)
}

fn place(args: &Args, config: &ConfigArgs) -> Run {
    let config = Config::load(config)?;
    let (id, version) = (&*args.id, args.version);
    let key = Bundle::deck_key(id, version);
    let mut out = std::io::stdout().lock();
    match log::supply(&config)?.standing(id, version) {
        Standing::Unknown => return Err(Failure::usage(format!("there is no version {version} of deck {id}"))),
        Standing::Withdrawn(at) => writeln!(out, "{key}: withdrawn since {}", to_the_second(&at.to_string()))?,
        Standing::Published => {
            log::put_one(&config, &Bundle::Withdrawal { id: id.to_owned(), version, at: clock() })?;
            writeln!(out, "{key}: withdrawn; {}", log::FROM_WHEN)?;
        }
    }
    Ok(Done::Well)
}
