//! The charges that have no answer yet, and when each is sent to the gateway next.
//!
//! Invariants: one charge for each key; a charge that is at the gateway is not sent there again before it came back.
//! Knows no clock: whoever calls says how late it is.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Charge;

/// The charges without an answer, by key.
#[derive(Debug)]
pub struct Desk {
    /// The first wait after an answer that did not come; each further one is twice as long.
    backoff: Duration,
    backoff_max: Duration,
    open: BTreeMap<Box<str>, Open>,
}

#[derive(Debug)]
struct Open {
    charge: Charge,
    state: State,
    /// How often the gateway gave no answer.
    unanswered: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Just read: what comes after it in the log may be its answer. Not sent before this instant, unless nothing more came.
    Fresh(Duration),
    /// To be sent at this instant.
    Due(Duration),
    AtGateway,
}

impl Desk {
    /// No charges yet. `backoff` and `backoff_max`: how long an answer that did not come has the next try wait.
    pub fn new(backoff: Duration, backoff_max: Duration) -> Self {
        Desk { backoff, backoff_max, open: BTreeMap::new() }
    }

    /// Takes a charge up. One that is there already is only asked for once more: it stays what it is.
    pub fn take(&mut self, charge: Charge, fresh_until: Duration) {
        let sending = charge.sending;
        let key = charge.key.clone();
        let open = self.open.entry(key).or_insert(Open { charge, state: State::Fresh(fresh_until), unanswered: 0 });
        open.charge.sending = open.charge.sending.max(sending);
    }

    /// The log says that this recharge has its answer (only this attempt, where one is given): it is not charged any more.
    pub fn drop_answered(&mut self, recharge: &str, attempt: Option<u32>) {
        self.open.retain(|_, open| {
            let is_it = *open.charge.recharge == *recharge && attempt.is_none_or(|it| it == open.charge.attempt);
            !is_it || open.state == State::AtGateway
        });
    }

    /// The log has no more at this moment: what was just read may be sent.
    pub fn nothing_more_came(&mut self) {
        for open in self.open.values_mut().filter(|open| matches!(open.state, State::Fresh(_))) {
            open.state = State::Due(Duration::ZERO);
        }
    }

    /// What is to be sent now; it counts as sent. `first_only`: only what never was.
    pub fn send(&mut self, now: Duration, first_only: bool) -> Vec<Charge> {
        let is_due = |open: &Open| match open.state {
            State::Fresh(at) | State::Due(at) => at <= now && (open.unanswered == 0 || !first_only),
            State::AtGateway => false,
        };
        let due = self.open.values_mut().filter(|open| is_due(open));
        due.map(|open| {
            open.state = State::AtGateway;
            open.charge.clone()
        })
        .collect()
    }

    /// The gateway gave no answer: says after how long it is asked again.
    pub fn unanswered(&mut self, key: &str, now: Duration) -> Option<Duration> {
        let open = self.open.get_mut(key)?;
        let wait = self.backoff.saturating_mul(1 << open.unanswered.min(16)).min(self.backoff_max);
        open.unanswered = open.unanswered.saturating_add(1);
        open.state = State::Due(now.saturating_add(wait));
        Some(wait)
    }

    /// The charge of a key.
    pub fn charge(&self, key: &str) -> Option<&Charge> {
        self.open.get(key).map(|open| &open.charge)
    }

    /// It has its answer, and the command that says so is durable.
    pub fn end(&mut self, key: &str) {
        self.open.remove(key);
    }

    /// Lets go of what the gateway gave no answer to; what is there at this moment stays. Says how many those were.
    pub fn let_go(&mut self) -> usize {
        let before = self.open.len();
        self.open.retain(|_, open| open.unanswered == 0 || open.state == State::AtGateway);
        before - self.open.len()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.open.len()
    }
}

#[cfg(test)]
mod tests {
    use drawdown_units::{Currency, Money, Timestamp};

    use super::super::key;
    use super::*;
    use crate::secret::Secret;

    fn charge(org: &str, attempt: u32, sending: u32) -> Charge {
        let recharge = format!("{org}/1");
        Charge {
            key: key("t", &recharge, attempt),
            recharge: recharge.into(),
            org: org.into(),
            attempt,
            sending,
            at: Timestamp::EPOCH,
            amount: Money::from_micros(50_000_000),
            currency: Currency::parse("EUR").unwrap(),
            card: Secret::new("tok".to_owned()),
        }
    }

    const fn s(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn what_was_just_read_waits_for_what_comes_after_it() {
        let mut desk = Desk::new(s(1), s(60));
        desk.take(charge("a", 1, 1), s(2));
        desk.take(charge("b", 1, 1), s(2));
        desk.take(charge("c", 1, 1), s(2));
        assert!(desk.send(s(1), false).is_empty());
        desk.drop_answered("a/1", None);
        desk.drop_answered("b/1", Some(1));
        desk.drop_answered("c/1", Some(2));
        desk.take(charge("c", 1, 3), s(3));
        desk.nothing_more_came();
        let sent = desk.send(s(1), false);
        assert_eq!((sent.len(), &*sent[0].recharge, sent[0].sending), (1, "c/1", 3));
        assert!(desk.send(s(9), false).is_empty(), "it is at the gateway");
        desk.take(charge("d", 1, 1), s(10));
        assert_eq!(desk.send(s(10), false).len(), 1, "a log that never rests holds nothing up");
    }

    #[test]
    fn waits_double_up_to_a_minute() {
        let mut desk = Desk::new(s(1), s(60));
        desk.take(charge("a", 1, 1), s(0));
        let mut now = s(0);
        for wait in [1, 2, 4, 8, 16, 32, 60, 60] {
            assert_eq!(desk.send(now, false).len(), 1);
            assert_eq!(desk.unanswered("t/a/1/1", now), Some(s(wait)));
            assert!(desk.send(now + s(wait) - Duration::from_millis(1), false).is_empty());
            now += s(wait);
        }
    }

    #[test]
    fn only_what_has_no_answer_is_let_go() {
        let mut desk = Desk::new(s(1), s(60));
        for org in ["a", "b", "c"] {
            desk.take(charge(org, 1, 1), s(0));
        }
        desk.nothing_more_came();
        assert_eq!(desk.send(s(0), false).len(), 3);
        desk.unanswered("t/a/1/1", s(0));
        desk.unanswered("t/b/1/1", s(0));
        assert_eq!(desk.send(s(1), true).len(), 0);
        assert_eq!(desk.let_go(), 2);
        assert_eq!(desk.count(), 1);
        desk.end("t/c/1/1");
        assert_eq!(desk.count(), 0);
        assert_eq!(desk.unanswered("t/c/1/1", s(2)), None);
    }
}
