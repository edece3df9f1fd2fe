//! How many hold a licence, over time: the size of a shared pool is asked for as of a call's start (boundaries.md P3).
//!
//! Invariant: steps are in order of time, one for each instant at most.

use drawdown_units::Timestamp;

use super::{HISTORY_S, Undo};

/// Counts of holders, each from its instant on.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Holders {
    steps: Vec<(Timestamp, u32)>,
}

impl Holders {
    /// How many held the licence at `at`.
    #[inline]
    pub fn at(&self, at: Timestamp) -> u32 {
        let after = self.steps.partition_point(|(from, _)| *from <= at);
        after.checked_sub(1).map_or(0, |place| self.steps[place].1)
    }

    /// One more or one fewer from `now` on, which is not before the last change. `pool` says whose count it is.
    pub(super) fn change(&mut self, pool: usize, now: Timestamp, by: i32) -> Undo {
        let last = self.steps.last().copied();
        let count = last.map_or(0, |(_, count)| count).saturating_add_signed(by);
        match self.steps.last_mut().filter(|(at, _)| *at == now) {
            Some(step) => step.1 = count,
            None => self.steps.push((now, count)),
        }
        let is_merged = last.is_some_and(|(at, _)| at == now);
        match self.forgettable(now) {
            0 => Undo::Holders { pool, replaced: last.filter(|_| is_merged) },
            count => {
                let mut before = self.steps.clone();
                before.pop();
                before.extend(last.filter(|_| is_merged));
                self.steps.drain(..count);
                Undo::AllHolders { pool, before: Holders { steps: before } }
            }
        }
    }

    /// How many of the first steps no call asks for any more. Looked at now and then, so that a step costs the same
    /// however many there are.
    fn forgettable(&self, now: Timestamp) -> usize {
        if self.steps.len() < 64 || !self.steps.len().is_power_of_two() {
            return 0;
        }
        let horizon = now.plus_seconds(HISTORY_S.wrapping_neg());
        self.steps.partition_point(|(from, _)| *from <= horizon).saturating_sub(1)
    }

    pub(super) fn undo(&mut self, replaced: Option<(Timestamp, u32)>) {
        self.steps.pop();
        self.steps.extend(replaced);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(day: i64) -> Timestamp {
        Timestamp::from_parts(day.saturating_mul(86_400), 0)
    }

    #[test]
    fn the_count_is_that_of_the_instant() {
        let mut holders = Holders::default();
        assert_eq!(holders.at(day(0)), 0);
        holders.change(0, day(1), 1);
        holders.change(0, day(1), 1);
        holders.change(0, day(3), -1);
        assert_eq!([0, 1, 2, 3, 9].map(|at| holders.at(day(at))), [0, 2, 2, 1, 1]);
    }

    #[test]
    fn every_change_is_undone_and_old_steps_are_forgotten() {
        let mut holders = Holders::default();
        for at in 0..1_000 {
            let before = holders.clone();
            let by = if at % 3 == 2 { -1 } else { 1 };
            match holders.clone().change(0, day(at / 2), by) {
                Undo::Holders { replaced, .. } => {
                    let mut changed = holders.clone();
                    changed.change(0, day(at / 2), by);
                    changed.undo(replaced);
                    assert_eq!(changed, before);
                }
                Undo::AllHolders { before: kept, .. } => assert_eq!(kept, before),
                other @ (Undo::User(..) | Undo::NewUser | Undo::NewPool | Undo::Use { .. } | Undo::Uses { .. }) => {
                    panic!("{other:?}")
                }
            }
            holders.change(0, day(at / 2), by);
        }
        assert!(holders.steps.len() < 300, "{} steps", holders.steps.len());
        assert_eq!(holders.at(day(10_000)), 334);
    }
}
