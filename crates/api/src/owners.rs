//! Which process decides for an organisation, and reaching it: whoever is asked passes the request on to the owner of its
//! partition, which alone has its committed state at once.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde::Deserialize;

use crate::access::Peer;
use crate::problem::Problem;
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
/// How long the owner may take, beyond its own patience.
const PATIENCE: Duration = Duration::from_secs(15);
/// The largest request or answer that is passed on, in bytes.
const BYTES_MAX: usize = 64 << 20;

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

/// Answers here, or passes the request on to who owns its organisation.
pub(crate) async fn to_owner(
    State((service, place)): State<(Arc<Service>, Place)>,
    params: axum::extract::RawPathParams,
    request: Request,
    next: Next,
) -> Response {
    let (parts, body) = request.into_parts();
    // The bytes are needed only where the organisation stands in them, or where they are passed on.
    let (org, body) = match place {
        Place::Path => (params.iter().find(|(name, _)| *name == "org").map(|(_, org)| org.to_owned()), body),
        Place::Body => match axum::body::to_bytes(body, BYTES_MAX).await {
            Ok(bytes) => {
                let of: Option<OfOrg<'_>> = serde_json::from_slice(&bytes).ok();
                (of.and_then(|of| of.org_id).map(|org| org.into_owned()), Body::from(bytes))
            }
            Err(error) => {
                let detail = format!("the body cannot be read: {error}");
                return Problem::new(StatusCode::BAD_REQUEST, "malformed", detail).into_response();
            }
        },
    };
    let Some(org) = org else { return next.run(Request::from_parts(parts, body)).await };
    let owner = match service.owners.known(&org) {
        Some(owner) => owner,
        None => {
            let (owners, org) = (Arc::clone(&service.owners), org.clone());
            match tokio::task::spawn_blocking(move || owners.find(&org)).await {
                Ok(owner) => owner,
                Err(error) => return broken(&error).into_response(),
            }
        }
    };
    match owner {
        Owner::Here => next.run(Request::from_parts(parts, body)).await,
        Owner::There(address) if !parts.headers.contains_key(PASSED_ON) => {
            let bytes = axum::body::to_bytes(body, BYTES_MAX).await.unwrap_or_default();
            pass_on(&service, &address, parts, bytes).await.unwrap_or_else(Problem::into_response)
        }
        Owner::There(_) | Owner::Nobody => nobody().into_response(),
    }
}

fn nobody() -> Problem {
    let detail =
        "no process owns the organisation's partition at this moment, or its owner is still reading it back; try again";
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).retry_after(1)
}

/// Status, headers and body of an answer that is handed on.
type Relayed = (u16, Vec<(HeaderName, HeaderValue)>, Vec<u8>);

async fn pass_on(
    service: &Arc<Service>,
    address: &str,
    parts: axum::http::request::Parts,
    body: Bytes,
) -> Result<Response, Problem> {
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
    let is_bare = matches!(parts.method, Method::GET | Method::DELETE) && body.is_empty();
    let send = move || -> Result<Relayed, String> {
        let answer = if is_bare {
            agent.run(request.body(()).map_err(|error| error.to_string())?)
        } else {
            agent.run(request.body(body.to_vec()).map_err(|error| error.to_string())?)
        };
        let mut answer = answer.map_err(|error| error.to_string())?;
        let headers = ANSWERED.iter().filter_map(|name| {
            let value = answer.headers().get(*name)?;
            Some((HeaderName::from_static(name), value.clone()))
        });
        let headers = headers.collect();
        let status = answer.status().as_u16();
        let body = answer.body_mut().with_config().limit(BYTES_MAX as u64).read_to_vec();
        Ok((status, headers, body.map_err(|error| error.to_string())?))
    };
    let sent = tokio::task::spawn_blocking(send).await.map_err(|error| broken(&error))?;
    let (status, headers, body) = sent.map_err(|error| {
        tracing::warn!(address, "the owner could not be asked: {error}");
        nobody()
    })?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
    response.headers_mut().extend(headers);
    response.headers_mut().entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    Ok(response)
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
