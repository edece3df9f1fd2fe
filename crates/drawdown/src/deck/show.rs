//! A comparison of decks as a person reads it.

use std::io::{self, Write};

use drawdown_rating::{Product, Row};

use super::calls::{Comparison, Pair};
use super::changes::{Changed, percent, tiers};
use super::diff::Diff;
use super::load::Loaded;
use crate::table::{Align, Table, count, counted};

/// Writes everything, each table up to `lines_max` lines.
pub fn write(diff: &Diff<'_>, lines_max: usize, out: &mut impl Write) -> io::Result<()> {
    write_deck("A", diff.before, out)?;
    write_deck("B", diff.after, out)?;
    let changes = &diff.changes;
    writeln!(
        out,
        "\n{} dearer, {} cheaper, {} otherwise changed, {} added, {} removed, {} alike",
        count(changes.dearer.len() as u64),
        count(changes.cheaper.len() as u64),
        count(changes.otherwise.len() as u64),
        count(changes.added.len() as u64),
        count(changes.removed.len() as u64),
        counted(changes.alike_count, "row"),
    )?;
    let has_bands = |loaded: &Loaded| loaded.deck.rows().iter().any(|row| row.band.is_some());
    if has_bands(diff.before) || has_bands(diff.after) {
        writeln!(out, "There are time bands: their hours are not compared.")?;
    }
    write_changed("Dearer", &changes.dearer, lines_max, out)?;
    write_changed("Cheaper", &changes.cheaper, lines_max, out)?;
    write_changed("Otherwise changed", &changes.otherwise, lines_max, out)?;
    write_rows("Added", &changes.added, lines_max, out)?;
    write_rows("Removed", &changes.removed, lines_max, out)?;
    diff.calls.as_ref().map_or(Ok(()), |calls| write_calls(calls, diff, lines_max, out))
}

fn write_deck(name: &str, loaded: &Loaded, out: &mut impl Write) -> io::Result<()> {
    let deck = &loaded.deck;
    writeln!(
        out,
        "{name}  {} version {}, {}, from {}, {}, {}  ({})",
        deck.id(),
        deck.version(),
        deck.currency(),
        deck.effective_from(),
        deck.rounding(),
        counted(deck.rows().len() as u64, "row"),
        deck.manifest_name(),
    )
}

fn write_changed(title: &str, rows: &[Changed<'_>], lines_max: usize, out: &mut impl Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        ("prefix", Align::Left),
        ("destination", Align::Left),
        ("A", Align::Right),
        ("B", Align::Right),
        ("change", Align::Right),
        ("also", Align::Left),
    ]);
    for row in rows.iter().take(lines_max) {
        let others: Vec<String> =
            row.others().into_iter().map(|(what, before, after)| format!("{what} {before} -> {after}")).collect();
        table.row([
            name_of(row.after),
            row.after.destination.to_string(),
            row.before.price.to_string(),
            row.after.price.to_string(),
            row.percent().map_or("new".to_owned(), |percent| format!("{percent} %")),
            others.join(", "),
        ]);
    }
    write_table(&format!("{title}, price per minute"), &table, rows.len(), lines_max, out)
}

fn write_rows(title: &str, rows: &[&Row], lines_max: usize, out: &mut impl Write) -> io::Result<()> {
    if rows.is_empty() {
        return Ok(());
    }
    let mut table = Table::new(&[
        ("prefix", Align::Left),
        ("destination", Align::Left),
        ("price", Align::Right),
        ("fee", Align::Right),
        ("increments", Align::Right),
        ("line", Align::Right),
        ("tiers", Align::Left),
    ]);
    for row in rows.iter().take(lines_max) {
        table.row([
            name_of(row),
            row.destination.to_string(),
            row.price.to_string(),
            row.connection_fee.to_string(),
            format!("{}/{} s", row.initial_s, row.increment_s),
            row.line.to_string(),
            tiers(row),
        ]);
    }
    write_table(title, &table, rows.len(), lines_max, out)
}

/// The prefix, and whatever else tells a row from others of that prefix.
fn name_of(row: &Row) -> String {
    let mut name = row.prefix.to_string();
    if let Some(origin) = row.origin_prefix {
        name.push_str(&format!(" from {origin}"));
    }
    if let Some(band) = &row.band {
        name.push_str(&format!(" in {band}"));
    }
    if row.product != Product::Outbound {
        name.push_str(&format!(" ({})", row.product));
    }
    name
}

fn write_calls(calls: &Comparison<'_>, diff: &Diff<'_>, lines_max: usize, out: &mut impl Write) -> io::Result<()> {
    let currency = diff.before.deck.currency();
    let mut table = Table::new(&[
        ("destination", Align::Left),
        ("calls", Align::Right),
        ("A", Align::Right),
        ("B", Align::Right),
        ("difference", Align::Right),
        ("change", Align::Right),
    ]);
    let mut row = |name: &str, pair: &Pair| {
        let change = percent(pair.before.micros().into(), pair.after.micros().into());
        table.row([
            name.to_owned(),
            count(pair.call_count),
            pair.before.to_string(),
            pair.after.to_string(),
            pair.difference().to_string(),
            change.map_or(String::new(), |change| format!("{change} %")),
        ]);
    };
    row("all", &calls.total);
    let destinations = calls.destinations();
    for (destination, pair) in destinations.iter().take(lines_max) {
        row(destination, pair);
    }
    write_table(&format!("Calls, {currency}"), &table, destinations.len(), lines_max, out)?;
    writeln!(out)?;
    let (lost, won) = (calls.became_unrated, calls.became_rated);
    writeln!(out, "became unrated   {}, which A charges {} {currency}", counted(lost.call_count, "call"), lost.before)?;
    writeln!(out, "became rated     {}, which B charges {} {currency}", counted(won.call_count, "call"), won.after)?;
    writeln!(out, "unrated by both  {}", counted(calls.unrated_count, "call"))?;
    writeln!(out, "free either way  {}", counted(calls.free_count, "call"))?;
    if calls.left_out_count > 0 {
        let left_out = counted(calls.left_out_count, "record");
        writeln!(out, "left out         {left_out}: no calls, withdrawn, or of another organisation")?;
    }
    if let Some(first) = &calls.first_rejected {
        writeln!(out, "rejected         {}; the first: {first}", counted(calls.rejected_count, "record"))?;
    }
    Ok(())
}

fn write_table(title: &str, table: &Table, row_count: usize, lines_max: usize, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "\n{title}")?;
    table.write(out, "  ")?;
    match row_count.saturating_sub(lines_max) {
        0 => Ok(()),
        more => writeln!(out, "  and {} more; --all shows them", count(more as u64)),
    }
}
