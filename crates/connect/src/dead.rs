//! What could not be told to anybody, kept for somebody to look at and to send again.
//!
//! Invariant: a connector passes an event over only after its letter is durable here. A letter holds everything that
//! sending it again takes; it may be here twice, where the connector died in between, and is told apart by its key.

mod file;

use serde::{Deserialize, Serialize};

use crate::follow::{Backoff, Pauses};

pub use file::{FileDeadLetters, Limits, Mark};

/// How it was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Channel {
    /// By an HTTP request; `to` is the name of an endpoint.
    Webhook,
    /// By mail; `to` is an address.
    Mail,
}

/// One event that one addressee did not get.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct DeadLetter {
    /// How it was tried.
    pub channel: Channel,
    /// To whom.
    pub to: String,
    /// Under which id: `webhook-id`, or `Message-ID`.
    pub id: String,
    /// The account event, as it was on the log.
    pub body: String,
    /// What the other side answered last, if it answered.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub status: Option<u16>,
    /// What went wrong last.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was given up, RFC 3339.
    pub at: String,
}

impl DeadLetter {
    /// What is the same in every copy of one letter.
    pub fn key(&self) -> (Channel, &str, &str) {
        (self.channel, &self.to, &self.id)
    }
}

/// Why letters cannot be kept or read; tried again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct DeadLetterError(pub String);

/// Where letters are kept.
pub trait DeadLetters: Send + Sync {
    /// Keeps one. `Ok` says that it is durable.
    ///
    /// # Errors
    /// It may be lost.
    fn put(&self, letter: &DeadLetter) -> Result<(), DeadLetterError>;

    /// All of them, in the order in which they were put; of several copies the first.
    ///
    /// # Errors
    /// They cannot be read.
    fn all(&self) -> Result<Vec<DeadLetter>, DeadLetterError>;

    /// Removes every copy of these.
    ///
    /// # Errors
    /// Some of them may still be there.
    fn remove(&self, letters: &[DeadLetter]) -> Result<(), DeadLetterError>;
}

/// What came of sending letters again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Replayed {
    /// Arrived, and are removed.
    pub sent: usize,
    /// Did not arrive, and stay.
    pub failed: usize,
    /// Stay untried: another way, or an addressee that nobody knows any more.
    pub passed_over: usize,
}

/// The time of day, as letters tell it.
pub(crate) fn now() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    drawdown_units::Timestamp::from_parts(i64::try_from(since.as_secs()).unwrap_or(i64::MAX), 0).to_string()
}

/// Keeps a letter, however long it takes; `false` if it was asked to stop before that was done.
pub(crate) fn bury(dead: &dyn DeadLetters, letter: &DeadLetter, pauses: &mut Pauses<'_>) -> bool {
    let mut backoff = Backoff::default();
    while let Err(error) = dead.put(letter) {
        tracing::error!(to = letter.to, id = letter.id, %error, "cannot keep a dead letter; trying again");
        if pauses.wait(backoff.next()) {
            return false;
        }
    }
    true
}
