//! How long and how slow a request's body may be.
//!
//! A length that is said beforehand is judged before anything is read; one that is not, as it comes. Whoever reads the
//! body sees an error, and what he answers then is replaced by the reason: 413 or 408, as a [`Problem`].

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse as _, Response};
use hyper::body::{Frame, SizeHint};
use thiserror::Error;
use tokio::time::{Instant, Sleep};

use crate::problem::{self, Problem};

/// How long a body may be where nothing else is said.
pub const BYTES_MAX: usize = 1024 * 1024;
/// How long the body of usage records may be where the configuration does not say.
pub const INGEST_BYTES_MAX: usize = 16 * 1024 * 1024;

/// How much of a body is taken, and how slowly it may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limit {
    /// So many bytes.
    pub bytes_max: usize,
    /// So long it may take,
    pub grace: Duration,
    /// and a second more for each so many bytes that have come.
    pub bytes_per_second_min: u32,
}

impl Limit {
    /// So many bytes, and ten seconds for them, or 64 KiB a second.
    pub fn of(bytes_max: usize) -> Self {
        Limit { bytes_max, grace: Duration::from_secs(10), bytes_per_second_min: 64 * 1024 }
    }
}

/// Sets the limit of every route of `router`. It replaces axum's own, of 2 MB.
pub fn limited<S: Clone + Send + Sync + 'static>(router: Router<S>, limit: Limit) -> Router<S> {
    router.layer(middleware::from_fn_with_state(limit, enforce)).layer(DefaultBodyLimit::disable())
}

/// The middleware that [`limited`] adds.
pub async fn enforce(State(limit): State<Limit>, request: Request, next: Next) -> Response {
    let is_too_long = |length: u64| length > limit.bytes_max as u64;
    let said = request.body().size_hint().lower();
    if is_too_long(said) {
        return refusal(Verdict::TooLong, limit);
    }
    let verdict = Arc::new(AtomicU8::new(Verdict::Fine as u8));
    let held = Arc::clone(&verdict);
    let request = request.map(|body| Body::new(Limited::new(body, limit, held)));
    let response = next.run(request).await;
    let verdict = Verdict::of(verdict.load(Ordering::Relaxed));
    // Who answered that all is well did not need the rest.
    if verdict == Verdict::Fine || response.status().is_success() {
        return response;
    }
    refusal(verdict, limit)
}

/// What is wrong with a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[repr(u8)]
enum Verdict {
    #[error("the body is as it should be")]
    Fine,
    #[error("the body is too long")]
    TooLong,
    #[error("the body comes too slowly")]
    TooSlow,
}

impl Verdict {
    fn of(number: u8) -> Self {
        [Verdict::Fine, Verdict::TooLong, Verdict::TooSlow][usize::from(number)]
    }
}

fn refusal(verdict: Verdict, limit: Limit) -> Response {
    let problem = if verdict == Verdict::TooSlow {
        let detail = format!("a body of fewer than {} bytes a second is not waited for", limit.bytes_per_second_min);
        Problem::new(StatusCode::REQUEST_TIMEOUT, "body-too-slow", detail).limit(problem::Limit::BodySpeed)
    } else {
        let detail = format!("at most {} bytes are taken in one request; send several", limit.bytes_max);
        Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", detail).limit(problem::Limit::BodySize)
    };
    let mut response = problem.into_response();
    // The rest of the body is not read, so there can be no next request.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

/// A body within its limit.
struct Limited {
    body: Body,
    left: usize,
    deadline: Pin<Box<Sleep>>,
    bytes_per_second_min: u32,
    verdict: Arc<AtomicU8>,
}

impl Limited {
    fn new(body: Body, limit: Limit, verdict: Arc<AtomicU8>) -> Self {
        let deadline = Box::pin(tokio::time::sleep_until(Instant::now() + limit.grace));
        let bytes_per_second_min = limit.bytes_per_second_min.max(1);
        Limited { body, left: limit.bytes_max, deadline, bytes_per_second_min, verdict }
    }

    fn fail(&self, verdict: Verdict) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        self.verdict.store(verdict as u8, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new(verdict))))
    }
}

impl HttpBody for Limited {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        if polled.is_pending() {
            ready!(self.deadline.as_mut().poll(context));
            return self.fail(Verdict::TooSlow);
        }
        if let Poll::Ready(Some(Ok(frame))) = &polled
            && let Some(data) = frame.data_ref()
        {
            let Some(left) = self.left.checked_sub(data.len()) else { return self.fail(Verdict::TooLong) };
            self.left = left;
            let earned = Duration::from_secs_f64(data.len() as f64 / f64::from(self.bytes_per_second_min));
            let deadline = self.deadline.deadline() + earned;
            self.deadline.as_mut().reset(deadline);
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
