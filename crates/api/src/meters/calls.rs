//! Counting decisions on calls, and what is kept for those that run.

use std::sync::Arc;
use std::time::Duration;

use drawdown_units::Currency;
use metrics::{Counter, Gauge, Histogram};

use super::Telemetry;
use crate::authorise::{Authorisation, Authoriser, RefusalReason, Released};
use crate::names;

/// What decisions are counted with: two counts and a time for each, without any look-up.
pub struct CallMeters {
    granted: Counter,
    refused: Counter,
    reasons: [Counter; RefusalReason::ALL.len()],
    seconds: Histogram,
}

impl CallMeters {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let [granted, refused] = names::DECISIONS.map(|outcome| telemetry.counter(names::AUTHORISATIONS, &[outcome]));
        let reasons = names::call_refusals().map(|reason| telemetry.counter(names::AUTHORISATIONS_REFUSED, &[reason]));
        CallMeters { granted, refused, reasons, seconds: telemetry.histogram(names::AUTHORISATION_SECONDS, &[]) }
    }

    /// A call was decided on.
    pub(crate) fn decided(&self, answer: &Authorisation, took: Duration) {
        match &answer.refusal {
            None => self.granted.increment(1),
            Some(refusal) => {
                self.refused.increment(1);
                self.reasons[refusal.reason as usize].increment(1);
            }
        }
        self.seconds.record(took.as_secs_f64());
    }
}

/// Gauges of what is kept for running calls, brought up to date when somebody asks.
pub struct ReservationMeters {
    telemetry: Arc<Telemetry>,
    reservations: Gauge,
    reserved: Vec<(Currency, Gauge)>,
    released: [Counter; Released::ALL.len()],
}

impl ReservationMeters {
    pub(crate) fn new(telemetry: Arc<Telemetry>) -> Self {
        ReservationMeters {
            reservations: telemetry.gauge(names::RESERVATIONS, &[]),
            reserved: Vec::new(),
            released: names::releases().map(|by| telemetry.counter(names::RELEASED, &[by])),
            telemetry,
        }
    }

    pub(crate) fn update(&mut self, authoriser: &Authoriser) {
        self.reservations.set(authoriser.count() as f64);
        for (counter, by) in self.released.iter().zip(Released::ALL) {
            counter.absolute(authoriser.released(by));
        }
        let sums = authoriser.reserved();
        // A currency that nothing is promised in any more is not forgotten: it is nothing.
        for (currency, gauge) in &self.reserved {
            if !sums.iter().any(|(held, _)| held == currency) {
                gauge.set(0.0);
            }
        }
        for (currency, micros) in sums {
            self.of(currency).set(micros as f64);
        }
    }

    fn of(&mut self, currency: Currency) -> &Gauge {
        let place = self.reserved.iter().position(|(held, _)| *held == currency).unwrap_or_else(|| {
            self.reserved.push((currency, self.telemetry.gauge(names::RESERVED, &[currency.as_str()])));
            self.reserved.len() - 1
        });
        &self.reserved[place].1
    }
}
