//! One partition: the accounts of its organisations, what was debited already, and the batch in progress.
//!
//! Invariants: an input that is rejected, or dropped as a duplicate, leaves no trace; rolled back, neither does a
//! batch; each record that comes in leaves as exactly one of debited, duplicate and rejected.

mod admission;
mod ahead;
mod commands;
mod corrections;
pub(crate) mod cover;
mod restore;
mod transactions;

use std::sync::Arc;

use drawdown_ledger::account::{Account, Input, RatedCall};
use drawdown_ledger::command::OpenAccount;
use drawdown_ledger::effects::{Debited, Effects, FundingSource};
use drawdown_ledger::entitlements::{User, UserPlace};
use drawdown_ledger::{Occurrence, Rules};
use drawdown_rating::Catalogue;
use drawdown_units::{Currency, Money, Timestamp};
use drawdown_wire::debit::{DebitLine, Pricing, Unrated};
use drawdown_wire::event::{self, Cause};
use drawdown_wire::number::Places;
use drawdown_wire::seen::{Claims, Place};
use drawdown_wire::{Cdr, Flags, Reason, Rejection};

use crate::accounts::{Accounts, Slot};
use crate::dedup::Dedup;
use crate::journal::Journal;
use crate::pricing;
use crate::tally::Funded;

use admission::Admitted;
use cover::{Asking, Cover};
use restore::RestoredUsers;
use transactions::Transactions;

pub use admission::fingerprint;
pub use ahead::AHEAD_COUNT;
pub use corrections::{Booked, InProgress, Originals};
pub use restore::RestoreError;

/// What every partition works by; shared, unchanging within a batch.
#[derive(Debug, Clone, Copy)]
pub struct Engine<'c> {
    /// Decks and rate plans.
    pub catalogue: &'c Catalogue,
    /// The figures of the ledger's rules.
    pub rules: &'c Rules,
    /// The figures of admission.
    pub limits: Limits,
    /// How to open the account of an organisation that has none; without it such records are rejected.
    pub open_unknown: Option<&'c OpenAccount>,
}

/// The figures by which records are admitted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long after its start a call may arrive, in days: the de-duplication window (boundaries.md D1).
    pub window_days: u16,
    /// How far ahead of its arrival a call may start, in seconds (boundaries.md T9).
    pub future_tolerance_s: i64,
    /// How far an input may move an account's clock ahead at once, in days. What lies beyond is a broken clock, and
    /// would expire every lot of the account.
    pub leap_days_max: u16,
}

impl Default for Limits {
    fn default() -> Self {
        Limits { window_days: 7, future_tolerance_s: 300, leap_days_max: 3_660 }
    }
}

/// Where lines go: the debits and the account events, in order.
#[derive(Debug, Default)]
pub struct Outputs {
    /// Debits, JSON Lines.
    pub debits: Vec<u8>,
    /// Account events, JSON Lines.
    pub events: Vec<u8>,
}

/// What became of a record.
#[derive(Debug)]
pub enum Outcome<'c> {
    /// It was debited.
    Debited(DebitedCall<'c>),
    /// It was debited before.
    Duplicate,
    /// It was not debited, and can be replayed.
    Rejected(Rejection),
}

/// A debited record, for whoever counts.
#[derive(Debug, Clone, Copy)]
pub struct DebitedCall<'c> {
    /// How it was priced; `None` where a record was withdrawn.
    pub pricing: Option<Pricing<'c>>,
    /// The account's currency.
    pub currency: Currency,
    /// What it cost.
    pub amount: Money,
    /// Who paid.
    pub funded: Funded,
    /// What was taken back, if it corrects an earlier debit: the amount, and from whom.
    pub reversed: Option<(Money, Funded)>,
}

impl DebitedCall<'_> {
    /// Why it has no price, if it has none.
    pub fn unrated(&self) -> Option<Unrated> {
        match self.pricing {
            Some(Pricing::Unrated(why)) => Some(why),
            Some(Pricing::Charged(..) | Pricing::Free) | None => None,
        }
    }
}

/// A call that is paid for by minutes, by nobody, or by a price.
#[derive(Debug, Clone, Copy)]
struct Priced<'c> {
    user: Option<UserPlace>,
    cover: Cover,
    pricing: Pricing<'c>,
    flags: Flags,
    amount: Money,
}

