//! What went wrong, as RFC 9457 has it: the only form in which an error leaves the server.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use utoipa::ToSchema;

/// A bound of the server's own that was reached: by it refusals are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// A principal asks too often.
    Rate,
    /// An address fails too often.
    Failures,
    /// A body, or a record in it, is too long, or holds too many of them.
    BodySize,
    /// A body comes too slowly.
    BodySpeed,
    /// The answer took too long.
    Time,
    /// As many streams are followed as may be.
    Streams,
    /// As many commands are on their way as may be.
    Commands,
    /// An address has as many connections as it may.
    Connections,
    /// As many read much of the log as may.
    Reads,
}

impl Limit {
    /// Every one, in the order of their numbers.
    pub const ALL: [Limit; 9] = [
        Limit::Rate,
        Limit::Failures,
        Limit::BodySize,
        Limit::BodySpeed,
        Limit::Time,
        Limit::Streams,
        Limit::Commands,
        Limit::Connections,
        Limit::Reads,
    ];

    /// How metrics call it.
    pub fn name(self) -> &'static str {
        match self {
            Limit::Rate => "rate",
            Limit::Failures => "failures",
            Limit::BodySize => "body-size",
            Limit::BodySpeed => "body-speed",
            Limit::Time => "time",
            Limit::Streams => "streams",
            Limit::Commands => "commands",
            Limit::Connections => "connections",
            Limit::Reads => "reads",
        }
    }
}

/// A problem document (RFC 9457), `application/problem+json`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem it is: a relative reference that stays the same, such as `/problems/insufficient-scope`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What was wrong this time, and what to do.
    pub detail: String,
    /// The field that is at fault, if one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// The rule that it breaks, by its name on the wire.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<String>,
    /// After how many seconds to try again: the header `Retry-After`.
    #[serde(skip)]
    pub retry_after_s: Option<u64>,
    /// The limit that was reached, if one was; an extension of the response, for whoever counts.
    #[serde(skip)]
    pub limit: Option<Limit>,
}

impl Problem {
    /// A problem of a kind: `name` with hyphens, such as `insufficient-scope`, which gives the title too.
    pub fn new(status: StatusCode, name: &str, detail: impl Into<String>) -> Self {
        let mut title = name.replace('-', " ");
        if let Some(first) = title.get_mut(..1) {
            first.make_ascii_uppercase();
        }
        Problem {
            kind: format!("/problems/{name}"),
            title,
            status: status.as_u16(),
            detail: detail.into(),
            field: None,
            rule: None,
            retry_after_s: None,
            limit: None,
        }
    }

    /// Names the field at fault.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Names the rule that is broken.
    #[must_use]
    pub fn rule(mut self, rule: impl Into<String>) -> Self {
        self.rule = Some(rule.into());
        self
    }

    /// Names the limit that was reached.
    #[must_use]
    pub fn limit(mut self, limit: Limit) -> Self {
        self.limit = Some(limit);
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after_s = Some(seconds);
        self
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, [(header::CONTENT_TYPE, "application/problem+json")], body).into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
        }
        if let Some(limit) = self.limit {
            response.extensions_mut().insert(limit);
        }
        if status == StatusCode::UNAUTHORIZED {
            let challenge = header::HeaderValue::from_static("Bearer realm=\"drawdown\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
