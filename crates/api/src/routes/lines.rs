//! Debits, account events and rejects of an organisation: page by page, as they come, explained, and as reports.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header as names};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse as _, Response};
use drawdown_units::Timestamp;
use futures_util::stream::{self, Stream};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::accounts::page_size;
use super::mask;
use crate::access::unknown_account;
use crate::books::{self, Format, Line, Lines, Page};
use crate::problem::{Limit, Problem};
use crate::service::{Service, broken, header};

type Answer = Result<Response, Problem>;
type Shared = State<Arc<Service>>;

/// How many lines a page has, unless said otherwise, and at most.
const PAGE: [usize; 2] = [100, 1000];
/// How often a stream looks for more.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);
/// How many lines a stream takes at once.
const STREAM_PAGE: usize = 256;

/// Which lines to show.
#[derive(Debug, Default, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Shown {
    cursor: Option<String>,
    limit: Option<usize>,
    /// Booked at or after.
    from: Option<String>,
    /// Booked before.
    to: Option<String>,
    /// Of events: these types, divided by commas.
    #[serde(rename = "type")]
    kind: Option<String>,
    /// Of debits: this user.
    user: Option<String>,
    /// Of debits: the called number begins so, in digits.
    prefix: Option<String>,
    /// Of debits: the record's id.
    id: Option<String>,
    /// Of debits: the record's source.
    source: Option<String>,
}

/// What of a line the filters look at.
#[derive(Deserialize)]
struct Head<'a> {
    #[serde(borrow, rename = "type")]
    kind: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    at: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    source: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    call: Option<Call<'a>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Call<'a> {
    #[serde(borrow)]
    user_id: Option<std::borrow::Cow<'a, str>>,
    #[serde(borrow)]
    called: Option<std::borrow::Cow<'a, str>>,
}

/// The filters, read.
#[derive(Debug, Clone, Default)]
struct Filter {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    kinds: Option<Vec<String>>,
    user: Option<String>,
    prefix: Option<String>,
    id: Option<String>,
    source: Option<String>,
}

impl Filter {
    fn of(shown: &Shown) -> Result<Self, Problem> {
        let kinds = shown.kind.as_ref().map(|kinds| kinds.split(',').map(|kind| kind.trim().to_owned()).collect());
        Ok(Filter {
            from: time("from", shown.from.as_deref())?,
            to: time("to", shown.to.as_deref())?,
            kinds,
            user: shown.user.clone(),
            prefix: shown.prefix.as_ref().map(|prefix| prefix.trim_start_matches('+').to_owned()),
            id: shown.id.clone(),
            source: shown.source.clone(),
        })
    }

    fn lets_all_through(&self) -> bool {
        let texts = [&self.user, &self.prefix, &self.id, &self.source];
        self.from.is_none() && self.to.is_none() && self.kinds.is_none() && texts.iter().all(|text| text.is_none())
    }

    fn lets_through(&self, line: &[u8]) -> bool {
        if self.lets_all_through() {
            return true;
        }
        let Ok(head) = serde_json::from_slice::<Head<'_>>(line) else { return false };
        let at = head.at.as_deref().and_then(|at| Timestamp::parse(at).ok());
        let call = head.call.as_ref();
        let is =
            |wanted: &Option<String>, found: Option<&str>| wanted.as_deref().is_none_or(|wanted| found == Some(wanted));
        self.from.is_none_or(|from| at.is_none_or(|at| at >= from))
            && self.to.is_none_or(|to| at.is_none_or(|at| at < to))
            && self.kinds.as_ref().is_none_or(|kinds| kinds.iter().any(|kind| head.kind.as_deref() == Some(kind)))
            && is(&self.id, head.id.as_deref())
            && is(&self.source, head.source.as_deref())
            && is(&self.user, call.and_then(|call| call.user_id.as_deref()))
            && self.prefix.as_ref().is_none_or(|prefix| {
                call.and_then(|call| call.called.as_deref()).is_some_and(|called| called.starts_with(prefix.as_str()))
            })
    }
}

/// An instant, or a day.
fn time(field: &'static str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let Some(text) = text else { return Ok(None) };
    let parsed = Timestamp::parse(text).or_else(|error| match text.len() {
        10 => Timestamp::parse(&format!("{text}T00:00:00Z")),
        _ => Err(error),
    });
    parsed.map(Some).map_err(|error| {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", format!("is {text:?}: {error}"));
        problem.field(field).rule("bad-field")
    })
}

