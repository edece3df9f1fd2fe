//! What the handlers of the API share, and what every one of them does the same way: who asks, and how commands are given.

mod nothing;
mod room;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use drawdown_engine::inbox::Inbox;
use drawdown_units::Money;

use crate::access::{Peer, Principal, Scope, require, unknown_account};
use crate::books::{Books, BooksError, Decks};
use crate::calls::Calls;
use crate::desk::Desk;
use crate::meters::{Telemetry, WriteMeters};
use crate::owners::{self, Alone, Owners};
use crate::problem::Problem;
use crate::views::Views;
use nothing::Nothing;
use room::Room;

/// What the API stands on.
pub struct Service {
    /// Committed accounts.
    pub views: Arc<dyn Views>,
    /// Commands on their way.
    pub desk: Arc<Desk>,
    /// Where commands and records are put.
    pub inbox: Arc<dyn Inbox>,
    /// The log, for reading.
    pub books: Arc<dyn Books>,
    /// Decks and rate plans.
    pub decks: Arc<dyn Decks>,
    /// Running calls; without, this process authorises none.
    pub calls: Option<Arc<Calls>>,
    /// What commands are counted with.
    pub(crate) writes: WriteMeters,
    /// Who decides for which organisation.
    pub owners: Arc<dyn Owners>,
    /// What reaches the others.
    pub(crate) peers: ureq::Agent,
    /// How long a write waits for its outcome before it is answered with where to look for it.
    pub patience: Duration,
    /// How far back a command's id is known, in days.
    pub window_days: u16,
    /// One at a time for each part of the organisations: a setting that is changed on a condition is looked at and
    /// written without another write in between.
    pub(crate) turns: [Arc<tokio::sync::Mutex<()>>; 64],
    /// Streams of events that may run at once.
    pub(crate) streams: Arc<tokio::sync::Semaphore>,
    /// Reports, each of which reads the log whole.
    pub(crate) reports: Room,
    /// Look-ups of commands, each of which reads the events of days.
    pub(crate) look_ups: Room,
}

/// Held by whoever looks at settings and writes them, until it is known what became of that.
pub(crate) type Turn = tokio::sync::OwnedMutexGuard<()>;

/// How long a turn is waited for.
const TURN_WAIT_MAX: Duration = Duration::from_secs(3);
/// How many streams of events may run at once.
const STREAMS_MAX: usize = 256;
/// How many reports may be made at once: each takes a thread and up to 64 MiB to sort in.
const REPORTS_MAX: usize = 2;
/// How many commands may be looked up in the log at once.
const LOOK_UPS_MAX: usize = 4;

impl Service {
    /// A service on these; the rest is as it should be.
    pub fn new(
        telemetry: &Telemetry,
        views: Arc<dyn Views>,
        desk: Arc<Desk>,
        inbox: Arc<dyn Inbox>,
        books: Arc<dyn Books>,
        decks: Arc<dyn Decks>,
    ) -> Self {
        Service {
            views,
            desk,
            inbox,
            books,
            decks,
            calls: None,
            writes: telemetry.writes(),
            owners: Arc::new(Alone),
            peers: owners::peers(),
            patience: Duration::from_secs(5),
            window_days: 7,
            turns: std::array::from_fn(|_| Arc::default()),
            streams: Arc::new(tokio::sync::Semaphore::new(STREAMS_MAX)),
            reports: Room::of(REPORTS_MAX),
            look_ups: Room::of(LOOK_UPS_MAX),
        }
    }

    /// A service that shows accounts and has nothing else: no log, no decks.
    pub fn of_views(telemetry: &Telemetry, views: Arc<dyn Views>) -> Self {
        let nothing = Arc::new(Nothing);
        Service::new(telemetry, views, Arc::default(), nothing.clone(), nothing.clone(), nothing)
    }

    /// How many streams run.
    pub(crate) fn stream_count(&self) -> usize {
        STREAMS_MAX - self.streams.available_permits()
    }

