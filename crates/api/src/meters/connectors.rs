//! Showing what connectors count by themselves. They know nothing of metrics, and this knows nothing of them: whoever runs
//! them carries the figures over.

use std::time::Duration;

use metrics::{Counter, Gauge, Histogram};

use super::Telemetry;
use crate::names;

/// How one connector stands.
pub struct ConnectorMeters {
    running: Gauge,
    lag_events: Gauge,
    lag_seconds: Gauge,
    undecodable: Counter,
}

impl ConnectorMeters {
    pub(super) fn new(telemetry: &Telemetry, connector: &str) -> Self {
        ConnectorMeters {
            running: telemetry.gauge(names::CONNECTOR_RUNNING, &[connector]),
            lag_events: telemetry.gauge(names::CONNECTOR_LAG_EVENTS, &[connector]),
            lag_seconds: telemetry.gauge(names::CONNECTOR_LAG_SECONDS, &[connector]),
            undecodable: telemetry.counter(names::CONNECTOR_UNDECODABLE, &[connector]),
        }
    }

    /// Whether it runs, how far behind it is, and how many lines it could not read since it began.
    pub fn update(&self, is_running: bool, lag_events: u64, lag: Duration, undecodable: u64) {
        self.running.set(f64::from(u8::from(is_running)));
        self.lag_events.set(lag_events as f64);
        self.lag_seconds.set(lag.as_secs_f64());
        self.undecodable.absolute(undecodable);
    }
}

/// What became of charges.
pub struct ChargeMeters {
    charges: [Counter; names::CHARGE_OUTCOMES.len()],
    let_go: Counter,
    open: Gauge,
    seconds: Histogram,
}

impl ChargeMeters {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        ChargeMeters {
            charges: names::CHARGE_OUTCOMES.map(|outcome| telemetry.counter(names::CHARGES, &[outcome])),
            let_go: telemetry.counter(names::CHARGES_LET_GO, &[]),
            open: telemetry.gauge(names::CHARGES_OPEN, &[]),
            seconds: telemetry.histogram(names::CHARGE_SECONDS, &[]),
        }
    }

    /// Counts since the start, in the order of [`names::CHARGE_OUTCOMES`]; how many were let go and how many are open; and
    /// how long those took that came back since the last call.
    pub fn update(&self, outcomes: [u64; names::CHARGE_OUTCOMES.len()], let_go: u64, open: u64, took: &[Duration]) {
        show(&self.charges, outcomes);
        self.let_go.absolute(let_go);
        self.open.set(open as f64);
        record(&self.seconds, took);
    }
}

/// What became of mails.
pub struct MailMeters {
    mails: [Counter; names::MAIL_OUTCOMES.len()],
    without_contact: Counter,
}

impl MailMeters {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        MailMeters {
            mails: names::MAIL_OUTCOMES.map(|outcome| telemetry.counter(names::MAILS, &[outcome])),
            without_contact: telemetry.counter(names::MAILS_WITHOUT_CONTACT, &[]),
        }
    }

    /// Counts since the start, in the order of [`names::MAIL_OUTCOMES`], and of events that nobody was written to about.
    pub fn update(&self, outcomes: [u64; names::MAIL_OUTCOMES.len()], without_contact: u64) {
        show(&self.mails, outcomes);
        self.without_contact.absolute(without_contact);
    }
}

/// What became of the events for one endpoint.
pub struct WebhookMeters {
    webhooks: [Counter; names::WEBHOOK_OUTCOMES.len()],
    seconds: Histogram,
}

impl WebhookMeters {
    pub(super) fn new(telemetry: &Telemetry, endpoint: &str) -> Self {
        let webhooks = names::WEBHOOK_OUTCOMES.map(|outcome| telemetry.counter(names::WEBHOOKS, &[endpoint, outcome]));
        WebhookMeters { webhooks, seconds: telemetry.histogram(names::WEBHOOK_SECONDS, &[endpoint]) }
    }

    /// Counts since the start, in the order of [`names::WEBHOOK_OUTCOMES`], and how long those requests took that were
    /// answered since the last call.
    pub fn update(&self, outcomes: [u64; names::WEBHOOK_OUTCOMES.len()], took: &[Duration]) {
        show(&self.webhooks, outcomes);
        record(&self.seconds, took);
    }
}

/// What nobody took.
pub struct DeadLetterMeters([Gauge; names::CHANNELS.len()]);

impl DeadLetterMeters {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        DeadLetterMeters(names::CHANNELS.map(|channel| telemetry.gauge(names::DEAD_LETTERS, &[channel])))
    }

    /// How many wait, in the order of [`names::CHANNELS`].
    pub fn update(&self, waiting: [usize; names::CHANNELS.len()]) {
        self.0.iter().zip(waiting).for_each(|(gauge, count)| gauge.set(count as f64));
    }
}

fn show<const N: usize>(counters: &[Counter; N], counts: [u64; N]) {
    counters.iter().zip(counts).for_each(|(counter, count)| counter.absolute(count));
}

fn record(seconds: &Histogram, took: &[Duration]) {
    took.iter().for_each(|took| seconds.record(took.as_secs_f64()));
}
