//! Where log lines go and how they look. They go to standard error: standard output is for results.
//!
//! No telephone number and no secret is logged: what holds one does not print it, and a test says so.

use std::io::Write;

use tracing::Subscriber;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::{EnvFilter, fmt};

use crate::config::{LogFormat, Logging};
use crate::exit::Failure;

/// Logs what the process does from now on, to standard error.
///
/// # Errors
/// A level that is none, or logging that was begun before.
pub fn begin(logging: &Logging) -> Result<(), Failure> {
    let subscriber = subscriber(logging, std::io::stderr)?;
    tracing::subscriber::set_global_default(subscriber).map_err(|error| Failure::Fault(error.into()))
}

/// What a level says, or why it says nothing.
pub fn parse_level(level: &str) -> Result<EnvFilter, String> {
    EnvFilter::builder().parse(level).map_err(|error| error.to_string())
}

fn subscriber<W>(logging: &Logging, writer: W) -> Result<Box<dyn Subscriber + Send + Sync>, Failure>
where
    W: for<'w> MakeWriter<'w, Writer: Write> + Send + Sync + 'static,
{
    let filter = parse_level(&logging.level).map_err(Failure::usage)?;
    let lines = fmt::Subscriber::builder().with_env_filter(filter).with_writer(writer);
    Ok(match logging.format {
        LogFormat::Text => Box::new(lines.with_ansi(false).with_target(true).finish()),
        LogFormat::Json => {
            Box::new(lines.json().flatten_event(true).with_current_span(true).with_span_list(false).finish())
        }
    })
}

#[cfg(test)]
mod tests;
