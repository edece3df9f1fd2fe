//! Gauges that are brought up to date when somebody asks: sums over the accounts, health, memory, spool, decks.

use std::sync::Arc;

use drawdown_units::{Currency, Timestamp};
use metrics::Gauge;

use super::{Telemetry, age_s};
use crate::health::Health;
use crate::names;
use crate::views::{Totals, Views};

/// What the process as a whole says of itself.
pub struct ProcessMeters {
    telemetry: Arc<Telemetry>,
    spool: [Gauge; names::SPOOL_STATES.len()],
}

impl ProcessMeters {
    pub(super) fn new(telemetry: Arc<Telemetry>) -> Self {
        let spool = names::SPOOL_STATES.map(|state| telemetry.gauge(names::SPOOL_FILES, &[state]));
        ProcessMeters { telemetry, spool }
    }

    /// How many files wait in the spool, and how many could not be taken up.
    pub fn spool(&self, pending: usize, failed: usize) {
        self.spool[0].set(pending as f64);
        self.spool[1].set(failed as f64);
    }

    /// Which version of a deck prices calls that start now.
    pub fn deck(&self, id: &str, version: u32) {
        self.telemetry.gauge(names::DECK_VERSION, &[id]).set(f64::from(version));
    }
}

/// Gauges of health and state.
pub struct StateMeters {
    telemetry: Arc<Telemetry>,
    money: Vec<(Currency, [Gauge; 5])>,
    exhausted: Gauge,
    outstanding: Gauge,
    oldest: Gauge,
    staleness: Gauge,
    state_bytes: Gauge,
    healthy: Gauge,
    ready: Gauge,
    report_ages: Vec<Gauge>,
    resident: Gauge,
}

impl StateMeters {
    pub(crate) fn new(telemetry: Arc<Telemetry>, health: &Health) -> Self {
        let it = telemetry.as_ref();
        let workers = 0..health.pulses().count();
        StateMeters {
            money: Vec::new(),
            exhausted: it.gauge(names::EXHAUSTED, &[]),
            outstanding: it.gauge(names::RECHARGES_OUTSTANDING, &[]),
            oldest: it.gauge(names::RECHARGE_OLDEST, &[]),
            staleness: it.gauge(names::VIEWS_STALENESS, &[]),
            state_bytes: it.gauge(names::STATE_BYTES, &[]),
            healthy: it.gauge(names::HEALTHY, &[]),
            ready: it.gauge(names::READY, &[]),
            report_ages: workers.map(|worker| it.gauge(names::REPORT_AGE, &[&worker.to_string()])).collect(),
            resident: it.gauge(names::RESIDENT_MEMORY, &[]),
            telemetry,
        }
    }

    /// The sums over the accounts.
    pub(crate) fn totals(&mut self, totals: &Totals, now: Timestamp) {
        for (currency, sums) in &totals.money {
            let figures = [sums.balance, sums.overdraft, sums.post_usage, sums.expiring, sums.forfeited];
            let gauges = self.money(*currency);
            gauges.iter().zip(figures).for_each(|(gauge, micros)| gauge.set(micros as f64));
        }
        // A currency that is gone is not forgotten: it is nothing.
        for (currency, gauges) in &self.money {
            if !totals.money.iter().any(|(held, _)| held == currency) {
                gauges.iter().for_each(|gauge| gauge.set(0.0));
            }
        }
        self.exhausted.set(totals.exhausted as f64);
        self.outstanding.set(totals.recharges_outstanding as f64);
        self.oldest.set(totals.recharge_oldest.map_or(0.0, |oldest| age_s(now, oldest)));
    }

    fn money(&mut self, currency: Currency) -> &[Gauge; 5] {
        let place = self.money.iter().position(|(held, _)| *held == currency).unwrap_or_else(|| {
            let metrics = [names::BALANCE, names::OVERDRAFT, names::POST_USAGE, names::EXPIRING, names::FORFEITED];
            let gauges = metrics.map(|metric| self.telemetry.gauge(metric, &[currency.as_str()]));
            self.money.push((currency, gauges));
            self.money.len() - 1
        });
        &self.money[place].1
    }

    /// Health, memory, and how old and how large the views are.
    pub(crate) fn health(&self, health: &Health, views: &dyn Views) {
        let flag = |gauge: &Gauge, is_set: bool| gauge.set(f64::from(u8::from(is_set)));
        flag(&self.healthy, health.stuck().is_empty());
        flag(&self.ready, health.unready().is_empty());
        for (gauge, pulse) in self.report_ages.iter().zip(health.pulses()) {
            gauge.set(pulse.silence().as_secs_f64());
        }
        self.staleness.set(views.staleness().as_secs_f64());
        self.state_bytes.set(views.size_bytes() as f64);
        if let Some(bytes) = resident_bytes() {
            self.resident.set(bytes as f64);
        }
    }
}

/// Memory of this process that is in RAM, where the system tells.
fn resident_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}
