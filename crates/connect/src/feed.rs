//! What a connector needs of the log: events to follow, and a place to put commands.

use std::time::Duration;

/// Why the log cannot be followed or written to; the connector tries again later.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct FeedError(pub String);

/// Committed account events, in order within an organisation, from where this connector left off.
pub trait Feed: Send {
    /// The next event, one line of JSON as it is on the wire; `None` if none came within `wait`.
    ///
    /// # Errors
    /// The log cannot be read.
    fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, FeedError>;

    /// Everything that [`Feed::next`] gave so far was handled, durably: it is not given again after a restart.
    ///
    /// # Errors
    /// The place cannot be kept.
    fn commit(&mut self) -> Result<(), FeedError>;

    /// Whether everything was given that was there when the feed was opened. Before that, what is given may be history.
    fn is_caught_up(&mut self) -> bool {
        true
    }

    /// When the event that was given last came onto the log, in milliseconds since 1970; `None` if the log does not say.
    fn logged_ms(&self) -> Option<i64> {
        None
    }

    /// How many events wait behind the one that was given last, as far as is known.
    fn waiting(&mut self) -> u64 {
        0
    }

    /// Called now and then in a long pause, in which nothing is asked for: a log that gives the rest to others where its
    /// reader is silent for too long sees that it is there.
    fn look(&mut self) {}
}

/// Where commands go.
pub trait Orders: Send {
    /// Puts one command on the log, one object of JSON as it is on the wire. `Ok` says that it is durable there.
    ///
    /// # Errors
    /// The log cannot be written to; whether the command is on it is not known, and it is sent again under the same id.
    fn send(&mut self, org: &str, command: &[u8]) -> Result<(), FeedError>;
}

impl<F: Feed + ?Sized> Feed for Box<F> {
    fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, FeedError> {
        (**self).next(wait)
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        (**self).commit()
    }

    fn is_caught_up(&mut self) -> bool {
        (**self).is_caught_up()
    }

    fn logged_ms(&self) -> Option<i64> {
        (**self).logged_ms()
    }

    fn waiting(&mut self) -> u64 {
        (**self).waiting()
    }

    fn look(&mut self) {
        (**self).look();
    }
}

impl<O: Orders + ?Sized> Orders for Box<O> {
    fn send(&mut self, org: &str, command: &[u8]) -> Result<(), FeedError> {
        (**self).send(org, command)
    }
}
