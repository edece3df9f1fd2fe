//! Automatic recharging under whatever the payment side does: answers that are lost, late, doubled, of another amount or
//! for nothing that was asked, between calls, other settings, other modes and plain time.
//!
//! A watch follows the events alone, by domain.md section 7 and boundaries.md R, and knows after each of them what may
//! come next. Inputs are the same in every run.

#![allow(clippy::arithmetic_side_effects, reason = "an overflow panics, as it should in a test")]

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use drawdown_ledger::command::{AddFunds, Licensing, Mode, OpenAccount, Outcome, PaymentMethod, Settings, Settlement};
use drawdown_ledger::{Account, Command, Effects, Event, Input, LotId, Occurrence, RatedCall, Refusal, Rules};
use drawdown_units::{Currency, Money, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestCaseResult, TestRng, TestRunner};

const DAY_S: i64 = 86_400;
const CASES: u32 = 600;

/// One input, `gap_s` after the one before it.
#[derive(Debug, Clone)]
struct Step {
    gap_s: i64,
    act: Act,
}

#[derive(Debug, Clone)]
enum Act {
    Call { charge: Money, age_s: i64 },
    Buy(Money),
    Adjust(Money),
    Refund(u8),
    Configure(Settings),
    Mode(Mode),
    Answer { to: To, outcome: Outcome, amount: Paid, late_s: i64, is_doubled: bool },
    Time,
}

/// Which request an answer is about.
#[derive(Debug, Clone, Copy)]
enum To {
    Newest,
    /// So many before the newest.
    Older(u64),
    /// So many after the newest: never asked for.
    Unknown(u64),
    /// An id that is none of the account's.
    Foreign,
}

/// What the payment side says was paid.
#[derive(Debug, Clone, Copy)]
enum Paid {
    Unsaid,
    Asked,
    Other,
}

fn units(units: i64) -> Money {
    Money::from_micros(units * 1_000_000)
}

fn settings() -> impl Strategy<Value = Settings> {
    let cap = proptest::option::of(0..200_i64);
    (0..10_u8, 50..90_i64, 0..100_i64, cap).prop_map(|(off, amount, trigger, beyond)| Settings {
        enabled: off > 0,
        amount: units(amount),
        trigger: units(trigger),
        monthly_cap: beyond.map(|beyond| units(amount + beyond)),
        payment: PaymentMethod::Card("tok".into()),
    })
}

fn answer() -> impl Strategy<Value = Act> {
    let to = prop_oneof![
        8 => Just(To::Newest),
        2 => (1..4_u64).prop_map(To::Older),
        1 => (1..4_u64).prop_map(To::Unknown),
        1 => Just(To::Foreign),
    ];
    let outcome = prop_oneof![4 => Just(Outcome::Succeeded), 2 => Just(Outcome::Declined), 5 => Just(Outcome::Failed)];
    let amount = prop_oneof![2 => Just(Paid::Unsaid), 4 => Just(Paid::Asked), 1 => Just(Paid::Other)];
    (to, outcome, amount, -600..2 * DAY_S, 0..4_u8).prop_map(|(to, outcome, amount, late_s, twice)| Act::Answer {
        to,
        outcome,
        amount,
        late_s,
        is_doubled: twice == 0,
    })
}

fn act() -> impl Strategy<Value = Act> {
    let cents = |cents: i64| Money::from_micros(cents * 10_000);
    prop_oneof![
        12 => (0..6_000_i64, 0..3 * DAY_S).prop_map(move |(charge, age_s)| Act::Call { charge: cents(charge), age_s }),
        14 => answer(),
        3 => settings().prop_map(Act::Configure),
        1 => (1..80_i64).prop_map(|amount| Act::Buy(units(amount))),
        1 => (-3_000..3_000_i64).prop_map(move |amount| Act::Adjust(cents(amount))),
        1 => (0..4_u8).prop_map(Act::Refund),
        1 => any::<bool>().prop_map(|post| Act::Mode(if post { Mode::PostUsage } else { Mode::Prepaid })),
        4 => Just(Act::Time),
    ]
}

