//! Which records are corrected, how often, how and when: a function of the seed and the record's number.
//!
//! A correction comes a number of records behind what it corrects, and there are few such distances: whoever stands at a
//! place finds everything that is due there by looking back by each of them. So nothing is kept.

use super::random::{Random, Stream};
use super::record::{Call, Direction};
use super::traffic::TICKS_A_SECOND;

/// How far behind its record the last correction may come. Where records are fewer, as on a weekend, that takes more
/// days; it stays below the seven for which ids are remembered at least.
const WITHIN_DAYS: u64 = 3;
/// Each distance is half of the one before: from three days down to minutes.
pub const DISTANCES: u32 = 11;

/// What a correction does to what came before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// The next revision, with another duration or number.
    Revise,
    /// The next revision withdraws the call.
    Withdraw,
    /// It is withdrawn at the revision that it has.
    WithdrawAsIs,
    /// The correction before comes again.
    Repeat,
}

use Step::{Repeat, Revise, Withdraw, WithdrawAsIs};

/// How many of a hundred corrected records have which corrections, one after the other.
const CHAINS: [(u64, &[Step]); 10] = [
    (40, &[Revise]),
    (14, &[Revise, Revise]),
    (10, &[Withdraw]),
    (8, &[WithdrawAsIs]),
    (7, &[Revise, Withdraw]),
    (5, &[Revise, WithdrawAsIs]),
    (6, &[Revise, Repeat]),
    (4, &[Revise, Revise, Repeat]),
    (3, &[Withdraw, Repeat]),
    (3, &[WithdrawAsIs, Repeat]),
];

/// What there is to correct, and how far behind.
#[derive(Debug)]
pub struct Corrections {
    seed: u64,
    per_mille: u32,
    /// The farthest distance, in records.
    within: u64,
}

/// The corrections of one record.
#[derive(Debug)]
pub struct Plan {
    pub steps: &'static [Step],
    /// How often the farthest distance is halved for each step: descending, so that one comes after the other.
    halvings: [u32; 3],
    random: Random,
}

/// What a call is corrected to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Correction {
    pub revision: u32,
    pub is_void: bool,
    /// When it arrives, in ticks since the start of the period.
    pub received: i64,
}

impl Corrections {
    /// So many of a thousand of `record_count` records in `days` days.
    pub fn new(seed: u64, per_mille: u32, record_count: u64, days: u32) -> Self {
        let within = u128::from(record_count) * u128::from(WITHIN_DAYS) / u128::from(days);
        Corrections { seed, per_mille, within: (within as u64).max(1) }
    }

    /// How many places behind the last record something may still be due.
    pub fn reach(&self) -> u64 {
        if self.per_mille == 0 { 0 } else { self.within }
    }

    /// How many records behind is the distance that was halved so often.
    pub fn distance(&self, halvings: u32) -> u64 {
        (self.within >> halvings).max(1)
    }

    /// How record `number` is corrected, if it is one that may be.
    pub fn plan(&self, number: u64) -> Option<Plan> {
        if self.per_mille == 0 {
            return None;
        }
        let mut random = Random::new(self.seed, Stream::Correcting, number);
        if random.below(1_000) >= u64::from(self.per_mille) {
            return None;
        }
        let drawn = random.below(100);
        let mut end = 0;
        let chain = CHAINS.iter().find(|(percent, _)| {
            end += percent;
            drawn < end
        });
        let (_, steps) = chain.expect("invariant: the chains are a hundred");
        let mut halvings = [0; 3];
        let mut below = u64::from(DISTANCES);
        for (at, halvings) in halvings.iter_mut().enumerate().take(steps.len()) {
            let steps_left = (steps.len() - 1 - at) as u64;
            below = steps_left + random.below(below - steps_left);
            *halvings = below as u32;
        }
        Some(Plan { steps, halvings, random })
    }
}

impl Plan {
    /// The step that comes at this distance.
    pub fn step_at(&self, halvings: u32) -> Option<usize> {
        (0..self.steps.len()).find(|step| self.halvings[*step] == halvings)
    }

    /// Whether the record itself is withdrawn, without a higher revision.
    pub fn withdraws_as_is(&self) -> bool {
        self.steps.first() == Some(&WithdrawAsIs)
    }

    /// The call as `step` leaves it, arriving at `received`.
    pub fn apply<'w>(&self, step: usize, call: Call<'w>, received: i64) -> Call<'w> {
        let mut random = self.random.clone();
        let (mut call, mut revision, mut is_void) = (call, 0, false);
        for step in &self.steps[..=step] {
            match step {
                Revise => {
                    revision += 1;
                    revise(&mut call, &mut random);
                }
                Withdraw => {
                    revision += 1;
                    is_void = true;
                }
                WithdrawAsIs => is_void = true,
                Repeat => {}
            }
        }
        Call { correction: Some(Correction { revision, is_void, received }), ..call }
    }
}

fn revise(call: &mut Call<'_>, random: &mut Random) {
    if call.kind.direction == Direction::Out && random.below(3) == 0 {
        call.destination = call.organisation.reach.pick(random);
        call.other_number = call.destination.numbers.pick(random);
        return;
    }
    let (how, more) = (random.below(4), 1 + random.below(45) as u32);
    call.seconds = match (how, call.seconds) {
        (0, 1..) => 0,
        (1, 2..) => call.seconds / 2,
        _ => call.seconds + more,
    };
    call.end = call.start + i64::from(call.seconds) * TICKS_A_SECOND as i64;
}
