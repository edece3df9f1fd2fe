//! Giving a command: onto the log, and back with what became of it.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use drawdown_engine::inbox::Message;
use drawdown_engine::log::Input;
use drawdown_wire::command::{self, settle};
use drawdown_wire::{Reason, Rejection};
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};
use tokio::sync::oneshot;

use super::mask;
use super::object::is_long;
use crate::access::unknown_account;
use crate::books::{BooksError, Lines, Query};
use crate::desk::{Entry, Key, Outcome};
use crate::meters::{Answered, clock};
use crate::problem::{Limit, Problem};
use crate::service::{Caller, Service, Turn, broken};

/// A request to be made a command.
pub(super) struct Wish<'a> {
    pub org: &'a str,
    /// The type of command, as on the wire.
    pub kind: &'static str,
    /// Its fields.
    pub fields: Map<String, Value>,
    /// Of what the request said, which may be less than its fields.
    pub digest: String,
    /// What the answer is where it was done.
    pub done: StatusCode,
    /// Of the organisation, where it was looked at before: kept until the outcome is known.
    pub turn: Option<Turn>,
}

/// The fields that every command has, and that no request gives.
pub(crate) const ENVELOPE: [&str; 6] = ["commandId", "orgId", "at", "type", "actor", "schemaVersion"];
/// How long a turn is kept for a command whose outcome does not come.
const TURN_TIME_MAX: Duration = Duration::from_secs(60);
/// How long a key may be.
const KEY_BYTES_MAX: usize = 200;

/// The key of the request, or one that no other has.
///
/// # Errors
/// It is none.
pub(super) fn key_of(headers: &HeaderMap) -> Result<String, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(uuid::Uuid::now_v7().to_string()) };
    let key = value.to_str().unwrap_or_default().trim();
    if key.is_empty() || key.len() > KEY_BYTES_MAX || !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        let detail = format!("is not 1 to {KEY_BYTES_MAX} visible characters");
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field("Idempotency-Key"));
    }
    if key.starts_with(settle::ID_PREFIX) {
        // Under such a key anything would be in the way of what a payment came to.
        let detail = format!("begins with {:?}, as the answers of the payment side alone do", settle::ID_PREFIX);
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field("Idempotency-Key"));
    }
    Ok(key.to_owned())
}

/// Gives the command, and answers with what became of it; after the service's patience with where to look for it.
///
/// # Errors
/// It was refused, or could not be put onto the log.
pub(super) async fn give(
    service: &Arc<Service>,
    caller: &Caller,
    headers: &HeaderMap,
    wish: Wish<'_>,
) -> Result<Response, Problem> {
    let (kind, done) = (wish.kind, wish.done);
    let key: Key = (wish.org.into(), key_of(headers)?.into());
    let given = carry(service, caller, &key, wish).await;
    count(service, kind, &given);
    match given? {
        Given::Told { outcome, is_again } => answer(&key, outcome, done, is_again),
        Given::Underway => Ok(later(&key)),
    }
}

/// The answer to a request that was done before under its key, though by now it would be refused; to any other the refusal.
///
/// # Errors
/// The refusal, or its key was used for another request.
pub(super) async fn replay(
    service: &Arc<Service>,
    headers: &HeaderMap,
    wish: &Wish<'_>,
    refusal: Problem,
) -> Result<Response, Problem> {
    if !headers.contains_key("idempotency-key") {
        return Err(refusal);
    }
    let key: Key = (wish.org.into(), key_of(headers)?.into());
    let outcome = done_before(service, &key, &wish.digest).await?.ok_or(refusal)?;
    service.writes.replayed(wish.kind);
    answer(&key, outcome, wish.done, true)
}

/// How far a command got.
enum Given {
    /// To its outcome, now or the first time that it was given.
    Told { outcome: Outcome, is_again: bool },
    /// It is on the log, and will be done.
    Underway,
}

fn count(service: &Service, kind: &str, given: &Result<Given, Problem>) {
    let answered = match given {
        Ok(Given::Told { is_again: true, .. }) => return service.writes.replayed(kind),
        Ok(Given::Told { outcome: Outcome::Applied(_), .. }) => Answered::Done,
        Ok(Given::Told { .. }) => Answered::Refused,
        Ok(Given::Underway) => Answered::Pending,
        Err(problem) if problem.status >= 500 => Answered::Failed,
        Err(_) => Answered::Refused,
    };
    service.writes.answered(kind, answered);
}