/// Gaps below and above the waits of the rules: attempts, silence, the cool-down, months.
fn steps() -> impl Strategy<Value = (Settings, Vec<Step>)> {
    let gap_s = prop_oneof![
        6 => 0..90_i64,
        1 => Just(0),
        4 => 0..2_000_i64,
        2 => 0..2 * DAY_S,
        1 => 0..12 * DAY_S,
        1 => -3_600..0_i64,
    ];
    let step = (gap_s, act()).prop_map(|(gap_s, act)| Step { gap_s, act });
    (settings(), proptest::collection::vec(step, 0..80))
}

/// A request without its last answer, as its events tell.
#[derive(Debug, Clone, Copy)]
struct Open {
    number: u64,
    amount: Money,
    /// The month it counts in.
    month: Timestamp,
    sending: u32,
    attempt: u32,
    /// When it goes out again, and whether that is the retry after a failed attempt.
    next_at: Timestamp,
    is_backing_off: bool,
}

/// What must be so, as far as the events tell.
struct Watch {
    rules: Rules,
    settings: Option<Arc<Settings>>,
    mode: Mode,
    open: Option<Open>,
    newest: u64,
    /// Of each request given up: amount and month.
    given_up: BTreeMap<u64, (Money, Timestamp)>,
    /// Until when a failure for good disarms.
    rearm_at: Option<Timestamp>,
    /// By month, what succeeded or is outstanding of its requests.
    counted: BTreeMap<Timestamp, Money>,
    cap_told: BTreeSet<Timestamp>,
    /// Paid, and not invoiced yet.
    to_invoice: Option<(u64, Money, LotId)>,
    paid: BTreeSet<u64>,
    lots: BTreeSet<LotId>,
    invoice: u64,
    purchased: Money,
    /// How often each kind of event and refusal was seen.
    seen: BTreeMap<String, u32>,
}

impl Watch {
    fn new() -> Self {
        Watch {
            rules: Rules::default(),
            settings: None,
            mode: Mode::Prepaid,
            open: None,
            newest: 0,
            given_up: BTreeMap::new(),
            rearm_at: None,
            counted: BTreeMap::new(),
            cap_told: BTreeSet::new(),
            to_invoice: None,
            paid: BTreeSet::new(),
            lots: BTreeSet::new(),
            invoice: 0,
            purchased: Money::ZERO,
            seen: BTreeMap::new(),
        }
    }

    fn counted(&self, month: Timestamp) -> Money {
        self.counted.get(&month).copied().unwrap_or(Money::ZERO)
    }

    fn count(&mut self, month: Timestamp, amount: Money) {
        let counted = self.counted.entry(month).or_insert(Money::ZERO);
        *counted = counted.plus(amount);
    }

    /// Whether one more would exceed the cap (boundaries.md R5).
    fn is_over_cap(&self, month: Timestamp, settings: &Settings) -> bool {
        settings.monthly_cap.is_some_and(|cap| self.counted(month).plus(settings.amount) > cap)
    }

    fn may_ask(&self, occurrence: &Occurrence) -> bool {
        let is_armed = self.rearm_at.is_none_or(|rearm_at| rearm_at <= occurrence.at);
        let is_low = self.settings.as_ref().is_some_and(|it| it.enabled && occurrence.balance_after < it.trigger);
        self.open.is_none() && self.mode == Mode::Prepaid && is_armed && is_low
    }

    /// What an answer must come to: a refusal, or not (boundaries.md R8, R13, R18).
    fn refusal(&self, settlement: &Settlement) -> Option<Refusal> {
        let Some(number) = settlement.number.filter(|number| (1..=self.newest).contains(number)) else {
            return Some(Refusal::UnknownRecharge);
        };
        let is_paid = settlement.outcome == Outcome::Succeeded;
        let asked = match self.open.filter(|open| open.number == number) {
            Some(open) if settlement.outcome == Outcome::Failed && open.is_backing_off => {
                return Some(Refusal::NoAttemptPending);
            }
            Some(open) => open.amount,
            None => match self.given_up.get(&number) {
                Some((amount, _)) if is_paid => *amount,
                Some(_) | None => return Some(Refusal::AlreadySettled),
            },
        };
        let is_other = settlement.amount.is_some_and(|paid| paid != asked);
        (is_paid && is_other).then_some(Refusal::RechargeAmountMismatch)
    }

