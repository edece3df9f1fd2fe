//! When batches were on their way to the log: what leads from an identity to the place where its debit can be read.
//!
//! Sparse, so that it costs little beside the identities themselves: an entry for a thousand of them, or for a minute.
//! Whoever reads starts at the entry before the batch and meets some others first.

use std::collections::VecDeque;

use drawdown_units::Timestamp;

/// Entries, in order of their batches.
#[derive(Debug, Default)]
pub(super) struct Transactions {
    entries: VecDeque<(u32, Timestamp)>,
    /// Identities claimed since the last entry.
    claimed: usize,
}

const CLAIMS_AN_ENTRY: usize = 1_000;
const SECONDS_AN_ENTRY: i64 = 60;

impl Transactions {
    /// Notes that a batch which claimed `claimed` identities is on its way at `now`.
    pub fn note(&mut self, transaction: u32, now: Timestamp, claimed: usize) {
        let is_first_after = |(_, at): &(u32, Timestamp)| now.is_later_by_more_than(SECONDS_AN_ENTRY, *at);
        if self.claimed >= CLAIMS_AN_ENTRY || self.entries.back().is_none_or(is_first_after) {
            self.entries.push_back((transaction, now));
            self.claimed = 0;
        }
        self.claimed += claimed;
    }

    /// An instant at which `transaction` was not on its way yet, not long before it was; `None` if that is not known.
    pub fn began(&self, transaction: u32) -> Option<Timestamp> {
        let after = self.entries.partition_point(|(number, _)| *number <= transaction);
        self.entries.get(after.checked_sub(1)?).map(|(_, at)| *at)
    }

    /// Forgets what lies more than `days` back: no identity leads there any more.
    pub fn forget(&mut self, days: u16) {
        let Some((_, last)) = self.entries.back().copied() else { return };
        let horizon = last.plus_seconds(-i64::from(days) * 86_400);
        // The last one before the horizon still covers what comes after it.
        while self.entries.get(1).is_some_and(|(_, at)| *at < horizon) {
            self.entries.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    #[test]
    fn leads_to_the_entry_before() {
        let mut transactions = Transactions::default();
        assert_eq!(transactions.began(1), None);
        for number in 1..=1_000_u32 {
            transactions.note(number, at(i64::from(number)), 100);
        }
        assert_eq!(transactions.entries.len(), 100);
        assert_eq!(transactions.began(1), Some(at(1)));
        assert_eq!(transactions.began(15), Some(at(11)));
        assert_eq!(transactions.began(5_000), Some(at(991)));
        transactions.note(1_001, at(10 * 86_400), 1);
        transactions.forget(9);
        assert_eq!(transactions.began(1_000), Some(at(991)));
        assert_eq!(transactions.began(990), None);
    }
}
