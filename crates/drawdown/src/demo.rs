//! `drawdown demo`: the main job on a bundled deck and bundled calls, with no other file needed.
//!
//! It writes the inputs and then runs the very commands that it shows, so that what is seen can be repeated by hand.

mod accounts;
mod credits;
mod live;

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Parser as _};

use crate::cli::Cli;
use crate::exit::{Done, Failure, Run};

/// Run everything once on a bundled deck and a month of bundled calls, and explain what happens
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Where inputs and outputs are written
    #[arg(long, value_name = "DIR", default_value = "drawdown-demo")]
    out: PathBuf,
}

/// The files that the demonstration starts from.
const INPUTS: [(&str, &[u8]); 7] = [
    ("deck/acs-pstn.toml", include_bytes!("../../../config/decks/acs-pstn.toml")),
    ("deck/acs-pstn.csv", include_bytes!("../../../config/decks/acs-pstn.csv")),
    ("deck/README.md", include_bytes!("../../../config/decks/README.md")),
    ("commands.jsonl", include_bytes!("../../../config/demo/commands.jsonl")),
    ("cdrs.jsonl", include_bytes!("../../../config/demo/cdrs.jsonl")),
    ("litware/commands.jsonl", include_bytes!("../../../config/demo/litware/commands.jsonl")),
    ("litware/cdrs.jsonl", include_bytes!("../../../config/demo/litware/cdrs.jsonl")),
];

/// The debit that is explained: it empties a lot and goes on as overdraft.
const EXPLAINED: &str = "4016eb57-f99c-447d-ad70-0864fe3fe22e";

/// Where the demonstration's files are.
struct Places {
    dir: PathBuf,
}

impl Places {
    fn of(&self, name: &str) -> String {
        self.dir.join(name).display().to_string()
    }
}

/// Writes the inputs, rates them, and shows what came of it.
pub fn run(args: &Args) -> Run {
    let places = Places { dir: args.out.clone() };
    write_inputs(&args.out)?;
    let (deck, outputs) = (places.of("deck/acs-pstn.toml"), places.of("rated"));
    let (commands, calls) = (places.of("commands.jsonl"), places.of("cdrs.jsonl"));
    say(&[
        "A month of calls of seven organisations, a deck of 6,592 prefixes, and what operators and a payment",
        "connector asked for meanwhile. Everything is rated and drawn down; time then runs on to the end of March.",
    ])?;
    let until = "2026-04-01T00:00:00Z";
    let rate = ["rate", "--deck", &deck, "--commands", &commands, "--until", until, "--out", &outputs, &calls];
    let mut done = command(&rate)?;
    accounts::show(&args.out.join("rated"))?;
    say(&["Why did that call cost this much, and who paid?"])?;
    done = worse(done, command(&["explain", &outputs, EXPLAINED, "--deck", &deck])?);
    done = worse(done, live::run(&places)?);
    say(&["Do the balances follow from debits and events alone, and every charge from deck and call?"])?;
    done = worse(done, command(&["verify", &outputs, "--deck", &deck])?);
    done = worse(done, credits::run(&places)?);
    show_files(&places)?;
    Ok(done)
}

fn worse(one: Done, other: Done) -> Done {
    if one == Done::Well { other } else { one }
}

fn write_inputs(dir: &Path) -> Result<(), Failure> {
    let write = || {
        std::fs::create_dir_all(dir.join("deck"))?;
        std::fs::create_dir_all(dir.join("litware"))?;
        INPUTS.iter().try_for_each(|(name, bytes)| std::fs::write(dir.join(name), bytes))
    };
    write().map_err(|error: io::Error| Failure::usage(format!("--out {}: cannot be written: {error}", dir.display())))
}

/// Shows a command as a person would type it, and runs it.
fn command(words: &[&str]) -> Run {
    writeln!(io::stdout().lock(), "$ drawdown {}", words.join(" "))?;
    let line = std::iter::once("drawdown").chain(words.iter().copied()).map(OsString::from);
    Cli::try_parse_from(line).map_err(|error| Failure::Fault(error.into()))?.run()
}

fn say(lines: &[&str]) -> io::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out)?;
    lines.iter().try_for_each(|line| writeln!(out, "# {line}"))
}

fn show_files(places: &Places) -> io::Result<()> {
    say(&["Files to open"])?;
    let mut out = io::stdout().lock();
    for (name, what) in [
        ("cdrs.jsonl", "the usage records"),
        ("commands.jsonl", "what was asked for"),
        ("deck/acs-pstn.csv", "the prices"),
        ("rated/debits.jsonl", "one line for each call: charge, row, who paid, balance"),
        ("rated/account-events.jsonl", "recharges, expiries, settlements, refusals"),
        ("rated/rejects.jsonl", "records that were not debited or have no price, whole"),
        ("rated/accounts.jsonl", "the state of every account"),
        ("live/drawdown.toml", "the configuration of `serve`"),
        ("litware/march.xlsx", "the usage report of one organisation as a workbook"),
    ] {
        writeln!(out, "  {:<44} {what}", places.of(name))?;
    }
    drop(out);
    say(&["To try next"])?;
    let (deck, calls) = (places.of("deck/acs-pstn.toml"), places.of("cdrs.jsonl"));
    let mut out = io::stdout().lock();
    writeln!(out, "  drawdown explain {} --org contoso --seq 42 --deck {deck}", places.of("rated"))?;
    writeln!(out, "  drawdown deck price {deck} +447700900123 200")?;
    writeln!(out, "  drawdown rate --deck {deck} --out {} {calls}", places.of("post-usage"))?;
    writeln!(out, "  drawdown generate --records 1000000 --seed 1 --out {}", places.of("big"))
}
