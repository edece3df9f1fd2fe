//! Which records were debited already.
//!
//! Memory is that of the records of two de-duplication windows at most, sixteen to thirty bytes each: what is older
//! cannot have been debited again, since it would have been rejected as too late (boundaries.md D1).

use std::collections::HashMap;

use drawdown_units::Timestamp;
use rustc_hash::FxBuildHasher;

/// The longest window there can be, and two days for organisations whose clocks differ.
const WINDOW_DAYS: i64 = 92;
/// The shortest: an id whose call is older may be forgotten, and come again with another call.
const WINDOW_DAYS_MIN: i64 = 7;

/// Hashes of (source, id) with the day of the call's start: two generations, of which the younger becomes the older
/// after a window.
#[derive(Debug, Default)]
pub struct Identities {
    younger: HashMap<u64, i32, FxBuildHasher>,
    older: HashMap<u64, i32, FxBuildHasher>,
    since_day: Option<i64>,
}

impl Identities {
    /// Whether a record of a call of `started` that was debited at `at` had not been debited before.
    pub fn claim(&mut self, identity: u64, at: Timestamp, started: Timestamp) -> bool {
        let since_day = *self.since_day.get_or_insert(at.day());
        if at.day() - since_day > WINDOW_DAYS {
            self.older = std::mem::take(&mut self.younger);
            self.since_day = Some(at.day());
        }
        let day = started.day() as i32;
        let before = self.older.remove(&identity).into_iter().chain(self.younger.insert(identity, day));
        before.max().is_none_or(|before| i64::from(day) - i64::from(before) > WINDOW_DAYS_MIN)
    }

    /// A debit of the record was taken back; whether there was one.
    pub fn release(&mut self, identity: u64) -> bool {
        let held = [self.younger.remove(&identity), self.older.remove(&identity)];
        held.iter().any(Option::is_some)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_within_the_window_is_seen() {
        let day = |day: i64| Timestamp::from_parts(day * 86_400, 0);
        let mut identities = Identities::default();
        let mut claim = |identity, at, started| identities.claim(identity, day(at), day(started));
        assert!(claim(1, 100, 100));
        assert!(!claim(1, 100, 100));
        assert!(claim(2, 193, 192));
        assert!(!claim(1, 193, 100), "the generation before is still known");
        assert!(claim(1, 193, 193), "an older call's id comes again with another call");
        assert!(claim(3, 300, 300));
        assert!(!claim(2, 280, 192), "an older clock does not forget");
        assert!(identities.release(2) && !identities.release(2), "taken back once");
        assert!(identities.claim(2, day(280), day(192)));
    }
}