    /// Takes in one event, and says if it should not have been.
    fn hear(&mut self, occurrence: &Occurrence) -> TestCaseResult {
        let at = occurrence.at;
        let name = format!("{:?}", occurrence.event);
        let name = name.split([' ', '{']).next().unwrap_or_default().to_owned();
        *self.seen.entry(name).or_default() += 1;
        let is_invoice = matches!(occurrence.event, Event::InvoiceIssued { .. });
        prop_assert_eq!(self.to_invoice.is_some(), is_invoice, "a payment and its invoice follow each other");
        match &occurrence.event {
            Event::RechargeRequested { number, amount, sending: 1, attempt, .. } => {
                let settings = self.settings.clone().expect("recharging was set");
                prop_assert!(self.may_ask(occurrence), "{:?}", occurrence);
                prop_assert_eq!((*number, *amount, *attempt), (self.newest + 1, settings.amount, 1));
                prop_assert!(!self.is_over_cap(at.month_start(), &settings), "above the cap: {:?}", occurrence);
                self.newest = *number;
                self.rearm_at = None;
                self.count(at.month_start(), *amount);
                let next_at = at.plus_seconds(self.rules.resend_s);
                let (month, is_backing_off) = (at.month_start(), false);
                self.open = Some(Open {
                    number: *number,
                    amount: *amount,
                    month,
                    sending: 1,
                    attempt: 1,
                    next_at,
                    is_backing_off,
                });
            }
            Event::RechargeRequested { number, amount, sending, attempt, .. } => {
                let open = self.open.expect("only what is outstanding is sent again");
                let expected = (open.number, open.amount, open.sending + 1, open.attempt, open.next_at);
                prop_assert_eq!((*number, *amount, *sending, *attempt, at), expected);
                let next_at = at.plus_seconds(self.rules.resend_s);
                self.open = Some(Open { sending: *sending, next_at, is_backing_off: false, ..open });
            }
            Event::RechargeAttemptFailed { number, attempt, retry_at, .. } => {
                let open = self.open.expect("it is outstanding");
                let backoff_s = self.rules.retry_backoff_s.get(open.attempt as usize - 1).copied();
                let next_at = at.plus_seconds(backoff_s.expect("an attempt is left"));
                prop_assert_eq!((*number, *attempt, *retry_at), (open.number, open.attempt, next_at));
                prop_assert!(self.mode == Mode::Prepaid && self.settings.as_ref().is_some_and(|it| it.enabled));
                self.open = Some(Open { attempt: open.attempt + 1, next_at, is_backing_off: true, ..open });
            }
            Event::RechargeFailed { number, outcome, rearm_at, .. } => {
                let open = self.open.take().expect("it is outstanding");
                prop_assert_eq!((*number, *rearm_at), (open.number, at.plus_seconds(self.rules.cooldown_s)));
                let is_on = self.mode == Mode::Prepaid && self.settings.as_ref().is_some_and(|it| it.enabled);
                let is_last = open.attempt as usize > self.rules.retry_backoff_s.len();
                prop_assert!(*outcome == Outcome::Declined || is_last || !is_on, "given up too early");
                self.count(open.month, open.amount.negated());
                self.given_up.insert(*number, (open.amount, open.month));
                self.rearm_at = Some(*rearm_at);
            }
            Event::RechargeSucceeded { number, lot, amount, .. } => {
                let asked = match self.open.take_if(|open| open.number == *number) {
                    Some(open) => open.amount,
                    None => {
                        let (amount, month) = self.given_up.remove(number).expect("it was given up");
                        self.count(month, amount);
                        amount
                    }
                };
                prop_assert_eq!(*amount, asked);
                prop_assert!(self.paid.insert(*number) && self.lots.insert(lot.clone()), "one lot for each payment");
                self.purchased = self.purchased.plus(*amount);
                self.rearm_at = None;
                self.to_invoice = Some((*number, *amount, lot.clone()));
            }
            Event::InvoiceIssued { invoice, number, amount, lot, .. } => {
                prop_assert_eq!(*invoice, self.invoice + 1, "invoices have no gap");
                prop_assert_eq!(Some((*number, *amount, lot.clone())), self.to_invoice.take());
                self.invoice = *invoice;
            }
            Event::RechargeCapReached { month, counted, amount, .. } => {
                let settings = self.settings.clone().expect("recharging was set");
                prop_assert!(self.may_ask(occurrence) && self.is_over_cap(*month, &settings), "{:?}", occurrence);
                prop_assert_eq!((*month, *counted, *amount), (at.month_start(), self.counted(*month), settings.amount));
                prop_assert!(self.cap_told.insert(*month), "told once a month");
            }
            Event::AutoRechargeConfigured { settings } => {
                self.settings = Some(Arc::clone(settings));
                self.rearm_at = None;
            }
            Event::FundsAdded { lot, amount, .. } => {
                prop_assert!(self.lots.insert(lot.clone()));
                self.purchased = self.purchased.plus(*amount);
                self.rearm_at = None;
            }
            Event::AdjustedUp { lot, .. } => {
                prop_assert!(self.lots.insert(lot.clone()));
                self.rearm_at = None;
            }
            Event::ModeSet { mode } => self.mode = *mode,
            _ => {}
        }
        Ok(())
    }

