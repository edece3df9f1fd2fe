//! Whether a record may be booked at all: a known account, a plausible time, an identity not seen before.

use drawdown_units::Timestamp;
use drawdown_wire::command::Envelope;
use drawdown_wire::seen::{SeenCommand, SeenRecord};
use drawdown_wire::{Cdr, Reason, Rejection};
use xxhash_rust::xxh3::{xxh3_64, xxh3_64_with_seed};

use super::corrections::Earlier;
use super::{Engine, Limits, Partition};
use crate::accounts::Slot;
use crate::dedup::{Fingerprint, Known, REVISION_MAX, VOID_MASK};

const SECONDS_A_DAY: i64 = 86_400;

/// A record that may be booked.
pub(super) struct Admitted {
    /// Its account; `None` where one is to be opened.
    pub slot: Option<Slot>,
    pub fingerprint: Fingerprint,
    /// What it corrects, if it does.
    pub corrects: Option<Earlier>,
    /// Whether its identity is known already.
    pub is_known: bool,
}

impl Partition {
    /// `None` for a duplicate.
    #[inline]
    pub(super) fn admit(
        &self,
        engine: &Engine<'_>,
        arrival: Timestamp,
        cdr: &Cdr<'_>,
    ) -> Result<Option<Admitted>, Rejection> {
        let slot = self.accounts.find(&cdr.org);
        let now = match slot {
            Some(slot) => {
                self.check_leap(engine, slot, arrival, "arrival")?;
                let account = self.accounts.get(slot);
                if account.is_closed() {
                    return Err(closed(cdr));
                }
                account.head().clock.max(arrival)
            }
            None if engine.open_unknown.is_some() => arrival,
            None => return Err(unknown(cdr)),
        };
        self.check_times(&engine.limits, cdr, now)?;
        if cdr.revision > REVISION_MAX {
            return Err(revision_too_high(cdr));
        }
        let fingerprint = fingerprint(cdr);
        match self.records.look_up(fingerprint) {
            Known::New if self.may_be_forgotten(&engine.limits, cdr) => Err(forgotten(cdr)),
            Known::New if cdr.void => {
                Err(Rejection::new(Reason::NothingToVoid, "a void of a record that was never debited here"))
            }
            Known::New => Ok(Some(Admitted { slot, fingerprint, corrects: None, is_known: false })),
            Known::Newer { is_void: true, .. } | Known::Conflict { is_void: true, .. } if cdr.void => {
                Err(Rejection::new(Reason::NothingToVoid, "a void of a record that was withdrawn already"))
            }
            // Nothing is left of it to be taken back.
            Known::Newer { is_void: true, .. } => {
                Ok(Some(Admitted { slot, fingerprint, corrects: None, is_known: true }))
            }
            Known::Newer { transaction: number, revision, is_void: false } => {
                let corrects = Some(Earlier { number, revision });
                Ok(Some(Admitted { slot, fingerprint, corrects, is_known: true }))
            }
            // A void needs no higher revision than what it withdraws.
            Known::Conflict { transaction: number, is_void: false } if cdr.void => {
                let corrects = Some(Earlier { number, revision: cdr.revision });
                Ok(Some(Admitted { slot, fingerprint, corrects, is_known: true }))
            }
            Known::Duplicate | Known::Stale => Ok(None),
            Known::Conflict { .. } => Err(Rejection::new(
                Reason::Quarantined,
                "a record of this source and id was debited before with other content; a correction needs a higher revision",
            )),
        }
    }

    fn check_times(&self, limits: &Limits, cdr: &Cdr<'_>, now: Timestamp) -> Result<(), Rejection> {
        if cdr.start.is_later_by_more_than(limits.future_tolerance_s, now) {
            let detail = format!("starts at {}, more than {} s after {now}", cdr.start, limits.future_tolerance_s);
            return Err(Rejection::of_field(Reason::InTheFuture, "startDateTime", detail));
        }
        let window_s = i64::from(limits.window_days) * SECONDS_A_DAY;
        if now.is_later_by_more_than(window_s, cdr.start) || cdr.start.day() < self.forgotten_before(limits) {
            let detail = format!(
                "started at {}, more than {} days before {now}: it cannot be proven that it was not debited already",
                cdr.start, limits.window_days
            );
            return Err(Rejection::of_field(Reason::TooLate, "startDateTime", detail));
        }
        Ok(())
    }

    /// Whether the call may have been debited by a transaction whose identities the log has forgotten: their retention was
    /// shorter than the window, or time stood still in the partition while they grew old.
    fn may_be_forgotten(&self, limits: &Limits, cdr: &Cdr<'_>) -> bool {
        self.forgotten_until.is_some_and(|until| !cdr.start.is_later_by_more_than(limits.future_tolerance_s, until))
    }

    /// An input may not move an account's clock ahead by years at once.
    pub(super) fn check_leap(
        &self,
        engine: &Engine<'_>,
        slot: Slot,
        arrival: Timestamp,
        field: &str,
    ) -> Result<(), Rejection> {
        let clock = self.accounts.get(slot).head().clock;
        let leap_s = i64::from(engine.limits.leap_days_max) * SECONDS_A_DAY;
        if !arrival.is_later_by_more_than(leap_s, clock) {
            return Ok(());
        }
        let detail = format!(
            "{arrival} is more than {} days after anything seen of this organisation ({clock}): a broken clock would expire its lots",
            engine.limits.leap_days_max
        );
        Err(Rejection::of_field(Reason::InTheFuture, field, detail))
    }

