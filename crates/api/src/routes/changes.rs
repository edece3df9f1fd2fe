//! Writes: each request is one command.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequest, FromRequestParts as _, Path, Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use serde_json::{Map, Value, json};

use super::accounts::{check_match, settings_of, tagged};
use super::give::{Wish, answer, digest_of, find, give, replay};
use super::object::{is_long, object, too_long};
use crate::access::unknown_account;
use crate::desk::Key;
use crate::problem::Problem;
use crate::service::{Caller, Service, Turn};

type Answer = Result<Response, Problem>;
type Shared = State<Arc<Service>>;

/// A request that changes something: who asks, and for what.
pub(super) struct Order {
    service: Arc<Service>,
    caller: Caller,
    headers: HeaderMap,
    body: Bytes,
}

impl FromRequest<Arc<Service>> for Order {
    type Rejection = Response;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Response> {
        let (mut parts, body) = request.into_parts();
        let caller = Caller::from_request_parts(&mut parts, service).await.map_err(Problem::into_response)?;
        let headers = parts.headers.clone();
        let body = Bytes::from_request(Request::from_parts(parts, body), service).await;
        let body = body.map_err(BytesRejection::into_response)?;
        Ok(Order { service: Arc::clone(service), caller, headers, body })
    }
}

impl Order {
    /// The fields of its body.
    fn fields(&self) -> Result<Map<String, Value>, Problem> {
        object(&self.headers, &self.body)
    }

    /// Gives a command whose fields are its body.
    async fn give_body(&self, org: &str, kind: &'static str, done: StatusCode) -> Answer {
        self.give(org, kind, self.fields()?, done).await
    }

    /// Gives a command of these fields to an organisation.
    async fn give(&self, org: &str, kind: &'static str, fields: Map<String, Value>, done: StatusCode) -> Answer {
        let digest = digest_of(org, kind, &fields);
        give(&self.service, &self.caller, &self.headers, Wish { org, kind, fields, digest, done, turn: None }).await
    }

    /// Sets automatic recharging, if what whoever asks has seen is still so: `seen` is what it is now. A request that was
    /// done already changed that itself.
    async fn configure(
        &self,
        org: &str,
        turn: Turn,
        fields: Map<String, Value>,
        digest: String,
        seen: Option<&Value>,
    ) -> Answer {
        let (kind, done, turn) = ("configureAutoRecharge", StatusCode::OK, Some(turn));
        let wish = Wish { org, kind, fields, digest, done, turn };
        match check_match(&self.headers, seen) {
            Ok(()) => give(&self.service, &self.caller, &self.headers, wish).await,
            Err(changed) => replay(&self.service, &self.headers, &wish, changed).await,
        }
    }
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

pub(super) async fn open(order: Order) -> Answer {
    let mut fields = order.fields()?;
    let org = match fields.remove("orgId") {
        Some(Value::String(org)) if !org.is_empty() => org,
        Some(other) => {
            let detail = format!("is {other}, where a text is expected");
            let rule = "bad-field";
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, rule, detail).field("orgId").rule(rule));
        }
        None => return Err(missing("orgId")),
    };
    if !order.caller.principal.sees(&org) {
        return Err(unknown_account());
    }
    order.give(&org, "openAccount", fields, StatusCode::CREATED).await
}

pub(super) async fn close(Path(org): Path<String>, order: Order) -> Answer {
    order.give(&org, "closeAccount", Map::new(), StatusCode::OK).await
}

pub(super) async fn add_funds(Path(org): Path<String>, order: Order) -> Answer {
    order.give_body(&org, "addFunds", StatusCode::CREATED).await
}

pub(super) async fn adjust(Path(org): Path<String>, order: Order) -> Answer {
    order.give_body(&org, "adjust", StatusCode::CREATED).await
}

pub(super) async fn set_mode(Path(org): Path<String>, order: Order) -> Answer {
    order.give_body(&org, "setMode", StatusCode::OK).await
}

pub(super) async fn set_rate_plan(Path(org): Path<String>, order: Order) -> Answer {
    order.give_body(&org, "setRatePlan", StatusCode::OK).await
}

pub(super) async fn refund(Path((org, lot)): Path<(String, String)>, order: Order) -> Answer {
    let fields = with(order.fields()?, "lotId", &lot)?;
    order.give(&org, "refundLot", fields, StatusCode::OK).await
}

pub(super) async fn settle(Path((org, number)): Path<(String, String)>, order: Order) -> Answer {
    let fields = with(order.fields()?, "rechargeId", &format!("{org}/{number}"))?;
    order.give(&org, "settleRecharge", fields, StatusCode::OK).await
}

pub(super) async fn set_auto_recharge(Path(org): Path<String>, order: Order) -> Answer {
    let fields = order.fields()?;
    let digest = digest_of(&org, "configureAutoRecharge", &fields);
    let turn = order.service.turn(&org).await?;
    let settings = settings_of(&order.service.account(&org)?, &org).ok();
    order.configure(&org, turn, fields, digest, settings.as_ref()).await
}

pub(super) async fn payment_method(State(service): Shared, Path(org): Path<String>) -> Answer {
    let settings = settings_of(&service.account(&org)?, &org)?;
    tagged(&json!({"paymentMethod": settings["paymentMethod"]}))
}

/// The settings as they are, paid another way. What they are beside that the request did not say: it is the same again
/// after somebody changed them.
pub(super) async fn set_payment_method(Path(org): Path<String>, order: Order) -> Answer {
    let mut fields = order.fields()?;
    let digest = digest_of(&org, "setPaymentMethod", &fields);
    let payment = fields.remove("paymentMethod").ok_or_else(|| missing("paymentMethod"))?;
    if let Some(unknown) = fields.keys().next() {
        let rule = "bad-field";
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, rule, "is no field of a payment method");
        return Err(problem.field(unknown.clone()).rule(rule));
    }
    let turn = order.service.turn(&org).await?;
    let settings = settings_of(&order.service.account(&org)?, &org)?;
    let seen = json!({"paymentMethod": settings["paymentMethod"]});
    let mut fields = settings.as_object().cloned().unwrap_or_default();
    fields.insert("paymentMethod".to_owned(), payment);
    order.configure(&org, turn, fields, digest, Some(&seen)).await
}

/// Whose licence it is: organisation, user and licence.
type OfUser = Path<(String, String, String)>;

pub(super) async fn assign_licence(Path((org, user, licence)): OfUser, order: Order) -> Answer {
    let fields = with(with(order.fields()?, "userId", &user)?, "licence", &licence)?;
    order.give(&org, "assignLicence", fields, StatusCode::OK).await
}

pub(super) async fn remove_licence(Path((org, user, licence)): OfUser, order: Order) -> Answer {
    let fields = with(with(Map::new(), "userId", &user)?, "licence", &licence)?;
    order.give(&org, "removeLicence", fields, StatusCode::OK).await
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

#[cfg(test)]
mod tests;
