//! `drawdown export`: what the pipeline committed, as the files that `drawdown rate` writes: for `verify`, `explain` and
//! anything else that reads files.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use drawdown_engine::log::Output;
use drawdown_ledger::entitlements::User;
use drawdown_ledger::{Account, Rules};
use drawdown_stream::embedded;
use drawdown_wire::account;

use crate::config::{Config, ConfigArgs, Log};
use crate::exit::{Done, Failure, Run};
use crate::outputs;

/// Write what the pipeline committed to files: debits, account events, rejects, account states
///
/// An embedded log is read as of one moment. Kafka's topics are read one after the other, each up to where it ends then:
/// for an audit let the pipeline come to rest first.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// Where debits.jsonl, account-events.jsonl, rejects.jsonl and accounts.jsonl go
    #[arg(long, value_name = "DIR", default_value = "export")]
    out: PathBuf,
    #[command(flatten)]
    config: ConfigArgs,
}

/// The outputs that are files, with their names.
const FILES: [(Output, &str); 3] =
    [(Output::Debits, "debits.jsonl"), (Output::Events, "account-events.jsonl"), (Output::Rejects, "rejects.jsonl")];

/// Exports everything.
pub fn run(args: &Args) -> Run {
    let config = Config::load(&args.config)?;
    write(&config, &args.out)?;
    writeln!(io::stdout().lock(), "written to {}", args.out.display())?;
    Ok(Done::Well)
}

/// Writes the four files.
pub fn write(config: &Config, directory: &Path) -> Result<(), Failure> {
    std::fs::create_dir_all(directory)?;
    match &config.log {
        Log::Embedded(log) => {
            let fault = |error: embedded::StoreError| Failure::Fault(error.into());
            let mut reader = embedded::Reader::open(&log.directory).map_err(fault)?;
            reader.hold().map_err(fault)?;
            let mut read = |output, each: &mut outputs::Each<'_>| outputs::read_embedded(&mut reader, output, each);
            write_files(directory, &mut read)?;
            reader.release().map_err(fault)
        }
        Log::Kafka(_) => write_files(directory, &mut |output, each| outputs::read_all(config, output, each)),
    }
}

type Read<'r> = dyn FnMut(Output, &mut outputs::Each<'_>) -> Result<(), Failure> + 'r;

fn write_files(directory: &Path, read: &mut Read<'_>) -> Result<(), Failure> {
    for (output, name) in FILES {
        let mut file = BufWriter::new(File::create(directory.join(name))?);
        read(output, &mut |_, value| {
            file.write_all(value)?;
            Ok(file.write_all(b"\n")?)
        })?;
        file.flush()?;
    }
    // Of each organisation and user the latest; users come right after their organisation.
    let mut states: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    read(Output::Accounts, &mut |key, state| {
        // What is promised to running calls is no part of the books.
        if !state.is_empty() && !account::is_call(state) {
            states.insert(key.to_vec(), state.to_vec());
        }
        Ok(())
    })?;
    let mut users: BTreeMap<Box<str>, Vec<User>> = BTreeMap::new();
    for state in states.values().filter(|state| account::is_user(state)) {
        let (org, user) = account::unpack_user(state).map_err(|error| Failure::Fault(error.into()))?;
        users.entry(org).or_default().push(user);
    }
    let mut file = BufWriter::new(File::create(directory.join("accounts.jsonl"))?);
    for state in states.values().filter(|state| !account::is_user(state)) {
        file.write_all(&line_with_users(state, |org| users.remove(org).unwrap_or_default())?)?;
    }
    Ok(file.flush()?)
}

/// A state in its binary form as a line of JSON, without its users.
pub fn account_line(state: &[u8]) -> Result<Vec<u8>, Failure> {
    line_with_users(state, |_| Vec::new())
}

fn line_with_users(state: &[u8], users: impl FnOnce(&str) -> Vec<User>) -> Result<Vec<u8>, Failure> {
    let mut opening = account::unpack(state).map_err(|error| Failure::Fault(error.into()))?;
    let org = opening.org.clone();
    opening.users = users(&org);
    let restored = Account::restore(opening, &Rules::default());
    let restored =
        restored.ok_or_else(|| Failure::Fault(anyhow::anyhow!("the state of {org:?} breaks an invariant")))?;
    let mut line = Vec::new();
    account::write(&mut line, &restored);
    Ok(line)
}

/// The state of a running call in its binary form as a line of JSON.
pub fn call_line(state: &[u8]) -> Result<Vec<u8>, Failure> {
    let running = account::unpack_call(state).map_err(|error| Failure::Fault(error.into()))?;
    let mut line = Vec::new();
    account::write_call(&mut line, &running);
    Ok(line)
}

/// The state of a user in its binary form as a line of JSON.
pub fn user_line(state: &[u8]) -> Result<Vec<u8>, Failure> {
    let (org, user) = account::unpack_user(state).map_err(|error| Failure::Fault(error.into()))?;
    let mut line = Vec::new();
    account::write_user(&mut line, &org, &user);
    Ok(line)
}
