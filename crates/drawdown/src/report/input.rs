//! Debits and account events as lines: of files, plain or compressed, or of what the pipeline wrote.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender};
use std::thread::JoinHandle;

use clap::Args as ClapArgs;
use drawdown_engine::log::Output;
use drawdown_report::{Line, Lines};
use drawdown_wire::framing::{Chunk, Kind, Layout, Options, Reader};
use indicatif::ProgressBar;

use crate::config::{Config, ConfigArgs};
use crate::exit::Failure;
use crate::outputs::Opened;
use crate::rate::progress_bar;
use crate::verify::path_of;

/// The longest line, as `verify` has it.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Where debits and events are.
#[derive(Debug, ClapArgs)]
pub struct LogArgs {
    /// The directory of debits.jsonl and account-events.jsonl (or .gz, .zst); without it, what the pipeline wrote
    #[arg(value_name = "DIR")]
    dir: Option<PathBuf>,
    /// The debits, where they are not in DIR
    #[arg(long, value_name = "FILE")]
    debits: Option<PathBuf>,
    /// The account events, where they are not in DIR
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
    #[command(flatten)]
    config: ConfigArgs,
}

impl LogArgs {
    /// Opens debits and events, in the order in which they are asked for.
    pub fn open<const N: usize>(&self, outputs: [Output; N]) -> Result<[LogLines; N], Failure> {
        match (&self.dir, &self.debits, &self.events) {
            (None, None, None) => from_pipeline(&self.config, outputs),
            (None, Some(_), None) => Err(Failure::usage("give the events too: --events FILE, or a directory")),
            (None, None, Some(_)) => Err(Failure::usage("give the debits too: --debits FILE, or a directory")),
            _ => {
                let mut lines = Vec::with_capacity(N);
                for output in outputs {
                    lines.push(Box::new(FileLines::open(&self.path(output), progress_of(output))?) as LogLines);
                }
                Ok(lines.try_into().ok().expect("invariant: one for each"))
            }
        }
    }

    fn path(&self, output: Output) -> PathBuf {
        match output {
            Output::Debits => path_of(self.debits.as_ref(), self.dir.as_deref(), "debits.jsonl"),
            _ => path_of(self.events.as_ref(), self.dir.as_deref(), "account-events.jsonl"),
        }
    }

    /// Whether the debits come from a pipe, which can be read only once.
    pub fn are_debits_piped(&self) -> bool {
        self.debits.as_ref().is_some_and(|path| path.as_os_str() == "-")
    }
}

/// Opens the debits in a directory, or a file of them, or those of the pipeline.
pub fn open_debits(path: Option<&Path>, config: &ConfigArgs) -> Result<LogLines, Failure> {
    let Some(path) = path else {
        let [lines] = from_pipeline(config, [Output::Debits])?;
        return Ok(lines);
    };
    let path = if path.is_dir() { path_of(None, Some(path), "debits.jsonl") } else { path.to_owned() };
    Ok(Box::new(FileLines::open(&path, progress_of(Output::Debits))?))
}

fn from_pipeline<const N: usize>(config: &ConfigArgs, outputs: [Output; N]) -> Result<[LogLines; N], Failure> {
    of_pipeline(&Config::load(config)?, outputs, progress_of)
}

/// Opens outputs of the pipeline, as far as they are committed now.
pub fn of_pipeline<const N: usize>(
    config: &Config,
    outputs: [Output; N],
    progress: impl Fn(Output) -> ProgressBar,
) -> Result<[LogLines; N], Failure> {
    let opened = Opened::open(config, outputs)?;
    let mut outputs = outputs.into_iter();
    Ok(opened.map(|opened| {
        let output = outputs.next().expect("invariant: one for each");
        Box::new(PipelineLines::open(opened, output, progress(output))) as LogLines
    }))
}

/// Events are few beside the debits, whose progress is shown.
fn progress_of(output: Output) -> ProgressBar {
    if output == Output::Debits { progress_bar() } else { ProgressBar::hidden() }
}

/// Lines from wherever they are.
pub type LogLines = Box<dyn Lines>;

/// Lines for as long as somebody waits for what is made of them.
pub struct Awaited<'a> {
    lines: LogLines,
    is_gone: &'a AtomicBool,
}

impl<'a> Awaited<'a> {
    /// The same lines, until `is_gone`.
    pub fn new(lines: LogLines, is_gone: &'a AtomicBool) -> Self {
        Awaited { lines, is_gone }
    }
}

