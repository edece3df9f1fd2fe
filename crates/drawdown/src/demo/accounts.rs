//! The accounts after a run, and what happened to them, as tables for a person.

use std::io::{self, Write};
use std::path::Path;

use drawdown_wire::account::{self, LotSnapshot};
use drawdown_wire::event::{self, AccountEvent};

use crate::exit::Failure;
use crate::table::{Align, Table};

/// Shows the accounts and the notable events of a run of few organisations.
pub fn show(rated: &Path) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    writeln!(out, "\n# The accounts at the end of the month")?;
    show_accounts(&read(&rated.join("accounts.jsonl"))?, &mut out)?;
    writeln!(out, "\n# What happened to them")?;
    show_events(&read(&rated.join("account-events.jsonl"))?, &mut out)
}

fn read(path: &Path) -> Result<String, Failure> {
    std::fs::read_to_string(path).map_err(|error| Failure::usage(format!("{}: {error}", path.display())))
}

fn show_accounts(text: &str, out: &mut impl Write) -> Result<(), Failure> {
    let right = ["bought", "adjusted", "spent", "forfeited", "overdraft", "post-usage", "uncollected", "balance"];
    let mut columns = vec![("organisation", Align::Left), ("mode", Align::Left)];
    columns.extend(right.map(|name| (name, Align::Right)));
    let mut table = Table::new(&columns);
    let mut lots = Table::new(&[
        ("organisation", Align::Left),
        ("lot", Align::Left),
        ("bought", Align::Right),
        ("left", Align::Right),
        ("purchased", Align::Left),
        ("expires", Align::Left),
        ("state", Align::Left),
    ]);
    for line in text.lines() {
        let state = account::snapshot(line.as_bytes()).map_err(|error| Failure::Fault(error.into()))?;
        let mode = if state.strict { format!("{}, strict", &*state.mode) } else { state.mode.to_string() };
        let figures = [
            &state.purchased,
            &state.adjusted,
            &state.spent,
            &state.forfeited,
            &state.overdraft,
            &state.post_usage,
            &state.uncollected,
            &state.balance,
        ];
        let texts = [state.org_id.to_string(), mode].into_iter();
        table.row(texts.chain(figures.map(|figure| figure.to_string())));
        for lot in &state.lots {
            lots.row(lot_row(&state.org_id, lot));
        }
    }
    table.write(out, "  ")?;
    writeln!(out)?;
    Ok(lots.write(out, "  ")?)
}

fn lot_row(org: &str, lot: &LotSnapshot<'_>) -> [String; 7] {
    let day = |time: &str| time.get(..10).unwrap_or(time).to_owned();
    [
        org.to_owned(),
        lot.lot_id.to_string(),
        lot.amount.to_string(),
        lot.remaining.to_string(),
        day(&lot.purchased_at),
        day(&lot.expires_at),
        lot.state.to_string(),
    ]
}

/// The events that move money or need someone to act.
const NOTABLE: [&str; 12] = [
    "RechargeRequested",
    "RechargeSucceeded",
    "RechargeFailed",
    "RechargeCapReached",
    "LotExpiring",
    "LotExpired",
    "LotForfeited",
    "LotRefunded",
    "OverdraftSettled",
    "BalanceExhausted",
    "Adjusted",
    "CommandRefused",
];

fn show_events(text: &str, out: &mut impl Write) -> Result<(), Failure> {
    let mut table = Table::new(&[
        ("at", Align::Left),
        ("organisation", Align::Left),
        ("event", Align::Left),
        ("amount", Align::Right),
        ("balance", Align::Right),
        ("", Align::Left),
    ]);
    let lines = text.lines().map(|line| event::read(line.as_bytes()));
    let mut events = lines.collect::<Result<Vec<_>, _>>().map_err(|error| Failure::Fault(error.into()))?;
    events.retain(|event| NOTABLE.contains(&&*event.kind));
    // An event of time alone stands where it was discovered, under the instant at which it was due.
    events.sort_by(|a, b| a.at.cmp(&b.at));
    for event in &events {
        let seconds = event.at.get(..19).unwrap_or(&event.at).replace('T', " ");
        table.row([
            seconds,
            event.org_id.to_string(),
            event.kind.to_string(),
            event.amount.as_ref().map_or_else(String::new, ToString::to_string),
            event.balance_after.to_string(),
            detail(event),
        ]);
    }
    Ok(table.write(out, "  ")?)
}

fn detail(event: &AccountEvent<'_>) -> String {
    let parts = [
        event.recharge_id.as_ref().map(ToString::to_string),
        event.lot_id.as_ref().filter(|_| event.recharge_id.is_none()).map(|lot| format!("lot {lot}")),
        event.reason.as_ref().map(ToString::to_string),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(": ")
}