    /// After every input: nothing is silent, nothing overdue, and the account agrees.
    fn rest(&self, account: &Account) -> TestCaseResult {
        let (clock, balance) = (account.head().clock, account.balance());
        prop_assert!(self.to_invoice.is_none());
        prop_assert_eq!(account.head().purchased, self.purchased, "each payment is one lot, and nothing else is");
        let outstanding = account.recharge().and_then(|it| it.outstanding);
        prop_assert_eq!(outstanding.map(|it| it.amount), self.open.map(|open| open.amount));
        if let Some(open) = self.open {
            prop_assert!(clock < open.next_at, "{:?} is overdue at {:?}", open, clock);
        }
        let Some(settings) = self.settings.as_ref().filter(|it| it.enabled && balance < it.trigger) else {
            return Ok(());
        };
        if self.mode == Mode::Prepaid && self.open.is_none() {
            let is_cooling = self.rearm_at.is_some_and(|rearm_at| clock < rearm_at);
            let month = clock.month_start();
            let is_capped = self.cap_told.contains(&month) && self.is_over_cap(month, settings);
            prop_assert!(is_cooling || is_capped, "low and silent at {:?} with {:?}", clock, balance);
        }
        Ok(())
    }
}

/// One account under watch.
struct Play {
    account: Account,
    effects: Effects,
    watch: Watch,
    at: Timestamp,
    lots: u32,
}

impl Play {
    fn new() -> Self {
        let at = Timestamp::parse("2026-01-25T12:00:00Z").expect("an instant");
        let terms = OpenAccount {
            currency: Currency::parse("USD").expect("a currency"),
            rate_plan: Arc::from("gold"),
            mode: Mode::Prepaid,
            country: *b"US",
            strict: false,
            licensing: Licensing::None,
        };
        let mut effects = Effects::default();
        let account = Account::open("acme", &terms, at, &mut effects);
        Play { account, effects, watch: Watch::new(), at, lots: 0 }
    }

    /// Gives the account an input; what it is refused for must be `expected`, which the watch is asked for once it has
    /// heard what was due before.
    fn apply(&mut self, input: Input<'_>, expected: impl FnOnce(&Watch) -> Option<Option<Refusal>>) -> TestCaseResult {
        self.effects.clear();
        self.account.apply(self.at, input, &self.watch.rules, &mut self.effects);
        let occurrences = std::mem::take(&mut self.effects.occurrences);
        let of_input = occurrences.iter().position(|it| !it.due).unwrap_or(occurrences.len());
        let (due, caused) = occurrences.split_at(of_input);
        due.iter().try_for_each(|it| self.watch.hear(it))?;
        let refused = caused.iter().find_map(|it| match &it.event {
            Event::CommandRefused { refusal, .. } => Some(*refusal),
            _ => None,
        });
        if let Some(expected) = expected(&self.watch) {
            prop_assert_eq!(refused, expected);
            if let Some(refusal) = refused {
                prop_assert_eq!(caused.len(), 1, "what is refused changes nothing");
                *self.watch.seen.entry(refusal.name().to_owned()).or_default() += 1;
            }
        }
        caused.iter().try_for_each(|it| self.watch.hear(it))?;
        self.watch.rest(&self.account)
    }

