//! One organisation's account: the state machine that commands, calls and time drive.
//!
//! Invariants: every input first runs what is due up to its time (boundaries.md T1); the clock never goes back (T2);
//! `seq` numbers debits and events without a gap (X6); conservation holds after every input (domain.md section 6).

mod commands;
mod corrections;
mod dues;
mod licences;

use std::sync::Arc;

use drawdown_units::{Currency, Money, Timestamp};

use crate::command::{Command, Licensing, Mode, OpenAccount};
use crate::effects::{Debited, Effects, Event, FundingLine, FundingSource, Occurrence, Refusal};
use crate::entitlements::{Draw, Entitlements, Pool, User};
use crate::lots::{Lots, Totals};
use crate::recharge::Recharge;
use crate::reversal::Reversal;
use crate::rules::Rules;

/// The figures of an account that a call changes. Small and `Copy`, so that a batch is undone by copying it back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// The greatest timestamp seen.
    pub clock: Timestamp,
    /// When time alone will next do something; [`Timestamp::MAX`] if never.
    pub next_due: Timestamp,
    /// The last number given to a debit or event.
    pub seq: u64,
    /// Bought, recharges included.
    pub purchased: Money,
    /// Adjusted by hand: positive and negative.
    pub adjusted: Money,
    /// Left the lots for calls: lot lines and overdraft settlements (boundaries.md L14).
    pub spent: Money,
    /// Went to breakage.
    pub forfeited: Money,
    /// Paid back.
    pub refunded: Money,
    /// What calls cost in all.
    pub charged: Money,
    /// Lot lines of debits.
    pub drawn: Money,
    /// Overdraft lines of debits.
    pub overdrawn: Money,
    /// Overdraft not settled yet.
    pub overdraft: Money,
    /// Post-usage lines of debits.
    pub post_usage: Money,
    /// Uncollected lines of debits.
    pub uncollected: Money,
    /// Unlicensed lines of debits.
    pub unlicensed: Money,
    /// What post-usage statements were about so far.
    pub stated: Money,
    /// When the next post-usage statement is due; [`Timestamp::MAX`] if there is nothing to state.
    pub statement_due: Timestamp,
    /// The sums over the lots.
    pub lots: Totals,
}

/// Rate plans with the instant from which each held, oldest first.
pub type PlanHistory = Vec<(Timestamp, Arc<str>)>;

/// One organisation's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    head: Head,
    lots: Lots,
    org: Box<str>,
    rate_plan: Arc<str>,
    rate_plan_since: Timestamp,
    earlier_plans: Option<Box<PlanHistory>>,
    recharge: Option<Box<Recharge>>,
    entitlements: Option<Box<Entitlements>>,
    currency: Currency,
    country: [u8; 2],
    mode: Mode,
    licensing: Licensing,
    strict: bool,
    closed: bool,
}

/// A finished call and its price: the ledger need know no more of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RatedCall {
    /// What it costs; 0 or more.
    pub charge: Money,
    /// When it started: decides which lots it may draw.
    pub started: Timestamp,
    /// Whether its user may draw credits; if not, a charge is funded by nobody.
    pub is_licensed: bool,
    /// The minutes it draws from a pool; the charge is for the rest.
    pub pool: Option<Draw>,
}

impl RatedCall {
    /// A call of someone who may draw credits, and has no included minutes for it.
    pub fn paid(charge: Money, started: Timestamp) -> Self {
        RatedCall { charge, started, is_licensed: true, pool: None }
    }
}

