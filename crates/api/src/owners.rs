//! Which process decides for an organisation, and reaching it: whoever is asked passes the request on to the owner of its
//! partition, which alone has its committed state at once.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::access::Peer;
use crate::problem::Problem;
use crate::routes::escaped;
use crate::server::proxies::FORWARDED_FOR;
use crate::service::{Service, broken};

/// Who decides for an organisation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Owner {
    /// This process.
    Here,
    /// The process that is reached at this address.
    There(String),
    /// Nobody now, or nobody whose address is known.
    Nobody,
}

/// Knows who owns what.
pub trait Owners: Send + Sync + 'static {
    /// Who decides for an organisation, by what this process knows without asking, if it knows enough.
    fn known(&self, org: &str) -> Option<Owner>;

    /// Who decides for an organisation; may ask, and take its time.
    fn find(&self, org: &str) -> Owner;
}

/// One process for all.
#[derive(Debug, Clone, Copy)]
pub struct Alone;

impl Owners for Alone {
    fn known(&self, _: &str) -> Option<Owner> {
        Some(Owner::Here)
    }

    fn find(&self, _: &str) -> Owner {
        Owner::Here
    }
}

/// Says that a request was passed on: it is not passed on again.
const PASSED_ON: HeaderName = HeaderName::from_static("drawdown-passed-on");
/// How long the owner may take: less than any answer may, or nobody could be told what is known.
const PATIENCE: Duration = Duration::from_secs(9);
/// The largest request or answer that is passed on, in bytes.
const BYTES_MAX: usize = 64 << 20;

/// Under which a write is done once.
const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");

/// Headers that are passed on, each way.
const ASKED: [&str; 6] = ["authorization", "content-type", "idempotency-key", "if-match", "last-event-id", "accept"];
const ANSWERED: [&str; 7] = [
    "content-type",
    "etag",
    "location",
    "retry-after",
    "idempotency-replayed",
    "content-disposition",
    "www-authenticate",
];

/// Where the organisation of a request stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path.
    Path,
    /// In the body: `orgId`.
    Body,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct OfOrg<'a> {
    #[serde(borrow)]
    org_id: Option<std::borrow::Cow<'a, str>>,
}

/// How requests of an endpoint are passed on.
#[derive(Clone)]
pub(crate) struct Passing {
    pub service: Arc<Service>,
    pub place: Place,
    /// Whether they are done once however often they are sent under one key.
    pub is_idempotent_by_key: bool,
}

/// Why the owner's answer is not there.
#[derive(Debug, thiserror::Error)]
enum Silence {
    #[error("the owner was not reached: {0}")]
    NotReached(String),
    #[error("the owner may have had the request, and its answer was not had: {0}")]
    Unanswered(String),
}

/// Answers here, or passes the request on to who owns its organisation.
pub(crate) async fn to_owner(
    State(Passing { service, place, is_idempotent_by_key }): State<Passing>,
    params: axum::extract::RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let (mut parts, body) = request.into_parts();
    // The bytes are needed only where the organisation stands in them, or where they are passed on.
    let (org, body) = match place {
        Place::Path => (params.iter().find(|(name, _)| *name == "org").map(|(_, org)| org.to_owned()), body),
        Place::Body => match axum::body::to_bytes(body, BYTES_MAX).await {
            Ok(bytes) => {
                let of: Option<OfOrg<'_>> = serde_json::from_slice(&bytes).ok();
                (of.and_then(|of| of.org_id).map(|org| org.into_owned()), Body::from(bytes))
            }
            Err(error) => return unreadable(&error).into_response(),
        },
    };
    let Some(org) = org else { return next.run(Request::from_parts(parts, body)).await };
    match owner_of(&service, &org).await {
        Err(problem) => problem.into_response(),
        Ok(Owner::Here) => next.run(Request::from_parts(parts, body)).await,
        Ok(Owner::There(address)) if !parts.headers.contains_key(PASSED_ON) => {
            let bytes = match axum::body::to_bytes(body, BYTES_MAX).await {
                Ok(bytes) => bytes,
                Err(error) => return unreadable(&error).into_response(),
            };
            let key = is_idempotent_by_key.then(|| key_of(&mut parts.headers));
            pass_on(&service, &address, &parts, bytes).await.unwrap_or_else(|silence| {
                tracing::warn!(%address, "{silence}");
                match (silence, key) {
                    (Silence::Unanswered(_), Some(key)) => unknown(&key),
                    _ => nobody().into_response(),
                }
            })
        }
        Ok(Owner::There(_) | Owner::Nobody) => nobody().into_response(),
    }
}

