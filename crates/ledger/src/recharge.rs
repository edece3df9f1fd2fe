//! Automatic recharging: when to ask for money, and what the answers mean (domain.md section 7, boundaries.md R).
//!
//! Invariants: at most one request is outstanding; numbers are taken only by real requests and never reused; what
//! succeeded or is outstanding in a month never exceeds the cap, but for money that arrived after its request was
//! given up, which is real and counted all the same.
//!
//! Knows no balance and no currency of its own: the account tells it when to look.

use std::sync::Arc;

use drawdown_units::{Currency, Money, Timestamp};

use crate::command::{Outcome, Settings, Settlement};
use crate::effects::{Event, Refusal};
use crate::rules::Rules;

/// Requests given up are remembered this far back, in case their money arrives after all (boundaries.md R8).
const GIVEN_UP_COUNT_MAX: usize = 256;

/// The state of automatic recharging of one account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recharge {
    /// The settings in force.
    pub settings: Arc<Settings>,
    /// The number of the last request; 0 before the first (boundaries.md R14).
    pub number: u64,
    /// The number of the last invoice; 0 before the first.
    pub invoice: u64,
    /// The request without a final answer.
    pub outstanding: Option<Outstanding>,
    /// Disarmed up to here by a final failure.
    pub rearm_at: Option<Timestamp>,
    /// The first instant of the UTC month that `counted` is about.
    pub month: Timestamp,
    /// What succeeded or is outstanding of the requests of that month (boundaries.md R5).
    pub counted: Money,
    /// The cap's event was raised in that month.
    pub cap_reported: bool,
    /// The cap refused a request, so the next month's first instant looks again (boundaries.md R6).
    pub cap_refused: bool,
    /// Requests that failed for good, oldest first.
    pub given_up: Vec<GivenUp>,
}

/// A request without a final answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outstanding {
    /// How much was asked for: settings that change meanwhile do not change it (boundaries.md R10).
    pub amount: Money,
    /// When it was first asked for: the month it counts in.
    pub requested: Timestamp,
    /// When it was last sent.
    pub sent: Timestamp,
    /// How often it was sent.
    pub sending: u32,
    /// Which attempt at paying is running or, while backing off, comes next; from 1.
    pub attempt: u32,
    /// Backing off up to here; `None` while an answer is awaited.
    pub retry_at: Option<Timestamp>,
}

/// A request that failed for good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GivenUp {
    /// Its number.
    pub number: u64,
    /// What it asked for.
    pub amount: Money,
    /// When it was first asked for.
    pub requested: Timestamp,
}

/// What a settlement means to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Settled {
    /// The money came: make a lot of it, and an invoice.
    Paid(Payment),
    /// Nothing but this event.
    Failed(Event),
}

/// Money that came for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// The request's number.
    pub number: u64,
    /// How much.
    pub amount: Money,
    /// The invoice's number.
    pub invoice: u64,
}

impl Recharge {
    /// Nothing asked for yet.
    pub fn new(settings: Arc<Settings>) -> Self {
        Recharge {
            settings,
            number: 0,
            invoice: 0,
            outstanding: None,
            rearm_at: None,
            month: Timestamp::MIN,
            counted: Money::ZERO,
            cap_reported: false,
            cap_refused: false,
            given_up: Vec::new(),
        }
    }

    /// Whether a look at `balance` could do anything: what almost every call asks, and nothing more.
    pub fn wants_look(&self, balance: Money) -> bool {
        balance < self.settings.trigger
            && self.settings.enabled
            && self.outstanding.is_none()
            && self.rearm_at.is_none()
    }

    /// Asks for money if `balance` is strictly below the trigger, or says that the cap refuses it.
    pub fn look(&mut self, balance: Money, currency: Currency, now: Timestamp) -> Option<Event> {
        if !self.wants_look(balance) {
            return None;
        }
        self.turn_month(now);
        let amount = self.settings.amount;
        let counted = self.counted.plus(amount);
        if let Some(cap) = self.settings.monthly_cap.filter(|cap| counted > *cap) {
            self.cap_refused = true;
            let first_time = !std::mem::replace(&mut self.cap_reported, true);
            let event = Event::RechargeCapReached { cap, month: self.month, counted: self.counted, amount };
            return first_time.then_some(event);
        }
        self.number = self.number.checked_add(1).expect("invariant: recharges are fewer than 2^64");
        self.counted = counted;
        self.cap_refused = false;
        self.outstanding =
            Some(Outstanding { amount, requested: now, sent: now, sending: 1, attempt: 1, retry_at: None });
        Some(self.request(currency))
    }

    /// The instant at which an outstanding request is sent again, by silence or after a failed attempt.
    pub fn next_sending(&self, rules: &Rules) -> Option<Timestamp> {
        let outstanding = self.outstanding.as_ref()?;
        Some(outstanding.retry_at.unwrap_or_else(|| outstanding.sent.plus_seconds(rules.resend_s)))
    }

    /// Sends the outstanding request again under its id; silence uses no attempt (boundaries.md R3).
    pub fn send_again(&mut self, currency: Currency, at: Timestamp) -> Event {
        let outstanding = self.outstanding.as_mut().expect("invariant: only an outstanding request is sent again");
        outstanding.sent = at;
        outstanding.sending = outstanding.sending.saturating_add(1);
        outstanding.retry_at = None;
        self.request(currency)
    }

