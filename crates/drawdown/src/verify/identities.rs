//! Which records were debited already.
//!
//! Memory is that of the records of two de-duplication windows at most, nine to eighteen bytes each: what is older
//! cannot have been debited again, since it would have been rejected as too late (boundaries.md D1).

use std::collections::HashSet;

use drawdown_units::Timestamp;
use rustc_hash::FxBuildHasher;

/// The longest window there can be, and two days for organisations whose clocks differ.
const WINDOW_DAYS: i64 = 92;

/// Hashes of (source, id): two generations, of which the younger becomes the older after a window.
#[derive(Debug, Default)]
pub struct Identities {
    younger: HashSet<u64, FxBuildHasher>,
    older: HashSet<u64, FxBuildHasher>,
    since_day: Option<i64>,
}

impl Identities {
    /// Whether a record that was debited at `at` had not been debited before.
    pub fn claim(&mut self, identity: u64, at: Timestamp) -> bool {
        let since_day = *self.since_day.get_or_insert(at.day());
        if at.day() - since_day > WINDOW_DAYS {
            self.older = std::mem::take(&mut self.younger);
            self.since_day = Some(at.day());
        }
        !self.older.contains(&identity) && self.younger.insert(identity)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_claim_within_the_window_is_seen() {
        let at = |day: i64| Timestamp::from_parts(day * 86_400, 0);
        let mut identities = Identities::default();
        assert!(identities.claim(1, at(100)));
        assert!(!identities.claim(1, at(100)));
        assert!(identities.claim(2, at(193)));
        assert!(!identities.claim(1, at(193)), "the generation before is still known");
        assert!(identities.claim(3, at(300)));
        assert!(!identities.claim(2, at(280)), "an older clock does not forget");
    }
}
