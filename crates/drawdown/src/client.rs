//! The command line as a client of the HTTP API: which server is asked, as whom, and what its answers mean.
//!
//! Invariants: the API key is never an argument, goes to the server that was named and to no other, and is never shown;
//! a write goes out under one key however often it is sent, so that it is done once.

mod pages;
mod problem;
mod send;
mod server;
mod show;

use std::io::{self, Write};

use clap::Args as ClapArgs;
use drawdown_api::routes::escaped;
use serde_json::{Map, Value};

use crate::exit::{Done, Failure, Run};

pub use pages::{List, PageArgs, SpanArgs};
pub use send::{Client, Taken};
pub use server::{ServerArgs, VARIABLES};
pub use show::{EVENT_COLUMNS, amount, event_row, events, instant, labelled, list, text, to_the_second};

/// What every command takes that reads.
#[derive(Debug, Clone, ClapArgs)]
pub struct Reading {
    /// Print the JSON of the API
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub server: ServerArgs,
}

/// What shows one thing of an organisation.
#[derive(Debug, ClapArgs)]
pub struct OrgArgs {
    /// The organisation
    pub org: String,
    #[command(flatten)]
    pub reading: Reading,
}

/// What lists lines of an organisation by when they were booked, and by nothing else.
#[derive(Debug, ClapArgs)]
pub struct LinesArgs {
    /// The organisation
    pub org: String,
    #[command(flatten)]
    pub span: SpanArgs,
    #[command(flatten)]
    pub pages: PageArgs,
    #[command(flatten)]
    pub reading: Reading,
}

/// What every command takes that changes something.
#[derive(Debug, Clone, ClapArgs)]
pub struct Writing {
    /// Under one key a change is made once, however often it is sent; made up unless given
    #[arg(long, value_name = "KEY", value_parser = parse_idempotency_key)]
    idempotency_key: Option<String>,
    /// Print the JSON of the API
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    server: ServerArgs,
}

fn parse_idempotency_key(text: &str) -> Result<String, String> {
    let is_key = (1..=200).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if is_key { Ok(text.to_owned()) } else { Err("write 1 to 200 visible characters".to_owned()) }
}

impl Reading {
    /// Asks for one thing, and shows it.
    ///
    /// # Errors
    /// There is no such thing, or no answer.
    pub fn show(&self, path: &str, write: impl FnOnce(&Value, &mut dyn Write) -> io::Result<()>) -> Run {
        self.show_version(path, |value, _, out| write(value, out))
    }

    /// The same, with its version.
    ///
    /// # Errors
    /// There is no such thing, or no answer.
    pub fn show_version(
        &self,
        path: &str,
        write: impl FnOnce(&Value, Option<&str>, &mut dyn Write) -> io::Result<()>,
    ) -> Run {
        let Taken { body, version, .. } = Client::new(&self.server)?.get_version(path)?;
        let mut out = io::stdout().lock();
        if self.json {
            print_json(&body, &mut out)?;
        } else {
            write(&read(&body)?, version.as_deref(), &mut out)?;
        }
        Ok(Done::Well)
    }
}

impl Writing {
    /// Sends a change, and shows what it caused.
    ///
    /// # Errors
    /// It was refused, or what became of it is not known.
    pub fn send(&self, method: &str, path: &str, fields: Option<&Value>) -> Run {
        self.send_if(method, path, fields, None)
    }

    /// The same, if what is changed is still of this version.
    ///
    /// # Errors
    /// It was refused, or what became of it is not known.
    pub fn send_if(&self, method: &str, path: &str, fields: Option<&Value>, version: Option<&str>) -> Run {
        let client = Client::new(&self.server)?;
        let written = client.write(method, path, fields, self.idempotency_key.as_deref(), version)?;
        let Taken { body, is_again, .. } = written;
        let mut out = io::stdout().lock();
        if self.json {
            print_json(&body, &mut out)?;
        } else {
            if is_again {
                writeln!(out, "done before, under this key:")?;
            }
            let done = read(&body)?;
            events(list(&done["events"]), &mut out)?;
        }
        Ok(Done::Well)
    }
}

/// An answer as it came, and one line break.
pub fn print_json(body: &[u8], out: &mut impl Write) -> io::Result<()> {
    out.write_all(body.trim_ascii_end())?;
    writeln!(out)
}

/// An answer, read.
pub fn read(body: &[u8]) -> Result<Value, Failure> {
    let strange = |error| Failure::Fault(anyhow::anyhow!("the answer is not what this version knows: {error}"));
    serde_json::from_slice(body).map_err(strange)
}

/// The fields of a request: those that are given.
pub fn fields<const COUNT: usize>(given: [(&str, Option<Value>); COUNT]) -> Value {
    let given = given.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(given.collect::<Map<_, _>>())
}

/// A path with its variable parts escaped: `of(&["accounts", org, "lots"])`.
pub fn path(parts: &[&str]) -> String {
    parts.iter().fold("/v1".to_owned(), |path, part| format!("{path}/{}", escaped(part)))
}

/// A path with a query of the parameters that are given.
pub fn query(path: &str, given: &[(&str, Option<String>)]) -> String {
    let given = given.iter().filter_map(|(name, value)| Some(format!("{name}={}", escaped(value.as_deref()?))));
    let given: Vec<String> = given.collect();
    if given.is_empty() { path.to_owned() } else { format!("{path}?{}", given.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_a_path_leads_nowhere_else() {
        assert_eq!(path(&["accounts", "a/b ü", ".."]), "/v1/accounts/a%2Fb%20%C3%BC/%2E%2E");
        let given = [("from", None), ("plan", Some("a&b=c".to_owned())), ("at", Some("1.5".to_owned()))];
        assert_eq!(query("/v1/price", &given), "/v1/price?plan=a%26b%3Dc&at=1.5");
        assert_eq!(query("/v1/decks", &[("from", None)]), "/v1/decks");
    }
}