/// Answers here what the log alone says, and what may take long or never end, whoever owns the organisation: the owner is
/// asked only whether there is such an account.
pub(crate) async fn of_account(
    State(service): State<Arc<Service>>,
    params: axum::extract::RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let org = params.iter().find(|(name, _)| *name == "org").map(|(_, org)| org.to_owned()).unwrap_or_default();
    let (parts, body) = request.into_parts();
    let known = match owner_of(&service, &org).await {
        Ok(Owner::Here) => service.account(&org).map(|_| None),
        Ok(Owner::There(address)) if !parts.headers.contains_key(PASSED_ON) => {
            let mut asked = parts.clone();
            asked.method = Method::GET;
            let path = format!("/v1/accounts/{}", escaped(&org));
            asked.uri = path.parse().expect("invariant: what is escaped is a path");
            let answer = pass_on(&service, &address, &asked, Bytes::new()).await;
            answer.map(|answer| Some(answer).filter(|answer| answer.status() != StatusCode::OK)).map_err(|silence| {
                tracing::warn!(%address, "{silence}");
                nobody()
            })
        }
        Ok(Owner::There(_) | Owner::Nobody) => Err(nobody()),
        Err(problem) => Err(problem),
    };
    match known {
        Ok(None) => next.run(Request::from_parts(parts, body)).await,
        Ok(Some(refusal)) => refusal,
        Err(problem) => problem.into_response(),
    }
}

async fn owner_of(service: &Arc<Service>, org: &str) -> Result<Owner, Problem> {
    if let Some(owner) = service.owners.known(org) {
        return Ok(owner);
    }
    let (owners, org) = (Arc::clone(&service.owners), org.to_owned());
    tokio::task::spawn_blocking(move || owners.find(&org)).await.map_err(|error| broken(&error))
}

fn unreadable(error: &axum::Error) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", format!("the body cannot be read: {error}"))
}

/// The key of a request. Where its sender gave none, one is made up: so it can be sent again whatever becomes of it.
fn key_of(headers: &mut HeaderMap) -> HeaderValue {
    let made_up = || {
        HeaderValue::try_from(uuid::Uuid::now_v7().to_string())
            .expect("invariant: digits and dashes are a header's value")
    };
    headers.entry(IDEMPOTENCY_KEY).or_insert_with(made_up).clone()
}

/// The answer where a change may have been made or not.
fn unknown(key: &HeaderValue) -> Response {
    let detail = format!(
        "it is not known whether the change was made: the process that decides for the organisation was asked, and did \
         not answer; send it again with the header Idempotency-Key: {}",
        key.to_str().unwrap_or_default()
    );
    let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "outcome-unknown", detail).retry_after(1);
    let mut response = problem.into_response();
    response.headers_mut().insert(IDEMPOTENCY_KEY, key.clone());
    response
}

fn nobody() -> Problem {
    let detail = "no process owns the organisation's partition at this moment, or its owner is still reading it back, or has no deck yet (/readyz says); try again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
}

/// Status, headers and body of an answer that is handed on.
type Relayed = (u16, Vec<(HeaderName, HeaderValue)>, Vec<u8>);

async fn pass_on(service: &Arc<Service>, address: &str, parts: &Parts, body: Bytes) -> Result<Response, Silence> {
    let path = parts.uri.path_and_query().map_or("/", |path| path.as_str());
    let mut request = axum::http::Request::builder().method(parts.method.clone()).uri(format!("{address}{path}"));
    for name in ASKED {
        if let Some(value) = parts.headers.get(name) {
            request = request.header(name, value.as_bytes());
        }
    }
    if let Some(Peer(client)) = parts.extensions.get() {
        request = request.header(FORWARDED_FOR, client.ip().to_string());
    }
    request = request.header(PASSED_ON, HeaderValue::from_static("1"));
    let agent = service.peers.clone();
    let is_bare = matches!(parts.method, Method::GET | Method::HEAD | Method::DELETE) && body.is_empty();
    let send = move || -> Result<Relayed, Silence> {
        let unbuilt = |error: axum::http::Error| Silence::NotReached(error.to_string());
        let answer = if is_bare {
            agent.run(request.body(()).map_err(unbuilt)?)
        } else {
            agent.run(request.body(body.to_vec()).map_err(unbuilt)?)
        };
        let mut answer = answer.map_err(|error| silence(&error))?;
        let headers = ANSWERED.iter().filter_map(|name| {
            let value = answer.headers().get(*name)?;
            Some((HeaderName::from_static(name), value.clone()))
        });
        let headers = headers.collect();
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(BYTES_MAX as u64).read_to_vec();
        Ok((status, headers, body.map_err(|error| Silence::Unanswered(error.to_string()))?))
    };
    let sent = tokio::task::spawn_blocking(send).await;
    let (status, headers, body) = sent.map_err(|error| Silence::Unanswered(error.to_string()))??;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response.headers_mut().extend(headers);
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    Ok(response)
}

/// What an error says of how far a request came.
fn silence(error: &ureq::Error) -> Silence {
    use ureq::{Error, Timeout};
    match error {
        Error::HostNotFound | Error::ConnectionFailed | Error::Timeout(Timeout::Resolve | Timeout::Connect) => {
            Silence::NotReached(error.to_string())
        }
        Error::Io(refused) if refused.kind() == io::ErrorKind::ConnectionRefused => {
            Silence::NotReached(error.to_string())
        }
        _ => Silence::Unanswered(error.to_string()),
    }
}

/// What reaches other processes.
pub(crate) fn peers() -> ureq::Agent {
    ureq::Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .max_redirects(0)
        .max_idle_connections_per_host(64)
        .build()
        .into()
}

#[cfg(test)]
mod tests;
