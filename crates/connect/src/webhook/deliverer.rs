//! One endpoint's events, in order.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::client::{Answer, Client, Failure};
use super::endpoint::Endpoint;
use super::retries::Retries;
use crate::dead::{Channel, DeadLetter, DeadLetters, bury, now};
use crate::feed::Feed;
use crate::follow::{Handled, Pauses, follow};
use crate::notice::Notice;
use crate::stop::Stop;
use crate::times::Times;

/// What came of events so far, for whoever counts.
#[derive(Debug, Default)]
pub struct Counts {
    /// Taken by the endpoint.
    pub delivered: AtomicU64,
    /// Requests that failed and are made again, each of them.
    pub retried: AtomicU64,
    /// Given up, and among the dead letters.
    pub dead: AtomicU64,
    /// Lines of the log that are no account events.
    pub undecodable: AtomicU64,
    /// 1 once the endpoint said that it is gone.
    pub gone: AtomicU64,
    /// How long requests took, whatever came of them.
    pub took: Times,
}

/// Why a deliverer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// It was asked to.
    Stopped,
    /// The endpoint is gone (410). Its place is kept: taken up again, it is asked once more, with the same event.
    Gone,
}

/// Sends the events of one feed to one endpoint.
pub struct Deliverer<F> {
    feed: F,
    sender: Sender,
}

/// All but the feed.
struct Sender {
    endpoint: Endpoint,
    client: Client,
    retries: Retries,
    dead: Arc<dyn DeadLetters>,
    counts: Arc<Counts>,
}

impl<F: Feed> Deliverer<F> {
    /// A deliverer. The feed is this endpoint's own.
    pub fn new(endpoint: Endpoint, feed: F, client: Client, retries: Retries, dead: Arc<dyn DeadLetters>) -> Self {
        Deliverer { feed, sender: Sender { endpoint, client, retries, dead, counts: Arc::default() } }
    }

    /// What is counted meanwhile.
    pub fn counts(&self) -> Arc<Counts> {
        Arc::clone(&self.sender.counts)
    }

    /// Delivers until it is asked to stop, or the endpoint is gone. What fails in the log is tried again.
    pub fn run(&mut self, stop: &Stop) -> Ended {
        let sender = &self.sender;
        let name = sender.endpoint.name();
        if follow(&mut self.feed, name, stop, |line, pauses| sender.handle(line, pauses)) {
            sender.counts.gone.store(1, Ordering::Relaxed);
            tracing::error!(endpoint = name, "the endpoint is gone (410): nothing is sent to it any more");
            return Ended::Gone;
        }
        Ended::Stopped
    }
}

impl Sender {
    fn handle(&self, line: &[u8], pauses: &mut Pauses<'_>) -> Handled {
        match Notice::read(line) {
            Ok(notice) if self.endpoint.filter().admits(&notice) => self.deliver(&notice, pauses),
            Ok(_) => Handled::PassedOver,
            Err(error) => {
                self.counts.undecodable.fetch_add(1, Ordering::Relaxed);
                tracing::error!(endpoint = self.endpoint.name(), %error, "passed over what is no account event");
                Handled::PassedOver
            }
        }
    }

    fn deliver(&self, notice: &Notice, pauses: &mut Pauses<'_>) -> Handled {
        let id = super::id(notice);
        let mut attempts = 0;
        loop {
            let began = Instant::now();
            let answer = self.client.send(&self.endpoint, &id, notice.line());
            self.counts.took.note(began.elapsed());
            let failure = match answer {
                Answer::Accepted => {
                    self.counts.delivered.fetch_add(1, Ordering::Relaxed);
                    return Handled::Done;
                }
                Answer::Gone => return Handled::Ended,
                Answer::Failed(failure) => failure,
            };
            attempts += 1;
            let Some(pause) = self.retries.pause(attempts, failure.retry_after) else {
                return self.give_up(notice, id, attempts, failure, pauses);
            };
            self.counts.retried.fetch_add(1, Ordering::Relaxed);
            let (endpoint, error, pause_s) = (self.endpoint.name(), &failure.error, pause.as_secs());
            tracing::warn!(endpoint, id, attempts, error, pause_s, "an event was not taken; trying again");
            if pauses.wait(pause) {
                return Handled::Interrupted;
            }
        }
    }

    fn give_up(
        &self,
        notice: &Notice,
        id: String,
        attempts: u32,
        failure: Failure,
        pauses: &mut Pauses<'_>,
    ) -> Handled {
        let endpoint = self.endpoint.name();
        tracing::error!(endpoint, id, attempts, error = failure.error, "an event was given up");
        let letter = DeadLetter {
            channel: Channel::Webhook,
            to: endpoint.to_owned(),
            id,
            body: notice.line().to_owned(),
            status: failure.status,
            error: failure.error,
            attempts,
            at: now(),
        };
        if !bury(self.dead.as_ref(), &letter, pauses) {
            return Handled::Interrupted;
        }
        self.counts.dead.fetch_add(1, Ordering::Relaxed);
        Handled::Done
    }
}

impl<F> fmt::Debug for Deliverer<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deliverer").field("endpoint", &self.sender.endpoint).finish_non_exhaustive()
    }
}