/// What drives an account.
#[derive(Debug, Clone, Copy)]
pub enum Input<'a> {
    /// Someone asks for something.
    Command(&'a Command),
    /// Someone asks for something that the engine around the account knows to be wrong.
    Refused(&'a Command, Refusal),
    /// A call was rated.
    Call(RatedCall),
    /// A debit is taken back, and its call booked anew; not, where the record was withdrawn.
    Correction(&'a Reversal, Option<RatedCall>),
    /// Time has passed, nothing else. The clock follows only as far as something was due, so that how often time is
    /// told changes nothing.
    Time,
}

/// Everything an account is made of: to save it, and to open one that was saved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Its figures. `lots` is not read: it is recomputed.
    pub head: Head,
    /// Its lots, ordered.
    pub lots: Vec<crate::lots::Lot>,
    /// Whose it is.
    pub org: Box<str>,
    /// The rate plan now, and since when.
    pub rate_plan: (Timestamp, Arc<str>),
    /// Earlier rate plans.
    pub earlier_plans: PlanHistory,
    /// Automatic recharging, if ever set.
    pub recharge: Option<Recharge>,
    /// Its currency.
    pub currency: Currency,
    /// The tenant's country.
    pub country: [u8; 2],
    /// Prepaid or post-usage.
    pub mode: Mode,
    /// Whether users need licences to draw credits.
    pub licensing: Licensing,
    /// What lots do not cover is uncollected.
    pub strict: bool,
    /// No more calls.
    pub closed: bool,
    /// Shared pools; their holders are counted anew.
    pub pools: Vec<Pool>,
    /// Users with licences, where they are saved with the account.
    pub users: Vec<User>,
}

impl Head {
    /// Nothing yet, at `now`.
    pub fn new(now: Timestamp) -> Self {
        let zero = Money::ZERO;
        Head {
            clock: now,
            next_due: Timestamp::MAX,
            seq: 0,
            purchased: zero,
            adjusted: zero,
            spent: zero,
            forfeited: zero,
            refunded: zero,
            charged: zero,
            drawn: zero,
            overdrawn: zero,
            overdraft: zero,
            post_usage: zero,
            uncollected: zero,
            unlicensed: zero,
            stated: zero,
            statement_due: Timestamp::MAX,
            lots: Totals::default(),
        }
    }

    /// Whether every figure is one that money can count, so that their sums are too.
    fn is_bounded(&self) -> bool {
        let positive = [
            self.purchased,
            self.spent,
            self.forfeited,
            self.refunded,
            self.charged,
            self.drawn,
            self.overdrawn,
            self.overdraft,
            self.post_usage,
            self.uncollected,
            self.unlicensed,
            self.stated,
            self.lots.remaining,
        ];
        let counts = |figure: &Money| (Money::ZERO..=Money::LIMIT).contains(figure);
        positive.iter().all(counts) && self.adjusted.abs() <= Money::LIMIT
    }
}

impl Account {
    /// Opens the account of `org` at `now`, with the event that says so.
    pub fn open(org: &str, terms: &OpenAccount, now: Timestamp, effects: &mut Effects) -> Self {
        let mut account = Self::silent(org, terms, now);
        let event = Event::AccountOpened {
            currency: terms.currency,
            rate_plan: Arc::clone(&terms.rate_plan),
            mode: terms.mode,
            country: terms.country,
            strict: terms.strict,
            licensing: terms.licensing,
        };
        account.emit(now, false, event, effects);
        account
    }

    fn silent(org: &str, terms: &OpenAccount, now: Timestamp) -> Self {
        Account {
            head: Head::new(now),
            lots: Lots::default(),
            org: org.into(),
            rate_plan: Arc::clone(&terms.rate_plan),
            rate_plan_since: Timestamp::MIN,
            earlier_plans: None,
            recharge: None,
            entitlements: None,
            currency: terms.currency,
            country: terms.country,
            mode: terms.mode,
            licensing: terms.licensing,
            strict: terms.strict,
            closed: false,
        }
    }

    /// Rebuilds a saved account. `None` if what was saved breaks an invariant.
    pub fn restore(saved: Opening, rules: &Rules) -> Option<Self> {
        let lots = Lots::restore(saved.lots)?;
        let mut account = Account {
            head: Head { lots: lots.totals(), ..saved.head },
            lots,
            org: saved.org,
            rate_plan: saved.rate_plan.1,
            rate_plan_since: saved.rate_plan.0,
            earlier_plans: Some(saved.earlier_plans).filter(|plans| !plans.is_empty()).map(Box::new),
            recharge: saved.recharge.map(Box::new),
            entitlements: None,
            currency: saved.currency,
            country: saved.country,
            mode: saved.mode,
            licensing: saved.licensing,
            strict: saved.strict,
            closed: saved.closed,
        };
        for pool in saved.pools {
            account.entitlements.get_or_insert_default().restore_pool(pool);
        }
        for user in saved.users {
            account.restore_user(user, rules);
        }
        account.end_restore(rules);
        account.head.next_due = account.find_next_due(rules);
        (account.head.is_bounded() && account.conserves()).then_some(account)
    }

    /// Everything the account is made of.
    pub fn save(&self) -> Opening {
        Opening {
            head: self.head,
            lots: self.lots.all().to_vec(),
            org: self.org.clone(),
            rate_plan: (self.rate_plan_since, Arc::clone(&self.rate_plan)),
            earlier_plans: self.earlier_plans.as_deref().cloned().unwrap_or_default(),
            recharge: self.recharge.as_deref().cloned(),
            currency: self.currency,
            country: self.country,
            mode: self.mode,
            licensing: self.licensing,
            strict: self.strict,
            closed: self.closed,
            pools: self.entitlements().map_or_else(Vec::new, |it| it.pools().to_vec()),
            users: self.entitlements().map_or_else(Vec::new, |it| it.users().to_vec()),
        }
    }

    /// Applies one input that arrived at `at`: first what is due up to then, then the input itself.
    ///
    /// Appends to `effects`. A call must have been admitted by [`Account::admits`].
    pub fn apply(&mut self, at: Timestamp, input: Input<'_>, rules: &Rules, effects: &mut Effects) {
        let now = at.max(self.head.clock);
        if self.head.next_due <= now {
            self.run_due(now, rules, effects);
        }
        match input {
            Input::Command(command) => self.command(command, now, rules, effects),
            Input::Refused(command, refusal) => {
                self.head.clock = now;
                self.refuse(command, refusal, effects);
            }
            Input::Call(call) => self.call(call, now, rules, effects),
            Input::Correction(reversal, call) => self.correct(reversal, call, now, rules, effects),
            Input::Time => {}
        }
        self.head.lots = self.lots.totals();
        assert!(self.conserves(), "invariant: money is conserved in the account of {}", self.org);
    }

    /// Whether a charge can be booked at all: accounts hold sums up to [`Money::LIMIT`] and no more.
    pub fn admits(&self, charge: Money) -> bool {
        !charge.is_negative() && self.head.charged.checked_add(charge).is_some_and(|sum| sum <= Money::LIMIT)
    }

    /// Books a rated call.
    fn call(&mut self, call: RatedCall, now: Timestamp, rules: &Rules, effects: &mut Effects) {
        self.head.clock = now;
        let before = self.balance();
        self.debit(call, effects);
        if self.note_accrual() {
            self.head.next_due = self.head.next_due.min(self.head.statement_due);
        }
        let balance = self.balance();
        let crossed = before.is_positive() && !balance.is_positive();
        let low = self.recharge.as_ref().is_some_and(|recharge| recharge.wants_look(balance));
        if crossed || (low && before != balance) {
            effects.recharge_before = self.recharge.as_deref().cloned();
            self.balance_changed(before, self.head.clock, false, effects);
            self.head.next_due = self.find_next_due(rules);
        }
    }

    /// Included minutes first, then lots first in first out, then whoever the mode says.
    fn debit(&mut self, call: RatedCall, effects: &mut Effects) {
        let seq = self.next_seq();
        let crossed = call.pool.map(|draw| self.draw_minutes(&draw, effects));
        if !call.charge.is_zero() {
            self.draw(call, effects);
        }
        effects.debit = Some(Debited { seq, at: self.head.clock, balance_after: self.balance() });
        if let Some(crossed) = crossed.filter(|crossed| !crossed.is_empty()) {
            self.emit_thresholds(crossed, effects);
        }
    }

    fn draw(&mut self, call: RatedCall, effects: &mut Effects) {
        let head = &mut self.head;
        head.charged = head.charged.plus(call.charge);
        if !call.is_licensed {
            let before = head.unlicensed;
            head.unlicensed = before.plus(call.charge);
            let (source, after) = (FundingSource::Unlicensed, head.unlicensed);
            effects.funding.push(FundingLine { source, amount: call.charge, before, after });
            return;
        }
        let missing = self.lots.spend(call.charge, call.started, &mut effects.funding);
        let drawn = call.charge.minus(missing);
        head.drawn = head.drawn.plus(drawn);
        head.spent = head.spent.plus(drawn);
        if missing.is_zero() {
            return;
        }
        let (source, before, after) = match self.mode {
            Mode::PostUsage => (FundingSource::PostUsage, head.post_usage, &mut head.post_usage),
            Mode::Prepaid if self.strict => (FundingSource::Uncollected, head.uncollected, &mut head.uncollected),
            Mode::Prepaid => {
                head.overdrawn = head.overdrawn.plus(missing);
                (FundingSource::Overdraft, head.overdraft, &mut head.overdraft)
            }
        };
        *after = before.plus(missing);
        effects.funding.push(FundingLine { source, amount: missing, before, after: *after });
    }

    /// What accrued is stated at the next month's first instant (domain.md section 8). Whether that is news. A correction
    /// may have taken back all of it.
    fn note_accrual(&mut self) -> bool {
        if self.head.post_usage == self.head.stated {
            self.head.statement_due = Timestamp::MAX;
        }
        let is_news = self.head.post_usage != self.head.stated && self.head.statement_due == Timestamp::MAX;
        if is_news {
            self.head.statement_due = self.head.clock.month_start().plus_months(1);
        }
        is_news
    }

    /// What follows any change of balance: exhaustion, then the trigger (boundaries.md L19, R1).
    fn balance_changed(&mut self, before: Money, at: Timestamp, due: bool, effects: &mut Effects) {
        let balance = self.balance();
        if before.is_positive() && !balance.is_positive() {
            self.emit(at, due, Event::BalanceExhausted, effects);
        }
        self.look_at_trigger(at, due, effects);
    }

    fn look_at_trigger(&mut self, at: Timestamp, due: bool, effects: &mut Effects) {
        let balance = self.balance();
        let (recharging, currency) = (self.recharging(), self.currency);
        let request = self.recharge.as_deref_mut().filter(|_| recharging);
        let request = request.and_then(|it| it.look(balance, currency, at));
        if let Some(event) = request {
            self.emit(at, due, event, effects);
        }
    }

    /// Whether automatic recharging may ask for money in this mode at all (boundaries.md M4, L18).
    fn recharging(&self) -> bool {
        self.mode == Mode::Prepaid && !self.closed
    }

    fn emit(&mut self, at: Timestamp, due: bool, event: Event, effects: &mut Effects) {
        let seq = self.next_seq();
        effects.occurrences.push(Occurrence { seq, at, balance_after: self.balance(), due, event });
    }

    fn refuse(&mut self, command: &Command, refusal: Refusal, effects: &mut Effects) {
        let event = Event::CommandRefused { command: command.name(), refusal };
        self.emit(self.head.clock, false, event, effects);
    }

    fn next_seq(&mut self) -> u64 {
        self.head.seq = self.head.seq.checked_add(1).expect("invariant: debits and events are fewer than 2^64");
        self.head.seq
    }

    /// Conservation, both sums: a handful of additions.
    fn conserves(&self) -> bool {
        let head = &self.head;
        let came = head.purchased.plus(head.adjusted);
        let went = head.spent.plus(head.forfeited).plus(head.refunded).plus(self.lots.totals().remaining);
        let paid = head.drawn.plus(head.overdrawn).plus(head.post_usage).plus(head.uncollected);
        let paid = paid.plus(head.unlicensed);
        came == went && head.charged == paid
    }

    /// Puts back what calls changed since `head` was copied: the figures, and the lots named in `draws`, latest first.
    pub fn undo_calls(&mut self, head: Head, draws: impl Iterator<Item = (u32, Money)>) {
        self.lots.undo(head.lots, draws);
        self.head = head;
    }

    /// Puts back the recharge state a call changed: [`Effects::recharge_before`].
    pub fn undo_recharge(&mut self, before: Recharge) {
        self.recharge = Some(Box::new(before));
    }

    /// The figures that calls change.
    pub fn head(&self) -> &Head {
        &self.head
    }

    /// Spendable money less overdraft: what trigger, exhaustion and `balanceAfter` are about (boundaries.md L1).
    pub fn balance(&self) -> Money {
        self.lots.totals().spendable.minus(self.head.overdraft)
    }

    /// The lots, oldest purchase first.
    pub fn lots(&self) -> &Lots {
        &self.lots
    }

    /// Reads what a call will ask for first, all over the account, so that it is near. The value means nothing.
    #[inline]
    pub fn look_ahead(&self) -> u64 {
        let head = &self.head;
        let figures = [head.purchased, head.forfeited, head.charged, head.unlicensed, head.stated, head.lots.remaining];
        let figures = figures.iter().fold(head.seq, |all, figure| all ^ figure.micros().cast_unsigned());
        let org = self.org.as_bytes().first().copied().unwrap_or_default();
        figures ^ u64::from(org) ^ self.lots.look_ahead()
    }

    /// Whose account it is.
    pub fn org(&self) -> &str {
        &self.org
    }

    /// Its currency.
    pub fn currency(&self) -> Currency {
        self.currency
    }

    /// Its mode.
    pub fn mode(&self) -> Mode {
        self.mode
    }

    /// Whether it takes no more calls.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether what lots do not cover is uncollected.
    pub fn is_strict(&self) -> bool {
        self.strict
    }

    /// The tenant's country.
    pub fn country(&self) -> [u8; 2] {
        self.country
    }

    /// The rate plans with the instant from which each held, oldest first; the last one holds now.
    pub fn rate_plans(&self) -> impl Iterator<Item = (Timestamp, &Arc<str>)> {
        let earlier = self.earlier_plans.as_deref().map_or(&[][..], Vec::as_slice);
        let now = (self.rate_plan_since, &self.rate_plan);
        earlier.iter().map(|(since, plan)| (*since, plan)).chain([now])
    }

    /// Automatic recharging, if ever set.
    pub fn recharge(&self) -> Option<&Recharge> {
        self.recharge.as_deref()
    }

    /// The rate plan for calls that start at `started` (boundaries.md C6).
    pub fn rate_plan_at(&self, started: Timestamp) -> &Arc<str> {
        if started >= self.rate_plan_since {
            return &self.rate_plan;
        }
        let earlier = self.earlier_plans.as_deref().map_or(&[][..], Vec::as_slice);
        earlier.iter().rev().find(|(since, _)| started >= *since).map_or(&self.rate_plan, |(_, plan)| plan)
    }
}

#[cfg(test)]
mod tests;
