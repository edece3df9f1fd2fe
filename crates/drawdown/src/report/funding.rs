//! `drawdown report funding`: what to buy.

use std::io::{self, Write};

use clap::Args as ClapArgs;
use drawdown_engine::log::Output;
use drawdown_report::funding::{Chance, Funding, HISTORY_DAYS, Wishes};
use drawdown_units::Timestamp;

use super::input::LogArgs;
use super::values::{parse_percent, percent_text};
use super::{Ended, end};
use crate::arguments::parse_time;
use crate::exit::Run;
use crate::table::count;

/// Report how much to buy and when, by what was used
///
/// Usage is what calls cost the account (pools and unlicensed calls apart), by the hour of its booking, over the last 90
/// days or since the account was opened. A recharge takes --lead-time to land; the usage of every run of so many hours in
/// that past is looked at. The recommended trigger is the least whole amount that at most --risk of those runs exceeded;
/// the recommended amount is the usage of 30 days, rounded up to whole tens, 50 at least. Runs overlap: their number says
/// how often was looked, not how many independent trials there were.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
JSON (--json): one object
  {\"orgId\", \"currency\", \"at\", \"balance\", \"leadTimeHours\", \"riskPpm\", \"historyHours\", \"usage\", \"largestWindow\",
   \"recommendation\": {\"triggerAmount\", \"rechargeAmount\", \"tooLate\": {\"count\", \"windows\", \"perMille\"}},
   \"current\": {\"enabled\", \"triggerAmount\", \"rechargeAmount\", \"tooLate\"}, \"leftovers\": [{\"lotId\", …, \"unspent\"}]}

Examples:
  drawdown report funding out --org contoso
  drawdown report funding out --org contoso --lead-time 48 --risk 0.5% --json")]
pub struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// The organisation
    #[arg(long, value_name = "ID")]
    org: String,
    /// How long a recharge takes to land
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=2_160))]
    lead_time: u32,
    /// How often the balance may run dry before it lands
    #[arg(long, value_name = "PERCENT", default_value = "1%", value_parser = parse_percent)]
    risk: u32,
    /// As of this time: RFC 3339, or a day; the last booking, unless given
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    at: Option<Timestamp>,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Prints the report.
pub fn run(args: &Args) -> Run {
    end(report(args))
}

fn report(args: &Args) -> Result<(), Ended> {
    let [events, debits] = args.log.open([Output::Events, Output::Debits])?;
    let wishes = Wishes { lead_time_hours: args.lead_time, risk_ppm: args.risk };
    let funding = Funding::of(&args.org, args.at, wishes, events, debits)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", funding.json())?;
    } else {
        show(&funding, &mut out)?;
    }
    Ok(())
}

fn show(funding: &Funding, out: &mut impl Write) -> io::Result<()> {
    let (currency, hours) = (funding.currency, funding.wishes.lead_time_hours);
    writeln!(out, "{} as of {}, balance {} {currency}", funding.org, funding.at, funding.balance)?;
    let past = if funding.history_hours < u64::from(HISTORY_DAYS) * 24 { ", since it was opened" } else { "" };
    writeln!(
        out,
        "used {} in {} h{past}; {} in the dearest {hours} h",
        funding.usage,
        count(funding.history_hours),
        funding.largest_window
    )?;
    match funding.recommendation {
        None => writeln!(out, "no recommendation: the past is shorter than {hours} h")?,
        Some(it) => {
            let risk = percent_text(funding.wishes.risk_ppm);
            writeln!(out, "recommended: buy {} below {} (at most {risk} of {hours} h)", it.recharge, it.trigger)?;
            writeln!(out, "  too late {}", chance(it.risk))?;
        }
    }
    show_current(funding, out)?;
    for it in &funding.leftovers {
        let (id, expires, remaining) = (&it.lot.id, it.lot.expires, it.lot.remaining);
        writeln!(
            out,
            "lot {id} expires {expires} with {} of {remaining} unspent, if usage goes on like this",
            it.unspent
        )?;
    }
    Ok(())
}

fn show_current(funding: &Funding, out: &mut impl Write) -> io::Result<()> {
    let Some((settings, too_late)) = funding.current else {
        return writeln!(out, "now: no automatic recharge is configured");
    };
    let state = if settings.enabled { "" } else { ", switched off" };
    writeln!(out, "now: buy {} below {}{state}", settings.recharge, settings.trigger)?;
    match too_late {
        Some(too_late) => writeln!(out, "  too late {}", chance(too_late)),
        None => Ok(()),
    }
}

fn chance(chance: Chance) -> String {
    let per_mille = chance.per_mille().unwrap_or_default();
    format!("in {} of {} runs ({per_mille} ‰)", count(chance.count), count(chance.windows))
}