impl Lines for Awaited<'_> {
    fn name(&self) -> &str {
        self.lines.name()
    }

    fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        if self.is_gone.load(Ordering::Relaxed) {
            return Err(io::Error::other("nobody waits for them any more"));
        }
        self.lines.next_line()
    }
}

/// How much of an output is handed over at once, and how many such blocks may wait.
const BLOCK_BYTES: usize = 256 << 10;
const BLOCKS_WAITING: usize = 4;

/// The lines of an output of the pipeline, which another thread reads.
pub struct PipelineLines {
    name: &'static str,
    blocks: Receiver<Vec<u8>>,
    reader: Option<JoinHandle<Result<(), Failure>>>,
    block: Vec<u8>,
    /// Where in the block the next line begins.
    next: usize,
    number: u64,
    progress: ProgressBar,
}

impl PipelineLines {
    fn open(opened: Opened, output: Output, progress: ProgressBar) -> Self {
        let (sender, blocks) = mpsc::sync_channel(BLOCKS_WAITING);
        let reader = std::thread::spawn(move || hand_over(opened, &sender));
        let reader = Some(reader);
        PipelineLines { name: output.name(), blocks, reader, block: Vec::new(), next: 0, number: 0, progress }
    }
}

/// Reads until the end, or until nobody wants more.
fn hand_over(opened: Opened, blocks: &SyncSender<Vec<u8>>) -> Result<(), Failure> {
    let mut block = Vec::with_capacity(BLOCK_BYTES);
    let is_wanted = |sent: Result<(), mpsc::SendError<_>>| sent.map_err(|_| Failure::usage("nobody wants more"));
    opened.read(&mut |_, line| {
        block.extend_from_slice(line);
        block.push(b'\n');
        if block.len() < BLOCK_BYTES {
            return Ok(());
        }
        is_wanted(blocks.send(std::mem::replace(&mut block, Vec::with_capacity(BLOCK_BYTES))))
    })?;
    is_wanted(blocks.send(block))
}

impl Lines for PipelineLines {
    fn name(&self) -> &str {
        self.name
    }

    fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        while self.next == self.block.len() {
            let Ok(block) = self.blocks.recv() else {
                let Some(reader) = self.reader.take() else { return Ok(None) };
                let outcome = reader.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
                return outcome.map(|()| None).map_err(|failure| match failure {
                    Failure::Usage(problems) => io::Error::other(problems.join("; ")),
                    Failure::Fault(error) => io::Error::other(error),
                });
            };
            (self.block, self.next) = (block, 0);
        }
        let rest = &self.block[self.next..];
        let length = rest.iter().position(|byte| *byte == b'\n').expect("invariant: each line has its end");
        self.next += length + 1;
        self.number += 1;
        self.progress.inc(1);
        Ok(Some(Line { number: self.number, bytes: &rest[..length] }))
    }
}

impl Drop for PipelineLines {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}

/// The lines of a file; how many there are so far is shown on a terminal.
pub struct FileLines {
    reader: Reader,
    chunk: Chunk,
    next: usize,
    progress: ProgressBar,
}

impl FileLines {
    fn open(path: &Path, progress: ProgressBar) -> Result<Self, Failure> {
        let options = Options { max_record_bytes: LINE_BYTES_MAX, ..Options::new(Layout::Lines { header_lines: 0 }) };
        let reader = Reader::open(path, options).map_err(Failure::usage)?;
        Ok(FileLines { reader, chunk: Chunk::new(), next: 0, progress })
    }
}

impl Lines for FileLines {
    fn name(&self) -> &str {
        self.reader.name()
    }

    fn next_line(&mut self) -> io::Result<Option<Line<'_>>> {
        while self.next == self.chunk.frames().len() {
            self.next = 0;
            if !self.reader.next_chunk(&mut self.chunk)? {
                return Ok(None);
            }
            self.progress.inc(self.chunk.frames().len() as u64);
        }
        let frame = &self.chunk.frames()[self.next];
        self.next += 1;
        if let Kind::TooLarge { length, .. } = frame.kind {
            let problem = format!("{}:{}: a line of {length} bytes is no line of ours", self.reader.name(), frame.line);
            return Err(io::Error::new(io::ErrorKind::InvalidData, problem));
        }
        Ok(Some(Line { number: frame.line, bytes: self.chunk.bytes(frame) }))
    }
}

impl Drop for FileLines {
    fn drop(&mut self) {
        self.progress.finish_and_clear();
    }
}
