//! The HTTP server: a thread of its own, so that whoever asks cannot slow down who rates.
//!
//! `/metrics` for Prometheus, `/healthz` (alive), `/readyz` (has its partitions and their state), and under `/v1` the API
//! ([`crate::routes`]), which is for whom the [`Guard`] lets in. Connections, the time a request's head may take and the time
//! of an answer are bounded.

mod connections;
mod counting;
mod guard;
mod here;
pub(crate) mod proxies;
mod shown;

use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::sync::watch;
use utoipa_swagger_ui::SwaggerUi;

use crate::health::Health;
use crate::meters::Telemetry;
use crate::problem::{Limit, Problem};
use crate::service::Service;
use crate::{openapi, routes};
pub use guard::Guard;
use here::here_alone;
pub use proxies::Proxies;
use shown::Shown;

/// How many threads answer.
const THREADS: usize = 2;
/// How long an answer may take.
const ANSWER_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a report may take.
const REPORT_TIME_MAX: Duration = Duration::from_secs(600);
/// What is read of a refusal that the framework wrote.
const REFUSAL_BYTES_MAX: usize = 4096;

/// What the server shows.
pub struct Routes {
    /// The metrics.
    pub telemetry: Arc<Telemetry>,
    /// The workers' health.
    pub health: Arc<Health>,
    /// The accounts, and all else of the API.
    pub service: Arc<Service>,
}

/// A running server. Dropped, it stops.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Server {
    /// Listens at `address`, and answers until it is stopped.
    ///
    /// # Errors
    /// The address is taken, or not ours.
    pub fn start(address: SocketAddr, routes: Routes, guard: Guard) -> io::Result<Self> {
        let listener = TcpListener::bind(address)?;
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("http")
            .enable_io()
            .enable_time()
            .build()?;
        let (stop, stopped) = watch::channel(false);
        let shown = Arc::new(Shown::new(routes));
        let serve = move || {
            runtime.block_on(async {
                guard.follow();
                let tls = guard.tls.as_ref().map(|tls| tls.acceptor());
                let proxies = guard.proxies.clone();
                let (meters, limits) = (Arc::clone(&shown.http), connections::Limits::default());
                connections::serve(listener, router(shown, &guard, address), tls, limits, proxies, meters, stopped)
                    .await;
            });
            // What still runs in the background is not waited for.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("http".to_owned()).spawn(serve)?;
        tracing::info!(%address, "listening");
        Ok(Server { address, stop, thread: Some(thread) })
    }

    /// Where it listens: the port that was free, if none was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Takes no more requests, finishes those at hand within a second, and ends.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let _ = self.stop.send(true);
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the HTTP server had failed before it was stopped");
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.end();
    }
}

fn router(shown: Arc<Shown>, guard: &Guard, address: SocketAddr) -> Router {
    let description = openapi::document(env!("CARGO_PKG_VERSION"));
    let page = SwaggerUi::new("/docs").external_url_unchecked("/openapi.json", description);
    let routes::Routers { ordinary, large } = routes::routers(&shown.service);
    let meters = Arc::clone(&shown.http);
    let mut router: Router = Router::new()
        .route("/metrics", get(metrics))
        .route("/healthz", get(healthz))
        .route("/readyz", get(readyz))
        .with_state(shown)
        .merge(guard.before(ordinary))
        .merge(guard.before_ingest(large))
        .merge(page)
        .fallback(async || {
            let detail = "there is no such resource; /docs shows what there is";
            Problem::new(StatusCode::NOT_FOUND, "not-found", detail)
        });
    if address.ip().is_loopback() && !guard.access.asks() {
        router = router.layer(middleware::from_fn(here_alone));
    }
    router
        .layer(middleware::from_fn(as_problem))
        .layer(middleware::from_fn(in_time))
        .layer(middleware::from_fn_with_state(meters, counting::count))
}

/// What the framework refuses by itself says so as everything else does.
async fn as_problem(request: Request, next: Next) -> Response {
    let response = next.run(request).await;
    let status = response.status();
    let media = response.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or_default();
    let is_ours = media.starts_with("application/problem+json") || status == StatusCode::SERVICE_UNAVAILABLE;
    if !(status.is_client_error() || status.is_server_error()) || is_ours {
        return response;
    }
    let allow = response.headers().get(header::ALLOW).cloned();
    let text = axum::body::to_bytes(response.into_body(), REFUSAL_BYTES_MAX).await.unwrap_or_default();
    let text = String::from_utf8_lossy(&text).trim().to_owned();
    let name = match status {
        StatusCode::METHOD_NOT_ALLOWED => "method-not-allowed",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::NOT_FOUND => "not-found",
        _ => "malformed",
    };
    let detail = if text.is_empty() { status.canonical_reason().unwrap_or_default().to_owned() } else { text };
    let mut problem = Problem::new(status, name, detail).into_response();
    if let Some(allow) = allow {
        problem.headers_mut().insert(header::ALLOW, allow);
    }
    problem
}

async fn in_time(request: Request, next: Next) -> Response {
    // Reports read whole logs.
    let patience = if request.uri().path().contains("/reports/") { REPORT_TIME_MAX } else { ANSWER_TIME_MAX };
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    match tokio::time::timeout(patience, next.run(request)).await {
        Ok(response) => response,
        Err(_) => {
            let (name, detail) = match is_read {
                true => ("unavailable", "the answer took too long; try again"),
                false => (
                    "outcome-unknown",
                    "the answer took too long, and it is not known whether the change was made; send it again under the \
                     same Idempotency-Key, or look whether it was",
                ),
            };
            Problem::new(StatusCode::SERVICE_UNAVAILABLE, name, detail).limit(Limit::Time).into_response()
        }
    }
}

async fn metrics(State(shown): State<Arc<Shown>>) -> Response {
    // The sums run over every account: not on the thread that answers.
    match tokio::task::spawn_blocking(move || shown.metrics()).await {
        Ok(text) => ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        Err(_) => {
            let detail = "the metrics could not be gathered";
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", detail).into_response()
        }
    }
}

async fn healthz(State(shown): State<Arc<Shown>>) -> Response {
    state_of(&shown.health.stuck())
}

async fn readyz(State(shown): State<Arc<Shown>>) -> Response {
    state_of(&shown.health.unready())
}

/// One line for each complaint; without any, all is well.
fn state_of(complaints: &[String]) -> Response {
    if complaints.is_empty() {
        return (StatusCode::OK, "ok\n").into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, complaints.join("\n") + "\n").into_response()
}

#[cfg(test)]
mod tests;
