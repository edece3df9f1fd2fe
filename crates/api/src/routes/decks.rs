//! Decks and rate plans: what is in force, what changes, what a call would cost; publishing, and withdrawing.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use drawdown_units::Timestamp;
use serde::Deserialize;

use super::object::object_of_files;
use crate::books::PriceQuery;
use crate::meters::clock;
use crate::problem::Problem;
use crate::service::Service;

type Answer = Result<Response, Problem>;
type Shared = State<Arc<Service>>;

pub(super) async fn list(State(service): Shared) -> Answer {
    Ok(Json(service.read(|service| Ok(service.decks.list())).await?).into_response())
}

pub(super) async fn publish(State(service): Shared, headers: HeaderMap, body: Bytes) -> Answer {
    let mut fields = object_of_files(&headers, &body)?;
    let mut text = |name: &'static str| match fields.remove(name) {
        None | Some(serde_json::Value::Null) => Ok(None),
        Some(serde_json::Value::String(text)) => Ok(Some(text)),
        Some(_) => {
            let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", "is no text");
            Err(problem.field(name).rule("bad-field"))
        }
    };
    let (manifest, rows) = (text("manifest")?, text("rows")?);
    if let Some(unknown) = fields.keys().next() {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", "is no field of a deck");
        return Err(problem.field(unknown.clone()).rule("bad-field"));
    }
    let Some(manifest) = manifest else {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "missing-field", "is required");
        return Err(problem.field("manifest").rule("missing-field"));
    };
    let published = service.read(move |service| service.decks.publish(&manifest, rows.as_deref())).await?;
    Ok((StatusCode::CREATED, Json(published)).into_response())
}

pub(super) async fn withdraw(State(service): Shared, Path((id, version)): Path<(String, u32)>) -> Answer {
    Ok(Json(service.read(move |service| service.decks.withdraw(&id, version)).await?).into_response())
}

/// Two versions of a deck.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Versions {
    from: u32,
    to: u32,
}

pub(super) async fn diff(State(service): Shared, Path(id): Path<String>, Query(of): Query<Versions>) -> Answer {
    Ok(Json(service.read(move |service| service.decks.diff(&id, of.from, of.to)).await?).into_response())
}

/// A call to be priced.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Priced {
    plan: String,
    number: String,
    at: Option<String>,
    seconds: Option<u32>,
}

pub(super) async fn price(State(service): Shared, Query(priced): Query<Priced>) -> Answer {
    let at = match &priced.at {
        None => clock(),
        Some(text) => Timestamp::parse(text).map_err(|error| {
            let detail = format!("is {text:?}: {error}");
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field("at")
        })?,
    };
    let price = move |service: &Service| {
        let (plan, number, seconds) = (&*priced.plan, &*priced.number, priced.seconds.unwrap_or(60));
        service.decks.price(&PriceQuery { plan, number, at, seconds })
    };
    Ok(Json(service.read(price).await?).into_response())
}
