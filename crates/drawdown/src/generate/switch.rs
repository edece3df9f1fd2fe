//! The switch: which record has which number.

use super::Args;
use super::corrections::{Corrections, DISTANCES, Plan, Step};
use super::organisations::{Organisation, Organisations};
use super::random::{Random, Stream, Weighted, mixed};
use super::record::{CONF_IN, Call, Caller, Damage, Direction, KINDS, Kind};
use super::row;
use super::traffic::{TICKS_A_SECOND, Timeline, duration_s};

/// How many calls in a thousand are answered.
pub const ANSWERED_PER_MILLE: u64 = 646;
/// How late a record may arrive.
const LATENESS_MAX_S: u64 = 4 * 86_400;
/// How long after the first time a record may be sent again, in days. With lateness this stays below the seven days for
/// which ids are remembered at least.
const RESENT_WITHIN_DAYS: u64 = 2;
/// No correction comes longer after the call's start, however few records there are.
const CORRECTED_WITHIN_S: u64 = 6 * 86_400;

/// Everything that decides what the records are.
#[derive(Debug)]
pub struct Switch {
    pub seed: u64,
    pub record_count: u64,
    pub timeline: Timeline,
    pub organisations: Organisations,
    kinds: Weighted,
    corrections: Corrections,
    duplicates_ppm: u32,
    broken_ppm: u32,
    late_ppm: u32,
    masked_ppm: u32,
    resent_within: u64,
}

/// How many records are not as usual.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    pub duplicates: u64,
    pub late: u64,
    pub masked: u64,
    pub broken: u64,
    pub corrections: Corrected,
}

/// How many corrections there are; nothing of them is among the records.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Corrected {
    pub revisions: u64,
    pub voids: u64,
    /// How many of either came again.
    pub repeated: u64,
}

/// What a number stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Nature {
    Whole,
    Broken(Damage),
    Resent,
}

impl Switch {
    /// The switch that these options describe.
    pub fn new(args: &Args) -> Self {
        Switch {
            seed: args.seed,
            record_count: args.records,
            timeline: Timeline::new(args.start, args.days, args.records),
            organisations: Organisations::new(args.seed, args.orgs, args.records, args.licensed),
            kinds: Weighted::new(KINDS.iter().map(|kind| kind.weight)),
            corrections: Corrections::new(args.seed, args.corrections, args.records, args.days),
            duplicates_ppm: args.duplicates.0,
            broken_ppm: args.broken.0,
            late_ppm: args.late.0,
            masked_ppm: args.masked.0,
            resent_within: (args.records / u64::from(args.days) * RESENT_WITHIN_DAYS).max(1),
        }
    }

    /// How many places there are: those of records, and behind them some for the last corrections.
    pub fn place_count(&self) -> u64 {
        self.record_count + self.corrections.reach()
    }

    /// Appends what is at a place: the record of this number, and the corrections of earlier ones that are due.
    pub fn write_place(&self, number: u64, line: &mut Vec<u8>, counts: &mut Counts) {
        if number < self.record_count {
            self.write_record(number, line, counts);
        }
        if self.corrections.reach() > 0 {
            self.write_corrections(number, line, counts);
        }
    }

    fn write_record(&self, number: u64, line: &mut Vec<u8>, counts: &mut Counts) {
        match self.nature(number) {
            Nature::Whole => self.write_whole(number, line, counts),
            Nature::Broken(damage) => {
                counts.broken += 1;
                let call = Call { kind: &KINDS[0], ..self.call(number) };
                row::write_broken(self, &call, damage, line);
            }
            Nature::Resent => match self.resent(number) {
                Some(earlier) => {
                    counts.duplicates += 1;
                    row::write(self, &self.call(earlier), line);
                }
                // There is none before it that could be sent again.
                None => self.write_whole(number, line, counts),
            },
        }
    }

    fn write_whole(&self, number: u64, line: &mut Vec<u8>, counts: &mut Counts) {
        let call = self.call(number);
        counts.late += u64::from(call.is_late);
        counts.masked += u64::from(call.masked_digits > 0);
        row::write(self, &call, line);
    }

    fn nature(&self, number: u64) -> Nature {
        if self.duplicates_ppm == 0 && self.broken_ppm == 0 {
            return Nature::Whole;
        }
        let mut random = Random::new(self.seed, Stream::Nature, number);
        let drawn = random.below(1_000_000) as u32;
        if drawn < self.duplicates_ppm {
            Nature::Resent
        } else if drawn < self.duplicates_ppm + self.broken_ppm {
            Nature::Broken(Damage::ALL[random.below(Damage::ALL.len() as u64) as usize])
        } else {
            Nature::Whole
        }
    }

    /// The earlier record that `number` repeats: any distance back, short ones more often.
    fn resent(&self, number: u64) -> Option<u64> {
        let mut random = Random::new(self.seed, Stream::Resending, number);
        let within = self.resent_within >> random.below(16);
        let from = number.checked_sub(1 + random.below(within.max(1))).or(number.checked_sub(1))?;
        // What was withdrawn at its own revision would be quarantined if it came again.
        let may_come_again = |earlier: &u64| !self.plan(*earlier).is_some_and(|plan| plan.withdraws_as_is());
        (0..=from).rev().find(|earlier| self.nature(*earlier) == Nature::Whole && may_come_again(earlier))
    }

