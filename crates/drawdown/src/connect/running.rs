//! Connectors at work, and what is carried over from what they count to the metrics.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::JoinHandle;

use drawdown_api::meters::{ConnectorMeters, DeadLetterMeters, clock};
use drawdown_connect::dead::{Channel, DeadLetters, FileDeadLetters, Mark};
use drawdown_connect::lag::Lag;

/// One connector at work.
pub struct Running {
    pub thread: JoinHandle<()>,
    pub lag: Arc<Lag>,
    pub meters: ConnectorMeters,
    /// Carries over what it counted, and says how many lines it could not read.
    pub counted: Box<dyn Fn() -> u64>,
}

impl Running {
    /// Shows how it stands, and what it counted.
    pub fn look(&self) {
        let (age, undecodable) = (self.lag.age(clock().milliseconds()), (self.counted)());
        self.meters.update(!self.thread.is_finished(), self.lag.events(), age, undecodable);
    }
}

/// What a counter says.
pub fn count(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}

/// Dead letters, counted again whenever their files have changed: the command line changes them too.
pub struct LettersWatch {
    letters: Arc<FileDeadLetters>,
    meters: DeadLetterMeters,
    /// The files as they were when letters were counted last.
    mark: Option<Mark>,
}

impl LettersWatch {
    pub fn new(letters: Arc<FileDeadLetters>, meters: DeadLetterMeters) -> Self {
        LettersWatch { letters, meters, mark: None }
    }

    pub fn look(&mut self) {
        let mark = Some(self.letters.mark());
        if mark == self.mark {
            return;
        }
        self.mark = mark;
        match self.letters.all() {
            Ok(letters) => {
                let by = |channel| letters.iter().filter(|letter| letter.channel == channel).count();
                self.meters.update([by(Channel::Mail), by(Channel::Webhook)]);
            }
            Err(error) => tracing::warn!(%error, "dead letters are not counted"),
        }
    }
}
