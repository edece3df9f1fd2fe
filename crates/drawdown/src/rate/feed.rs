//! The inputs of a run: readers that are kept one chunk ahead, and what is loaded of each.
//!
//! Reading is apart from what was read, so that the next chunks are read while the loaded ones are decoded.

use std::path::{Path, PathBuf};

use drawdown_units::Timestamp;
use drawdown_wire::command::{self, Envelope};
use drawdown_wire::framing::{Chunk, Frame, Layout, Options, Reader};
use drawdown_wire::source::{Header, Profile};
use drawdown_wire::{Rejection, framing};

use crate::exit::Failure;

/// One open input.
pub struct Feed {
    reader: Reader,
    /// Read ahead.
    next: Option<Chunk>,
    spare: Chunk,
    ended: bool,
}

/// What is loaded of an input of usage records.
pub struct Records {
    /// Its name, for rejects.
    pub file: String,
    /// Its columns, if it has a header line.
    pub header: Option<Header>,
    chunk: Chunk,
    /// The first frame that was not rated yet.
    from: usize,
    /// The arrival of the last record rated (boundaries.md T5).
    pub arrival: Timestamp,
    ended: bool,
}

/// What is loaded of an input of commands: decoded, since they are few and own what they hold.
#[derive(Default)]
pub struct Commands {
    /// Its name, for rejects.
    pub file: String,
    /// Decoded commands, next one last.
    pub pending: Vec<PendingCommand>,
    ended: bool,
}

/// One line of a command file.
pub struct PendingCommand {
    /// The command, or why it is none.
    pub envelope: Result<Envelope, Rejection>,
    /// When it arrives: its `at`; that of the command before it, if it cannot be read (boundaries.md T5).
    pub arrival: Timestamp,
    /// Its bytes, kept only if it may have to be rejected.
    pub bytes: Vec<u8>,
    /// Where it is.
    pub line: u64,
    /// Where it is.
    pub offset: u64,
}

/// All inputs of a run.
pub struct Feeds {
    /// Readers of usage records, beside `records`.
    pub record_feeds: Vec<Feed>,
    /// What is loaded of them.
    pub records: Vec<Records>,
    /// Readers of commands, beside `commands`.
    command_feeds: Vec<Feed>,
    /// What is loaded of them.
    pub commands: Vec<Commands>,
}

impl Feeds {
    /// Opens every input, so that one that is missing is found before anything is done.
    pub fn open(inputs: &[PathBuf], commands: &[PathBuf], profile: &Profile) -> Result<Self, Failure> {
        let names = |paths: &[PathBuf]| paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        let records = names(inputs).into_iter().map(Records::new);
        let pending = names(commands).into_iter().map(|file| Commands { file, ..Commands::default() });
        Ok(Feeds {
            record_feeds: inputs.iter().map(|path| Feed::open(path, profile.layout())).collect::<Result<_, _>>()?,
            records: records.collect(),
            command_feeds: commands
                .iter()
                .map(|path| Feed::open(path, Layout::Json { items: Vec::new() }))
                .collect::<Result<_, _>>()?,
            commands: pending.collect(),
        })
    }

    /// Loads the next chunk of every input of which nothing is left. `false` when nothing is left of any.
    pub fn load(&mut self, profile: &Profile) -> Result<bool, Failure> {
        for (feed, records) in self.record_feeds.iter_mut().zip(&mut self.records) {
            if records.is_empty() && !records.ended {
                records.load(feed, profile)?;
            }
        }
        for (feed, commands) in self.command_feeds.iter_mut().zip(&mut self.commands) {
            if commands.pending.is_empty() && !commands.ended {
                commands.load(feed)?;
            }
        }
        let records_left = self.records.iter().any(|records| !records.is_empty());
        Ok(records_left || self.commands.iter().any(|commands| !commands.pending.is_empty()))
    }
}

impl Feed {
    fn open(path: &Path, layout: Layout) -> Result<Self, Failure> {
        let reader = Reader::open(path, Options::new(layout)).map_err(Failure::usage)?;
        Ok(Feed { reader, next: None, spare: Chunk::new(), ended: false })
    }

    /// Reads one chunk ahead, if none is.
    pub fn read_ahead(&mut self) -> std::io::Result<()> {
        if self.next.is_none() && !self.ended {
            let mut chunk = std::mem::take(&mut self.spare);
            if self.reader.next_chunk(&mut chunk)? {
                self.next = Some(chunk);
            } else {
                self.ended = true;
            }
        }
        Ok(())
    }

    /// Swaps the next chunk into `chunk`; `false` at the end.
    fn take_next(&mut self, chunk: &mut Chunk) -> std::io::Result<bool> {
        self.read_ahead()?;
        match self.next.take() {
            Some(next) => {
                self.spare = std::mem::replace(chunk, next);
                Ok(true)
            }
            None => Ok(false),
        }
    }
}

impl Records {
    fn new(file: String) -> Self {
        Records { file, header: None, chunk: Chunk::new(), from: 0, arrival: Timestamp::MIN, ended: false }
    }

    fn load(&mut self, feed: &mut Feed, profile: &Profile) -> Result<(), Failure> {
        self.from = 0;
        if !feed.take_next(&mut self.chunk)? {
            self.ended = true;
            self.chunk = Chunk::new();
            return Ok(());
        }
        if self.header.is_none() {
            self.header = profile.header(&self.file, feed.reader.header()).map_err(Failure::faults)?;
        }
        Ok(())
    }

    /// The frames not rated yet.
    pub fn frames(&self) -> &[Frame] {
        &self.chunk.frames()[self.from..]
    }

    /// The bytes of one of its frames.
    pub fn bytes(&self, frame: &Frame) -> &[u8] {
        self.chunk.bytes(frame)
    }

    fn is_empty(&self) -> bool {
        self.frames().is_empty()
    }

    /// Whether more may be read of it.
    pub fn may_go_on(&self) -> bool {
        !self.ended
    }

    /// Notes that `count` frames more were rated, the last of which arrived at `arrival`.
    pub fn advance(&mut self, count: usize, arrival: Timestamp) {
        self.from += count;
        self.arrival = arrival;
    }
}

impl Commands {
    fn load(&mut self, feed: &mut Feed) -> Result<(), Failure> {
        let mut chunk = Chunk::new();
        if !feed.take_next(&mut chunk)? {
            self.ended = true;
            return Ok(());
        }
        let mut arrival = Timestamp::MIN;
        for (frame, bytes) in chunk.iter() {
            let envelope = match frame.kind {
                framing::Kind::Whole => command::decode(bytes),
                framing::Kind::TooLarge { length, .. } => Err(too_large(length)),
            };
            arrival = envelope.as_ref().map_or(arrival, |envelope| envelope.at);
            let (line, offset) = (frame.line, frame.offset);
            self.pending.push(PendingCommand { envelope, arrival, bytes: bytes.to_vec(), line, offset });
        }
        self.pending.reverse();
        Ok(())
    }

    /// Whether more may be read of it.
    pub fn may_go_on(&self) -> bool {
        !self.ended
    }
}

/// The rejection of a record above the limit.
pub fn too_large(length: u64) -> Rejection {
    let detail = format!("{length} bytes; a record may have {} at most", 1 << 20);
    Rejection::new(drawdown_wire::Reason::TooLarge, detail)
}
