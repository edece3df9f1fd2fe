//! What the API says, as people read it.

use std::io::{self, Write};

use serde_json::Value;

use crate::table::{Align, Table};

/// What of an event says what it is about, in this order.
const ABOUT: [&str; 16] = [
    "lotId",
    "rechargeId",
    "invoice",
    "userId",
    "licence",
    "country",
    "pool",
    "use",
    "month",
    "mode",
    "ratePlan",
    "commandType",
    "outcome",
    "reason",
    "currency",
    "reference",
];

/// A value as a text that steers no terminal; nothing where there is none.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.replace(char::is_control, " "),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        other => other.to_string(),
    }
}

/// A time to the second: what is beyond matters to machines.
pub fn instant(value: &Value) -> String {
    let text = text(value);
    match text.split_once('.') {
        Some((whole, rest)) if rest.ends_with('Z') => format!("{whole}Z"),
        _ => text,
    }
}

/// An amount with its currency.
pub fn amount(amount: &Value, currency: &Value) -> String {
    format!("{} {}", text(amount), text(currency))
}

/// A list; an empty one where there is none.
pub fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Names and values, one a line; those without a value are left out.
pub fn labelled(lines: &[(&str, String)], out: &mut dyn Write) -> io::Result<()> {
    for (name, value) in lines.iter().filter(|(_, value)| !value.is_empty()) {
        writeln!(out, "{name:<12}{value}")?;
    }
    Ok(())
}

/// The columns of account events.
pub const EVENT_COLUMNS: [(&str, Align); 6] = [
    ("seq", Align::Right),
    ("at", Align::Left),
    ("event", Align::Left),
    ("about", Align::Left),
    ("amount", Align::Right),
    ("balance", Align::Right),
];

/// An account event as a row.
pub fn event_row(event: &Value) -> Vec<String> {
    let mut about: Vec<String> = ABOUT.iter().map(|name| text(&event[*name])).filter(|it| !it.is_empty()).collect();
    // The lot of a recharge has its id.
    about.dedup();
    vec![
        text(&event["seq"]),
        instant(&event["at"]),
        text(&event["type"]),
        about.join(" "),
        text(&event["amount"]),
        text(&event["balanceAfter"]),
    ]
}

/// Account events as a table.
pub fn events(events: &[Value], mut out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::new(&EVENT_COLUMNS);
    events.iter().for_each(|event| table.row(event_row(event)));
    table.write(&mut out, "")
}
