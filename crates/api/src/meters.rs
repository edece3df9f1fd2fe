//! Counting: handles to the metrics, fed with sums, one a transaction; by the HTTP server, once an answer. Nothing here is
//! called for a record, and whatever is called often has its handles beforehand.
//!
//! There is no global recorder: who counts was given something to count with. Every counter whose labels are known
//! stands at 0 from the start, so that its first increase can be seen.

mod calls;
mod connectors;
mod events;
mod http;
mod state;
mod worker;
mod writes;

use std::time::{SystemTime, UNIX_EPOCH};

use drawdown_units::Timestamp;
use metrics::{Counter, Gauge, Histogram, Key, Label, Level, Metadata, Recorder as _, Unit};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use crate::names::{self, Kind, Metric};

pub use calls::CallMeters;
pub(crate) use calls::ReservationMeters;
pub use connectors::{ChargeMeters, ConnectorMeters, DeadLetterMeters, MailMeters, WebhookMeters};
pub use events::EventTally;
pub(crate) use http::HttpMeters;
pub use state::{ProcessMeters, StateMeters};
pub use worker::{Committed, WorkerMeters};
pub(crate) use writes::Answered;
pub use writes::WriteMeters;

/// The metrics of this process.
pub struct Telemetry {
    recorder: PrometheusRecorder,
}

const METADATA: Metadata<'static> = Metadata::new("drawdown", Level::INFO, None);

impl Telemetry {
    /// Describes every metric, and says which version this is and when it began.
    pub fn begin(version: &'static str) -> Self {
        let mut builder = PrometheusBuilder::new();
        for metric in names::ALL {
            if let Kind::Histogram(bounds) = metric.kind {
                let name = Matcher::Full(metric.name.to_owned());
                builder = builder
                    .set_buckets_for_metric(name, &bounds.values())
                    .expect("invariant: every histogram has bounds");
            }
        }
        let telemetry = Telemetry { recorder: builder.build_recorder() };
        names::ALL.iter().for_each(|metric| telemetry.describe(metric));
        telemetry.gauge(names::BUILD_INFO, &[version]).set(1.0);
        telemetry.gauge(names::START_TIME, &[]).set(seconds(clock()));
        telemetry
    }

    fn describe(&self, metric: &Metric) {
        let (name, help) = (metric.name.into(), metric.help.into());
        // The units are in the names.
        let unit: Option<Unit> = None;
        match metric.kind {
            Kind::Counter => self.recorder.describe_counter(name, unit, help),
            Kind::Gauge => self.recorder.describe_gauge(name, unit, help),
            Kind::Histogram(_) => self.recorder.describe_histogram(name, unit, help),
        }
    }

    /// Puts what was measured into its histograms: it would pile up else until somebody asks. To be called many times a
    /// second, and by nobody who answers requests: what a second of 10,000 of them leaves takes some milliseconds.
    pub fn upkeep(&self) {
        self.recorder.handle().run_upkeep();
    }

    /// What renders the metrics.
    pub(crate) fn handle(&self) -> PrometheusHandle {
        self.recorder.handle()
    }

    /// What the worker of this number counts with.
    pub fn worker(self: &std::sync::Arc<Self>, worker: usize) -> WorkerMeters {
        WorkerMeters::new(std::sync::Arc::clone(self), worker)
    }

    /// What the process as a whole counts with: the spool, decks.
    pub fn process(self: &std::sync::Arc<Self>) -> ProcessMeters {
        ProcessMeters::new(std::sync::Arc::clone(self))
    }

    /// What shows how the connector of this name stands.
    pub fn connector(&self, connector: &str) -> ConnectorMeters {
        ConnectorMeters::new(self, connector)
    }

    /// What shows charges.
    pub fn charges(&self) -> ChargeMeters {
        ChargeMeters::new(self)
    }

    /// What shows mails.
    pub fn mails(&self) -> MailMeters {
        MailMeters::new(self)
    }

    /// What shows what is sent to an endpoint.
    pub fn webhook(&self, endpoint: &str) -> WebhookMeters {
        WebhookMeters::new(self, endpoint)
    }

    /// What shows dead letters.
    pub fn dead_letters(&self) -> DeadLetterMeters {
        DeadLetterMeters::new(self)
    }

    /// What decisions on calls are counted with.
    pub fn calls(&self) -> CallMeters {
        CallMeters::new(self)
    }

    /// What commands given over HTTP are counted with.
    pub fn writes(&self) -> WriteMeters {
        WriteMeters::new(self)
    }

    /// What the HTTP server counts with.
    pub(crate) fn http(&self) -> HttpMeters {
        HttpMeters::new(self)
    }

    fn counter(&self, metric: Metric, values: &[&str]) -> Counter {
        debug_assert_eq!(metric.kind, Kind::Counter, "{}", metric.name);
        self.recorder.register_counter(&key(metric, values), &METADATA)
    }

    fn gauge(&self, metric: Metric, values: &[&str]) -> Gauge {
        debug_assert_eq!(metric.kind, Kind::Gauge, "{}", metric.name);
        self.recorder.register_gauge(&key(metric, values), &METADATA)
    }

    fn histogram(&self, metric: Metric, values: &[&str]) -> Histogram {
        debug_assert!(matches!(metric.kind, Kind::Histogram(_)), "{}", metric.name);
        self.recorder.register_histogram(&key(metric, values), &METADATA)
    }
}

/// A metric with the values of its labels, in their order.
fn key(metric: Metric, values: &[&str]) -> Key {
    assert_eq!(metric.labels.len(), values.len(), "invariant: every label of {} has a value", metric.name);
    let labels = metric.labels.iter().zip(values).map(|(label, value)| Label::new(*label, (*value).to_owned()));
    Key::from_parts(metric.name, labels.collect::<Vec<_>>())
}

/// The time of day.
pub fn clock() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_parts(since.as_secs().cast_signed(), since.subsec_nanos())
}

/// Seconds since 1970: as near as a gauge can tell.
fn seconds(time: Timestamp) -> f64 {
    time.seconds() as f64 + f64::from(time.nanos()) / 1e9
}

/// How long before `now` something was, in seconds; never below 0.
pub(crate) fn age_s(now: Timestamp, then: Timestamp) -> f64 {
    (seconds(now) - seconds(then)).max(0.0)
}

#[cfg(test)]
mod tests;