    /// The turn of an organisation.
    ///
    /// # Errors
    /// Somebody has it for so long that it is not waited for.
    pub(crate) async fn turn(&self, org: &str) -> Result<Turn, Problem> {
        let hash = org.bytes().fold(0usize, |hash, byte| hash.wrapping_mul(31).wrapping_add(usize::from(byte)));
        let turn = Arc::clone(&self.turns[hash % self.turns.len()]).lock_owned();
        tokio::time::timeout(TURN_WAIT_MAX, turn).await.map_err(|_| {
            let detail = "settings are being changed, and it is not known yet what becomes of that; try again";
            Problem::new(StatusCode::CONFLICT, "request-underway", detail).retry_after(1)
        })
    }

    /// An account as it was committed last, as on the wire.
    ///
    /// # Errors
    /// There is none here.
    pub(crate) fn account(&self, org: &str) -> Result<serde_json::Value, Problem> {
        let line = self.views.account(org).ok_or_else(unknown_account)?;
        serde_json::from_slice(&line).map_err(|error| broken(&error))
    }

    /// What is held for calls that run.
    pub(crate) fn reserved(&self, org: &str) -> Money {
        self.calls.as_ref().map_or(Money::ZERO, |calls| calls.reserved(org))
    }

    /// Reads of the log on a thread of their own.
    ///
    /// # Errors
    /// What reading says.
    pub(crate) async fn read<T: Send + 'static>(
        self: &Arc<Self>,
        read: impl FnOnce(&Service) -> Result<T, BooksError> + Send + 'static,
    ) -> Result<T, Problem> {
        let service = Arc::clone(self);
        let done = tokio::task::spawn_blocking(move || read(&service)).await.map_err(|error| broken(&error))?;
        Ok(done?)
    }
}

/// The answer to what should not happen.
pub(crate) fn broken(error: &dyn std::fmt::Display) -> Problem {
    tracing::error!("a request could not be answered: {error}");
    Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "the answer could not be made; the log says why")
}

impl From<BooksError> for Problem {
    fn from(error: BooksError) -> Self {
        match error {
            BooksError::BadCursor => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-cursor", error.to_string()).field("cursor")
            }
            BooksError::BadRequest(field, detail) => {
                Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field(field)
            }
            BooksError::NotFound(detail) => Problem::new(StatusCode::NOT_FOUND, "not-found", detail),
            BooksError::Unavailable(detail) => {
                Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
            }
        }
    }
}

/// Who asks, and from where.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub principal: Principal,
    /// From where, if that is known.
    pub address: Option<SocketAddr>,
}

impl<S: Send + Sync> FromRequestParts<S> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let address = parts.extensions.get::<Peer>().map(|peer| peer.0);
        match parts.extensions.get::<Principal>() {
            Some(principal) => Ok(Caller { principal: principal.clone(), address }),
            None => Err(Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", "nobody was recognised")),
        }
    }
}

/// What an endpoint asks of whoever calls it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Guard {
    pub scope: Scope,
    /// Whether it is about all organisations, so that who holds for some only may not call it.
    pub is_for_all: bool,
}

/// Lets a request through whose caller may do it, to an organisation that is theirs to see.
pub(crate) async fn guard(
    State(guard): State<Guard>,
    caller: Caller,
    params: RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let org = params.iter().find(|(name, _)| *name == "org").map(|(_, org)| org);
    if let Err(problem) = require(&caller.principal, guard.scope, org) {
        return problem.into_response();
    }
    if guard.is_for_all && caller.principal.orgs.is_some() {
        let detail = "this is about all organisations, and the credential holds for some";
        return Problem::new(StatusCode::FORBIDDEN, "insufficient-scope", detail).into_response();
    }
    next.run(request).await
}

/// A header as text.
pub(crate) fn header<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name)?.to_str().ok()
}
