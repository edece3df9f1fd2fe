//! `drawdown balance`: the committed state of one account.

use std::io;

use clap::Args as ClapArgs;
use drawdown_stream::embedded;
use drawdown_wire::account::{self, Snapshot};

use crate::client::{Client, ServerArgs, path, print_json};
use crate::config::{Config, Log};
use crate::exit::{Done, Failure, Run};
use crate::export::account_line;
use crate::table::{Align, Table};

/// Show the balance and the lots of an organisation, as committed last
///
/// Asks a running process, any of a group; an embedded log is read from its directory where none answers.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The organisation
    org: String,
    /// Print the account state as it is on the wire
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// Shows the account.
pub fn run(args: &Args) -> Run {
    let line = if args.server.is_named() { asked(args)? } else { asked_or_stored(args)? };
    let mut out = io::stdout().lock();
    if args.json {
        print_json(&line, &mut out)?;
    } else {
        show(&account::snapshot(&line).map_err(|error| Failure::Fault(error.into()))?, &mut out)?;
    }
    Ok(Done::Well)
}

fn asked(args: &Args) -> Result<Vec<u8>, Failure> {
    Client::new(&args.server)?.get(&path(&["accounts", &args.org]))
}

/// Of the process that the configuration is of; of its store where it does not run.
fn asked_or_stored(args: &Args) -> Result<Vec<u8>, Failure> {
    let Log::Embedded(log) = Config::load(&args.server.config)?.log else { return asked(args) };
    if let Some(line) = Client::new(&args.server)?.get_if_there(&path(&["accounts", &args.org]))? {
        return Ok(line);
    }
    let fault = |error: embedded::StoreError| Failure::Fault(error.into());
    let reader = embedded::Reader::open(&log.directory).map_err(fault)?;
    let Some(state) = reader.account(args.org.as_bytes()).map_err(fault)? else {
        return Err(Failure::usage(format!("no account of {:?} is known here: it was not opened", args.org)));
    };
    account_line(&state)
}

fn show(state: &Snapshot<'_>, out: &mut impl io::Write) -> Result<(), Failure> {
    let closed = if state.closed { ", closed" } else { "" };
    let strict = if state.strict { ", strict" } else { "" };
    writeln!(
        out,
        "{}: balance {} {} ({}{strict}{closed})",
        &*state.org_id, &*state.balance, &*state.currency, &*state.mode
    )?;
    writeln!(
        out,
        "  overdraft {}, post-usage {}, uncollected {}",
        &*state.overdraft, &*state.post_usage, &*state.uncollected
    )?;
    if let Some(outstanding) = state.recharge.as_ref().and_then(|recharge| recharge.outstanding.as_ref()) {
        writeln!(out, "  a recharge of {} is outstanding, sent {} times", &*outstanding.amount, outstanding.sending)?;
    }
    let mut lots = Table::new(&[
        ("lot", Align::Left),
        ("bought", Align::Right),
        ("left", Align::Right),
        ("expires", Align::Left),
        ("state", Align::Left),
    ]);
    for lot in &state.lots {
        lots.row([&lot.lot_id, &lot.amount, &lot.remaining, &lot.expires_at, &lot.state].map(|text| text.to_string()));
    }
    Ok(lots.write(out, "  ")?)
}
