//! Reading one file of the spool: a thread that frames its records and finds out when each arrived, a chunk or two ahead
//! of who takes them.
//!
//! Arrival is boundaries.md T5: `receivedAt`, else the later of a call's end and the arrival before it in the file; a
//! command arrives at its `at`. The same file gives the same records and arrivals whenever it is read, but for what is
//! ahead of the clock.

use std::fs::File;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use drawdown_engine::log::Input;
use drawdown_engine::worker::AHEAD_MAX_S;
use drawdown_rating::Fault;
use drawdown_units::Timestamp;
use drawdown_wire::command;
use drawdown_wire::framing::{Chunk, Frame, Kind, Layout, Options, Reader};
use drawdown_wire::source::{Context, Decoded, Header, Profile};

use super::super::now;
use super::row::Reading;
use super::{NATIVE, ReadProfile, keyed};

/// Records of a file, with when each arrived.
pub struct Loaded {
    /// The records.
    pub chunk: Chunk,
    /// Of each when it arrived.
    pub arrivals: Vec<Timestamp>,
    /// The header lines of the file, if its records need them.
    pub columns: Option<Arc<str>>,
    /// Whether each stands behind its key.
    pub is_keyed: bool,
}

impl Loaded {
    /// The key of a record, if it has one, and its bytes.
    pub fn record(&self, frame: &Frame) -> (Option<String>, &[u8]) {
        let bytes = self.chunk.bytes(frame);
        if self.is_keyed { keyed::split(bytes) } else { (None, bytes) }
    }
}

/// What a feed gives.
pub enum Event {
    /// The next records.
    Loaded(Loaded),
    /// There are no more; why, if that is not the file's end.
    Ended(Option<String>),
}

/// A file that is being read.
pub struct Feed {
    events: Receiver<Event>,
}

impl Feed {
    /// Begins to read. What is wrong with the file comes as an event.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn begin(
        file: File,
        name: &str,
        input: Input,
        reading: &Reading,
        read_profile: ReadProfile,
    ) -> io::Result<Self> {
        // One chunk waits here, one is being read, one is being taken.
        let (sender, events) = sync_channel(1);
        let (name, reading) = (name.to_owned(), reading.clone());
        let run = move || {
            let read =
                Decoder::new(input, reading, read_profile).and_then(|decoder| decoder.read(file, &name, &sender));
            // Nobody listens any more when the log is closed.
            let _ = sender.send(Event::Ended(read.err()));
        };
        std::thread::Builder::new().name("spool-reader".to_owned()).spawn(run)?;
        Ok(Feed { events })
    }

    /// Waits for the next event.
    pub fn next(&mut self) -> Event {
        let fault = || Event::Ended(Some("reading it broke off by a fault of this program".to_owned()));
        self.events.recv().unwrap_or_else(|_| fault())
    }
}

/// Finds out when records arrived.
enum Decoder {
    Commands,
    Cdrs { profile: Box<Profile>, header: Option<Header>, org: Option<String> },
}

impl Decoder {
    fn new(input: Input, reading: Reading, read_profile: ReadProfile) -> Result<Self, String> {
        if input == Input::Commands {
            return Ok(Decoder::Commands);
        }
        let profile = read_profile(reading.source.as_deref().unwrap_or(NATIVE)).map_err(|faults| listed(&faults))?;
        Ok(Decoder::Cdrs { profile: Box::new(profile), header: None, org: reading.org })
    }

    /// Reads to the end, or as far as someone listens.
    fn read(mut self, file: File, name: &str, sender: &SyncSender<Event>) -> Result<(), String> {
        let is_keyed = keyed::is_keyed(name);
        // A line is one record then: what a page would hold was not let in for the key.
        let layout = if is_keyed { Layout::Lines { header_lines: 0 } } else { self.layout() };
        let mut reader = Reader::new(file, name, Options::new(layout)).map_err(|error| error.to_string())?;
        let mut columns = None;
        let mut before = Timestamp::MIN;
        loop {
            let mut chunk = Chunk::new();
            if !reader.next_chunk(&mut chunk).map_err(|error| error.to_string())? {
                return Ok(());
            }
            if columns.is_none() {
                columns = self.columns(name, reader.header())?;
            }
            let arrivals = Vec::with_capacity(chunk.frames().len());
            let latest = now().plus_seconds(AHEAD_MAX_S);
            let mut loaded = Loaded { chunk, arrivals, columns: columns.clone(), is_keyed };
            for frame in loaded.chunk.frames() {
                let (key, bytes) = loaded.record(frame);
                let arrival = self.arrival(frame, key.as_deref(), bytes, before);
                loaded.arrivals.push(arrival);
                // What a worker puts aside for its broken clock does not move what comes after it.
                if arrival <= latest {
                    before = arrival;
                }
            }
            if sender.send(Event::Loaded(loaded)).is_err() {
                return Ok(());
            }
        }
    }

    fn layout(&self) -> Layout {
        match self {
            Decoder::Commands => Layout::Json { items: Vec::new() },
            Decoder::Cdrs { profile, .. } => profile.layout(),
        }
    }

    /// Takes up the header lines, if there are any.
    fn columns(&mut self, name: &str, lines: &[Vec<u8>]) -> Result<Option<Arc<str>>, String> {
        match self {
            Decoder::Cdrs { profile, header, .. } if !lines.is_empty() => {
                *header = profile.header(name, lines).map_err(|faults| listed(&faults))?;
                Ok(Some(String::from_utf8_lossy(&lines.join(&b'\n')).into()))
            }
            _ => Ok(None),
        }
    }

    /// What cannot be read, or is no call, arrives with what is before it.
    fn arrival(&self, frame: &Frame, key: Option<&str>, bytes: &[u8], before: Timestamp) -> Timestamp {
        if frame.kind != Kind::Whole {
            return before;
        }
        match self {
            Decoder::Commands => command::decode(bytes).map_or(before, |envelope| envelope.at),
            Decoder::Cdrs { profile, header, org } => {
                let context = Context { key, org: org.as_deref(), ..Context::default() };
                match profile.decode(bytes, header.as_ref(), &context) {
                    Ok(Decoded::Cdr(cdr)) => cdr.received.unwrap_or_else(|| {
                        let end = cdr.end.unwrap_or_else(|| cdr.start.plus_seconds(i64::from(cdr.seconds)));
                        end.max(before)
                    }),
                    Ok(Decoded::NotACall) | Err(_) => before,
                }
            }
        }
    }
}

fn listed(faults: &[Fault]) -> String {
    faults.iter().map(Fault::to_string).collect::<Vec<_>>().join("; ")
}
