//! What an audit says, for a person and for a script.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::time::Duration;

use drawdown_units::Currency;
use serde_json::{Value, json};

use super::books::Books;
use super::findings::{Finding, Findings, Stream};
use super::sum::Sum;
use crate::table::{Align, Table, count, counted};

/// The outcome of an audit.
pub struct Report {
    findings: Findings,
    files: [String; 3],
    money: BTreeMap<Currency, Money>,
    debits: u64,
    events: u64,
    accounts: u64,
    recomputed: Option<u64>,
    took: Duration,
}

/// The sums over all accounts of a currency, in the order in which they are shown.
#[derive(Default)]
struct Money {
    sums: [Sum; NAMES.len()],
}

const NAMES: [&str; 13] = [
    "charged",
    "lot",
    "overdraft",
    "postUsage",
    "uncollected",
    "unlicensed",
    "purchased",
    "adjusted",
    "spent",
    "forfeited",
    "refunded",
    "remaining",
    "owed",
];

impl Report {
    pub fn of(books: &[Books], findings: Findings, files: [String; 3]) -> Self {
        let mut money: BTreeMap<Currency, Money> = BTreeMap::new();
        for books in books {
            let Some(terms) = &books.terms else { continue };
            let figures = &books.figures;
            let of_account = [
                figures.charged,
                figures.drawn,
                figures.overdrawn,
                figures.post_usage,
                figures.uncollected,
                figures.unlicensed,
                figures.purchased,
                figures.adjusted,
                figures.spent,
                figures.forfeited,
                figures.refunded,
                books.remaining(),
                figures.overdraft,
            ];
            let sums = &mut money.entry(terms.currency).or_default().sums;
            sums.iter_mut().zip(of_account).for_each(|(sum, more)| *sum += more);
        }
        Report { findings, files, money, debits: 0, events: 0, accounts: 0, recomputed: None, took: Duration::ZERO }
    }

    pub fn count(&mut self, debits: u64, events: u64, accounts: u64, recomputed: Option<u64>) {
        (self.debits, self.events, self.accounts, self.recomputed) = (debits, events, accounts, recomputed);
    }

    pub fn timed(self, took: Duration) -> Self {
        Report { took, ..self }
    }

    pub fn is_clean(&self) -> bool {
        self.findings.count == 0
    }

    fn file(&self, stream: Stream) -> &str {
        &self.files[stream as usize]
    }

    fn debits_per_second(&self) -> u64 {
        let micros = self.took.as_micros().max(1);
        u64::try_from(u128::from(self.debits) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let counts = [counted(self.debits, "debit"), counted(self.events, "event"), counted(self.accounts, "account")]
            .join(", ");
        for finding in &self.findings.listed {
            self.write_finding(finding, out)?;
        }
        let more = self.findings.count - self.findings.listed.len() as u64;
        if more > 0 {
            writeln!(out, "… and {} more", count(more))?;
        }
        match self.recomputed {
            Some(recomputed) => writeln!(out, "charges computed anew from deck and call: {}", count(recomputed))?,
            None => writeln!(out, "charges were checked by their own figures; give --deck to compute them anew")?,
        }
        self.write_money(out)?;
        let millis = self.took.as_millis();
        let (seconds, rate) = (format!("{}.{:03} s", millis / 1000, millis % 1000), count(self.debits_per_second()));
        writeln!(out, "took {seconds}, {rate} debits/s")?;
        match self.findings.count {
            0 => writeln!(out, "clean: {counts}; every balance follows from debits and events"),
            differences => writeln!(out, "NOT CLEAN: {} in {counts}", counted(differences, "difference")),
        }
    }

    fn write_finding(&self, finding: &Finding, out: &mut impl Write) -> io::Result<()> {
        let (file, line) = (self.file(finding.place.stream), finding.place.line);
        let place = if line == 0 { file.to_owned() } else { format!("{file}:{line}") };
        let org = if finding.org.is_empty() { String::new() } else { format!("org {}, ", finding.org) };
        writeln!(out, "{place}: {org}{}: expected {}, found {}", finding.field, finding.expected, finding.found)
    }

    fn write_money(&self, out: &mut impl Write) -> io::Result<()> {
        for (currency, money) in &self.money {
            let mut table = Table::new(&[(currency.as_str(), Align::Left), ("", Align::Right)]);
            for (name, sum) in NAMES.into_iter().zip(money.sums) {
                let name = match name {
                    "lot" | "overdraft" | "postUsage" | "uncollected" | "unlicensed" => format!("  by {name}"),
                    "owed" => "overdraft not settled".to_owned(),
                    _ => name.to_owned(),
                };
                table.row([name, sum.to_string()]);
            }
            table.write(out, "")?;
        }
        Ok(())
    }

    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let listed: Vec<Value> = self.findings.listed.iter().map(|it| self.finding_json(it)).collect();
        let money: Vec<Value> = self.money.iter().map(|(currency, money)| money.json(*currency)).collect();
        let report = json!({
            "clean": self.is_clean(),
            "debits": self.debits,
            "events": self.events,
            "accounts": self.accounts,
            "recomputed": self.recomputed,
            "differences": self.findings.count,
            "listed": listed,
            "money": money,
            "tookMs": self.took.as_millis() as u64,
            "debitsPerSecond": self.debits_per_second(),
        });
        writeln!(out, "{report}")
    }

    fn finding_json(&self, finding: &Finding) -> Value {
        json!({
            "file": self.file(finding.place.stream),
            "line": (finding.place.line > 0).then_some(finding.place.line),
            "orgId": &*finding.org,
            "field": finding.field,
            "expected": finding.expected,
            "found": finding.found,
        })
    }
}

impl Money {
    fn json(&self, currency: Currency) -> Value {
        let mut json = json!({"currency": currency.as_str(), "byFunder": {}});
        for (index, (name, sum)) in NAMES.into_iter().zip(self.sums).enumerate() {
            let place = if (1..6).contains(&index) { &mut json["byFunder"] } else { &mut json };
            place[name] = sum.to_string().into();
        }
        json
    }
}
