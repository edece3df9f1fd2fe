//! The metrics as they are shown: counters as they stand, gauges brought up to date.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use metrics_exporter_prometheus::PrometheusHandle;

use super::Routes;
use crate::health::Health;
use crate::meters::{HttpMeters, ReservationMeters, StateMeters, clock};
use crate::service::Service;

/// The sums over all accounts are taken at most so often,
const TOTALS_INTERVAL_MIN: Duration = Duration::from_secs(5);
/// and, where accounts are many, so many times longer apart than they take: two per cent of a core at most.
const TOTALS_REST: u32 = 50;

/// What the handlers share.
pub(super) struct Shown {
    pub handle: PrometheusHandle,
    pub health: Arc<Health>,
    pub service: Arc<Service>,
    pub http: Arc<HttpMeters>,
    gauges: Mutex<Gauges>,
}

/// What is brought up to date when somebody asks.
struct Gauges {
    state: StateMeters,
    /// Where this process authorises calls.
    calls: Option<ReservationMeters>,
    /// When the sums over all accounts are taken again.
    next_sum: Option<Instant>,
}

impl Shown {
    pub fn new(routes: Routes) -> Self {
        let Routes { telemetry, health, service } = routes;
        let state = StateMeters::new(Arc::clone(&telemetry), &health);
        let calls = service.calls.as_ref().map(|_| ReservationMeters::new(Arc::clone(&telemetry)));
        Shown {
            handle: telemetry.handle(),
            http: Arc::new(telemetry.http()),
            health,
            service,
            gauges: Mutex::new(Gauges { state, calls, next_sum: None }),
        }
    }

    /// The metrics, with the gauges brought up to date.
    pub fn metrics(&self) -> String {
        let mut gauges = self.gauges.lock().unwrap_or_else(PoisonError::into_inner);
        gauges.update(&self.health, &self.service);
        drop(gauges);
        self.http.streams(self.service.stream_count());
        self.handle.render()
    }
}

impl Gauges {
    fn update(&mut self, health: &Health, service: &Service) {
        self.state.health(health, service.views.as_ref());
        if let (Some(meters), Some(calls)) = (&mut self.calls, &service.calls) {
            meters.update(calls.authoriser());
        }
        let began = Instant::now();
        if self.next_sum.is_none_or(|at| began >= at) {
            let now = clock();
            self.state.totals(&service.views.totals(now), now);
            let rest = (began.elapsed() * TOTALS_REST).max(TOTALS_INTERVAL_MIN);
            self.next_sum = Some(Instant::now() + rest);
        }
    }
}