    /// The day of call start before which nothing is remembered. A day of grace beyond the window covers
    /// organisations whose records arrive with older times than others'.
    pub(super) fn forgotten_before(&self, limits: &Limits) -> i64 {
        self.clock.day() - i64::from(limits.window_days) - 1
    }

    /// A command is remembered by the day on which it was handled, however old its timestamp: what may come again is
    /// what was handled lately.
    pub(super) fn claim_command(&mut self, identity: u64) {
        let fingerprint = Fingerprint { identity, content: 0, revision: 0, day: self.clock.day() };
        self.journal.commands_changed(self.commands.insert(fingerprint, self.batch));
        self.claims.command(SeenCommand { identity, day: wire_day(fingerprint.day) });
    }

    /// An identity is known as long as the latest start of any of its revisions: a correction to an earlier one must not
    /// let the first delivery be taken for new.
    #[inline]
    pub(super) fn claim_record(&mut self, fingerprint: Fingerprint, corrects: bool) {
        let day_before = if corrects { self.records.day_of(fingerprint.identity) } else { None };
        let day = day_before.map_or(fingerprint.day, |day| day.max(fingerprint.day));
        let fingerprint = Fingerprint { day, ..fingerprint };
        let number = match &mut self.record_number {
            None => self.batch,
            Some(last) => {
                *last = last.checked_add(1).expect("invariant: a partition of numbered records has fewer than 2^32");
                *last
            }
        };
        self.journal.records_changed(self.records.insert(fingerprint, number));
        let Fingerprint { identity, content, revision, day } = fingerprint;
        self.claims.record(SeenRecord { identity, content, revision, day: wire_day(day) });
    }
}

/// Days of the years that timestamps can have fit 32 bits.
fn wire_day(day: i64) -> i32 {
    day.clamp(i64::from(i32::MIN), i64::from(i32::MAX)) as i32
}

/// What is remembered of a record that was booked.
pub fn fingerprint(cdr: &Cdr<'_>) -> Fingerprint {
    Fingerprint {
        identity: record_identity(cdr),
        content: content_of(cdr),
        revision: cdr.revision,
        day: cdr.start.day(),
    }
}

pub(super) fn record_identity(cdr: &Cdr<'_>) -> u64 {
    identity(&cdr.source, &cdr.id)
}

/// One hash of two texts: the first seeds the second, so that no way of dividing them gives the same.
fn identity(first: &str, second: &str) -> u64 {
    xxh3_64_with_seed(second.as_bytes(), xxh3_64(first.as_bytes()))
}

pub(super) fn command_identity(envelope: &Envelope) -> u64 {
    identity(&envelope.org, &envelope.command_id)
}

/// A digest of everything that rating, identity and attribution read, and nothing else (boundaries.md D2). Its last bit
/// is kept for voids: none of them may be taken for the record that it withdraws.
fn content_of(cdr: &Cdr<'_>) -> u32 {
    let text = &cdr.text;
    let numbers = [
        cdr.start.seconds() as u64,
        u64::from(cdr.start.nanos()) << 32 | u64::from(cdr.seconds),
        xxh3_64(cdr.org.as_bytes()),
        xxh3_64(text.call_type.as_bytes()),
    ];
    let texts = [
        &text.callee_number,
        &text.caller_number,
        &text.user_id,
        &text.conference_id,
        &text.usage_country_code,
        &text.tenant_country_code,
        &text.destination_context,
    ];
    let hashes = texts.map(|text| text.as_deref().map_or(0, |text| xxh3_64(text.as_bytes())));
    let digest = numbers.into_iter().chain(hashes).fold(0, mix);
    ((digest >> 32) as u32 & !VOID_MASK) | if cdr.void { VOID_MASK } else { 0 }
}

/// One round of a multiplicative hash; the multiplier is 2^64 over the golden ratio.
fn mix(digest: u64, word: u64) -> u64 {
    (digest.rotate_left(29) ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cold]
fn unknown(cdr: &Cdr<'_>) -> Rejection {
    let detail = format!("no account of {:?} was opened: open it, then replay the record", cdr.org);
    Rejection::of_field(Reason::UnknownOrg, "orgId", detail)
}

#[cold]
fn closed(cdr: &Cdr<'_>) -> Rejection {
    Rejection::of_field(Reason::OrgClosed, "orgId", format!("the account of {:?} is closed", cdr.org))
}

#[cold]
fn forgotten(cdr: &Cdr<'_>) -> Rejection {
    let detail = format!(
        "started at {}, and the log has forgotten which of the calls of then were debited: keep `seen` for longer than \
         rating.dedup_days",
        cdr.start
    );
    Rejection::of_field(Reason::TooLate, "startDateTime", detail)
}

#[cold]
fn revision_too_high(cdr: &Cdr<'_>) -> Rejection {
    let detail = format!("is {}; revisions above {REVISION_MAX} cannot be told apart", cdr.revision);
    Rejection::of_field(Reason::BadField, "revision", detail)
}
