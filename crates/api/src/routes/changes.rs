//! Writes: each request is one command.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::accounts::{check_match, settings_of, tagged};
use super::give::{Wish, answer, find, give};
use super::object::{is_long, object, too_long};
use crate::access::unknown_account;
use crate::desk::Key;
use crate::problem::Problem;
use crate::service::{Caller, Service};

type Answer = Result<Response, Problem>;
type Shared = State<Arc<Service>>;

/// A command whose fields are the request's body.
async fn plain(
    service: &Arc<Service>,
    caller: &Caller,
    headers: &HeaderMap,
    org: &str,
    kind: &'static str,
    fields: Map<String, Value>,
    done: StatusCode,
) -> Answer {
    give(service, caller, headers, Wish { org, kind, fields, done }).await
}

fn missing(field: &str) -> Problem {
    let rule = "missing-field";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, rule, "is required").field(field).rule(rule)
}

/// Adds a field that the path gives: the body must not.
fn with(mut fields: Map<String, Value>, name: &str, value: &str) -> Result<Map<String, Value>, Problem> {
    if is_long(value) {
        return Err(too_long(name));
    }
    if fields.insert(name.to_owned(), json!(value)).is_some() {
        let detail = "is said by the path; leave it out";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field(name).rule("bad-field"));
    }
    Ok(fields)
}

pub(super) async fn open(State(service): Shared, caller: Caller, headers: HeaderMap, body: Bytes) -> Answer {
    let mut fields = object(&headers, &body)?;
    let org = match fields.remove("orgId") {
        Some(Value::String(org)) if !org.is_empty() => org,
        Some(other) => {
            let detail = format!("is {other}, where a text is expected");
            let rule = "bad-field";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, rule, detail).field("orgId").rule(rule));
        }
        None => return Err(missing("orgId")),
    };
    if !caller.principal.sees(&org) {
        return Err(unknown_account());
    }
    plain(&service, &caller, &headers, &org, "openAccount", fields, StatusCode::CREATED).await
}

pub(super) async fn close(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(org): Path<String>,
) -> Answer {
    plain(&service, &caller, &headers, &org, "closeAccount", Map::new(), StatusCode::OK).await
}

pub(super) async fn add_funds(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(org): Path<String>,
    body: Bytes,
) -> Answer {
    let fields = object(&headers, &body)?;
    plain(&service, &caller, &headers, &org, "addFunds", fields, StatusCode::CREATED).await
}

pub(super) async fn refund(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path((org, lot)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let fields = with(object(&headers, &body)?, "lotId", &lot)?;
    plain(&service, &caller, &headers, &org, "refundLot", fields, StatusCode::OK).await
}

pub(super) async fn adjust(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(org): Path<String>,
    body: Bytes,
) -> Answer {
    let fields = object(&headers, &body)?;
    plain(&service, &caller, &headers, &org, "adjust", fields, StatusCode::CREATED).await
}

pub(super) async fn settle(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path((org, number)): Path<(String, String)>,
    body: Bytes,
) -> Answer {
    let fields = with(object(&headers, &body)?, "rechargeId", &format!("{org}/{number}"))?;
    plain(&service, &caller, &headers, &org, "settleRecharge", fields, StatusCode::OK).await
}

pub(super) async fn set_mode(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(org): Path<String>,
    body: Bytes,
) -> Answer {
    let fields = object(&headers, &body)?;
    plain(&service, &caller, &headers, &org, "setMode", fields, StatusCode::OK).await
}

pub(super) async fn set_rate_plan(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(org): Path<String>,
    body: Bytes,
) -> Answer {
    let fields = object(&headers, &body)?;
    plain(&service, &caller, &headers, &org, "setRatePlan", fields, StatusCode::OK).await
}

pub(super) async fn set_auto_recharge(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(org): Path<String>,
    body: Bytes,
) -> Answer {
    let fields = object(&headers, &body)?;
    let _turn = service.turn(&org).await;
    check_match(&headers, settings_of(&service.account(&org)?, &org).ok().as_ref())?;
    plain(&service, &caller, &headers, &org, "configureAutoRecharge", fields, StatusCode::OK).await
}

pub(super) async fn payment_method(State(service): Shared, Path(org): Path<String>) -> Answer {
    let settings = settings_of(&service.account(&org)?, &org)?;
    tagged(&json!({"paymentMethod": settings["paymentMethod"]}))
}

/// The settings as they are, paid another way.
pub(super) async fn set_payment_method(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path(org): Path<String>,
    body: Bytes,
) -> Answer {
    let mut fields = object(&headers, &body)?;
    let _turn = service.turn(&org).await;
    let settings = settings_of(&service.account(&org)?, &org)?;
    check_match(&headers, Some(&json!({"paymentMethod": settings["paymentMethod"]})))?;
    let payment = fields.remove("paymentMethod").ok_or_else(|| missing("paymentMethod"))?;
    if let Some(unknown) = fields.keys().next() {
        let rule = "bad-field";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, rule, "is no field of a payment method");
        return Err(problem.field(unknown.clone()).rule(rule));
    }
    let mut fields = settings.as_object().cloned().unwrap_or_default();
    fields.insert("paymentMethod".to_owned(), payment);
    plain(&service, &caller, &headers, &org, "configureAutoRecharge", fields, StatusCode::OK).await
}

pub(super) async fn assign_licence(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path((org, user, licence)): Path<(String, String, String)>,
    body: Bytes,
) -> Answer {
    let fields = with(with(object(&headers, &body)?, "userId", &user)?, "licence", &licence)?;
    plain(&service, &caller, &headers, &org, "assignLicence", fields, StatusCode::OK).await
}

pub(super) async fn remove_licence(
    State(service): Shared,
    caller: Caller,
    headers: HeaderMap,
    Path((org, user, licence)): Path<(String, String, String)>,
) -> Answer {
    let fields = with(with(Map::new(), "userId", &user)?, "licence", &licence)?;
    plain(&service, &caller, &headers, &org, "removeLicence", fields, StatusCode::OK).await
}

/// What became of a command.
pub(super) async fn command(State(service): Shared, Path((org, id)): Path<(String, String)>) -> Answer {
    let key: Key = (org.into(), id.into());
    let (known, is_underway) = service.desk.look(&key);
    if let Some(outcome) = known {
        return answer(&key, outcome, StatusCode::OK, false);
    }
    if let Some((_, outcome)) = find(&service, &key).await? {
        return answer(&key, outcome, StatusCode::OK, false);
    }
    if is_underway {
        let body = json!({"commandId": key.1, "orgId": key.0, "outcome": "pending"});
        return Ok((StatusCode::OK, [("retry-after", "1")], Json(body)).into_response());
    }
    let detail = "no command of this id was booked lately; one that is still on its way is not known here";
    Err(Problem::new(StatusCode::NOT_FOUND, "unknown-command", detail))
}
