//! What one worker counts, once a transaction or once a second.

use std::sync::Arc;
use std::time::Duration;

use drawdown_engine::Tally;
use drawdown_engine::log::{Output, Progress};
use drawdown_engine::tally::{Charged, Funded};
use drawdown_ledger::account::Account;
use drawdown_units::{Currency, Sum, Timestamp};
use metrics::{Counter, Gauge, Histogram};

use super::Telemetry;
use super::events::{Awaited, EventTally, Recharged};
use crate::names;

/// A transaction that is final.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Committed {
    /// From its first record to its being final.
    pub took: Duration,
    /// Records and commands.
    pub records: usize,
    /// Bytes of them.
    pub bytes: usize,
    /// Bytes written to each output, in the order of [`Output::ALL`].
    pub written: [usize; Output::ALL.len()],
}

/// The handles of one worker.
pub struct WorkerMeters {
    telemetry: Arc<Telemetry>,
    records: [Counter; names::OUTCOMES.len()],
    claimed: [Counter; names::OUTCOMES.len()],
    rejected: Vec<Counter>,
    unrated: Counter,
    corrections: Counter,
    commands: [Counter; names::COMMAND_OUTCOMES.len()],
    money: Vec<MoneyCounters>,
    events: Vec<Counter>,
    refused: Vec<Counter>,
    settle: Histogram,
    awaited: Awaited,
    commits: Counter,
    commit_seconds: Histogram,
    commit_records: Histogram,
    commit_bytes: Histogram,
    written: Vec<Counter>,
    aborts: Counter,
    failures: Counter,
    rebalances: Counter,
    partitions: Gauge,
    restoring: Gauge,
    restore_read: Gauge,
    restore_total: Gauge,
    accounts: Gauge,
    dedup_bytes: Gauge,
    lags: Vec<(u32, Gauge, Gauge)>,
}

/// What was charged in one currency, and by whom it was paid.
#[derive(Debug)]
struct MoneyCounters {
    currency: Currency,
    charged: Counter,
    by_funder: [Counter; names::FUNDERS.len()],
    reversed: [Counter; names::FUNDERS.len()],
}

