//! `drawdown key`: makes, lists and revokes API keys, in the file that a running server follows.
//!
//! Invariant: a key is shown once, by the command that made it, and is never an argument.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args as ClapArgs, Subcommand};
use drawdown_api::access::Scope;
use drawdown_api::access::keys::{self, Entry, NewKey};
use drawdown_api::access::rate::Rate;
use drawdown_units::Timestamp;

use crate::arguments::parse_time;
use crate::exit::{Done, Failure, Run};
use crate::table::{Align, Table};

/// Make, list and revoke API keys
///
/// The file holds hashes alone. A running server takes up what is changed in it within seconds.
#[derive(Debug, ClapArgs)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    New(NewArgs),
    List(ListArgs),
    Revoke(RevokeArgs),
}

/// Make a key, and print it: once, for nobody can read it afterwards
///
/// Without --file the entry for the key file is printed after it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
Examples:
  drawdown key new --name billing --scope read --org contoso --file /etc/drawdown/keys.toml
  drawdown key new --name switch-1 --scope ingest --expires 2027-01-01")]
struct NewArgs {
    /// Whose it is, as audit records call them
    #[arg(long)]
    name: String,
    /// What it lets its bearer do: ingest, authorise, read, operate, money or admin; may be repeated
    #[arg(long = "scope", required = true, value_name = "SCOPE", value_parser = parse_scope)]
    scopes: Vec<Scope>,
    /// An organisation that it is for; may be repeated; without any, all
    #[arg(long = "org", value_name = "ORG")]
    orgs: Vec<String>,
    /// From when on it is refused
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    expires: Option<Timestamp>,
    /// How many requests a second it may send, if not as many as everybody
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    rate: Option<u32>,
    /// How many at once; without it as many as in a second
    #[arg(long, value_name = "COUNT", requires = "rate", value_parser = clap::value_parser!(u32).range(1..))]
    burst: Option<u32>,
    /// The key file to add it to; made if it is not there
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
}

/// List the keys of a file
#[derive(Debug, ClapArgs)]
struct ListArgs {
    /// The key file
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

/// Take a key out of a file
#[derive(Debug, ClapArgs)]
struct RevokeArgs {
    /// The key's id: what stands between its first two underscores
    id: String,
    /// The key file
    #[arg(long, value_name = "FILE")]
    file: PathBuf,
}

fn parse_scope(name: &str) -> Result<Scope, String> {
    let all = || Scope::ALL.map(Scope::name).join(", ");
    Scope::parse(name).ok_or_else(|| format!("there is no such scope; write one of {}", all()))
}

/// Runs the command that was given.
pub fn run(args: &Args) -> Run {
    match &args.command {
        Command::New(args) => new(args),
        Command::List(args) => list(&args.file),
        Command::Revoke(args) => revoke(args),
    }
}

fn new(args: &NewArgs) -> Run {
    let key = NewKey::generate()?;
    let entry = Entry {
        id: key.id().to_owned(),
        name: args.name.clone(),
        hash: key.hash(),
        scopes: args.scopes.clone(),
        orgs: (!args.orgs.is_empty()).then(|| args.orgs.clone()),
        expires: args.expires,
        rate: args.rate.map(|per_second| Rate { per_second, burst: args.burst.unwrap_or(per_second) }),
    };
    entry.check().map_err(Failure::Usage)?;
    // First kept, then shown: a key that is shown counts.
    if let Some(file) = &args.file {
        keys::append(file, &entry).map_err(Failure::Usage)?;
    }
    let mut out = std::io::stdout().lock();
    writeln!(out, "{}", key.expose())?;
    if args.file.is_none() {
        write!(out, "\n{}", entry.toml())?;
    }
    Ok(Done::Well)
}

fn list(file: &Path) -> Run {
    let entries = keys::read(file).map_err(Failure::Usage)?;
    let mut table =
        Table::new(&["id", "name", "scopes", "organisations", "expires"].map(|column| (column, Align::Left)));
    for entry in entries {
        let scopes: Vec<&str> = entry.scopes.iter().map(|scope| scope.name()).collect();
        let expires = entry.expires.map_or_else(|| "never".to_owned(), text_of);
        let orgs = entry.orgs.map_or_else(|| "all".to_owned(), |orgs| orgs.join(" "));
        table.row([entry.id, entry.name, scopes.join(" "), orgs, expires]);
    }
    table.write(&mut std::io::stdout().lock(), "")?;
    Ok(Done::Well)
}

fn text_of(time: Timestamp) -> String {
    String::from_utf8_lossy(time.text().as_bytes()).into_owned()
}

fn revoke(args: &RevokeArgs) -> Run {
    let entry = keys::revoke(&args.file, &args.id).map_err(Failure::Usage)?;
    writeln!(
        std::io::stdout().lock(),
        "{} of {}: revoked; a running server refuses it within seconds",
        entry.id,
        entry.name
    )?;
    Ok(Done::Well)
}
