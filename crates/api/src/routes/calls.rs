//! Authorisation of calls, for switches.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde::de::DeserializeOwned;
use serde_json::json;

use super::object::object;
use crate::access::unknown_account;
use crate::authorise::{AuthorisationRequest, Extension, Release};
use crate::calls::Calls;
use crate::meters::clock;
use crate::problem::Problem;
use crate::service::{Caller, Service};

type Answer = Result<Response, Problem>;
type Shared = State<Arc<Service>>;

fn calls(service: &Service) -> Result<&Calls, Problem> {
    service.calls.as_deref().ok_or_else(|| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "this process authorises no calls").retry_after(1)
    })
}

/// A request of an organisation that whoever asks may see.
fn read<T: DeserializeOwned>(
    headers: &HeaderMap,
    body: &[u8],
    caller: &Caller,
    org: fn(&T) -> &str,
) -> Result<T, Problem> {
    let fields = object(headers, body)?;
    let request: T = serde_json::from_value(fields.into()).map_err(|error| {
        let text = error.to_string();
        // The words are those of serde: the field is the first name between backquotes.
        let field = text.split('`').nth(1).unwrap_or("body").to_owned();
        Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", text).field(field).rule("bad-field")
    })?;
    if !caller.principal.sees(org(&request)) {
        return Err(unknown_account());
    }
    Ok(request)
}

pub(super) async fn authorise(State(service): Shared, caller: Caller, headers: HeaderMap, body: Bytes) -> Answer {
    let request = read(&headers, &body, &caller, |request: &AuthorisationRequest| &request.org_id)?;
    Ok(Json(calls(&service)?.authorise(&request, clock())).into_response())
}

pub(super) async fn extend(State(service): Shared, caller: Caller, headers: HeaderMap, body: Bytes) -> Answer {
    let extension = read(&headers, &body, &caller, |extension: &Extension| &extension.org_id)?;
    Ok(Json(calls(&service)?.extend(&extension, clock())).into_response())
}

pub(super) async fn release(State(service): Shared, caller: Caller, headers: HeaderMap, body: Bytes) -> Answer {
    let release = read(&headers, &body, &caller, |release: &Release| &release.org_id)?;
    let is_released = calls(&service)?.release(&release.org_id, &release.call_id);
    let (org, call) = (release.org_id, release.call_id);
    Ok(Json(json!({"orgId": org, "callId": call, "released": is_released})).into_response())
}
