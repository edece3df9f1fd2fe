//! Following a feed: the one loop of all who tell others of events.
//!
//! Invariant: the place moves only past events that were done with; whoever is stopped in the middle of one gets it again.

use std::time::Duration;

use crate::feed::{Feed, FeedError};
use crate::lag::LOOK_INTERVAL;
use crate::stop::Stop;

/// How long one wait for an event is, at most: so often it is looked whether to stop.
const WAIT: Duration = Duration::from_millis(500);

/// So many events that were passed over are let go of together.
const PASSED_OVER_MAX: u32 = 1000;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Handled {
    /// Something was done: let go of it at once, or a crash would have it done again.
    Done,
    /// Nothing was to be done.
    PassedOver,
    /// Stopped in the middle.
    Interrupted,
    /// Neither this nor any other event is to be handled.
    Ended,
}

/// Pauses in the middle of an event.
pub(crate) struct Pauses<'a> {
    feed: &'a mut dyn Feed,
    stop: &'a Stop,
    look_interval: Duration,
}

impl Pauses<'_> {
    /// Waits for so long, or until it is time to end. Returns whether it is.
    pub fn wait(&mut self, how_long: Duration) -> bool {
        let mut left = how_long;
        while left > self.look_interval {
            if self.stop.wait(self.look_interval) {
                return true;
            }
            self.feed.look();
            left -= self.look_interval;
        }
        self.stop.wait(left)
    }
}

/// Pauses that double, up to a bound.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    first: Duration,
    max: Duration,
    next: Duration,
}

impl Backoff {
    pub fn new(first: Duration, max: Duration) -> Self {
        Backoff { first, max, next: first.min(max) }
    }

    pub fn next(&mut self) -> Duration {
        let pause = self.next;
        self.next = (pause * 2).min(self.max);
        pause
    }

    pub fn reset(&mut self) {
        self.next = self.first.min(self.max);
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff::new(Duration::from_millis(500), Duration::from_secs(60))
    }
}

/// Hands every event of the feed to `handle`, until it is asked to stop (`false`) or `handle` ends it (`true`). What fails
/// in the log is tried again. `who` is named where that is logged.
pub(crate) fn follow(
    feed: &mut dyn Feed,
    who: &str,
    stop: &Stop,
    mut handle: impl FnMut(&[u8], &mut Pauses<'_>) -> Handled,
) -> bool {
    let mut backoff = Backoff::default();
    let mut passed_over = 0;
    while !stop.is_asked() {
        match step(feed, stop, &mut passed_over, &mut handle) {
            Ok(Handled::Ended) => return true,
            Ok(Handled::Interrupted) => return false,
            Ok(Handled::Done | Handled::PassedOver) => backoff.reset(),
            Err(error) => {
                tracing::warn!(who, %error, "cannot follow account events; trying again");
                stop.wait(backoff.next());
            }
        }
    }
    if passed_over > 0
        && let Err(error) = feed.commit()
    {
        tracing::warn!(who, %error, "cannot keep the place; some events will be looked at again");
    }
    false
}

fn step(
    feed: &mut dyn Feed,
    stop: &Stop,
    passed_over: &mut u32,
    handle: &mut impl FnMut(&[u8], &mut Pauses<'_>) -> Handled,
) -> Result<Handled, FeedError> {
    let handled = match feed.next(WAIT)? {
        Some(line) => handle(&line, &mut Pauses { feed: &mut *feed, stop, look_interval: LOOK_INTERVAL }),
        None if *passed_over == 0 => return Ok(Handled::PassedOver),
        None => Handled::Done,
    };
    match handled {
        Handled::PassedOver if *passed_over < PASSED_OVER_MAX => *passed_over += 1,
        Handled::PassedOver | Handled::Done => {
            // Counted until it is committed, so that a failure is made good at the next occasion.
            *passed_over = PASSED_OVER_MAX;
            feed.commit()?;
            *passed_over = 0;
        }
        Handled::Interrupted | Handled::Ended => {}
    }
    Ok(handled)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{Backoff, Handled, Pauses, follow};
    use crate::feed::{Feed, FeedError};
    use crate::stop::Stop;

    /// Gives the numbers up to a last one, then asks to stop.
    struct Numbers {
        next: u8,
        last: u8,
        committed: Vec<u8>,
        stop: Stop,
    }

    impl Feed for Numbers {
        fn next(&mut self, _: Duration) -> Result<Option<Vec<u8>>, FeedError> {
            if self.next == self.last {
                self.stop.ask();
                return Ok(None);
            }
            self.next += 1;
            Ok(Some(vec![self.next]))
        }

        fn commit(&mut self) -> Result<(), FeedError> {
            self.committed.push(self.next);
            Ok(())
        }
    }

    fn run(last: u8, mut handle: impl FnMut(&[u8]) -> Handled) -> (bool, Vec<u8>) {
        let stop = Stop::new();
        let mut feed = Numbers { next: 0, last, committed: Vec::new(), stop: stop.clone() };
        let ended = follow(&mut feed, "test", &stop, |line, _| handle(line));
        (ended, feed.committed)
    }

    #[test]
    fn what_was_done_is_let_go_of_at_once_and_the_rest_when_there_is_time() {
        let handle = |line: &[u8]| if line[0] == 3 { Handled::Done } else { Handled::PassedOver };
        assert_eq!(run(5, handle), (false, vec![3, 5]));
        assert_eq!(run(3, handle), (false, vec![3]));
    }

    #[test]
    fn what_was_not_done_with_is_not_let_go_of() {
        for handled in [Handled::Interrupted, Handled::Ended] {
            let handle = |line: &[u8]| if line[0] == 3 { handled } else { Handled::PassedOver };
            assert_eq!(run(5, handle), (handled == Handled::Ended, vec![]));
        }
    }

    #[test]
    fn the_feed_looks_at_the_log_in_long_pauses_only() {
        struct Looking(u32);
        impl Feed for Looking {
            fn next(&mut self, _: Duration) -> Result<Option<Vec<u8>>, FeedError> {
                Ok(None)
            }

            fn commit(&mut self) -> Result<(), FeedError> {
                Ok(())
            }

            fn look(&mut self) {
                self.0 += 1;
            }
        }
        let (mut feed, stop) = (Looking(0), Stop::new());
        assert!(
            !Pauses { feed: &mut feed, stop: &stop, look_interval: Duration::from_millis(4) }
                .wait(Duration::from_millis(3))
        );
        assert_eq!(feed.0, 0);
        assert!(
            !Pauses { feed: &mut feed, stop: &stop, look_interval: Duration::from_millis(1) }
                .wait(Duration::from_millis(3))
        );
        assert_eq!(feed.0, 2);
        stop.ask();
        assert!(Pauses { feed: &mut feed, stop: &stop, look_interval: Duration::from_millis(1) }.wait(Duration::MAX));
        assert_eq!(feed.0, 2);
    }

    #[test]
    fn pauses_double_up_to_a_bound() {
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));
        let pauses: Vec<_> = std::iter::repeat_with(|| backoff.next().as_secs()).take(5).collect();
        assert_eq!(pauses, [1, 2, 4, 5, 5]);
        backoff.reset();
        assert_eq!(backoff.next().as_secs(), 1);
    }
}
