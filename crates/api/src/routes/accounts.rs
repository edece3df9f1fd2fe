//! Reading accounts as they were committed last.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use drawdown_units::Money;
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::give::hex;
use super::mask::{mask, shown};
use crate::access::unknown_account;
use crate::problem::Problem;
use crate::service::{Caller, Service, broken};

type Answer = Result<Response, Problem>;
type Shared = State<Arc<Service>>;

/// How many accounts a page has, unless said otherwise, and at most.
const PAGE: [usize; 2] = [100, 1000];

/// Which accounts to list.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Listed {
    after: Option<String>,
    limit: Option<usize>,
}

pub(super) async fn list(State(service): Shared, caller: Caller, query: Query<Listed>) -> Answer {
    let Query(Listed { after, limit }) = query;
    let limit = page_size(limit, PAGE)?;
    let after = after.unwrap_or_default();
    let mut orgs = match &caller.principal.orgs {
        Some(own) => here_after(&service, own, &after, limit + 1),
        None => service.read(move |service| Ok(service.views.list(&after, limit + 1))).await?,
    };
    let has_more = orgs.len() > limit;
    orgs.truncate(limit);
    let next = if has_more { orgs.last().cloned() } else { None };
    let items = orgs.iter().map(|org| service.account(org).map(|account| summary(&account)));
    // One that went away in between is not there.
    let items: Vec<Value> = items.filter_map(Result::ok).collect();
    Ok(Json(json!({"items": items, "next": next})).into_response())
}

/// The first organisations after `after` of those that a credential holds for: as many of them as are here, `limit` at most.
fn here_after(service: &Service, own: &[Box<str>], after: &str, limit: usize) -> Vec<String> {
    let mut own: Vec<&str> = own.iter().map(|org| &**org).filter(|org| *org > after).collect();
    own.sort_unstable();
    own.dedup();
    own.into_iter().filter(|org| service.views.account(org).is_some()).take(limit).map(str::to_owned).collect()
}

/// A page's size.
///
/// # Errors
/// It is none.
pub(super) fn page_size(asked: Option<usize>, [usual, most]: [usize; 2]) -> Result<usize, Problem> {
    match asked.unwrap_or(usual) {
        size if (1..=most).contains(&size) => Ok(size),
        size => {
            let detail = format!("is {size}; 1 to {most} is a page");
            Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field("limit"))
        }
    }
}

fn summary(account: &Value) -> Value {
    let fields = ["orgId", "currency", "country", "mode", "closed", "balance", "overdraft", "postUsage"];
    fields.iter().map(|name| ((*name).to_owned(), account[*name].clone())).collect::<serde_json::Map<_, _>>().into()
}

pub(super) async fn show(State(service): Shared, Path(org): Path<String>) -> Answer {
    let line = service.views.account(&org).ok_or_else(unknown_account)?;
    Ok(([(header::CONTENT_TYPE, "application/json")], shown(line)).into_response())
}

pub(super) async fn balance(State(service): Shared, Path(org): Path<String>) -> Answer {
    let account = service.account(&org)?;
    let money = |text: &Value| text.as_str().and_then(|text| Money::parse(text).ok()).unwrap_or(Money::ZERO);
    let settled = money(&account["balance"]);
    let pending = money(&account["recharge"]["outstanding"]["amount"]);
    let reserved = service.reserved(&org);
    let available = settled.minus(reserved);
    Ok(Json(json!({
        "orgId": org,
        "currency": account["currency"],
        "mode": account["mode"],
        "settled": settled.to_string(),
        "pending": pending.to_string(),
        "reserved": reserved.to_string(),
        "available": available.to_string(),
        "overdraft": account["overdraft"],
        "postUsage": account["postUsage"],
        "uncollected": account["uncollected"],
        "seq": account["seq"],
        "at": account["clock"],
    }))
    .into_response())
}

pub(super) async fn lots(State(service): Shared, Path(org): Path<String>) -> Answer {
    let account = service.account(&org)?;
    Ok(Json(json!({"orgId": org, "currency": account["currency"], "lots": account["lots"]})).into_response())
}

pub(super) async fn pools(State(service): Shared, Path(org): Path<String>) -> Answer {
    let account = service.account(&org)?;
    let pools = account.get("pools").cloned().unwrap_or_else(|| json!([]));
    Ok(Json(json!({"orgId": org, "pools": pools})).into_response())
}

pub(super) async fn user(State(service): Shared, Path((org, user)): Path<(String, String)>) -> Answer {
    service.account(&org)?;
    let Some(line) = service.views.user(&org, &user) else {
        let detail = format!("no licence was ever assigned to {user:?}");
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown-user", detail));
    };
    let state: Value = serde_json::from_slice(&line).map_err(|error| broken(&error))?;
    Ok(Json(state).into_response())
}

pub(super) async fn auto_recharge(State(service): Shared, Path(org): Path<String>) -> Answer {
    let settings = settings_of(&service.account(&org)?, &org)?;
    tagged(&settings)
}

/// The settings of automatic recharging, whole.
///
/// # Errors
/// They were never made.
pub(super) fn settings_of(account: &Value, org: &str) -> Result<Value, Problem> {
    let Some(recharge) = account["recharge"].as_object() else {
        let detail = format!("automatic recharging of {org:?} was never set");
        return Err(Problem::new(StatusCode::NOT_FOUND, "not-set", detail));
    };
    const FIELDS: [&str; 5] = ["enabled", "rechargeAmount", "triggerAmount", "monthlyCap", "paymentMethod"];
    let settings = FIELDS.iter().filter_map(|name| Some(((*name).to_owned(), recharge.get(*name)?.clone())));
    Ok(Value::Object(settings.collect()))
}

/// What settings are shown as, with the mark by which a change of them is noticed.
pub(super) fn tagged(settings: &Value) -> Answer {
    let tag = tag_of(settings);
    let mut shown = settings.clone();
    mask(&mut shown);
    let mut response = Json(shown).into_response();
    response.headers_mut().insert(header::ETAG, HeaderValue::from_str(&tag).map_err(|error| broken(&error))?);
    Ok(response)
}

/// The mark of settings.
pub(super) fn tag_of(settings: &Value) -> String {
    let digest = Sha256::digest(settings.to_string());
    format!("\"{}\"", hex(&digest[..8]))
}

/// Refuses a change of settings that are not those which whoever asks has seen.
///
/// # Errors
/// They changed.
pub(super) fn check_match(headers: &HeaderMap, now: Option<&Value>) -> Result<(), Problem> {
    let Some(wanted) = headers.get(header::IF_MATCH).and_then(|value| value.to_str().ok()) else { return Ok(()) };
    let tag = now.map(tag_of);
    let fits = |one: &str| one == "*" && tag.is_some() || tag.as_deref() == Some(one);
    if wanted.split(',').any(|one| fits(one.trim())) {
        return Ok(());
    }
    let detail = "the settings are not those of the ETag in If-Match any more; read them again";
    Err(Problem::new(StatusCode::PRECONDITION_FAILED, "precondition-failed", detail).field("If-Match"))
}

#[cfg(test)]
mod tests;
