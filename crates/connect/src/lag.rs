//! How far a connector is behind the log: told by its feed as it goes, read by whoever watches.
//!
//! Events that were read and not let go of are behind too: a connector that waits for somebody else for hours says so.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::feed::{Feed, FeedError};

/// How often it is looked how many events wait in the log: while they come, and in a long pause.
pub(crate) const LOOK_INTERVAL: Duration = Duration::from_secs(5);

/// How far one connector is behind.
#[derive(Debug, Default)]
pub struct Lag {
    /// Read, and not let go of.
    in_hand: AtomicU64,
    /// When the oldest of those came onto the log: milliseconds since 1970, 0 if there is none, or the log does not say.
    oldest_ms: AtomicI64,
    /// Not read yet.
    waiting: AtomicU64,
}

impl Lag {
    /// How many events were committed and not let go of.
    pub fn events(&self) -> u64 {
        self.in_hand.load(Ordering::Relaxed) + self.waiting.load(Ordering::Relaxed)
    }

    /// How long ago, at `now_ms`, the oldest of those that were read came onto the log; nothing if all were let go of.
    pub fn age(&self, now_ms: i64) -> Duration {
        match self.oldest_ms.load(Ordering::Relaxed) {
            0 => Duration::ZERO,
            oldest_ms => Duration::from_millis(u64::try_from(now_ms.saturating_sub(oldest_ms)).unwrap_or(0)),
        }
    }

    fn took(&self, logged_ms: Option<i64>) {
        if self.in_hand.fetch_add(1, Ordering::Relaxed) == 0 {
            self.oldest_ms.store(logged_ms.unwrap_or(0), Ordering::Relaxed);
        }
        let _ = self.waiting.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |count| count.checked_sub(1));
    }

    fn let_go(&self) {
        self.in_hand.store(0, Ordering::Relaxed);
        self.oldest_ms.store(0, Ordering::Relaxed);
    }
}

/// A feed that tells how far behind it is.
#[derive(Debug)]
pub struct Measured<F> {
    feed: F,
    lag: Arc<Lag>,
    looked: Option<Instant>,
}

impl<F: Feed> Measured<F> {
    /// This feed, measured.
    pub fn new(feed: F) -> Self {
        Measured { feed, lag: Arc::default(), looked: None }
    }

    /// How far behind it is.
    pub fn lag(&self) -> Arc<Lag> {
        Arc::clone(&self.lag)
    }

    fn is_due(&self) -> bool {
        self.looked.is_none_or(|looked| looked.elapsed() >= LOOK_INTERVAL)
    }

    fn count(&mut self) {
        self.looked = Some(Instant::now());
        self.lag.waiting.store(self.feed.waiting(), Ordering::Relaxed);
    }
}

impl<F: Feed> Feed for Measured<F> {
    fn next(&mut self, wait: Duration) -> Result<Option<Vec<u8>>, FeedError> {
        let line = self.feed.next(wait)?;
        if line.is_some() {
            self.lag.took(self.feed.logged_ms());
            if self.is_due() {
                self.count();
            }
        } else {
            // There is time, and mostly nothing to count.
            self.count();
        }
        Ok(line)
    }

    fn commit(&mut self) -> Result<(), FeedError> {
        self.feed.commit()?;
        self.lag.let_go();
        Ok(())
    }

    fn is_caught_up(&mut self) -> bool {
        self.feed.is_caught_up()
    }

    fn logged_ms(&self) -> Option<i64> {
        self.feed.logged_ms()
    }

    fn waiting(&mut self) -> u64 {
        self.feed.waiting()
    }

    fn look(&mut self) {
        if self.is_due() {
            self.feed.look();
            self.count();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers, each a second after the one before it.
    struct Numbers {
        given: u64,
        count: u64,
        looks: u32,
    }

    impl Feed for Numbers {
        fn next(&mut self, _: Duration) -> Result<Option<Vec<u8>>, FeedError> {
            self.given += u64::from(self.given < self.count);
            Ok((self.given < self.count).then(|| vec![0]))
        }

        fn commit(&mut self) -> Result<(), FeedError> {
            if self.given == self.count { Err(FeedError("full".to_owned())) } else { Ok(()) }
        }

        fn logged_ms(&self) -> Option<i64> {
            Some(self.given as i64 * 1000)
        }

        fn waiting(&mut self) -> u64 {
            self.count - self.given
        }

        fn look(&mut self) {
            self.looks += 1;
        }
    }

    #[test]
    fn what_was_read_is_behind_until_it_is_let_go_of() {
        let mut feed = Measured::new(Numbers { given: 0, count: 4, looks: 0 });
        let lag = feed.lag();
        let shown = |now_s: i64| (lag.events(), lag.age(now_s * 1000).as_secs());
        assert_eq!(shown(10), (0, 0));
        feed.next(Duration::ZERO).unwrap();
        assert_eq!(shown(10), (4, 9), "one in hand, three wait");
        feed.next(Duration::ZERO).unwrap();
        assert_eq!(shown(20), (4, 19), "the older one counts");
        feed.commit().unwrap();
        assert_eq!(shown(20), (2, 0));
        feed.next(Duration::ZERO).unwrap();
        assert_eq!(shown(2), (2, 0), "never before its time");
        assert!(feed.next(Duration::ZERO).unwrap().is_none() && feed.commit().is_err());
        assert_eq!(shown(20), (1, 17), "what could not be let go of is behind");
    }

    #[test]
    fn a_pause_is_told_to_the_log_and_reading_is_not() {
        let mut feed = Measured::new(Numbers { given: 0, count: 4, looks: 0 });
        feed.next(Duration::ZERO).unwrap();
        feed.look();
        assert_eq!(feed.feed.looks, 0, "it was read just now");
        feed.looked = None;
        feed.next(Duration::ZERO).unwrap();
        feed.looked = None;
        feed.look();
        feed.look();
        assert_eq!(feed.feed.looks, 1);
    }
}
