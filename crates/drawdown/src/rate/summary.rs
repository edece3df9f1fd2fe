//! What a run did, for a person and for a script: everything that came in is accounted for, in number and in money.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use drawdown_engine::Tally;
use drawdown_units::{Currency, Sum};
use drawdown_wire::Reason;
use serde_json::{Map, Value, json};

use super::shard::Shard;

/// How many destinations are listed.
const DESTINATION_COUNT: usize = 10;

/// The summary of a run.
pub struct Summary {
    tally: Tally,
    events: u64,
    not_a_call: u64,
    accounts: u64,
    dearest: Vec<Destination>,
    took: Duration,
    threads: u16,
    out: PathBuf,
}

/// What calls to one destination cost.
struct Destination {
    name: String,
    currency: Currency,
    calls: u64,
    billable_seconds: u64,
    amount: Sum,
}

impl Summary {
    /// Adds up what the shards counted.
    pub fn of(shards: &[Shard<'_>]) -> Self {
        let mut tally = Tally::default();
        shards.iter().for_each(|shard| tally.add(&shard.tally));
        tally.money.sort_unstable_by_key(|(currency, _)| *currency);
        Summary {
            tally,
            events: shards.iter().map(|shard| shard.events).sum(),
            not_a_call: shards.iter().map(|shard| shard.tally.not_a_call).sum(),
            accounts: shards.iter().map(|shard| shard.partition.account_count() as u64).sum(),
            dearest: dearest(shards),
            took: Duration::ZERO,
            threads: 1,
            out: PathBuf::new(),
        }
    }

    /// With how long it took, on how many threads, and where the files are.
    pub fn timed(self, took: Duration, threads: u16, out: PathBuf) -> Self {
        Summary { took, threads, out, ..self }
    }

    /// Whether any record or command was rejected.
    pub fn has_rejected(&self) -> bool {
        self.tally.rejected_count() + self.tally.commands_rejected > 0
    }

    fn records_per_second(&self) -> u64 {
        let micros = self.took.as_micros().max(1);
        u64::try_from(u128::from(self.tally.records) * 1_000_000 / micros).unwrap_or(u64::MAX)
    }

    fn rejected_by(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let counts = Reason::ALL.into_iter().map(|reason| (reason.name(), self.tally.rejected[reason as usize]));
        counts.filter(|(_, count)| *count > 0)
    }

    fn claimed_in(&self) -> Sum {
        self.tally.claimed.into_iter().sum()
    }

    /// For a person.
    pub fn write_text(&self, out: &mut impl Write) -> io::Result<()> {
        let tally = &self.tally;
        let [debited, duplicate, rejected] = tally.claimed;
        writeln!(out, "records              number        upstream's own charge")?;
        let mut line = |name: &str, count: u64, claim: Sum| writeln!(out, "  {name:<12} {count:>12}  {claim:>27}");
        line("in", tally.records, self.claimed_in())?;
        line("debited", tally.debited, debited)?;
        line("duplicate", tally.duplicate, duplicate)?;
        line("rejected", tally.rejected_count(), rejected)?;
        for (reason, count) in self.rejected_by() {
            writeln!(out, "    {reason:<20} {count:>12}")?;
        }
        if tally.unrated > 0 {
            writeln!(out, "  debited without a price (unrated): {}; copies are in rejects.jsonl", tally.unrated)?;
        }
        if tally.corrections > 0 {
            writeln!(out, "  corrections of records debited before: {}", tally.corrections)?;
        }
        if self.not_a_call > 0 {
            writeln!(out, "  lines that are no calls, by rule of the source: {}", self.not_a_call)?;
        }
        if tally.commands > 0 {
            writeln!(
                out,
                "commands  {} in = {} applied + {} refused + {} duplicate + {} rejected",
                tally.commands,
                tally.commands_applied,
                tally.commands_refused,
                tally.commands_duplicate,
                tally.commands_rejected
            )?;
        }
        for (currency, charged) in &tally.money {
            let (amount, funded) = charged.net();
            writeln!(out, "charged   {amount} {currency}, paid by")?;
            for (name, amount) in funders(&funded) {
                writeln!(out, "  {name:<12} {amount:>27}")?;
            }
        }
        self.write_dearest(out)?;
        writeln!(out, "accounts  {}, account events {}", self.accounts, self.events)?;
        let seconds = self.took.as_millis();
        writeln!(
            out,
            "took      {}.{:03} s on {} thread{}, {} records/s; files in {}",
            seconds / 1000,
            seconds % 1000,
            self.threads,
            if self.threads == 1 { "" } else { "s" },
            self.records_per_second(),
            self.out.display()
        )
    }

    fn write_dearest(&self, out: &mut impl Write) -> io::Result<()> {
        if self.dearest.is_empty() {
            return Ok(());
        }
        writeln!(out, "dearest destinations                    calls    minutes           amount")?;
        for destination in &self.dearest {
            writeln!(
                out,
                "  {:<32.32} {:>10} {:>10} {:>16} {}",
                destination.name,
                destination.calls,
                destination.billable_seconds.div_ceil(60),
                destination.amount,
                destination.currency
            )?;
        }
        Ok(())
    }

    /// For a script: one JSON object.
    pub fn write_json(&self, out: &mut impl Write) -> io::Result<()> {
        let tally = &self.tally;
        let [debited, duplicate, rejected] = tally.claimed.map(|claim| claim.to_string());
        let rejected_by: Map<String, Value> =
            self.rejected_by().map(|(reason, count)| (reason.to_owned(), count.into())).collect();
        let charged = tally.money.iter().map(|(currency, charged)| {
            let (amount, funded) = charged.net();
            let by_funder: Map<String, Value> = funders(&funded)
                .into_iter()
                .map(|(name, amount)| (name.to_owned(), amount.to_string().into()))
                .collect();
            json!({"currency": currency.as_str(), "amount": amount.to_string(), "byFunder": by_funder})
        });
        let dearest = self.dearest.iter().map(|destination| {
            json!({
                "destination": destination.name,
                "calls": destination.calls,
                "billableSeconds": destination.billable_seconds,
                "amount": destination.amount.to_string(),
                "currency": destination.currency.as_str(),
            })
        });
        let summary = json!({
            "records": {
                "in": tally.records, "debited": tally.debited, "duplicate": tally.duplicate,
                "rejected": tally.rejected_count(), "rejectedBy": rejected_by, "unrated": tally.unrated, "corrections": tally.corrections,
                "notACall": self.not_a_call,
            },
            "upstreamCharge": {
                "in": self.claimed_in().to_string(), "debited": debited, "duplicate": duplicate, "rejected": rejected,
            },
            "commands": {
                "in": tally.commands, "applied": tally.commands_applied, "refused": tally.commands_refused,
                "duplicate": tally.commands_duplicate, "rejected": tally.commands_rejected,
            },
            "charged": charged.collect::<Vec<_>>(),
            "dearestDestinations": dearest.collect::<Vec<_>>(),
            "accounts": self.accounts,
            "accountEvents": self.events,
            "tookMs": self.took.as_millis() as u64,
            "recordsPerSecond": self.records_per_second(),
            "threads": self.threads,
            "out": self.out.display().to_string(),
        });
        writeln!(out, "{summary}")
    }
}

fn funders(funded: &drawdown_engine::tally::Funded<Sum>) -> [(&'static str, Sum); 5] {
    [
        ("lot", funded.lots),
        ("overdraft", funded.overdraft),
        ("postUsage", funded.post_usage),
        ("uncollected", funded.uncollected),
        ("unlicensed", funded.unlicensed),
    ]
}

/// The destinations on which most was spent; equal ones by name.
fn dearest(shards: &[Shard<'_>]) -> Vec<Destination> {
    let mut by_name: BTreeMap<(&str, Currency), Destination> = BTreeMap::new();
    for spent in shards.iter().flat_map(|shard| shard.spent.values()) {
        let name = &*spent.row.destination;
        let sum = by_name.entry((name, spent.currency)).or_insert_with(|| Destination {
            name: if name.is_empty() { format!("+{}", spent.row.prefix) } else { name.to_owned() },
            currency: spent.currency,
            calls: 0,
            billable_seconds: 0,
            amount: Sum::ZERO,
        });
        sum.calls += spent.calls;
        sum.billable_seconds += spent.billable_seconds;
        sum.amount += spent.amount;
    }
    let mut destinations: Vec<Destination> = by_name.into_values().collect();
    destinations.sort_by_key(|destination| std::cmp::Reverse(destination.amount));
    destinations.truncate(DESTINATION_COUNT);
    destinations
}