/// Puts the command onto the log, and waits for what becomes of it.
async fn carry(service: &Arc<Service>, caller: &Caller, key: &Key, mut wish: Wish<'_>) -> Result<Given, Problem> {
    let id = &key.1;
    if let Some(given) = ENVELOPE.into_iter().find(|name| wish.fields.contains_key(*name)) {
        let detail = "is set by the server; leave it out (the header Idempotency-Key makes a repetition harmless)";
        return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field(given).rule("bad-field"));
    }
    if is_long(wish.org) {
        return Err(unknown_account());
    }
    let digest = std::mem::take(&mut wish.digest);
    let at = clock().to_string();
    if wish.kind == "addFunds" {
        wish.fields.entry("lotId").or_insert_with(|| json!(id));
        wish.fields.entry("purchasedAt").or_insert_with(|| json!(at));
    }
    if wish.kind == "settleRecharge" {
        wish.fields.entry("processedAt").or_insert_with(|| json!(at));
    }
    let mut actor = json!({"subject": &*caller.principal.subject, "request": digest});
    if let Some(address) = caller.address {
        actor["address"] = json!(address.ip().to_string());
    }
    let envelope =
        [("commandId", json!(id)), ("orgId", json!(wish.org)), ("at", json!(at)), ("type", json!(wish.kind))];
    wish.fields.extend(envelope.into_iter().chain([("actor", actor)]).map(|(name, it)| (name.to_owned(), it)));
    let line = serde_json::to_vec(&wish.fields).map_err(|error| broken(&error))?;
    command::decode(&line).map_err(|rejection| refused_form(&rejection))?;

    let told = match service.desk.enter(key, &digest) {
        Entry::New(told) => told,
        Entry::Known(outcome) => return Ok(Given::Told { outcome, is_again: true }),
        Entry::Underway => {
            let detail = "a request with this key is on its way; ask again for its outcome";
            return Err(Problem::new(StatusCode::CONFLICT, "request-underway", detail).retry_after(1));
        }
        Entry::Another => return Err(another_request()),
        Entry::Full => {
            let detail = "too many commands are on their way";
            let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).limit(Limit::Commands);
            return Err(problem.retry_after(1));
        }
    };
    let place = Place { service: Arc::clone(service), key: key.clone(), turn: wish.turn };
    let message = Message { input: Input::Commands, org: Some(wish.org.to_owned()), source: None, value: line };
    let (tell, answered) = oneshot::channel();
    tokio::spawn(see_through(place, message, told, tell));
    match answered.await.map_err(|_| not_accepted("the process stops"))?? {
        Some(Outcome::Duplicate) => {
            let outcome = done_before(service, key, &digest).await?.ok_or_else(|| {
                let detail = "a command of this id was booked, and its events are not kept any more";
                Problem::new(StatusCode::CONFLICT, "already-booked", detail)
            })?;
            Ok(Given::Told { outcome, is_again: true })
        }
        Some(outcome) => Ok(Given::Told { outcome, is_again: false }),
        None => Ok(Given::Underway),
    }
}

/// Puts a command onto the log, and tells what becomes of it; nothing, after the service's patience. Whether or not its
/// sender still listens, it is waited for: who has its turn next is to find what it did.
async fn see_through(
    place: Place,
    message: Message,
    mut told: oneshot::Receiver<Outcome>,
    tell: oneshot::Sender<Result<Option<Outcome>, Problem>>,
) {
    let put = put(&place.service, message).await;
    let outcome = match put {
        Ok(()) => match tokio::time::timeout(place.service.patience, &mut told).await {
            Ok(outcome) => Ok(outcome.ok()),
            Err(_) if place.turn.is_some() => {
                let _ = tell.send(Ok(None));
                let _ = tokio::time::timeout(TURN_TIME_MAX, told).await;
                return;
            }
            Err(_) => Ok(None),
        },
        Err(problem) => Err(problem),
    };
    // Whoever is told may send it again at once.
    drop(place);
    let _ = tell.send(outcome);
}

/// A command's place at the desk; dropped, it is given back, and the turn with it.
struct Place {
    service: Arc<Service>,
    key: Key,
    turn: Option<Turn>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.service.desk.leave(&self.key);
    }
}

/// Puts a message onto the log, and waits until it is durable there.
///
/// # Errors
/// That is not known.
pub(super) async fn put(service: &Service, message: Message) -> Result<(), Problem> {
    let (tell, told) = oneshot::channel();
    let done = Box::new(move |result| {
        let _ = tell.send(result);
    });
    service.inbox.put(message, done);
    match told.await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(why)) => Err(not_accepted(&why.to_string())),
        Err(_) => Err(not_accepted("the process stops")),
    }
}

fn not_accepted(why: &str) -> Problem {
    let detail = format!("it is not known whether the log has it: {why}; send it again, under the same key");
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-accepted", detail).retry_after(1)
}

fn another_request() -> Problem {
    let detail = "this key was used for another request; a new request takes a new key";
    Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "idempotency-key-reused", detail).field("Idempotency-Key")
}

