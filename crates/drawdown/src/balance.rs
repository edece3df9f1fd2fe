//! `drawdown balance`: the committed state of one account.

use std::io::{self, Write as _};
use std::time::Duration;

use clap::Args as ClapArgs;
use drawdown_stream::embedded;
use drawdown_wire::account::{self, Snapshot};

use crate::config::{Config, ConfigArgs, Log};
use crate::exit::{Done, Failure, Run};
use crate::export::account_line;
use crate::table::{Align, Table};

/// Show the balance and the lots of an organisation, as committed last
///
/// Asks a running process; an embedded log is read from its directory where none answers. In a group of processes the one
/// that owns the organisation's partition must be asked: --url.
#[derive(Debug, ClapArgs)]
pub struct Args {
    /// The organisation
    org: String,
    /// The process to ask; else the address that the configuration lets it listen on
    #[arg(long, value_name = "URL")]
    url: Option<String>,
    /// Print the account state as it is on the wire
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    config: ConfigArgs,
}

const TIMEOUT: Duration = Duration::from_secs(5);

/// Shows the account.
pub fn run(args: &Args) -> Run {
    let config = Config::load(&args.config)?;
    let line = match ask(args, &config) {
        Ok(answer) => answer,
        Err(error) => match &config.log {
            Log::Embedded(log) if args.url.is_none() => stored(args, log)?,
            Log::Embedded(_) | Log::Kafka(_) => return Err(error),
        },
    };
    let Some(line) = line else {
        let detail =
            format!("no account of {:?} is known here: it was not opened, or another process owns it", args.org);
        return Err(Failure::usage(detail));
    };
    let mut out = io::stdout().lock();
    if args.json {
        out.write_all(line.trim_ascii_end())?;
        writeln!(out)?;
    } else {
        show(&account::snapshot(&line).map_err(|error| Failure::Fault(error.into()))?, &mut out)?;
    }
    Ok(Done::Well)
}

fn ask(args: &Args, config: &Config) -> Result<Option<Vec<u8>>, Failure> {
    let base = args.url.clone().unwrap_or_else(|| format!("http://{}", config.http.listen));
    let agent: ureq::Agent =
        ureq::Agent::config_builder().timeout_global(Some(TIMEOUT)).http_status_as_error(false).build().into();
    let url = format!("{}/v1/accounts/{}", base.trim_end_matches('/'), escaped(&args.org));
    let fault =
        |error: ureq::Error| Failure::Fault(anyhow::anyhow!("{url}: {error}; is `drawdown serve` running there?"));
    let mut response = agent.get(&url).call().map_err(fault)?;
    match response.status().as_u16() {
        200 => Ok(Some(response.body_mut().read_to_vec().map_err(fault)?)),
        404 => Ok(None),
        status => Err(Failure::Fault(anyhow::anyhow!("{url}: answered {status}"))),
    }
}

/// A path segment: everything but letters, digits and a few marks as its bytes in hexadecimal.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

fn stored(args: &Args, log: &crate::config::Embedded) -> Result<Option<Vec<u8>>, Failure> {
    let fault = |error: embedded::StoreError| Failure::Fault(error.into());
    let reader = embedded::Reader::open(&log.directory).map_err(fault)?;
    reader.account(args.org.as_bytes()).map_err(fault)?.map(|state| account_line(&state)).transpose()
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
