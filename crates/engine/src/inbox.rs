//! The other end of a log's inputs: where single commands and records are put that come neither from a file nor from
//! another producer.

use crate::log::Input;

/// A command or a record on its way to the log.
#[derive(Clone, PartialEq, Eq)]
pub struct Message {
    /// Which input.
    pub input: Input,
    /// The organisation, where it is known: it decides the partition.
    pub org: Option<String>,
    /// The source profile of a record, as on the command line; that of the configuration, if none is given.
    pub source: Option<String>,
    /// Its bytes, without a line's end.
    pub value: Vec<u8>,
}

impl std::fmt::Debug for Message {
    /// Without its bytes: they hold telephone numbers.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Message").field("input", &self.input).field("org", &self.org).finish_non_exhaustive()
    }
}

/// Why a message is not known to be on the log. It may be there all the same.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAccepted(pub String);

/// Told once, when a message is durably on the log, or is not known to be.
pub type Done = Box<dyn FnOnce(Result<(), NotAccepted>) + Send>;

/// Takes messages, in the order in which it is given them.
pub trait Inbox: Send + Sync {
    /// Puts one message; returns at once. Where the log cannot keep up it is refused: nothing is queued without bound.
    fn put(&self, message: Message, done: Done);
}
