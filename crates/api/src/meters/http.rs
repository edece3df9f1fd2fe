//! Counting what is answered over HTTP: by the path of the table, never by the one that was asked for.
//!
//! A request costs two look-ups and two counts; every handle is made before the first one comes.

use std::time::Duration;

use axum::http::{Method, StatusCode};
use metrics::{Counter, Gauge, Histogram};
use rustc_hash::FxHashMap;

use super::Telemetry;
use crate::names;
use crate::problem::Limit;
use crate::routes::endpoints;

/// What the server counts with.
pub struct HttpMeters {
    routes: FxHashMap<&'static str, RouteMeters>,
    /// The description's page, which has several paths.
    page: RouteMeters,
    /// Whatever is nothing.
    other: RouteMeters,
    refused: [Counter; Limit::ALL.len()],
    connections: Gauge,
    streams: Gauge,
}

/// What is counted of one path.
pub struct RouteMeters {
    methods: Vec<(Method, MethodMeters)>,
    /// Those that it does not take.
    other: MethodMeters,
    seconds: Histogram,
}

/// What is counted of a method of a path: its answers, by the class of their status.
pub struct MethodMeters([Counter; names::STATUS_CLASSES.len()]);

impl HttpMeters {
    pub(super) fn new(telemetry: &Telemetry) -> Self {
        let mut methods: FxHashMap<&'static str, Vec<Method>> = FxHashMap::default();
        for endpoint in endpoints() {
            methods.entry(endpoint.path).or_default().push(endpoint.method);
        }
        let [pages @ .., page] = names::PAGES;
        methods.extend(pages.map(|path| (path, vec![Method::GET])));
        let routes = methods.into_iter().map(|(path, methods)| (path, RouteMeters::new(telemetry, path, methods)));
        HttpMeters {
            routes: routes.collect(),
            page: RouteMeters::new(telemetry, page, vec![Method::GET]),
            other: RouteMeters::new(telemetry, names::OTHER, vec![Method::GET, Method::POST]),
            refused: names::limits().map(|limit| telemetry.counter(names::HTTP_REFUSED, &[limit])),
            connections: telemetry.gauge(names::HTTP_CONNECTIONS, &[]),
            streams: telemetry.gauge(names::HTTP_STREAMS, &[]),
        }
    }

    /// What counts requests that matched this path of the router.
    pub fn route(&self, matched: Option<&str>) -> &RouteMeters {
        match matched {
            Some(path) => self.routes.get(path).unwrap_or(&self.page),
            None => &self.other,
        }
    }

    /// A limit was reached.
    pub fn refused(&self, limit: Limit) {
        self.refused[limit as usize].increment(1);
    }

    /// How many streams are followed.
    pub fn streams(&self, count: usize) {
        self.streams.set(count as f64);
    }

    /// A connection is open, until what is returned is dropped.
    pub fn connected(&self) -> Connected {
        self.connections.increment(1.0);
        Connected(self.connections.clone())
    }
}

/// An open connection.
pub struct Connected(Gauge);

impl Drop for Connected {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}

impl RouteMeters {
    fn new(telemetry: &Telemetry, path: &str, methods: Vec<Method>) -> Self {
        let of = |method: &str| {
            let counter = |class| telemetry.counter(names::HTTP_REQUESTS, &[path, method, class]);
            MethodMeters(names::STATUS_CLASSES.map(counter))
        };
        RouteMeters {
            other: of(names::OTHER),
            methods: methods.into_iter().map(|method| (method.clone(), of(method.as_str()))).collect(),
            seconds: telemetry.histogram(names::HTTP_SECONDS, &[path]),
        }
    }

    /// What counts requests of this method.
    pub fn method(&self, method: &Method) -> &MethodMeters {
        let known = self.methods.iter().find(|(known, _)| known == method);
        known.map_or(&self.other, |(_, meters)| meters)
    }

    /// An answer took so long.
    pub fn took(&self, time: Duration) {
        self.seconds.record(time.as_secs_f64());
    }
}

impl MethodMeters {
    /// It was answered so.
    pub fn answered(&self, status: StatusCode) {
        // There are no answers below 200.
        let class = usize::from(status.as_u16() / 100).clamp(2, 5) - 2;
        self.0[class].increment(1);
    }
}