/// By which the same request is known again: all of it that its sender said.
pub(super) fn digest_of(org: &str, kind: &str, said: &Map<String, Value>) -> String {
    let mut hash = Sha256::new();
    for part in [org, kind] {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.update(serde_json::to_vec(said).unwrap_or_default());
    hex(&hash.finalize()[..16])
}

/// What became of a command, as an answer.
pub(super) fn answer(key: &Key, outcome: Outcome, done: StatusCode, is_again: bool) -> Result<Response, Problem> {
    let (org, id) = key;
    match outcome {
        Outcome::Applied(events) => {
            let mut body = json!({"commandId": id, "orgId": org, "outcome": "applied", "events": events});
            mask::mask(&mut body);
            let mut response = (done, axum::Json(body)).into_response();
            if is_again {
                response.headers_mut().insert("idempotency-replayed", axum::http::HeaderValue::from_static("true"));
            }
            Ok(response)
        }
        Outcome::Refused(event) => {
            let text = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            let rule = text("reason");
            let status = if rule.starts_with("unknown-") { StatusCode::NOT_FOUND } else { StatusCode::CONFLICT };
            Err(Problem::new(status, "refused", text("detail")).rule(rule))
        }
        Outcome::Duplicate => {
            let detail = "a command of this id was booked before";
            Err(Problem::new(StatusCode::CONFLICT, "already-booked", detail))
        }
        Outcome::Rejected(rejection) => Err(refused_form(&rejection)),
    }
}

fn refused_form(rejection: &Rejection) -> Problem {
    if rejection.reason == Reason::UnknownOrg {
        return unknown_account();
    }
    let status =
        if rejection.reason == Reason::OrgClosed { StatusCode::CONFLICT } else { StatusCode::UNPROCESSABLE_ENTITY };
    let problem = Problem::new(status, rejection.reason.name(), rejection.detail.clone()).rule(rejection.reason.name());
    match &rejection.field {
        Some(field) => problem.field(field),
        None => problem,
    }
}

/// It is on the log; this is where its outcome will be.
fn later((org, id): &Key) -> Response {
    let place = format!("/v1/accounts/{}/commands/{}", escaped(org), escaped(id));
    let body = json!({"commandId": id, "orgId": org, "outcome": "pending", "location": place});
    (StatusCode::ACCEPTED, [("location", place.as_str()), ("retry-after", "1")], axum::Json(body)).into_response()
}

/// Bytes in hexadecimal.
pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A part of a path or of a query: everything but letters, digits and a few marks as its bytes in hexadecimal; dots too
/// where there is nothing else, for a path of dots leads elsewhere.
pub fn escaped(text: &str) -> String {
    let is_dots = text.bytes().all(|byte| byte == b'.');
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte) || (byte == b'.' && !is_dots);
    text.bytes().map(|it| if is_plain(it) { char::from(it).to_string() } else { format!("%{it:02X}") }).collect()
}

/// What became of the request of this digest, if it was done before: by the desk, else by the log.
async fn done_before(service: &Arc<Service>, key: &Key, digest: &str) -> Result<Option<Outcome>, Problem> {
    if let Some(outcome) = service.desk.known(key, digest) {
        return Ok(Some(outcome));
    }
    let Some((held, outcome)) = find(service, key).await? else { return Ok(None) };
    if held.as_deref() != Some(digest) {
        return Err(another_request());
    }
    service.desk.remember(key, digest, outcome.clone());
    Ok(Some(outcome))
}

/// What became of a command, by its events in the log: with the digest of the request that gave it.
pub(super) async fn find(service: &Arc<Service>, key: &Key) -> Result<Option<(Option<String>, Outcome)>, Problem> {
    let (org, id) = key.clone();
    let since = clock().plus_seconds(-86_400 * (i64::from(service.window_days) + 1));
    let events = service
        .read_much(&service.look_ups, move |service, is_gone| {
            let mut found: Vec<Value> = Vec::new();
            let mut cursor: Option<String> = None;
            loop {
                let mut wanted = |line: &[u8]| {
                    serde_json::from_slice::<Value>(line).is_ok_and(|event| event["commandId"].as_str() == Some(&id))
                };
                let page = service.books.page(&mut Query {
                    lines: Lines::Events,
                    org: &org,
                    cursor: cursor.as_deref(),
                    since: Some(since),
                    limit: 1000,
                    wanted: &mut wanted,
                })?;
                found.extend(page.lines.iter().filter_map(|line| serde_json::from_slice(&line.bytes).ok()));
                if page.is_end {
                    return Ok(found);
                }
                if is_gone.load(Ordering::Relaxed) {
                    return Err(BooksError::Unavailable("nobody waits for it any more".to_owned()));
                }
                cursor = Some(page.next);
            }
        })
        .await?;
    let Some(first) = events.first() else { return Ok(None) };
    let digest = first["actor"]["request"].as_str().map(str::to_owned);
    let refusal = events.iter().find(|event| event["type"] == "CommandRefused").cloned();
    Ok(Some((digest, refusal.map_or(Outcome::Applied(events), Outcome::Refused))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_visible_and_none_of_the_payment_side() {
        let of =
            |key: &str| key_of(&HeaderMap::from_iter([("idempotency-key".parse().unwrap(), key.parse().unwrap())]));
        assert_eq!(of("settle-4711"), Ok("settle-4711".to_owned()));
        for wrong in ["", "a b", "settle/contoso/3/1", "settle/"] {
            let problem = of(wrong).unwrap_err();
            assert_eq!((problem.status, problem.field.as_deref()), (422, Some("Idempotency-Key")), "{wrong:?}");
        }
    }
}
