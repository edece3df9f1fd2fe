//! Outputs of the pipeline as committed, read from whichever log it runs on.

use std::ops::ControlFlow;
use std::time::Duration;

use drawdown_engine::log::Output;
use drawdown_stream::embedded::{self, Cursor};
use drawdown_stream::kafka::tail::Tail;

use crate::config::{Config, Log};
use crate::exit::Failure;
use crate::pipeline::kafka_settings;

/// What is done with a message: its key and its value.
pub type Each<'e> = dyn FnMut(&[u8], &[u8]) -> Result<(), Failure> + 'e;

const WAIT: Duration = Duration::from_millis(200);

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Fault(error.into())
}

/// Reads everything that is committed of an output; of accounts every state that was, the latest of each last.
pub fn read_all(config: &Config, output: Output, each: &mut Each<'_>) -> Result<(), Failure> {
    match &config.log {
        Log::Embedded(log) => {
            let mut reader = embedded::Reader::open(&log.directory).map_err(fault)?;
            read_embedded(&mut reader, output, each)
        }
        Log::Kafka(kafka) => {
            let mut tail = Tail::output(&kafka_settings(kafka), output, true).map_err(fault)?;
            while !tail.is_caught_up() {
                step(&mut tail, each)?;
            }
            Ok(())
        }
    }
}

/// Reads everything that is committed of an output of an embedded log.
pub fn read_embedded(reader: &mut embedded::Reader, output: Output, each: &mut Each<'_>) -> Result<(), Failure> {
    let mut outcome = Ok(());
    if output == Output::Accounts {
        reader.accounts(&mut |key, value| note(&mut outcome, each(key, value))).map_err(fault)?;
    } else {
        embedded_step(reader, output, Cursor::default(), each)?;
    }
    outcome
}

/// Follows an output, from the beginning or from now on, until `each` fails.
pub fn follow(config: &Config, output: Output, from_beginning: bool, each: &mut Each<'_>) -> Result<(), Failure> {
    match &config.log {
        Log::Embedded(log) => {
            let mut reader = embedded::Reader::open(&log.directory).map_err(fault)?;
            let mut cursor = if from_beginning { Cursor::default() } else { reader.end().map_err(fault)? };
            loop {
                let before = cursor;
                cursor = embedded_step(&mut reader, output, cursor, each)?;
                if cursor == before {
                    std::thread::sleep(WAIT);
                }
            }
        }
        Log::Kafka(kafka) => {
            let mut tail = Tail::output(&kafka_settings(kafka), output, from_beginning).map_err(fault)?;
            loop {
                step(&mut tail, each)?;
            }
        }
    }
}

fn embedded_step(
    reader: &mut embedded::Reader,
    output: Output,
    cursor: Cursor,
    each: &mut Each<'_>,
) -> Result<Cursor, Failure> {
    let mut outcome = Ok(());
    let next = reader.messages(output, cursor, &mut |message| {
        note(&mut outcome, each(message.key, message.value));
        if outcome.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    outcome.and(next.map_err(fault))
}

fn step(tail: &mut Tail, each: &mut Each<'_>) -> Result<(), Failure> {
    let mut outcome = Ok(());
    let read = tail.read(WAIT, &mut |message| {
        note(&mut outcome, each(message.key, message.value));
        ControlFlow::Continue(())
    });
    let _: ControlFlow<()> = read.map_err(|error| Failure::Fault(anyhow::anyhow!(error)))?;
    outcome
}

/// Keeps the first failure.
fn note(outcome: &mut Result<(), Failure>, next: Result<(), Failure>) {
    if outcome.is_ok() {
        *outcome = next;
    }
}
