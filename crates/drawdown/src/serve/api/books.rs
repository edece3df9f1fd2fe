//! The log's lines for the API: pages, explanations, reports.

use std::ops::ControlFlow;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use drawdown_api::books::{Books, BooksError, Format, Line, Lines, Page, Query};
use drawdown_engine::log::Output;
use drawdown_ledger::{Account, Rules};
use drawdown_report::statement::{Month, Statement};
use drawdown_report::usage::{self, Revisions, SHEET_ROWS_MAX, Selection};
use drawdown_report::{Fault, Sorter};
use drawdown_stream::embedded::{Cursor, Reader};
use drawdown_stream::kafka::pages::{From, Pages};
use drawdown_units::Timestamp;
use drawdown_wire::account;
use indicatif::ProgressBar;
use serde_json::Value;

use crate::config::{Config, Embedded, Kafka, Log};
use crate::exit::Failure;
use crate::explain::explained;
use crate::pipeline::kafka_settings;
use crate::report::input::{Awaited, of_pipeline};
use crate::serve::supply::Supply;

/// How many lines one page looks at: a filter that lets nothing through does not hold a thread for long.
const LOOKED_AT_MAX: usize = 100_000;

/// Books on the log of a configuration.
pub struct LogBooks {
    config: Arc<Config>,
    supply: Arc<Supply>,
    /// Readers of an embedded log that rest.
    readers: Mutex<Vec<Reader>>,
    pages: OnceLock<Pages>,
}

fn unavailable(error: &dyn std::fmt::Display) -> BooksError {
    BooksError::Unavailable(format!("the log cannot be read: {error}"))
}

fn output(lines: Lines) -> Output {
    match lines {
        Lines::Debits => Output::Debits,
        Lines::Events => Output::Events,
        Lines::Rejects => Output::Rejects,
    }
}

impl LogBooks {
    pub fn new(config: Arc<Config>, supply: Arc<Supply>) -> Self {
        LogBooks { config, supply, readers: Mutex::default(), pages: OnceLock::new() }
    }

    fn pages(&self, kafka: &Kafka) -> &Pages {
        self.pages.get_or_init(|| Pages::new(&kafka_settings(kafka)))
    }

    fn with_reader<T>(
        &self,
        log: &Embedded,
        read: impl FnOnce(&mut Reader) -> Result<T, BooksError>,
    ) -> Result<T, BooksError> {
        let resting = self.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut reader = match resting {
            Some(reader) => reader,
            None => Reader::open(&log.directory).map_err(|error| unavailable(&error))?,
        };
        let done = read(&mut reader)?;
        self.readers.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
        Ok(done)
    }

    fn embedded_page(&self, log: &Embedded, query: &mut Query<'_>) -> Result<Page, BooksError> {
        let output = output(query.lines);
        let cursor: Option<Cursor> = query.cursor.map(str::parse).transpose().map_err(|_| BooksError::BadCursor)?;
        self.with_reader(log, |reader| {
            let from = match (cursor, query.since) {
                (Some(cursor), _) => cursor,
                (None, Some(since)) => {
                    let since_ms = since.seconds().saturating_mul(1000);
                    reader.since(output, 0, since_ms).map_err(|error| unavailable(&error))?
                }
                (None, None) => Cursor::default(),
            };
            let (mut lines, mut looked_at, mut is_end) = (Vec::new(), 0, true);
            let next = reader.messages(output, from, &mut |message| {
                looked_at += 1;
                if message.key == query.org.as_bytes() && (query.wanted)(message.value) {
                    lines.push(Line { bytes: message.value.to_vec(), next: message.next.to_string() });
                }
                if lines.len() >= query.limit || looked_at >= LOOKED_AT_MAX {
                    is_end = false;
                    return ControlFlow::Break(());
                }
                ControlFlow::Continue(())
            });
            let next = next.map_err(|error| unavailable(&error))?;
            Ok(Page { lines, next: next.to_string(), is_end })
        })
    }