impl<'c> Priced<'c> {
    /// Prices what the cover leaves.
    #[inline]
    fn of(
        engine: &Engine<'c>,
        sold: (&str, Currency),
        cdr: &Cdr<'_>,
        user: Option<UserPlace>,
        cover: Cover,
    ) -> Result<Self, Rejection> {
        let (pricing, flags) = match (cover.rest_s(cdr.seconds), cover) {
            (Some(rest_s), _) => pricing::price(engine.catalogue, sold, cdr, rest_s)?,
            (None, Cover::AddOn) => (Pricing::Free, Flags::DIAL_OUT_ADD_ON),
            (None, Cover::Minutes(_) | Cover::Nothing) => (Pricing::Free, Flags::INCLUDED),
        };
        let amount = match &pricing {
            Pricing::Charged(charge) => charge.amount,
            Pricing::Free | Pricing::Unrated(_) => Money::ZERO,
        };
        Ok(Priced { user, cover, pricing, flags, amount })
    }

    /// What its account is to book. Nobody asks for a licence where nothing is to be paid (boundaries.md W4).
    #[inline]
    fn call(&self, account: &Account, engine: &Engine<'_>, cdr: &Cdr<'_>) -> RatedCall {
        let is_licensed = self.amount.is_zero() || cover::may_draw(account, &engine.rules.plans, cdr, self.user);
        RatedCall { charge: self.amount, started: cdr.start, is_licensed, pool: self.cover.draw() }
    }
}

/// What became of a command.
#[derive(Debug, PartialEq, Eq)]
pub enum CommandOutcome {
    /// Done.
    Applied,
    /// Refused by the account, with an event.
    Refused,
    /// Seen before.
    Duplicate,
    /// Addressed to no account.
    Rejected(Rejection),
}

/// One partition.
#[derive(Debug)]
pub struct Partition {
    accounts: Accounts,
    records: Dedup,
    commands: Dedup,
    journal: Journal,
    /// What it takes to undo the batch before, while it is not known whether it is final.
    sealed: Option<Journal>,
    /// An emptied journal, for its memory.
    spare: Journal,
    /// The identities that the batch in progress claimed.
    claims: Claims,
    /// The greatest arrival of anything booked: what decides which days of call start can be forgotten.
    clock: Timestamp,
    /// The number of the batch in progress, from 1: the transaction that its identities are noted under.
    batch: u32,
    effects: Effects,
    transactions: Transactions,
    /// The messages of identities that were written.
    messages: Numbered,
    /// Identities of calls that started by then may be missing: the log has forgotten their messages.
    forgotten_until: Option<Timestamp>,
    /// The number of the last record, where records are numbered one by one.
    record_number: Option<u32>,
    places: Places,
    /// Users as they are read back, until their accounts are there.
    restored_users: RestoredUsers,
    /// Names of rate plans that accounts share.
    rate_plans: Vec<Arc<str>>,
}

/// The last message of identities, of the batch in progress, the sealed one, and what is final.
#[derive(Debug, Clone, Copy)]
struct Numbered {
    written: Written,
    sealed: Written,
    settled: Written,
}

/// A message of identities.
#[derive(Debug, Clone, Copy)]
struct Written {
    /// Counted from the first that the partition ever wrote; 0 before that.
    ordinal: u32,
    /// The partition's clock at its end.
    clock: Timestamp,
}

impl Default for Numbered {
    fn default() -> Self {
        let none = Written { ordinal: 0, clock: Timestamp::MIN };
        Numbered { written: none, sealed: none, settled: none }
    }
}

/// How many names of rate plans are kept to be shared.
const SHARED_NAME_COUNT_MAX: usize = 64;

impl Default for Partition {
    fn default() -> Self {
        Partition {
            accounts: Accounts::default(),
            records: Dedup::default(),
            commands: Dedup::default(),
            journal: Journal::new(),
            sealed: None,
            spare: Journal::new(),
            claims: Claims::default(),
            clock: Timestamp::MIN,
            batch: 1,
            effects: Effects::default(),
            transactions: Transactions::default(),
            messages: Numbered::default(),
            forgotten_until: None,
            record_number: None,
            places: Places::default(),
            restored_users: RestoredUsers::default(),
            rate_plans: Vec::new(),
        }
    }
}

impl Partition {
    /// A partition that notes each record under a number of its own, from 1, instead of that of its batch: for who keeps
    /// where each debit went. It is never rolled back.
    pub fn numbering_records() -> Self {
        Partition { record_number: Some(0), ..Partition::default() }
    }

