//! `drawdown`, the binary: the command line, and nothing but wiring behind it.

mod account;
mod arguments;
mod balance;
mod call;
mod cli;
mod client;
mod config;
mod connect;
mod deck;
mod demo;
mod exit;
mod explain;
mod export;
mod files;
mod funds;
mod generate;
mod import;
mod key;
mod licence;
mod logging;
mod manual;
mod outputs;
mod pipeline;
mod price;
mod rate;
mod recharge;
mod replay;
mod report;
mod rerate;
mod sandbox;
mod serve;
mod table;
mod tail;
mod topics;
mod verify;

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    let cli = cli::Cli::parse();
    exit::report(cli.run())
}