    /// The corrections of record `number`, if it is a call that is reported in time and whole.
    fn plan(&self, number: u64) -> Option<Plan> {
        let plan = self.corrections.plan(number)?;
        let may_be = number < self.record_count && self.nature(number) == Nature::Whole;
        (may_be && !self.call(number).is_late).then_some(plan)
    }

    fn write_corrections(&self, number: u64, line: &mut Vec<u8>, counts: &mut Counts) {
        // From near to far, so that of two corrections of one record the first comes first.
        for halvings in (0..DISTANCES).rev() {
            let Some(corrected) = number.checked_sub(self.corrections.distance(halvings)) else { continue };
            let Some(plan) = self.plan(corrected) else { continue };
            let Some(step) = plan.step_at(halvings) else { continue };
            let (call, received) = (self.call(corrected), self.received(number));
            if received - call.start > (CORRECTED_WITHIN_S * TICKS_A_SECOND) as i64 {
                continue;
            }
            match plan.steps[step] {
                Step::Revise => counts.corrections.revisions += 1,
                Step::Withdraw | Step::WithdrawAsIs => counts.corrections.voids += 1,
                Step::Repeat => counts.corrections.repeated += 1,
            }
            row::write(self, &plan.apply(step, call, received), line);
        }
    }

    /// When something at this place arrives.
    fn received(&self, number: u64) -> i64 {
        match number.checked_sub(self.record_count) {
            None => self.timeline.end_of(number, &mut Random::new(self.seed, Stream::Call, number)) as i64,
            Some(behind) => {
                let ticks = u128::from(self.timeline.ticks());
                (ticks + ticks * u128::from(behind + 1) / u128::from(self.record_count)) as i64
            }
        }
    }

    /// The call of record `number`, as a function of the seed and that number.
    pub fn call(&self, number: u64) -> Call<'_> {
        let random = &mut Random::new(self.seed, Stream::Call, number);
        let end = self.timeline.end_of(number, random);
        let organisation = self.organisations.pick(random);
        let anybody = random.below(organisation.user_count);
        let kind = &KINDS[self.kinds.pick(random)];
        let (kind, user) =
            if organisation.is_licensed { self.cast(number, organisation, kind, anybody) } else { (kind, anybody) };
        let user = self.organisations.user(organisation.index, user);
        let destination = organisation.reach.pick(random);
        let is_answered = random.below(1_000) < ANSWERED_PER_MILLE;
        let seconds = if is_answered { duration_s(random) } else { 0 };
        // The switch rounds durations up, so that the two times may be up to a second closer.
        let rounded_off = if is_answered { random.below(TICKS_A_SECOND * 9 / 10) } else { 0 };
        let lateness = self.lateness(number, end);
        let end = (end - lateness.unwrap_or(0)) as i64;
        Call {
            id: (u128::from(random.next()) << 64) | u128::from(mixed(self.seed, Stream::Id, number)),
            call_id: random.next(),
            organisation,
            user,
            own_number: organisation.home.own.pick(&mut Random::new(user, Stream::User, 0)),
            kind,
            destination,
            other_number: destination.numbers.pick(random),
            masked_digits: if kind.direction == Direction::Out { self.masked_digits(number) } else { 0 },
            start: end - i64::from(seconds) * TICKS_A_SECOND as i64 + rounded_off as i64,
            end,
            seconds,
            is_late: lateness.is_some(),
            correction: None,
        }
    }

    /// Whose call it is in a licensed organisation: few people organise all conferences, which others call into as well.
    fn cast(
        &self,
        number: u64,
        organisation: Organisation<'_>,
        kind: &'static Kind,
        anybody: u64,
    ) -> (&'static Kind, u64) {
        let mut random = Random::new(self.seed, Stream::Casting, number);
        let dials_in = kind.name == "user_in" && random.below(2) == 0;
        let kind = if dials_in { &CONF_IN } else { kind };
        let user = match kind.caller {
            Caller::Anybody => anybody,
            Caller::Organiser => random.below(organisation.organiser_count()),
            Caller::ResourceAccount => organisation.user_count,
        };
        (kind, user)
    }

    /// How much later than usual a record arrives: an hour to days, as far as the period goes back.
    fn lateness(&self, number: u64, end: u64) -> Option<u64> {
        let mut random = Random::new(self.seed, Stream::Lateness, number);
        let is_late = self.late_ppm > 0 && random.happens(self.late_ppm);
        let seconds = 3_600 + random.below(LATENESS_MAX_S - 3_600);
        is_late.then(|| (seconds * TICKS_A_SECOND).min(end))
    }

    fn masked_digits(&self, number: u64) -> u32 {
        let mut random = Random::new(self.seed, Stream::Masking, number);
        let is_masked = self.masked_ppm > 0 && random.happens(self.masked_ppm);
        if is_masked { 3 + random.below(3) as u32 } else { 0 }
    }
}