async fn page(service: &Arc<Service>, lines: Lines, org: &str, shown: Shown, limit: usize) -> Result<Page, Problem> {
    // Whoever never had an account has no lines, and is not to be told from one that is not theirs.
    service.account(org)?;
    page_of(service, lines, org, shown, limit).await
}

/// The same of an account that is known to be there.
async fn page_of(service: &Arc<Service>, lines: Lines, org: &str, shown: Shown, limit: usize) -> Result<Page, Problem> {
    let filter = Filter::of(&shown)?;
    let org = org.to_owned();
    service
        .read(move |service| {
            service.books.page(&mut books::Query {
                lines,
                org: &org,
                cursor: shown.cursor.as_deref(),
                since: filter.from,
                limit,
                wanted: &mut |line| filter.lets_through(line),
            })
        })
        .await
}

async fn items(service: &Arc<Service>, lines: Lines, org: &str, shown: Shown) -> Answer {
    let limit = page_size(shown.limit, PAGE)?;
    let masked = if lines == Lines::Rejects { mask::shown_reject } else { mask::shown };
    let Page { lines, next, is_end } = page(service, lines, org, shown, limit).await?;
    let items: Result<Vec<Box<RawValue>>, _> =
        lines.into_iter().map(|line| serde_json::from_slice::<Box<RawValue>>(&masked(line.bytes))).collect();
    let items = items.map_err(|error| broken(&error))?;
    #[derive(serde::Serialize)]
    #[serde(rename_all = "camelCase")]
    struct Body {
        items: Vec<Box<RawValue>>,
        next: String,
        is_end: bool,
    }
    Ok(Json(Body { items, next, is_end }).into_response())
}

pub(super) async fn debits(State(service): Shared, Path(org): Path<String>, shown: Query<Shown>) -> Answer {
    items(&service, Lines::Debits, &org, shown.0).await
}

pub(super) async fn events(State(service): Shared, Path(org): Path<String>, shown: Query<Shown>) -> Answer {
    items(&service, Lines::Events, &org, shown.0).await
}

pub(super) async fn rejects(State(service): Shared, Path(org): Path<String>, shown: Query<Shown>) -> Answer {
    items(&service, Lines::Rejects, &org, shown.0).await
}

/// Events of some types alone.
async fn only(service: &Arc<Service>, org: &str, shown: Shown, kinds: &str) -> Answer {
    items(service, Lines::Events, org, Shown { kind: Some(kinds.to_owned()), ..shown }).await
}

pub(super) async fn recharges(State(service): Shared, Path(org): Path<String>, shown: Query<Shown>) -> Answer {
    let kinds = "RechargeRequested,RechargeSucceeded,RechargeAttemptFailed,RechargeFailed,RechargeCapReached";
    only(&service, &org, shown.0, kinds).await
}

pub(super) async fn invoices(State(service): Shared, Path(org): Path<String>, shown: Query<Shown>) -> Answer {
    only(&service, &org, shown.0, "InvoiceIssued,PostUsageStatement").await
}

/// Every debit of a record, in words.
pub(super) async fn explanation(
    State(service): Shared,
    Path((org, id)): Path<(String, String)>,
    Query(mut shown): Query<Shown>,
) -> Answer {
    let account: Arc<[u8]> = service.views.account(&org).ok_or_else(unknown_account)?.into();
    let mut explained: Vec<Value> = Vec::new();
    shown.id = Some(id.clone());
    loop {
        let page = page(&service, Lines::Debits, &org, shown.clone(), PAGE[0]).await?;
        let (lines, account) = (page.lines, Arc::clone(&account));
        let words =
            move |service: &Service| lines.iter().map(|line| service.books.explain(&line.bytes, &account)).collect();
        explained.extend(service.read::<Vec<Value>>(words).await?);
        if page.is_end {
            break;
        }
        shown.cursor = Some(page.next);
    }
    if explained.is_empty() {
        let detail = format!("there is no debit of {id:?}; look among the rejects");
        return Err(Problem::new(StatusCode::NOT_FOUND, "unknown-call", detail));
    }
    Ok(Json(json!({"items": explained})).into_response())
}

/// The months and days of a report.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Span {
    from: String,
    to: String,
    format: Option<String>,
}

