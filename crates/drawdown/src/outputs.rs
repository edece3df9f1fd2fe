//! Outputs of the pipeline as committed, read from whichever log it runs on.

use std::ops::{ControlFlow, Range};
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

/// Behind everything.
const END: Cursor = Cursor { block: u64::MAX, index: u32::MAX };

fn fault(error: impl std::error::Error + Send + Sync + 'static) -> Failure {
    Failure::Fault(error.into())
}

/// An output as far as it was committed when it was opened.
pub enum Opened {
    Embedded { reader: Box<embedded::Reader>, output: Output, end: Cursor },
    Kafka(Box<Tail>),
}

impl Opened {
    /// Opens outputs, all up to one moment of an embedded log; Kafka's topics each up to where it ends then, the first first.
    pub fn open<const N: usize>(config: &Config, outputs: [Output; N]) -> Result<[Self; N], Failure> {
        let mut opened = Vec::with_capacity(N);
        let mut end = None;
        for output in outputs {
            opened.push(match &config.log {
                Log::Embedded(log) => {
                    let reader = Box::new(embedded::Reader::open(&log.directory).map_err(fault)?);
                    let end = *end.get_or_insert(reader.end().map_err(fault)?);
                    Opened::Embedded { reader, output, end }
                }
                Log::Kafka(kafka) => {
                    let tail = Tail::output(&kafka_settings(kafka), output, true).map_err(fault)?;
                    Opened::Kafka(Box::new(tail))
                }
            });
        }
        Ok(opened.try_into().ok().expect("invariant: one for each"))
    }

    /// Reads it from its beginning; of accounts every state that was, the latest of each last.
    pub fn read(self, each: &mut Each<'_>) -> Result<(), Failure> {
        match self {
            Opened::Embedded { mut reader, output: Output::Accounts, .. } => {
                read_embedded(&mut reader, Output::Accounts, each)
            }
            Opened::Embedded { mut reader, output, end } => {
                embedded_step(&mut reader, output, Cursor::default()..end, each).map(|_| ())
            }
            Opened::Kafka(mut tail) => {
                while !tail.is_caught_up() {
                    step(&mut tail, each)?;
                }
                Ok(())
            }
        }
    }
}

/// Reads everything that is committed of an output; of accounts every state that was, the latest of each last.
pub fn read_all(config: &Config, output: Output, each: &mut Each<'_>) -> Result<(), Failure> {
    let [opened] = Opened::open(config, [output])?;
    opened.read(each)
}

/// Reads everything that is committed of an output of an embedded log.
pub fn read_embedded(reader: &mut embedded::Reader, output: Output, each: &mut Each<'_>) -> Result<(), Failure> {
    let mut outcome = Ok(());
    if output == Output::Accounts {
        reader.accounts(&mut |key, value| note(&mut outcome, each(key, value))).map_err(fault)?;
    } else {
        embedded_step(reader, output, Cursor::default()..END, each)?;
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
                cursor = embedded_step(&mut reader, output, cursor..END, each)?;
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
    cursors: Range<Cursor>,
    each: &mut Each<'_>,
) -> Result<Cursor, Failure> {
    let mut outcome = Ok(());
    let next = reader.messages(output, cursors.start, &mut |message| {
        if message.next > cursors.end {
            return ControlFlow::Break(());
        }
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
