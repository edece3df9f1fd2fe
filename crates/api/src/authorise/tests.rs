//! Authorisation against the rater itself: whatever is granted is rated by a real partition afterwards.

mod against_rater;
mod books;
mod keeping;
mod running;
mod tables;
mod threads;
mod world;

use drawdown_engine::Partition;
use drawdown_ledger::Account;

use super::*;

/// The accounts of a partition.
impl Ledger for Partition {
    fn with<R>(&self, org: &str, look: impl FnOnce(Option<&Account>) -> R) -> R {
        look(self.account(org))
    }

    fn partition(&self, _: &str) -> Option<u32> {
        Some(0)
    }
}

fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

fn money(text: &str) -> Money {
    Money::parse(text).unwrap()
}

fn reason(answer: &Authorisation) -> Option<RefusalReason> {
    answer.refusal.as_ref().map(|refusal| refusal.reason)
}
