//! The command line: every command with its arguments lives in its own module; here they are only listed.

use clap::{Parser, Subcommand};

use crate::connect::dead_letters;
use crate::exit::Run;
use crate::{
    account, balance, call, config, deck, demo, explain, export, funds, generate, import, key, licence, manual, price,
    rate, recharge, replay, report, rerate, sandbox, serve, tail, topics, verify,
};

/// Rates telephone calls and draws down prepaid credits, exactly once, to the last decimal.
#[derive(Debug, Parser)]
#[command(name = "drawdown", version, about, max_term_width = 110)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Demo(demo::Args),
    Serve(serve::Args),
    SampleConfig(config::SampleArgs),
    Import(import::Args),
    Tail(tail::Args),
    Balance(balance::Args),
    Replay(replay::Args),
    Rerate(rerate::Args),
    Export(export::Args),
    Topics(topics::Args),
    Rate(rate::Args),
    Verify(verify::Args),
    Explain(explain::Args),
    Report(report::Args),
    Deck(deck::Args),
    Account(account::Args),
    Funds(funds::Args),
    Recharge(recharge::Args),
    Licence(licence::Args),
    Call(call::Args),
    Price(price::Args),
    Key(key::Args),
    Sandbox(sandbox::Args),
    DeadLetters(dead_letters::Args),
    Generate(generate::Args),
    Completions(manual::CompletionsArgs),
    Man(manual::ManArgs),
}

impl Cli {
    /// Runs the command that was given.
    pub fn run(self) -> Run {
        match self.command {
            Command::Demo(args) => demo::run(&args),
            Command::SampleConfig(args) => config::print_sample(&args),
            Command::Serve(args) => serve::run(&args),
            Command::Import(args) => import::run(&args),
            Command::Tail(args) => tail::run(&args),
            Command::Balance(args) => balance::run(&args),
            Command::Replay(args) => replay::run(&args),
            Command::Rerate(args) => rerate::run(&args),
            Command::Export(args) => export::run(&args),
            Command::Topics(args) => topics::run(&args),
            Command::Rate(args) => rate::run(&args),
            Command::Verify(args) => verify::run(&args),
            Command::Explain(args) => explain::run(&args),
            Command::Report(args) => report::run(&args),
            Command::Deck(args) => deck::run(&args),
            Command::Account(args) => account::run(&args),
            Command::Funds(args) => funds::run(&args),
            Command::Recharge(args) => recharge::run(&args),
            Command::Licence(args) => licence::run(&args),
            Command::Call(args) => call::run(&args),
            Command::Price(args) => price::run(&args),
            Command::Key(args) => key::run(&args),
            Command::Sandbox(args) => sandbox::run(&args),
            Command::DeadLetters(args) => dead_letters::run(&args),
            Command::Generate(args) => generate::run(&args),
            Command::Completions(args) => manual::completions(&args),
            Command::Man(args) => manual::man(&args),
        }
    }
}
