//! Usage records over HTTP, in the forms in which switches and event routers send them. Answered when the log has them.

use std::sync::Arc;

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use drawdown_engine::inbox::Message;
use drawdown_engine::log::Input;
use drawdown_wire::source::Profile;
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;

use super::give::put;
use crate::access::unknown_account;
use crate::problem::{Limit, Problem};
use crate::service::{Caller, Service, header};

/// How many records one request may hold.
const RECORDS_MAX: usize = 10_000;

/// How long one record may be: what becomes of it holds it, and must fit a message of the log.
const RECORD_BYTES_MAX: usize = 256 * 1024;

/// How the records are written, and whose they are where they do not say.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    /// A source profile, as on the command line; `native` unless given.
    source: Option<String>,
    /// The organisation.
    org: Option<String>,
}

/// What of a record decides its partition.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Owner<'a> {
    #[serde(borrow)]
    org_id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    partitionkey: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    data: Option<&'a RawValue>,
}

pub(super) async fn cdrs(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    Query(written): Query<Written>,
    body: Bytes,
) -> Result<Response, Problem> {
    if let Some(source) = &written.source {
        // Only what is built in: a name that came over the network never opens a file.
        Profile::named(source).map_err(|faults| {
            let detail = faults.first().map_or_else(String::new, ToString::to_string);
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field("source")
        })?;
    }
    let records = records_of(&headers, &body)?;
    if let Some(index) = records.iter().position(|record| record.len() > RECORD_BYTES_MAX) {
        let detail = format!("is of more than {RECORD_BYTES_MAX} bytes");
        let problem = at(index, StatusCode::PAYLOAD_TOO_LARGE, "record-too-large", "body", &detail);
        return Err(problem.limit(Limit::BodySize));
    }
    let mut messages = Vec::with_capacity(records.len());
    for (index, record) in records.iter().enumerate() {
        let org = match org_of(record, &written) {
            Some(org) => org,
            None => return Err(at(index, StatusCode::UNPROCESSABLE_ENTITY, "missing-field", "orgId", "is required")),
        };
        if !caller.principal.sees(&org) {
            return Err(unknown_account());
        }
        let value = one_line(record);
        let source = written.source.clone();
        messages.push(Message { input: Input::Cdrs, org: Some(org), source, value });
    }
    let count = messages.len();
    // All are handed over before the first is waited for.
    let waiting: Vec<_> = messages.into_iter().map(|message| put(&service, message)).collect();
    for outcome in futures_util::future::join_all(waiting).await {
        outcome?;
    }
    Ok((StatusCode::ACCEPTED, Json(json!({"accepted": count}))).into_response())
}

fn at(index: usize, status: StatusCode, kind: &str, field: &str, detail: &str) -> Problem {
    Problem::new(status, kind, format!("record {}: {detail}", index + 1)).field(field).rule(kind)
}

fn org_of(record: &str, written: &Written) -> Option<String> {
    let owner: Option<Owner<'_>> = serde_json::from_str(record).ok();
    let inner = owner.as_ref().and_then(|owner| owner.data).and_then(|data| {
        let inner: Owner<'_> = serde_json::from_str(data.get()).ok()?;
        inner.org_id.map(std::borrow::Cow::into_owned)
    });
    let own = owner.and_then(|owner| owner.org_id.or(owner.partitionkey)).map(std::borrow::Cow::into_owned);
    own.or(inner).or_else(|| written.org.clone()).filter(|org| !org.is_empty())
}

/// JSON has no line's end within a text, so one between its parts can be a blank.
fn one_line(record: &str) -> Vec<u8> {
    record.trim().bytes().map(|byte| if byte == b'\n' || byte == b'\r' { b' ' } else { byte }).collect()
}

fn malformed(detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, "malformed", detail)
}

/// The records of a body, each the text of one JSON object.
fn records_of(headers: &HeaderMap, body: &[u8]) -> Result<Vec<String>, Problem> {
    let text = std::str::from_utf8(body).map_err(|error| malformed(format!("the body is not UTF-8: {error}")))?;
    let media = header(headers, "content-type").unwrap_or_default();
    let media = media.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    let records = match media.as_str() {
        "application/json" if headers.contains_key("ce-id") => vec![structured(headers, text)?],
        "application/cloudevents-batch+json" => list(text)?,
        "application/json" if text.trim_start().starts_with('[') => list(text)?,
        "application/json" | "application/cloudevents+json" => vec![object(text, 0)?],
        "application/x-ndjson" | "application/jsonl" | "application/json-lines" => {
            let lines = text.lines().filter(|line| !line.trim().is_empty());
            lines.enumerate().map(|(index, line)| object(line, index)).collect::<Result<_, _>>()?
        }
        other => {
            let detail = format!(
                "the body is {other:?}; application/json, application/x-ndjson, application/cloudevents+json and \
                 application/cloudevents-batch+json are read here"
            );
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", detail));
        }
    };
    match records.len() {
        0 => Err(malformed("the body holds no record")),
        count if count > RECORDS_MAX => {
            let detail = format!("{count} records; {RECORDS_MAX} at most in one request");
            Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "too-many-records", detail).limit(Limit::BodySize))
        }
        _ => Ok(records),
    }
}

fn list(text: &str) -> Result<Vec<String>, Problem> {
    let values: Vec<&RawValue> =
        serde_json::from_str(text).map_err(|error| malformed(format!("the body is no list: {error}")))?;
    values.iter().enumerate().map(|(index, value)| object(value.get(), index)).collect()
}

/// Its text, if it is an object.
fn object(text: &str, index: usize) -> Result<String, Problem> {
    let value: &RawValue = serde_json::from_str(text)
        .map_err(|error| at(index, StatusCode::BAD_REQUEST, "malformed", "body", &format!("is no JSON: {error}")))?;
    if !value.get().starts_with('{') {
        return Err(at(index, StatusCode::BAD_REQUEST, "malformed", "body", "is JSON, but no object"));
    }
    Ok(value.get().to_owned())
}

/// CloudEvents in binary mode: the attributes are headers, the body is the data. Put together as in structured mode.
fn structured(headers: &HeaderMap, text: &str) -> Result<String, Problem> {
    let data: &RawValue =
        serde_json::from_str(text).map_err(|error| malformed(format!("the body is no JSON: {error}")))?;
    let mut event = serde_json::Map::new();
    for (name, value) in headers {
        if let Some(attribute) = name.as_str().strip_prefix("ce-") {
            let value = value.to_str().map_err(|_| malformed(format!("the header {name} is no text")))?;
            event.insert(attribute.to_owned(), json!(value));
        }
    }
    let mut text = serde_json::Value::Object(event).to_string();
    // The data as it came, digit by digit.
    text.truncate(text.len() - 1);
    text.push_str(&format!(",\"data\":{}}}", data.get()));
    Ok(text)
}