    /// Rates and books one usage record that arrived at `arrival`; what it corrects is read back from `originals`.
    pub fn cdr<'c>(
        &mut self,
        engine: &Engine<'c>,
        arrival: Timestamp,
        cdr: &Cdr<'_>,
        outputs: &mut Outputs,
        originals: &mut dyn Originals,
    ) -> Outcome<'c> {
        let admitted = match self.admit(engine, arrival, cdr) {
            Ok(Some(admitted)) => admitted,
            Ok(None) => return Outcome::Duplicate,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        match admitted.corrects {
            None => self.rate(engine, arrival, cdr, &admitted, outputs),
            Some(_) => self.correct(engine, arrival, cdr, &admitted, outputs, originals),
        }
    }

    fn rate<'c>(
        &mut self,
        engine: &Engine<'c>,
        arrival: Timestamp,
        cdr: &Cdr<'_>,
        admitted: &Admitted,
        outputs: &mut Outputs,
    ) -> Outcome<'c> {
        let priced = match self.price(engine, cdr, admitted.slot) {
            Ok(priced) => priced,
            Err(rejection) => return Outcome::Rejected(rejection),
        };
        if admitted.slot.is_some_and(|slot| !self.accounts.get(slot).admits(priced.amount)) {
            return Outcome::Rejected(too_large());
        }
        let slot = admitted.slot.unwrap_or_else(|| self.open_unknown(engine, arrival, &cdr.org, outputs));
        self.note_arrival(&engine.limits, arrival);
        self.claim_record(admitted.fingerprint, admitted.is_known);
        let call = priced.call(self.accounts.get(slot), engine, cdr);
        self.book(slot, arrival, call, engine.rules);
        let debited = self.effects.debit.expect("invariant: a call that was applied was debited");
        self.write_debit(slot, cdr, &priced, debited, outputs);
        for occurrence in &self.effects.occurrences {
            event::write(&mut outputs.events, &cdr.org, occurrence, Cause::Debit(debited.seq));
        }
        Outcome::Debited(DebitedCall {
            pricing: Some(priced.pricing),
            currency: self.accounts.get(slot).currency(),
            amount: priced.amount,
            funded: Funded::of(&self.effects.funding),
            reversed: None,
        })
    }

    #[inline]
    fn price<'c>(&mut self, engine: &Engine<'c>, cdr: &Cdr<'_>, slot: Option<Slot>) -> Result<Priced<'c>, Rejection> {
        let Some(slot) = slot else {
            let terms =
                engine.open_unknown.expect("invariant: a record without an account is admitted only with terms");
            return Priced::of(engine, (&terms.rate_plan, terms.currency), cdr, None, Cover::Nothing);
        };
        let account = self.accounts.get(slot);
        let (plans, catalogue) = (&engine.rules.plans, engine.catalogue);
        let user = cover::user_of(account, cdr);
        let cover = Asking { account, plans, catalogue, places: &mut self.places, cdr, user, returned: None }.cover();
        Priced::of(engine, (account.rate_plan_at(cdr.start), account.currency()), cdr, user, cover)
    }

    #[inline]
    fn write_debit(&self, slot: Slot, cdr: &Cdr<'_>, priced: &Priced<'_>, debited: Debited, outputs: &mut Outputs) {
        let account = self.accounts.get(slot);
        let line = DebitLine {
            cdr,
            pricing: priced.pricing,
            currency: account.currency(),
            debited,
            pool: self.effects.pool.as_ref(),
            funding: &self.effects.funding,
            lots: account.lots().all(),
            flags: cdr.flags.with(priced.flags),
        };
        line.write(&mut outputs.debits);
    }

    /// Applies a rated call to its account, keeping what it takes to undo it.
    fn book(&mut self, slot: Slot, arrival: Timestamp, call: RatedCall, rules: &Rules) {
        self.effects.clear();
        let head = self.accounts.get(slot).head();
        let due_before = head.next_due;
        // An account runs what is due up to its clock, which may be ahead of the arrival.
        let is_due = due_before <= arrival.max(head.clock);
        let mut is_kept = self.accounts.is_kept_whole(slot, self.batch);
        if is_due && !is_kept {
            self.keep_whole(slot);
            is_kept = true;
        }
        if self.accounts.touch(slot, self.batch) {
            self.journal.touched(slot);
            let head = *self.accounts.get(slot).head();
            self.journal.head(slot, head);
        }
        let account = self.accounts.get_mut(slot);
        account.apply(arrival, Input::Call(call), rules, &mut self.effects);
        let due_after = account.head().next_due;
        if !is_kept {
            for line in &self.effects.funding {
                if let FundingSource::Lot(lot) = line.source {
                    self.journal.draw(slot, lot, line.before);
                }
            }
            if let Some(before) = self.effects.recharge_before.take() {
                self.journal.recharge(slot, before);
            }
        }
        self.journal.entitlements(slot, &mut self.effects.undo);
        if due_after != due_before {
            self.accounts.schedule(slot);
        }
    }

    fn open_unknown(&mut self, engine: &Engine<'_>, arrival: Timestamp, org: &str, outputs: &mut Outputs) -> Slot {
        let terms =
            engine.open_unknown.expect("invariant: a record without an account is admitted only if it is opened");
        self.open(org, terms, arrival, Cause::Time, outputs)
    }

    fn open(&mut self, org: &str, terms: &OpenAccount, at: Timestamp, cause: Cause<'_>, outputs: &mut Outputs) -> Slot {
        self.effects.clear();
        let terms = OpenAccount { rate_plan: self.shared(&terms.rate_plan), ..terms.clone() };
        let account = Account::open(org, &terms, at, &mut self.effects);
        let slot = self.accounts.add(account, self.batch);
        self.journal.opened();
        self.journal.touched(slot);
        for occurrence in &self.effects.occurrences {
            event::write(&mut outputs.events, org, occurrence, cause);
        }
        slot
    }

    /// Lets time run on to `now`: runs what is due in every account, in order of due instant, and hands each event to
    /// `each` with its organisation.
    pub fn tick(&mut self, engine: &Engine<'_>, now: Timestamp, mut each: impl FnMut(&str, &Occurrence)) {
        while let Some(slot) = self.accounts.next_due(now) {
            self.apply_whole(engine, slot, now, Input::Time);
            let org = self.accounts.get(slot).org();
            self.effects.occurrences.iter().for_each(|occurrence| each(org, occurrence));
        }
    }

    fn apply_whole(&mut self, engine: &Engine<'_>, slot: Slot, at: Timestamp, input: Input<'_>) {
        if !self.accounts.is_kept_whole(slot, self.batch) {
            self.keep_whole(slot);
        }
        self.effects.clear();
        let account = self.accounts.get_mut(slot);
        let due_before = account.head().next_due;
        account.apply(at, input, engine.rules, &mut self.effects);
        if account.head().next_due != due_before {
            self.accounts.schedule(slot);
        }
        self.journal.entitlements(slot, &mut self.effects.undo);
    }

    /// Keeps a copy of an account for undoing the batch: once, since it is the first that it goes back to.
    fn keep_whole(&mut self, slot: Slot) {
        if self.accounts.touch(slot, self.batch) {
            self.journal.touched(slot);
        }
        let checkpoint = self.accounts.keep_whole(slot, self.batch);
        self.journal.whole(slot, checkpoint);
    }

    /// Notes when something booked arrived, and forgets the days that nothing can ask for any more.
    #[inline]
    fn note_arrival(&mut self, limits: &Limits, arrival: Timestamp) {
        let day_before = self.clock.day();
        self.clock = self.clock.max(arrival);
        if self.clock.day() > day_before {
            self.forget_days(limits);
        }
    }

    #[cold]
    fn forget_days(&mut self, limits: &Limits) {
        let first_day = self.forgotten_before(limits);
        self.transactions.forget(limits.window_days.saturating_add(2));
        self.journal.records_changed(self.records.forget_before(first_day));
        self.journal.commands_changed(self.commands.forget_before(first_day));
    }

    /// Makes the batch in progress final, takes what was forgotten out of the tables, and begins the next batch.
    pub fn commit(&mut self, limits: &Limits) {
        // The window may have become shorter.
        self.forget_days(limits);
        self.seal();
        self.settle();
    }

    /// Ends the batch in progress and begins the next, while it is not known yet whether the one that ended is final.
    pub fn seal(&mut self) {
        assert!(self.sealed.is_none(), "invariant: at most one batch waits for its outcome");
        self.begin_batch();
        self.messages.sealed = self.messages.written;
        let journal = std::mem::replace(&mut self.spare, Journal::new());
        self.sealed = Some(std::mem::replace(&mut self.journal, journal));
        self.journal.begin(self.clock, &self.records, &self.commands);
    }

    /// The batch that was sealed is final: nothing will undo it.
    pub fn settle(&mut self) {
        let mut sealed = self.sealed.take().expect("invariant: only a sealed batch is settled");
        self.messages.settled = self.messages.sealed;
        let [records_day, commands_day] = self.journal.first_days();
        self.records.sweep(records_day);
        self.commands.sweep(commands_day);
        sealed.begin(self.clock, &self.records, &self.commands);
        self.spare = sealed;
    }

    /// Undoes whatever is not final, the batch in progress and a sealed one, without a trace, so that it can be replayed.
    pub fn roll_back(&mut self) {
        self.clock = self.journal.undo(&mut self.accounts, &mut self.records, &mut self.commands);
        if let Some(mut sealed) = self.sealed.take() {
            self.clock = sealed.undo(&mut self.accounts, &mut self.records, &mut self.commands);
            self.spare = sealed;
        }
        self.messages.written = self.messages.settled;
        // The next batch must touch accounts anew, under a number of its own.
        self.begin_batch();
        self.journal.begin(self.clock, &self.records, &self.commands);
    }

    fn begin_batch(&mut self) {
        self.batch = self.batch.checked_add(1).expect("invariant: a partition lives fewer than 2^32 batches");
        self.claims.clear();
    }

    /// The accounts that the batch in progress touched.
    pub fn dirty(&self) -> impl Iterator<Item = &Account> {
        self.journal.dirty().iter().map(|slot| self.accounts.get(*slot))
    }

    /// The users whose licences or own pools the batch in progress touched, with their organisations.
    pub fn dirty_users(&mut self) -> impl Iterator<Item = (&str, &User)> {
        let accounts = &self.accounts;
        let user = |(slot, place): &(Slot, UserPlace)| {
            let account = accounts.get(*slot);
            account.entitlements().map(|entitlements| (account.org(), entitlements.user(*place)))
        };
        self.journal.dirty_users().iter().filter_map(user)
    }

    /// Whether the batch in progress changed anything.
    pub fn is_dirty(&self) -> bool {
        !self.journal.dirty().is_empty() || !self.claims.is_empty()
    }

    /// Appends the identities that the batch in progress claimed, as one message; nothing if there are none. `now` is the
    /// log's time, by which what the batch appends can be found again.
    pub fn write_claims(&mut self, out: &mut Vec<u8>, now: Timestamp) {
        if !self.claims.is_empty() {
            let before = self.messages.written;
            let ordinal = before.ordinal.saturating_add(1);
            self.messages.written = Written { ordinal, clock: self.clock };
            let place = Place { ordinal, clock_before: before.clock };
            self.claims.write(out, self.batch, place, self.clock, now);
            self.note_transaction(now);
        }
    }

    /// Notes when the batch in progress is on its way, for who does not write its claims.
    pub fn note_transaction(&mut self, now: Timestamp) {
        self.transactions.note(self.batch, now, self.claims.record_count());
    }

    /// The number of the batch in progress.
    pub fn transaction(&self) -> u32 {
        self.batch
    }

    /// All accounts, in the order in which they were opened.
    pub fn accounts(&self) -> impl Iterator<Item = &Account> {
        self.accounts.iter()
    }

    /// How many accounts there are.
    pub fn account_count(&self) -> usize {
        self.accounts.count()
    }

    /// The account of `org`.
    pub fn account(&self, org: &str) -> Option<&Account> {
        self.accounts.find(org).map(|slot| self.accounts.get(slot))
    }

    /// The memory that identities of records and commands take, in bytes.
    pub fn dedup_size_bytes(&self) -> usize {
        self.records.size_bytes() + self.commands.size_bytes()
    }

    /// The identities of debited records.
    pub fn records(&self) -> &Dedup {
        &self.records
    }

    /// The greatest arrival of anything booked.
    pub fn clock(&self) -> Timestamp {
        self.clock
    }

    /// When something is due next, or earlier; never later.
    pub fn first_due(&self) -> Option<Timestamp> {
        self.accounts.first_due()
    }
}

fn too_large() -> Rejection {
    Rejection::new(Reason::ChargeTooLarge, "the account's sum of charges would go beyond 10^12 units")
}

#[cfg(test)]
mod tests;