impl WorkerMeters {
    pub(super) fn new(telemetry: Arc<Telemetry>, worker: usize) -> Self {
        let it = telemetry.as_ref();
        let number = worker.to_string();
        let of_worker = |metric| it.gauge(metric, &[&number]);
        let known = |metric, values: &[&str]| values.iter().map(|value| it.counter(metric, &[value])).collect();
        let and_others = |values: &[&'static str]| [values, &[names::OTHER]].concat();
        WorkerMeters {
            records: names::OUTCOMES.map(|outcome| it.counter(names::RECORDS, &[outcome])),
            claimed: names::OUTCOMES.map(|outcome| it.counter(names::CLAIMED, &[outcome])),
            rejected: known(names::REJECTED, &names::reasons()),
            unrated: it.counter(names::UNRATED, &[]),
            corrections: it.counter(names::CORRECTIONS, &[]),
            commands: names::COMMAND_OUTCOMES.map(|outcome| it.counter(names::COMMANDS, &[outcome])),
            money: Vec::new(),
            events: known(names::EVENTS, &and_others(&names::EVENT_TYPES)),
            refused: known(names::REFUSED, &and_others(&names::REFUSALS)),
            settle: it.histogram(names::RECHARGE_SETTLE_SECONDS, &[]),
            awaited: Awaited::default(),
            commits: it.counter(names::COMMITS, &[]),
            commit_seconds: it.histogram(names::COMMIT_SECONDS, &[]),
            commit_records: it.histogram(names::COMMIT_RECORDS, &[]),
            commit_bytes: it.histogram(names::COMMIT_BYTES, &[]),
            written: known(names::WRITTEN, &names::outputs()),
            aborts: it.counter(names::ABORTS, &[]),
            failures: it.counter(names::WORKER_FAILURES, &[]),
            rebalances: it.counter(names::REBALANCES, &[]),
            partitions: of_worker(names::PARTITIONS),
            restoring: of_worker(names::RESTORING),
            restore_read: of_worker(names::RESTORE_READ),
            restore_total: of_worker(names::RESTORE_TOTAL),
            accounts: of_worker(names::ACCOUNTS),
            dedup_bytes: of_worker(names::DEDUP_BYTES),
            lags: Vec::new(),
            telemetry,
        }
    }

    /// A transaction is final: its figures, and what became of its inputs.
    pub fn committed(&mut self, commit: &Committed, tally: &Tally, events: &EventTally) {
        self.commits.increment(1);
        self.commit_seconds.record(commit.took.as_secs_f64());
        self.commit_records.record(commit.records as f64);
        self.commit_bytes.record(commit.bytes as f64);
        for (counter, bytes) in self.written.iter().zip(commit.written) {
            counter.increment(bytes as u64);
        }
        self.tally(tally);
        self.events(events);
    }

    fn tally(&mut self, tally: &Tally) {
        add_all(&self.records, &[tally.debited, tally.duplicate, tally.rejected_count()]);
        add_all(&self.rejected, &tally.rejected);
        add_all(&self.claimed, &tally.claimed.map(micros));
        self.unrated.increment(tally.unrated);
        self.corrections.increment(tally.corrections);
        let refused = [tally.commands_refused, tally.commands_duplicate, tally.commands_rejected];
        add_all(&self.commands, &[tally.commands_applied, refused[0], refused[1], refused[2]]);
        for (currency, charged) in &tally.money {
            self.charged(*currency, charged);
        }
    }

    fn charged(&mut self, currency: Currency, charged: &Charged) {
        let place = self.money.iter().position(|held| held.currency == currency).unwrap_or_else(|| {
            let code = currency.as_str();
            let by_funder = names::FUNDERS.map(|funder| self.telemetry.counter(names::FUNDED, &[code, funder]));
            let reversed = names::FUNDERS.map(|funder| self.telemetry.counter(names::REVERSED, &[code, funder]));
            let charged = self.telemetry.counter(names::CHARGED, &[code]);
            self.money.push(MoneyCounters { currency, charged, by_funder, reversed });
            self.money.len() - 1
        });
        let counters = &self.money[place];
        counters.charged.increment(micros(charged.amount));
        add_all(&counters.by_funder, &of_funders(&charged.funded));
        add_all(&counters.reversed, &of_funders(&charged.reversed_of));
    }

    fn events(&mut self, events: &EventTally) {
        if events.is_empty() {
            return;
        }
        add_all(&self.events, &events.types);
        add_all(&self.refused, &events.refusals);
        for (id, recharged) in &events.recharges {
            if let Some(took_s) = self.awaited.note(id, *recharged) {
                self.settle.record(took_s);
            }
        }
    }

    /// A transaction was aborted; what it would have counted is not.
    pub fn aborted(&self) {
        self.aborts.increment(1);
    }

    /// The worker failed, and begins again.
    pub fn failed(&self) {
        self.failures.increment(1);
    }

    /// The worker owns these partitions from now on.
    pub fn assigned(&mut self, partitions: &[u32]) {
        self.rebalances.increment(1);
        self.partitions.set(partitions.len() as f64);
        // Their answers go to another worker now.
        self.awaited.clear();
        for (partition, records, lag_s) in &self.lags {
            if !partitions.contains(partition) {
                records.set(0.0);
                lag_s.set(0.0);
            }
        }
        self.lags.retain(|(partition, ..)| partitions.contains(partition));
    }

    /// An account was read back: its recharge may have an answer to come.
    pub fn restored(&mut self, account: &Account) {
        let Some(recharge) = account.recharge() else { return };
        if let Some(outstanding) = recharge.outstanding {
            let id = format!("{}/{}", account.org(), recharge.number);
            self.awaited.note(&id, Recharged::Requested(outstanding.requested));
        }
    }

    /// How far reading the state back is.
    pub fn restoring(&self, progress: Progress) {
        self.restoring.set(if progress.is_done { 0.0 } else { 1.0 });
        self.restore_read.set(progress.read as f64);
        self.restore_total.set(progress.total.max(progress.read) as f64);
    }

    /// How many records wait in a partition, and when the last one that was committed arrived.
    pub fn lag(&mut self, partition: u32, records: u64, last_arrival: Timestamp, now: Timestamp) {
        let place = self.lags.iter().position(|(held, ..)| *held == partition).unwrap_or_else(|| {
            let name = partition.to_string();
            let gauge = |metric| self.telemetry.gauge(metric, &[&name]);
            self.lags.push((partition, gauge(names::LAG_RECORDS), gauge(names::LAG_SECONDS)));
            self.lags.len() - 1
        });
        let (_, in_records, in_seconds) = &self.lags[place];
        in_records.set(records as f64);
        in_seconds.set(if records == 0 { 0.0 } else { super::age_s(now, last_arrival) });
    }

    /// What the worker keeps: accounts, and the memory of identities.
    pub fn holds(&self, account_count: usize, dedup_bytes: usize) {
        self.accounts.set(account_count as f64);
        self.dedup_bytes.set(dedup_bytes as f64);
    }
}

impl Drop for WorkerMeters {
    /// What the worker had it has no more: another one begins anew, perhaps with other partitions.
    fn drop(&mut self) {
        let lags = self.lags.iter().flat_map(|(_, records, lag_s)| [records, lag_s]);
        let held = [&self.partitions, &self.restoring, &self.accounts, &self.dedup_bytes];
        lags.chain(held).for_each(|gauge| gauge.set(0.0));
    }
}

/// In the order of [`names::FUNDERS`].
fn of_funders(funded: &Funded<Sum>) -> [u64; names::FUNDERS.len()] {
    [funded.lots, funded.overdraft, funded.post_usage, funded.uncollected, funded.unlicensed].map(micros)
}

fn add_all(counters: &[Counter], sums: &[u64]) {
    debug_assert_eq!(counters.len(), sums.len());
    counters.iter().zip(sums).filter(|(_, sum)| **sum > 0).for_each(|(counter, sum)| counter.increment(*sum));
}

/// A counter only grows: what upstream claims may be below zero, and is then not counted.
fn micros(sum: Sum) -> u64 {
    u64::try_from(sum.micros().max(0)).unwrap_or(u64::MAX)
}