    fn kafka_page(&self, kafka: &Kafka, query: &mut Query<'_>) -> Result<Page, BooksError> {
        let from = match (query.cursor, query.since) {
            (Some(text), _) => From::Offset(text.parse().map_err(|_| BooksError::BadCursor)?),
            (None, Some(since)) => From::Time(since),
            (None, None) => From::Beginning,
        };
        let mut lines = Vec::new();
        let (limit, org) = (query.limit, query.org);
        let mut each = |next: u64, key: &[u8], value: &[u8]| {
            if key == org.as_bytes() && (query.wanted)(value) {
                lines.push(Line { bytes: value.to_vec(), next: next.to_string() });
            }
            if lines.len() >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let read = self.pages(kafka).read(output(query.lines), org, from, LOOKED_AT_MAX, &mut each);
        let (next, is_end) = read.map_err(|error| unavailable(&error))?;
        Ok(Page { lines, next: next.to_string(), is_end })
    }
}

/// What a report could not be made of.
fn fault(error: &Fault) -> BooksError {
    match error {
        Fault::NotYet { .. } | Fault::UnknownOrg { .. } => BooksError::NotFound(error.to_string()),
        Fault::CellTooLong { .. } => BooksError::BadRequest("format", error.to_string()),
        Fault::Read(_)
        | Fault::Line { .. }
        | Fault::Inconsistent { .. }
        | Fault::Sort { .. }
        | Fault::Write(_)
        | Fault::Workbook(_) => BooksError::Unavailable(format!("the report cannot be made: {error}")),
    }
}

fn failure(error: Failure) -> BooksError {
    match error {
        Failure::Usage(messages) => BooksError::Unavailable(messages.join("; ")),
        Failure::Fault(error) => BooksError::Unavailable(format!("{error:#}")),
    }
}

impl Books for LogBooks {
    fn page(&self, query: &mut Query<'_>) -> Result<Page, BooksError> {
        match &self.config.log {
            Log::Embedded(log) => self.embedded_page(log, query),
            Log::Kafka(kafka) => self.kafka_page(kafka, query),
        }
    }

    fn end(&self, lines: Lines, org: &str) -> Result<String, BooksError> {
        match &self.config.log {
            Log::Embedded(log) => {
                self.with_reader(log, |reader| Ok(reader.end().map_err(|error| unavailable(&error))?.to_string()))
            }
            Log::Kafka(kafka) => {
                let end = self.pages(kafka).end(output(lines), org).map_err(|error| unavailable(&error))?;
                Ok(end.to_string())
            }
        }
    }

    fn explain(&self, debit: &[u8], account: &[u8]) -> Result<Value, BooksError> {
        let Some(catalogue) = self.supply.current() else {
            return explained(debit, &[], &|_, _| Vec::new()).map_err(|error| unavailable(&error));
        };
        let opening = account::read(account).map_err(|error| unavailable(&error))?;
        let account = Account::restore(opening, &Rules::default());
        let sold = |product, started| {
            let plan = catalogue.plan(account.as_ref()?.rate_plan_at(started))?;
            catalogue.deck_in_force(plan, product, started).ok()
        };
        let offered = |product, started| Vec::from_iter(sold(product, started));
        explained(debit, catalogue.decks(), &offered).map_err(|error| unavailable(&error))
    }

    fn usage(
        &self,
        org: &str,
        from: Timestamp,
        to: Timestamp,
        format: Format,
        is_gone: &AtomicBool,
    ) -> Result<Vec<u8>, BooksError> {
        let [lines] = of_pipeline(&self.config, [Output::Debits], |_| ProgressBar::hidden()).map_err(failure)?;
        let mut lines = Awaited::new(lines, is_gone);
        let temp = std::env::temp_dir();
        let selection =
            Selection { org: org.to_owned(), from, to, revisions: Revisions::Standing, tenant_country: None };
        let sorter = Sorter::new(temp.clone(), Sorter::MEMORY_BYTES_MAX);
        let mut rows = usage::collect(&mut lines, &selection, sorter).map_err(|error| fault(&error))?;
        let mut bytes = Vec::new();
        match format {
            Format::Csv => usage::write_csv(&mut rows, &mut bytes),
            Format::Xlsx => usage::write_xlsx(&mut rows, &mut bytes, SHEET_ROWS_MAX, &temp),
        }
        .map_err(|error| fault(&error))?;
        Ok(bytes)
    }

    fn statement(&self, org: &str, month: &str, is_gone: &AtomicBool) -> Result<Value, BooksError> {
        let Some(month) = Month::parse(month) else {
            return Err(BooksError::BadRequest("month", format!("is {month:?}; write 2026-03")));
        };
        let outputs = [Output::Events, Output::Debits, Output::Debits];
        let opened = of_pipeline(&self.config, outputs, |_| ProgressBar::hidden()).map_err(failure)?;
        let [events, debits, reversals] = opened.map(|lines| Awaited::new(lines, is_gone));
        Ok(Statement::of(org, month, reversals, debits, events).map_err(|error| fault(&error))?.json())
    }
}
