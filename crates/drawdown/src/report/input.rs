//! Debits and account events as lines of files, plain or compressed.

use std::io;
use std::path::{Path, PathBuf};

use clap::Args as ClapArgs;
use drawdown_report::{Line, Lines};
use drawdown_wire::framing::{Chunk, Kind, Layout, Options, Reader};
use indicatif::ProgressBar;

use crate::exit::Failure;
use crate::rate::progress_bar;
use crate::verify::path_of;

/// The longest line, as `verify` has it.
const LINE_BYTES_MAX: usize = 64 << 20;

/// Where debits and events are.
#[derive(Debug, ClapArgs)]
pub struct LogArgs {
    /// The directory of debits.jsonl and account-events.jsonl (or .gz, .zst)
    #[arg(value_name = "DIR", required_unless_present_all = ["debits", "events"])]
    dir: Option<PathBuf>,
    /// The debits, where they are not in DIR
    #[arg(long, value_name = "FILE")]
    debits: Option<PathBuf>,
    /// The account events, where they are not in DIR
    #[arg(long, value_name = "FILE")]
    events: Option<PathBuf>,
}

impl LogArgs {
    /// Opens the debits.
    pub fn open_debits(&self) -> Result<FileLines, Failure> {
        FileLines::open(&self.debits_path(), progress_bar())
    }

    fn debits_path(&self) -> PathBuf {
        path_of(self.debits.as_ref(), self.dir.as_deref(), "debits.jsonl")
    }

    /// Whether the debits come from a pipe, which can be read only once.
    pub fn are_debits_piped(&self) -> bool {
        self.debits_path().as_os_str() == "-"
    }

    /// Opens the events.
    pub fn open_events(&self) -> Result<FileLines, Failure> {
        let path = path_of(self.events.as_ref(), self.dir.as_deref(), "account-events.jsonl");
        // Few beside the debits, whose progress is shown.
        FileLines::open(&path, ProgressBar::hidden())
    }
}

/// Opens the debits in a directory, or a file of them.
pub fn open_debits(path: &Path) -> Result<FileLines, Failure> {
    let path = if path.is_dir() { path_of(None, Some(path), "debits.jsonl") } else { path.to_owned() };
    FileLines::open(&path, progress_bar())
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
