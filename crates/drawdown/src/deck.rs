//! `drawdown deck`: checks decks, compares two, prices one call without rating anything; publishes decks, withdraws them,
//! and lists those in force.

mod calls;
pub mod changes;
mod check;
pub mod diff;
mod list;
pub mod load;
pub mod log;
pub mod price;
pub mod publish;
mod show;
mod withdraw;

use clap::{Args as ClapArgs, Subcommand};

use crate::exit::Run;

/// Check, compare, publish and withdraw decks, and price single calls
///
/// A deck is a manifest (TOML) and the CSV of rows that it names; FILE is always the manifest.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Check(check::Args),
    Diff(diff::Args),
    List(list::Args),
    Price(price::Args),
    Publish(publish::Args),
    Withdraw(withdraw::Args),
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::Check(args) => check::run(args),
        Command::Diff(args) => diff::run(args),
        Command::List(args) => list::run(args),
        Command::Price(args) => price::run(args),
        Command::Publish(args) => publish::run(args),
        Command::Withdraw(args) => withdraw::run(args),
    }
}
