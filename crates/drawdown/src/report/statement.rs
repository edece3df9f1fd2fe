//! `drawdown report statement`: what became of the money in a month.

use std::io::{self, Write};

use clap::Args as ClapArgs;
use drawdown_engine::log::Output;
use drawdown_report::Lot;
use drawdown_report::statement::{Month, Proof, Spend, Statement};

use super::input::LogArgs;
use super::values::parse_month;
use super::{Ended, end};
use crate::exit::{Failure, Run};
use crate::table::{Align, Table, count};

/// Report an organisation's month: what was there, what came, what went, what is left
///
/// A month is that of the booking, in UTC. The account is rebuilt from its debits and events since it was opened; every line
/// is checked, and the statement is proven to add up. Where anything does not, there is no statement but the `seq` of what
/// does not fit.
#[derive(Debug, ClapArgs)]
#[command(after_help = "\
JSON (--json): one object
  {\"orgId\", \"month\", \"currency\", \"through\", \"isOver\", \"opening\", \"closing\", \"lots\": {\"in\", \"out\"}, \"overdraft\", \"postUsage\",
   \"uncollected\", \"unlicensed\", \"charged\", \"calls\", \"reversals\", \"destinations\", \"users\", \"pools\", \"movements\", \"invoices\",
   \"postUsageStatements\", \"proofs\": [{\"of\", \"opening\", \"in\", \"out\", \"closing\"}]}

Examples:
  drawdown report statement out --org contoso --month 2026-03
  drawdown report statement out --org contoso --month 2026-03 --json")]
pub struct Args {
    #[command(flatten)]
    log: LogArgs,
    /// The organisation
    #[arg(long, value_name = "ID")]
    org: String,
    /// The month, such as 2026-03
    #[arg(long, value_name = "MONTH", value_parser = parse_month)]
    month: Month,
    /// How many destinations and users are listed; all are counted, and in the JSON
    #[arg(long, value_name = "N", default_value_t = 20)]
    list: usize,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Prints the statement.
pub fn run(args: &Args) -> Run {
    end(report(args))
}

fn report(args: &Args) -> Result<(), Ended> {
    if args.log.are_debits_piped() {
        return Err(Failure::usage("the debits are read twice for a statement: give a file, not standard input").into());
    }
    let [events, debits, reversals] = args.log.open([Output::Events, Output::Debits, Output::Debits])?;
    let statement = Statement::of(&args.org, args.month, reversals, debits, events)?;
    let mut out = io::stdout().lock();
    if args.json {
        writeln!(out, "{}", statement.json())?;
    } else {
        show(&statement, args.list, &mut out)?;
    }
    Ok(())
}

fn show(statement: &Statement, listed: usize, out: &mut impl Write) -> io::Result<()> {
    let (seq, at) = statement.through;
    let rest = if statement.is_over { "" } else { "; later bookings are not in the log" };
    let (org, month, currency) = (&statement.org, statement.month.text(), statement.currency);
    writeln!(out, "{org}, {month}, in {currency}: through seq {seq}, {at}{rest}")?;
    show_lots("opening lots", &statement.opening.lots, out)?;
    show_flows(statement, out)?;
    show_spending(statement, listed, out)?;
    show_pools(statement, out)?;
    show_items(statement, out)?;
    show_lots("closing lots", &statement.closing.lots, out)?;
    writeln!(out, "\nadds up, to the last decimal")?;
    for Proof { name, opening, came, went, closing } in statement.proofs() {
        writeln!(out, "  {name}: {opening} + {came} − {went} = {closing}")?;
    }
    Ok(())
}

fn show_lots(title: &str, lots: &[Lot], out: &mut impl Write) -> io::Result<()> {
    let columns = [title, "purchased", "expires", ""].map(|name| (name, Align::Left));
    let mut table = Table::new(&[&columns[..], &[("holds", Align::Right)]].concat());
    for lot in lots {
        let [purchased, expires] = [lot.purchased, lot.expires].map(|at| at.to_string());
        table.row([lot.id.to_string(), purchased, expires, lot.state.name().to_owned(), lot.remaining.to_string()]);
    }
    writeln!(out)?;
    if lots.is_empty() { writeln!(out, "{title}: none") } else { table.write(out, "") }
}

fn show_flows(statement: &Statement, out: &mut impl Write) -> io::Result<()> {
    let flows = &statement.flows;
    let mut table = Table::new(&[("money", Align::Left), ("in", Align::Right), ("out", Align::Right)]);
    let into = [
        ("purchased", flows.purchased),
        ("recharged", flows.recharged),
        ("adjusted", flows.adjusted_up),
        ("given back by corrections", flows.given_back),
        ("returned by corrections as new lots", flows.returned),
    ];
    let out_of = [
        ("calls", flows.spent),
        ("overdraft settled", flows.settled),
        ("adjusted", flows.adjusted_down),
        ("forfeited", flows.forfeited),
        ("refunded", flows.refunded),
    ];
    for (name, sum) in into.into_iter().filter(|(_, sum)| !sum.is_zero()) {
        table.row([name.to_owned(), sum.to_string(), String::new()]);
    }
    for (name, sum) in out_of.into_iter().filter(|(_, sum)| !sum.is_zero()) {
        table.row([name.to_owned(), String::new(), sum.to_string()]);
    }
    table.row(["all lots".to_owned(), flows.lots_in().to_string(), flows.lots_out().to_string()]);
    writeln!(out)?;
    table.write(out, "")?;
    let other = [
        ("overdrawn", flows.overdrawn),
        ("overdraft taken back by corrections", flows.overdraft_reversed),
        ("post-usage charges accrued", flows.post_usage),
        ("uncollected", flows.uncollected),
        ("unlicensed", flows.unlicensed),
    ];
    for (name, sum) in other.into_iter().filter(|(_, sum)| !sum.is_zero()) {
        writeln!(out, "{name}: {sum}")?;
    }
    Ok(())
}

fn show_spending(statement: &Statement, listed: usize, out: &mut impl Write) -> io::Result<()> {
    let (flows, spending) = (&statement.flows, &statement.spending);
    let (calls, reversals) = (count(flows.calls), count(flows.reversals));
    writeln!(out, "\n{calls} calls debited, {reversals} taken back; charged {}", flows.charged)?;
    let destinations = spending.destinations.iter().map(|(name, spend)| (&**name, spend));
    show_spends("destination", destinations.collect(), listed, out)?;
    let users =
        spending.users.iter().map(|user| (if user.name.is_empty() { &user.id } else { &user.name }, &user.spend));
    show_spends("user", users.map(|(name, spend)| (&**name, spend)).collect(), listed, out)
}

fn show_spends(title: &str, spends: Vec<(&str, &Spend)>, listed: usize, out: &mut impl Write) -> io::Result<()> {
    let figures = ["calls", "seconds", "charged"].map(|name| (name, Align::Right));
    let mut table = Table::new(&[&[(title, Align::Left)][..], &figures].concat());
    for (name, spend) in spends.iter().take(listed) {
        let name = if name.is_empty() { "(none)" } else { name };
        table.row([name.to_owned(), spend.calls.to_string(), spend.seconds.to_string(), spend.charged.to_string()]);
    }
    writeln!(out)?;
    table.write(out, "")?;
    match spends.len().saturating_sub(listed) {
        0 => Ok(()),
        more => writeln!(out, "… and {} more", count(more as u64)),
    }
}

fn show_pools(statement: &Statement, out: &mut impl Write) -> io::Result<()> {
    if statement.spending.pools.is_empty() {
        return Ok(());
    }
    let names = ["pool", "use", "month"].map(|name| (name, Align::Left));
    let figures = ["minutes", "used by then", "of"].map(|name| (name, Align::Right));
    let mut table = Table::new(&[names, figures].concat());
    for it in &statement.spending.pools {
        let figures = [it.minutes, it.used, it.size].map(|figure| figure.to_string());
        table.row([it.pool.clone(), it.pool_use.clone(), it.month.clone()].into_iter().chain(figures));
    }
    writeln!(out)?;
    table.write(out, "")
}

fn show_items(statement: &Statement, out: &mut impl Write) -> io::Result<()> {
    let items = &statement.items;
    if !items.movements.is_empty() {
        let mut table = Table::new(&[
            ("booked", Align::Left),
            ("what", Align::Left),
            ("lot", Align::Left),
            ("amount", Align::Right),
            ("note", Align::Left),
        ]);
        for it in &items.movements {
            let [lot, note] = [&it.lot, &it.note].map(|text| text.clone().unwrap_or_default());
            table.row([it.at.to_string(), it.kind.clone(), lot, it.amount.to_string(), note]);
        }
        writeln!(out)?;
        table.write(out, "")?;
    }
    if !items.invoices.is_empty() || !items.post_usage.is_empty() {
        writeln!(out)?;
    }
    for it in &items.invoices {
        writeln!(out, "invoice {} of {}: {} for recharge {}", it.invoice, it.at, it.amount, it.recharge)?;
    }
    for it in &items.post_usage {
        writeln!(out, "post-usage charges of {}: {}, stated {}", it.month, it.amount, it.at)?;
    }
    Ok(())
}
