//! Requests into the spool: what waits at one moment becomes one file, synced before anybody is answered.
//!
//! Invariant: a message that was said to be accepted is in a file that the spool will read, or was read from one, and its
//! key with it. Files of the inbox are nobody's: read to their end, they are removed instead of kept.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, SyncSender, TrySendError};
use std::thread::JoinHandle;
use std::time::{SystemTime, UNIX_EPOCH};

use drawdown_engine::inbox::{Done, Inbox, Message, NotAccepted};
use drawdown_engine::log::Input;

use super::spool::{Reading, keyed, put};

/// How many messages may wait for the file before theirs.
const WAITING_MAX: usize = 10_000;
/// How much one file may hold, in bytes, but for its last message.
const FILE_BYTES_MAX: usize = 8 << 20;
/// How the names of its files end, before what says that their lines have keys.
const SUFFIX: &str = ".inbox";
/// How they ended before there were keys: an older version may have left some.
const SUFFIX_WITHOUT_KEYS: &str = ".inbox.jsonl";

/// Whether the spool's file of this name is one of an inbox.
pub fn is_ours(name: &str) -> bool {
    name.ends_with(SUFFIX_WITHOUT_KEYS) || name.strip_suffix(keyed::SUFFIX).is_some_and(|name| name.ends_with(SUFFIX))
}

/// An inbox that writes files into the spool of a directory.
pub struct SpoolInbox {
    sender: Option<SyncSender<(Message, Done)>>,
    thread: Option<JoinHandle<()>>,
}

impl SpoolInbox {
    /// Begins to take messages for the log in `directory`.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn start(directory: &Path) -> std::io::Result<Self> {
        let (sender, receiver) = mpsc::sync_channel(WAITING_MAX);
        let directory = directory.to_owned();
        let thread =
            std::thread::Builder::new().name("inbox".to_owned()).spawn(move || write_all(&directory, &receiver))?;
        Ok(SpoolInbox { sender: Some(sender), thread: Some(thread) })
    }
}

impl Inbox for SpoolInbox {
    fn put(&self, message: Message, done: Done) {
        let Some(sender) = &self.sender else { return };
        match sender.try_send((message, done)) {
            Ok(()) => {}
            Err(TrySendError::Full((_, done))) => {
                done(Err(NotAccepted("too many requests wait for the disk".to_owned())))
            }
            Err(TrySendError::Disconnected((_, done))) => done(Err(NotAccepted("the inbox has ended".to_owned()))),
        }
    }
}

impl Drop for SpoolInbox {
    fn drop(&mut self) {
        self.sender = None;
        if self.thread.take().is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the inbox had failed before it was stopped");
        }
    }
}

/// Messages of one file.
struct Gathered {
    input: Input,
    source: Option<String>,
    lines: Vec<u8>,
    waiting: Vec<Done>,
}

impl Gathered {
    fn is_of(&self, message: &Message) -> bool {
        self.input == message.input && self.source == message.source && self.lines.len() < FILE_BYTES_MAX
    }

    fn push(&mut self, message: &Message, done: Done) {
        keyed::push(&mut self.lines, message.org.as_deref(), &message.value);
        self.waiting.push(done);
    }

    fn write(mut self, directory: &Path) {
        let reading = Reading { source: self.source.take(), org: None };
        let placed = put(directory, self.input, &name(), &reading, &mut &self.lines[..]);
        let result = placed.map(|_: PathBuf| ()).map_err(|error| NotAccepted(error.to_string()));
        if let Err(error) = &result {
            tracing::error!("requests cannot be put into the spool: {error}");
        }
        self.waiting.into_iter().for_each(|done| done(result.clone()));
    }
}

fn write_all(directory: &Path, receiver: &Receiver<(Message, Done)>) {
    while let Ok(first) = receiver.recv() {
        let mut gathered: Vec<Gathered> = Vec::new();
        let mut size_bytes = 0;
        let mut next = Some(first);
        while let Some((message, done)) = next {
            size_bytes += message.value.len();
            match gathered.iter_mut().rev().find(|held| held.is_of(&message)) {
                Some(held) => held.push(&message, done),
                None => {
                    let (input, source) = (message.input, message.source.clone());
                    let mut held = Gathered { input, source, lines: Vec::new(), waiting: Vec::new() };
                    held.push(&message, done);
                    gathered.push(held);
                }
            }
            next = if size_bytes < FILE_BYTES_MAX { receiver.try_recv().ok() } else { None };
        }
        gathered.into_iter().for_each(|held| held.write(directory));
    }
}

/// A name that no other file of an inbox has.
fn name() -> String {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_nanos();
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    format!("{now}-{}-{number}{SUFFIX}{}", std::process::id(), keyed::SUFFIX)
}
