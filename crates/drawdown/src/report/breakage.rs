//! `drawdown report breakage`: money that is about to expire.

use std::io::{self, Write as _};

use clap::Args as ClapArgs;
use drawdown_engine::log::Output;
use drawdown_report::breakage::{Breakage, Figures, HORIZONS_DAYS};
use drawdown_units::Timestamp;

use super::input::LogArgs;
use super::{Ended, end};
use crate::arguments::parse_time;
use crate::exit::Run;
use crate::table::{Align, Table};

/// Report the money that expires within 30, 60 and 90 days, and what expired
///
/// By organisation and currency, as of the last booking. The later horizons include the earlier ones. Expired money is out
/// of the balance; it is forfeited 48 hours later, until when late records of earlier calls may still draw it.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
JSON (--json): one object
  {\"at\", \"organisations\": [{\"orgId\", \"currency\", \"active\", \"within\": [{\"days\", \"amount\"}], \"expired\", \"forfeited\", \"lots\"}],
   \"totals\": [{\"currency\", …}]}

Examples:
  drawdown report breakage out
  drawdown report breakage out --org contoso --at 2026-06-01 --json")]
pub struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// Only this organisation; its lots are listed then
    #[arg(long, value_name = "ID")]
    org: Option<String>,
    /// As of this time: RFC 3339, or a day
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
    let breakage = Breakage::of(args.org.as_deref(), args.at, events, debits)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", breakage.json())?;
    } else {
        show(&breakage, args.org.is_some(), &mut out)?;
    }
    Ok(())
}

fn show(breakage: &Breakage, with_lots: bool, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "as of {}", breakage.at)?;
    let horizons = HORIZONS_DAYS.map(|days| format!("in {days} days"));
    let mut columns = vec![("organisation", Align::Left), ("", Align::Left), ("spendable", Align::Right)];
    columns.extend(horizons.iter().map(|name| (&**name, Align::Right)));
    columns.extend([("expired", Align::Right), ("forfeited", Align::Right)]);
    let mut table = Table::new(&columns);
    let mut row = |name: &str, currency: &str, figures: &Figures| {
        let sums = [figures.active].into_iter().chain(figures.within).chain([figures.expired, figures.forfeited]);
        table.row([name.to_owned(), currency.to_owned()].into_iter().chain(sums.map(|sum| sum.to_string())));
    };
    for organisation in &breakage.organisations {
        row(&organisation.org, &organisation.currency, &organisation.figures);
    }
    if breakage.organisations.len() > 1 {
        breakage.totals.iter().for_each(|(currency, figures)| row("all", currency, figures));
    }
    table.write(out, "")?;
    let lots = breakage.organisations.iter().flat_map(|organisation| &organisation.lots).filter(|_| with_lots);
    for lot in lots {
        let verb = if lot.expires <= breakage.at { "expired" } else { "expires" };
        writeln!(out, "lot {}: {} of {} {verb} {}", lot.id, lot.remaining, lot.amount, lot.expires)?;
    }
    Ok(())
}