    /// The first instant of the month after the one in which the cap refused.
    pub fn next_month(&self) -> Option<Timestamp> {
        self.cap_refused.then(|| self.month.plus_months(1))
    }

    /// Books an answer of the payment side. `active` tells whether recharging is on at all (boundaries.md R11, M4).
    ///
    /// # Errors
    /// An answer to nothing, or to what has its answer.
    pub fn settle(
        &mut self,
        settlement: &Settlement,
        active: bool,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<Settled, Refusal> {
        let number = settlement.number.filter(|n| (1..=self.number).contains(n)).ok_or(Refusal::UnknownRecharge)?;
        self.turn_month(now);
        match self.outstanding.filter(|_| number == self.number) {
            Some(outstanding) => self.answer(settlement, outstanding, active, now, rules),
            None => self.late_success(number, settlement),
        }
    }

    fn answer(
        &mut self,
        settlement: &Settlement,
        outstanding: Outstanding,
        active: bool,
        now: Timestamp,
        rules: &Rules,
    ) -> Result<Settled, Refusal> {
        let number = self.number;
        let reason = settlement.reason.clone();
        match settlement.outcome {
            Outcome::Succeeded => {
                check_amount(settlement, outstanding.amount)?;
                self.outstanding = None;
                return Ok(self.paid(number, outstanding.amount));
            }
            Outcome::Failed if outstanding.retry_at.is_some() => return Err(Refusal::NoAttemptPending),
            Outcome::Failed => {
                let tried = (outstanding.attempt as usize).wrapping_sub(1);
                let backoff = rules.retry_backoff_s.get(tried).filter(|_| active && self.settings.enabled);
                if let Some(backoff_s) = backoff {
                    let retry_at = now.plus_seconds(*backoff_s);
                    let attempt = outstanding.attempt;
                    let next = attempt.saturating_add(1);
                    self.outstanding = Some(Outstanding { retry_at: Some(retry_at), attempt: next, ..outstanding });
                    return Ok(Settled::Failed(Event::RechargeAttemptFailed { number, attempt, reason, retry_at }));
                }
            }
            Outcome::Declined => {}
        }
        Ok(Settled::Failed(self.give_up(outstanding, settlement, now, rules)))
    }

    fn give_up(&mut self, outstanding: Outstanding, settlement: &Settlement, now: Timestamp, rules: &Rules) -> Event {
        if outstanding.requested >= self.month {
            self.counted = self.counted.minus(outstanding.amount);
        }
        if self.given_up.len() >= GIVEN_UP_COUNT_MAX {
            self.given_up.remove(0);
        }
        self.given_up.push(GivenUp {
            number: self.number,
            amount: outstanding.amount,
            requested: outstanding.requested,
        });
        self.outstanding = None;
        let rearm_at = now.plus_seconds(rules.cooldown_s);
        self.rearm_at = Some(rearm_at);
        Event::RechargeFailed {
            number: self.number,
            outcome: settlement.outcome,
            reason: settlement.reason.clone(),
            rearm_at,
        }
    }

    /// The card was charged after the request had been given up: the money is real (boundaries.md R8).
    fn late_success(&mut self, number: u64, settlement: &Settlement) -> Result<Settled, Refusal> {
        let place = self.given_up.iter().position(|given_up| given_up.number == number);
        match place {
            Some(place) if settlement.outcome == Outcome::Succeeded => {
                check_amount(settlement, self.given_up[place].amount)?;
                let given_up = self.given_up.remove(place);
                if given_up.requested >= self.month {
                    self.counted = self.counted.plus(given_up.amount);
                }
                Ok(self.paid(number, given_up.amount))
            }
            _ => Err(Refusal::AlreadySettled),
        }
    }

    fn paid(&mut self, number: u64, amount: Money) -> Settled {
        self.invoice = self.invoice.checked_add(1).expect("invariant: invoices are fewer than 2^64");
        Settled::Paid(Payment { number, amount, invoice: self.invoice })
    }

    fn request(&self, currency: Currency) -> Event {
        let outstanding = self.outstanding.as_ref().expect("invariant: a request is outstanding");
        Event::RechargeRequested {
            number: self.number,
            amount: outstanding.amount,
            currency,
            sending: outstanding.sending,
            attempt: outstanding.attempt,
            settings: Arc::clone(&self.settings),
        }
    }

    /// A new month starts with nothing counted: an outstanding request counts in the month it was made in.
    fn turn_month(&mut self, now: Timestamp) {
        let month = now.month_start();
        if month > self.month {
            self.month = month;
            self.counted = Money::ZERO;
            self.cap_reported = false;
            self.cap_refused = false;
        }
    }
}

/// Which amount is right, the ledger cannot know: it books neither.
fn check_amount(settlement: &Settlement, requested: Money) -> Result<(), Refusal> {
    match settlement.amount {
        Some(paid) if paid != requested => Err(Refusal::RechargeAmountMismatch),
        Some(_) | None => Ok(()),
    }
}
