//! One organisation on Calling Plans, Audio Conferencing and Communications Credits: a month of all of it, and its reports.

use std::io::{self, Write};
use std::path::Path;

use drawdown_wire::debit::{self, Debit, Funding};
use drawdown_wire::event;

use super::{Places, command, say, worse};
use crate::exit::{Failure, Run};
use crate::table::{Align, Table};

/// The call that crosses the end of a pool: minutes and money pay it together.
const SPLIT: &str = "ff561a84-40f8-4595-95c8-a93c1bcd8232";

/// Rates the month, shows it in order, and makes its reports.
pub fn run(places: &Places) -> Run {
    say(&[
        "One organisation on Calling Plans, Audio Conferencing and Communications Credits. Licences bring minutes,",
        "which are used first; credits pay the rest, from the oldest lot on; a recharge is asked for when they run low.",
    ])?;
    let (deck, rated) = (places.of("deck/acs-pstn.toml"), places.of("litware/rated"));
    let (commands, calls) = (places.of("litware/commands.jsonl"), places.of("litware/cdrs.jsonl"));
    let until = "2026-04-01T00:00:00Z";
    let rate = ["rate", "--deck", &deck, "--commands", &commands, "--until", until, "--out", &rated, &calls];
    let mut done = command(&rate)?;
    say(&["What happened, in order"])?;
    show(&places.dir.join("litware/rated"))?;
    let march = ["--from", "2026-03-01", "--to", "2026-04-01"];
    say(&["Its usage report, in the columns of the Teams export; and the same as a workbook"])?;
    let (csv, workbook) = (places.of("litware/march.csv"), places.of("litware/march.xlsx"));
    let usage = ["report", "usage", &rated, "--org", "litware"];
    for file in [&csv, &workbook] {
        done = worse(done, command(&[&usage[..], &march, &["--out", file]].concat())?);
    }
    head(Path::new(&csv), 4)?;
    say(&["Its statement, which proves that it adds up"])?;
    done = worse(done, command(&["report", "statement", &rated, "--org", "litware", "--month", "2026-03"])?);
    say(&["Why did the call that crossed the end of the pool cost this much?"])?;
    done = worse(done, command(&["explain", &rated, SPLIT, "--deck", &deck])?);
    say(&["Does everything follow from debits and events?"])?;
    Ok(worse(done, command(&["verify", &rated, "--deck", &deck])?))
}

/// The first lines of a file.
fn head(path: &Path, count: usize) -> Result<(), Failure> {
    let text = std::fs::read_to_string(path)?;
    let mut out = io::stdout().lock();
    for line in text.lines().take(count) {
        writeln!(out, "  {line}")?;
    }
    Ok(())
}

/// Debits and events together, by `seq`.
fn show(rated: &Path) -> Result<(), Failure> {
    let mut rows: Vec<(u64, [String; 5])> = Vec::new();
    let debits = std::fs::read_to_string(rated.join("debits.jsonl"))?;
    for line in debits.lines() {
        let debit = debit::read(line.as_bytes()).map_err(|error| Failure::Fault(error.into()))?;
        let time = debit.at.chars().take(16).collect();
        rows.push((
            debit.seq,
            [time, what(&debit), debit.charge.amount.to_string(), paid(&debit), debit.balance_after.to_string()],
        ));
    }
    let events = std::fs::read_to_string(rated.join("account-events.jsonl"))?;
    for line in events.lines() {
        let event = event::read(line.as_bytes()).map_err(|error| Failure::Fault(error.into()))?;
        let time = event.at.chars().take(16).collect();
        let subject = [&event.lot_id, &event.recharge_id, &event.pool, &event.licence].into_iter().flatten().next();
        let percent = event.percent.map_or_else(String::new, |percent| format!(" {percent} %"));
        let reason = event.reason.as_ref().map_or_else(String::new, |reason| format!(": {}", &**reason));
        let subject = subject.map_or_else(String::new, |subject| format!(" {}", &**subject));
        let what = format!("{}{subject}{percent}{reason}", &*event.kind);
        let amount = event.amount.as_deref().unwrap_or_default().to_owned();
        rows.push((event.seq, [time, what, amount, String::new(), event.balance_after.to_string()]));
    }
    rows.sort();
    let mut table = Table::new(&[
        ("booked", Align::Left),
        ("what", Align::Left),
        ("amount", Align::Right),
        ("paid by", Align::Left),
        ("balance", Align::Right),
    ]);
    rows.into_iter().for_each(|(_, row)| table.row(row));
    Ok(table.write(&mut io::stdout().lock(), "  ")?)
}

fn what(debit: &Debit<'_>) -> String {
    let name = debit.call.user_display_name.as_deref().unwrap_or("someone");
    let destination = debit.charge.destination.as_deref().unwrap_or_default();
    let taken_back = if debit.reverses.is_some() { "taken back: " } else { "" };
    format!("{taken_back}{} of {name}, {} s {destination}", &*debit.call.call_type, debit.call.duration)
        .trim_end()
        .to_owned()
}

fn paid(debit: &Debit<'_>) -> String {
    let line = |line: &Funding<'_>| match (&line.pool, &line.lot_id) {
        (Some(pool), _) => format!("{} min of {}", line.minutes.unwrap_or_default(), &**pool),
        (None, Some(lot)) => format!("{} {}", &**lot, &*line.amount),
        (None, None) => format!("{} {}", &*line.kind, &*line.amount),
    };
    let flags = || debit.flags.first().map_or_else(String::new, |flag| format!("({})", &**flag));
    if debit.funding.is_empty() { flags() } else { debit.funding.iter().map(line).collect::<Vec<_>>().join(", ") }
}
