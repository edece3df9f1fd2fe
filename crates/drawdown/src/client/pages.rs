//! Lists, page by page.

use std::io::{self, Write};

use clap::Args as ClapArgs;
use drawdown_units::Timestamp;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::{Client, Reading, query, text};
use crate::arguments::parse_time;
use crate::exit::{Done, Failure, Run};
use crate::table::{Align, Table};

/// The most that the server gives at once.
const PAGE_MAX: usize = 1000;

/// How much of a list is shown.
#[derive(Debug, Clone, ClapArgs)]
pub struct PageArgs {
    /// How many at most
    #[arg(long, value_name = "COUNT", default_value_t = 100, value_parser = parse_count)]
    limit: usize,
    /// All there are
    #[arg(long, conflicts_with = "limit")]
    all: bool,
    /// Where to go on: what the list before ended with
    #[arg(long, value_name = "CURSOR")]
    cursor: Option<String>,
}

/// Of which time lines are shown.
#[derive(Debug, Clone, ClapArgs)]
pub struct SpanArgs {
    /// Booked at or after
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    from: Option<Timestamp>,
    /// Booked before
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    to: Option<Timestamp>,
}

impl SpanArgs {
    /// As parameters.
    pub fn given(&self) -> [(&'static str, Option<String>); 2] {
        [("from", self.from.map(|time| time.to_string())), ("to", self.to.map(|time| time.to_string()))]
    }
}

fn parse_count(text: &str) -> Result<usize, String> {
    text.parse().ok().filter(|count| *count > 0).ok_or_else(|| "write a number above 0, or --all".to_owned())
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Page<'a> {
    #[serde(borrow)]
    items: Vec<&'a RawValue>,
    next: Option<String>,
    /// Not said where `next` alone tells.
    is_end: Option<bool>,
}

/// Where a list goes on.
struct Rest {
    next: Option<String>,
    is_end: Option<bool>,
}

/// A list of the API, and how its lines are shown.
pub struct List<'a> {
    pub path: String,
    /// The name of the parameter that goes on.
    pub goes_on: &'static str,
    pub given: Vec<(&'static str, Option<String>)>,
    pub columns: &'a [(&'a str, Align)],
    pub row: &'a dyn Fn(&Value) -> Vec<String>,
}

impl Reading {
    /// Asks for a list, page by page, and shows it.
    ///
    /// # Errors
    /// There is none, or no answer.
    pub fn list(&self, pages: &PageArgs, list: &List<'_>) -> Run {
        let client = Client::new(&self.server)?;
        let mut out = io::stdout().lock();
        if self.json {
            print(&client, pages, list, &mut out)?;
            return Ok(Done::Well);
        }
        let mut table = Table::new(list.columns);
        let mut count = 0;
        let rest = client.pages(pages, list, &mut |item| {
            let item: Value = serde_json::from_str(item).map_err(|error| Failure::Fault(error.into()))?;
            table.row((list.row)(&item));
            count += 1;
            Ok(())
        })?;
        if count > 0 {
            table.write(&mut out, "")?;
        } else {
            writeln!(out, "nothing")?;
        }
        if let (Some(next), false) = (rest.next.map(Value::from), rest.is_end.unwrap_or(false)) {
            writeln!(out, "more: --all, or --cursor {}", text(&next))?;
        }
        Ok(Done::Well)
    }
}

/// The pages as one page.
fn print(client: &Client, pages: &PageArgs, list: &List<'_>, out: &mut impl Write) -> Result<(), Failure> {
    let mut comma = "";
    // First asked, then printed: where there is no list, there is no output.
    let mut begin = "{\"items\":[";
    let rest = client.pages(pages, list, &mut |item| {
        write!(out, "{begin}{comma}{item}")?;
        (begin, comma) = ("", ",");
        Ok(())
    })?;
    let next = Value::from(rest.next);
    let is_end = rest.is_end.map(|is_end| format!(",\"isEnd\":{is_end}")).unwrap_or_default();
    Ok(writeln!(out, "{begin}],\"next\":{next}{is_end}}}")?)
}

impl Client {
    /// Hands over every line that is wanted.
    fn pages(
        &self,
        pages: &PageArgs,
        list: &List<'_>,
        each: &mut dyn FnMut(&str) -> Result<(), Failure>,
    ) -> Result<Rest, Failure> {
        let mut wanted = if pages.all { usize::MAX } else { pages.limit };
        let mut cursor = pages.cursor.clone();
        loop {
            let mut given = list.given.clone();
            given.extend([(list.goes_on, cursor), ("limit", Some(wanted.min(PAGE_MAX).to_string()))]);
            let body = self.get(&query(&list.path, &given))?;
            let strange = |error| Failure::Fault(anyhow::anyhow!("the answer is not what this version knows: {error}"));
            let page: Page<'_> = serde_json::from_slice(&body).map_err(strange)?;
            page.items.iter().try_for_each(|item| each(item.get()))?;
            wanted = wanted.saturating_sub(page.items.len());
            // A page may be short, or empty, and not be the last.
            let is_last = page.is_end.unwrap_or(page.next.is_none()) || page.next.is_none();
            if is_last || wanted == 0 {
                return Ok(Rest { next: page.next, is_end: page.is_end });
            }
            cursor = page.next;
        }
    }
}