pub(super) async fn usage(State(service): Shared, Path(org): Path<String>, Query(span): Query<Span>) -> Answer {
    let (from, to) = (time("from", Some(&span.from))?, time("to", Some(&span.to))?);
    let (from, to) = (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX));
    if from >= to {
        let problem = Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", "is not after from");
        return Err(problem.field("to"));
    }
    let (format, media, ending) = match span.format.as_deref() {
        None | Some("csv") => (Format::Csv, "text/csv; charset=utf-8", "csv"),
        Some("xlsx") => (Format::Xlsx, "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", "xlsx"),
        Some(other) => {
            let detail = format!("is {other:?}; csv or xlsx is expected");
            return Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "bad-field", detail).field("format"));
        }
    };
    let report = move |service: &Service, is_gone: &AtomicBool| service.books.usage(&org, from, to, format, is_gone);
    let bytes = service.read_much(&service.reports, report).await?;
    let file = format!("attachment; filename=\"usage.{ending}\"");
    Ok(([(names::CONTENT_TYPE, media), (names::CONTENT_DISPOSITION, file.as_str())], bytes).into_response())
}

/// The month of a statement.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OfMonth {
    month: String,
}

pub(super) async fn statement(State(service): Shared, Path(org): Path<String>, of: Query<OfMonth>) -> Answer {
    let report = move |service: &Service, is_gone: &AtomicBool| service.books.statement(&org, &of.month, is_gone);
    let statement = service.read_much(&service.reports, report).await?;
    Ok(Json(statement).into_response())
}

/// What is streamed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Streamed {
    cursor: Option<String>,
}

pub(super) async fn stream_debits(
    service: Shared,
    headers: HeaderMap,
    org: Path<String>,
    streamed: Query<Streamed>,
) -> Answer {
    follow(service.0, Lines::Debits, &headers, org.0, streamed.0).await
}

pub(super) async fn stream_events(
    service: Shared,
    headers: HeaderMap,
    org: Path<String>,
    streamed: Query<Streamed>,
) -> Answer {
    follow(service.0, Lines::Events, &headers, org.0, streamed.0).await
}

/// Server-sent events: each line as it is committed, under the cursor after it, so that whoever was cut off goes on with
/// `Last-Event-ID`.
async fn follow(service: Arc<Service>, lines: Lines, headers: &HeaderMap, org: String, streamed: Streamed) -> Answer {
    let Ok(permit) = Arc::clone(&service.streams).try_acquire_owned() else {
        let detail = "too many streams are open";
        let problem = Problem::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", detail).limit(Limit::Streams);
        return Err(problem.retry_after(10));
    };
    let begin = header(headers, "last-event-id").map(str::to_owned).or(streamed.cursor);
    let begin = match begin {
        Some(cursor) => cursor,
        None => {
            let org = org.clone();
            service.read(move |service| service.books.end(lines, &org)).await?
        }
    };
    // A wrong cursor is told before the stream begins.
    let page = page_of(&service, lines, &org, Shown { cursor: Some(begin), ..Shown::default() }, STREAM_PAGE).await?;
    let held = Held { service, lines, org, cursor: page.next, waiting: page.lines.into(), _permit: permit };
    Ok(Sse::new(events_from(held)).keep_alive(KeepAlive::default()).into_response())
}

struct Held {
    service: Arc<Service>,
    lines: Lines,
    org: String,
    /// Behind what waits.
    cursor: String,
    waiting: VecDeque<Line>,
    _permit: tokio::sync::OwnedSemaphorePermit,
}

fn events_from(held: Held) -> impl Stream<Item = Result<Event, Infallible>> {
    stream::unfold(held, |mut held| async move {
        let name = if held.lines == Lines::Debits { "debit" } else { "account-event" };
        loop {
            if let Some(line) = held.waiting.pop_front() {
                let bytes = mask::shown(line.bytes);
                let text = String::from_utf8_lossy(&bytes);
                return Some((Ok(Event::default().event(name).id(line.next).data(text)), held));
            }
            let (lines, org, cursor) = (held.lines, held.org.clone(), held.cursor.clone());
            let read = held.service.read(move |service| {
                service.books.page(&mut books::Query {
                    lines,
                    org: &org,
                    cursor: Some(&cursor),
                    since: None,
                    limit: STREAM_PAGE,
                    wanted: &mut |_| true,
                })
            });
            // Where reading fails the stream ends: the client comes again, from where it was.
            let page = read.await.ok()?;
            if page.lines.is_empty() && page.is_end {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
            (held.cursor, held.waiting) = (page.next, page.lines.into());
        }
    })
}