    fn command(&mut self, command: &Command) -> TestCaseResult {
        self.apply(Input::Command(command), |_| None)
    }

    fn step(&mut self, step: &Step) -> TestCaseResult {
        self.at = self.at.plus_seconds(step.gap_s);
        self.lots += 1;
        let lot = LotId::from(format!("L{}", self.lots));
        match &step.act {
            Act::Call { charge, age_s } => {
                let call = RatedCall::paid(*charge, self.at.plus_seconds(-age_s));
                self.apply(Input::Call(call), |_| None)
            }
            Act::Buy(amount) => self.command(&Command::AddFunds(AddFunds {
                lot,
                amount: *amount,
                currency: None,
                purchased: self.at,
                expires: None,
                reference: None,
            })),
            Act::Adjust(amount) => self.command(&Command::Adjust { lot, amount: *amount, reason: "by hand".into() }),
            Act::Refund(number) => {
                let lot = LotId::from(format!("acme/{number}"));
                self.command(&Command::RefundLot { lot, reason: "by hand".into() })
            }
            Act::Configure(settings) => self.command(&Command::ConfigureAutoRecharge(settings.clone())),
            Act::Mode(mode) => self.command(&Command::SetMode { mode: *mode }),
            Act::Answer { to, outcome, amount, late_s, is_doubled } => {
                let settlement = self.settlement(*to, *outcome, *amount, *late_s);
                let command = Command::SettleRecharge(settlement.clone());
                for _ in 0..=u8::from(*is_doubled) {
                    self.apply(Input::Command(&command), |watch| Some(watch.refusal(&settlement)))?;
                }
                Ok(())
            }
            Act::Time => self.apply(Input::Time, |_| None),
        }
    }

    fn settlement(&self, to: To, outcome: Outcome, amount: Paid, late_s: i64) -> Settlement {
        let newest = self.watch.newest;
        let number = match to {
            To::Newest => Some(newest),
            To::Older(back) => Some(newest.saturating_sub(back)),
            To::Unknown(beyond) => Some(newest + beyond),
            To::Foreign => None,
        };
        let open = self.watch.open.filter(|open| Some(open.number) == number).map(|open| open.amount);
        let given_up = number.and_then(|number| self.watch.given_up.get(&number)).map(|(amount, _)| *amount);
        let asked = open.or(given_up).unwrap_or(units(50));
        let amount = match amount {
            Paid::Unsaid => None,
            Paid::Asked => Some(asked),
            Paid::Other => Some(asked.plus(Money::from_micros(1))),
        };
        Settlement { number, outcome, amount, processed: self.at.plus_seconds(-late_s), reason: None }
    }
}

#[test]
fn whatever_the_payment_side_does() {
    let config = ProptestConfig { cases: CASES, failure_persistence: None, ..ProptestConfig::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let seen: RefCell<BTreeMap<String, u32>> = RefCell::default();
    let held = TestRunner::new_with_rng(config, rng).run(&steps(), |(settings, steps)| {
        let mut play = Play::new();
        play.command(&Command::ConfigureAutoRecharge(settings))?;
        steps.iter().try_for_each(|step| play.step(step))?;
        // A month of silence: what is outstanding goes on being sent, and what is capped is looked at again.
        play.step(&Step { gap_s: 32 * DAY_S, act: Act::Time })?;
        play.watch.seen.iter().for_each(|(name, count)| *seen.borrow_mut().entry(name.clone()).or_default() += count);
        Ok(())
    });
    held.unwrap_or_else(|failure| panic!("{failure}"));
    let seen = seen.into_inner();
    for wanted in [
        "RechargeRequested",
        "RechargeAttemptFailed",
        "RechargeFailed",
        "RechargeSucceeded",
        "RechargeCapReached",
        "InvoiceIssued",
        "ModeSet",
        "unknown-recharge",
        "already-settled",
        "no-attempt-pending",
        "recharge-amount-mismatch",
    ] {
        assert!(seen.get(wanted).is_some_and(|count| *count > 100), "{wanted} is hardly seen: {seen:?}");
    }
}
