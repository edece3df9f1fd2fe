//! The account of one organisation, rebuilt from its debits and events alone.
//!
//! Written apart from the ledger, on purpose: an audit by the code that it audits would repeat its mistakes. After a
//! difference the record is believed, so that one mistake is one finding and not one for every line that follows.

mod events;

use std::collections::BTreeMap;

use drawdown_units::{Currency, Money, Timestamp};

use super::entry::{Body, Booked, Entry, Happening, Line, NewLot, Payer};
use super::findings::At;
use super::sum::Sum;

/// Where in its life a lot is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Active,
    Expired,
    Forfeited,
    Refunded,
}

impl State {
    pub fn name(self) -> &'static str {
        match self {
            State::Active => "active",
            State::Expired => "expired",
            State::Forfeited => "forfeited",
            State::Refunded => "refunded",
        }
    }
}

/// A lot, rebuilt.
#[derive(Debug)]
pub struct Lot {
    pub id: Box<str>,
    pub amount: Money,
    pub remaining: Money,
    pub purchased: Timestamp,
    pub expires: Timestamp,
    pub state: State,
}

/// How long after its expiry an empty lot must still be known, at least. Accounts keep them for a hundred days.
const FORGOTTEN_AFTER_S: i64 = 90 * 86_400;

impl Lot {
    /// Whether an account whose clock says `clock` may know nothing of it any more.
    pub fn can_be_forgotten(&self, clock: Timestamp) -> bool {
        self.remaining.is_zero() && clock.is_later_by_more_than(FORGOTTEN_AFTER_S, self.expires)
    }
}

/// What the opening event says.
#[derive(Debug)]
pub struct Terms {
    pub currency: Currency,
    pub country: Box<str>,
    pub rate_plan: Box<str>,
    pub post_usage: bool,
    pub strict: bool,
    pub licensing_required: bool,
}

/// The figures of an account.
#[derive(Debug, Default)]
pub struct Figures {
    pub purchased: Sum,
    pub adjusted: Sum,
    pub spent: Sum,
    pub forfeited: Sum,
    pub refunded: Sum,
    pub charged: Sum,
    pub drawn: Sum,
    pub overdrawn: Sum,
    pub overdraft: Sum,
    pub post_usage: Sum,
    pub uncollected: Sum,
    pub unlicensed: Sum,
    /// What post-usage statements were about.
    pub stated: Sum,
}

/// Recharges, as far as events tell.
#[derive(Debug, Default)]
pub struct Recharges {
    /// What each was for; the first is number 1.
    pub requested: Vec<Money>,
    /// The amount and the sending of the one without an answer.
    pub outstanding: Option<(Money, u32)>,
    pub invoice: u64,
}

/// An account, rebuilt.
#[derive(Debug)]
pub struct Books {
    pub org: Box<str>,
    pub terms: Option<Terms>,
    pub closed: bool,
    pub seq: u64,
    pub clock: Timestamp,
    pub balance: Sum,
    pub figures: Figures,
    /// By (purchased, id).
    pub lots: Vec<Lot>,
    /// Every lot before this one is empty.
    first_open: usize,
    pub recharges: Recharges,
    /// Minutes used, by pool, use and month.
    pub pools: BTreeMap<Box<str>, u64>,
    /// What the reversal before gave to a lot that is to come next.
    pub(super) returning: Option<(Box<str>, Sum)>,
}

impl Books {
    pub fn new(org: &str) -> Self {
        Books {
            org: org.into(),
            terms: None,
            closed: false,
            seq: 0,
            clock: Timestamp::MIN,
            balance: Sum::default(),
            figures: Figures::default(),
            lots: Vec::new(),
            first_open: 0,
            recharges: Recharges::default(),
            pools: BTreeMap::new(),
            returning: None,
        }
    }

    /// Books the entry whose turn it is.
    pub fn book(&mut self, entry: &Entry, at: &mut At<'_>) {
        self.seq = entry.seq;
        if entry.at < self.clock {
            at.differs("at", format_args!("{} or later: time does not go back", self.clock), entry.at);
        }
        self.clock = self.clock.max(entry.at);
        let is_return = matches!(&entry.body, Body::Event(Happening::Returned(_)));
        if let Some((lot, sum)) = self.returning.take_if(|_| !is_return) {
            at.differs("type", format_args!("FundsReturned: lot {lot} with {sum}"), "something else");
        }
        match &entry.body {
            Body::Debit(booked) => self.book_debit(booked, at),
            Body::Event(happening) => self.book_event(happening, entry, at),
        }
        if self.balance != entry.balance_after.into() {
            at.differs("balanceAfter", self.balance, entry.balance_after);
            self.balance = entry.balance_after.into();
        }
    }

    fn book_debit(&mut self, debit: &Booked, at: &mut At<'_>) {
        match &self.terms {
            None => at.differs("orgId", "an account that was opened", "a debit before AccountOpened"),
            Some(terms) if debit.currency != Some(terms.currency) => {
                let found = debit.currency.map_or_else(|| "none".to_owned(), |currency| currency.to_string());
                at.differs("charge.currency", terms.currency, found);
            }
            Some(_) => {}
        }
        if self.closed {
            at.differs("orgId", "no debit after AccountClosed", "a debit");
        }
        self.figures.charged += debit.amount;
        if let Some(pool) = &debit.pool {
            let used = self.pools.entry(pool.pool.clone()).or_default();
            if *used != pool.before {
                at.differs("funding[0].before", *used, pool.before);
            }
            *used = pool.after;
        }
        for (index, line) in debit.lines.iter().enumerate() {
            if debit.is_reversal {
                self.book_reversed(index, line, at);
            } else {
                self.book_line(index, line, debit.started, at);
            }
        }
    }

    /// A line of a reversal: what was drawn or accrued goes back.
    fn book_reversed(&mut self, index: usize, line: &Line, at: &mut At<'_>) {
        let returned = line.returned.as_ref().map_or(Money::ZERO, |(_, amount)| *amount);
        if let Some((lot, amount)) = &line.returned {
            let (_, sum) = self.returning.get_or_insert_with(|| (lot.clone(), Sum::default()));
            *sum += *amount;
        }
        let figures = &mut self.figures;
        let accrued = match &line.payer {
            Payer::Lot(lot) => {
                figures.drawn += line.amount;
                figures.spent += line.amount;
                self.give_back(index, lot, line, at);
                return;
            }
            Payer::Overdraft => {
                figures.overdrawn += line.amount;
                figures.spent -= returned;
                self.balance += line.before.minus(line.after);
                &mut figures.overdraft
            }
            Payer::PostUsage => &mut figures.post_usage,
            Payer::Uncollected => &mut figures.uncollected,
            Payer::Unlicensed => &mut figures.unlicensed,
        };
        if *accrued != line.before.into() {
            at.differs(format_args!("funding[{index}].before"), *accrued, line.before);
        }
        *accrued -= line.before.minus(line.after);
    }

    fn give_back(&mut self, index: usize, lot: &str, line: &Line, at: &mut At<'_>) {
        let back = line.after.minus(line.before);
        let Some(place) = self.place_of(lot) else {
            if !back.is_zero() {
                at.differs(format_args!("funding[{index}].lotId"), "a lot of this account", lot);
            }
            return;
        };
        let clock = self.clock;
        let held = &mut self.lots[place];
        if held.remaining != line.before {
            at.differs(format_args!("funding[{index}].before"), held.remaining, line.before);
        }
        if held.state == State::Active && held.remaining.is_zero() && clock >= held.expires {
            // A lot that expires empty does so without an event.
            held.state = State::Expired;
        }
        let is_over = matches!(held.state, State::Forfeited | State::Refunded);
        if back.is_positive() && (is_over || line.after > held.amount) {
            let found = format!("{lot}, {}, with {} of {}", held.state.name(), line.after, held.amount);
            at.differs(format_args!("funding[{index}].lotId"), "a lot that can take it back", found);
        }
        if held.state == State::Active {
            self.balance += back;
        }
        held.remaining = line.after;
        self.first_open = self.first_open.min(place);
    }

    fn book_line(&mut self, index: usize, line: &Line, started: Timestamp, at: &mut At<'_>) {
        if line.payer != Payer::Unlicensed {
            self.check_order(index, line, started, at);
        }
        let figures = &mut self.figures;
        let (accrued, right) = match (&line.payer, &self.terms) {
            (Payer::Lot(lot), _) => {
                self.figures.drawn += line.amount;
                self.figures.spent += line.amount;
                self.draw(&format_args!("funding[{index}]"), lot, line, Some(started), at);
                return;
            }
            (Payer::Overdraft, terms) => {
                figures.overdrawn += line.amount;
                self.balance -= line.amount;
                (&mut figures.overdraft, terms.as_ref().is_some_and(|it| !it.post_usage && !it.strict))
            }
            (Payer::Unlicensed, terms) => {
                (&mut figures.unlicensed, terms.as_ref().is_some_and(|it| it.licensing_required))
            }
            (Payer::PostUsage, terms) => (&mut figures.post_usage, terms.as_ref().is_some_and(|it| it.post_usage)),
            (Payer::Uncollected, terms) => {
                (&mut figures.uncollected, terms.as_ref().is_some_and(|it| !it.post_usage && it.strict))
            }
        };
        if *accrued != line.before.into() {
            at.differs(format_args!("funding[{index}].before"), *accrued, line.before);
        }
        *accrued += line.amount;
        if !right {
            let found = format!("{:?}", line.payer);
            at.differs(format_args!("funding[{index}].type"), "the payer that the account's mode says", found);
        }
    }

    /// Takes from a lot what a line says.
    fn draw(
        &mut self,
        name: &std::fmt::Arguments<'_>,
        lot: &str,
        line: &Line,
        started: Option<Timestamp>,
        at: &mut At<'_>,
    ) {
        let Some(place) = self.place_of(lot) else {
            at.differs(format_args!("{name}.lotId"), "a lot of this account", lot);
            return;
        };
        let held = &mut self.lots[place];
        if held.remaining != line.before {
            at.differs(format_args!("{name}.before"), held.remaining, line.before);
        }
        let is_over = matches!(held.state, State::Forfeited | State::Refunded)
            || started.is_some_and(|started| started >= held.expires)
            || (started.is_none() && held.state != State::Active);
        if is_over {
            at.differs(
                format_args!("{name}.lotId"),
                "a lot that can be drawn",
                format_args!("{lot}, {}", held.state.name()),
            );
        }
        if held.state == State::Active {
            self.balance -= line.amount;
        }
        held.remaining = line.after;
        self.first_open = self.first_open.min(place);
        self.skip_empty();
    }

    fn skip_empty(&mut self) {
        while self.lots.get(self.first_open).is_some_and(|lot| lot.remaining.is_zero()) {
            self.first_open += 1;
        }
    }

    /// First in, first out: what is older must be empty before a lot is drawn, and every lot before anyone else pays.
    fn check_order(&self, index: usize, line: &Line, started: Timestamp, at: &mut At<'_>) {
        for lot in &self.lots[self.first_open.min(self.lots.len())..] {
            if matches!(&line.payer, Payer::Lot(id) if *id == lot.id) {
                return;
            }
            let is_open = matches!(lot.state, State::Active | State::Expired) && started < lot.expires;
            if is_open && lot.remaining.is_positive() {
                let expected = format!("lot {} first, which holds {}", lot.id, lot.remaining);
                let found = match &line.payer {
                    Payer::Lot(id) => format!("lot {id}"),
                    other => format!("{other:?}"),
                };
                at.differs(format_args!("funding[{index}]"), expected, found);
                return;
            }
        }
    }

    /// The place of a lot. Calls draw the first open ones, so those are looked at first.
    fn place_of(&self, id: &str) -> Option<usize> {
        let open = self.lots[self.first_open.min(self.lots.len())..].iter().position(|lot| &*lot.id == id);
        open.map(|place| place + self.first_open).or_else(|| self.lots.iter().position(|lot| &*lot.id == id))
    }

    fn add_lot(&mut self, lot: &NewLot, at: &mut At<'_>) {
        if !self.closed {
            self.forget_lots();
        }
        match self.place_of(&lot.id) {
            Some(place) if self.lots[place].can_be_forgotten(self.clock) => drop(self.lots.remove(place)),
            Some(_) => {
                at.differs("lotId", "a lot that is new", &lot.id);
                return;
            }
            None => {}
        }
        self.first_open = self.lots.iter().take_while(|lot| lot.remaining.is_zero()).count();
        let place = self.lots.partition_point(|it| (it.purchased, &it.id) < (lot.purchased, &lot.id));
        self.first_open = self.first_open.min(place);
        self.balance += lot.amount;
        let lot = Lot {
            id: lot.id.clone(),
            amount: lot.amount,
            remaining: lot.amount,
            purchased: lot.purchased,
            expires: lot.expires,
            state: State::Active,
        };
        self.lots.insert(place, lot);
    }

    /// Accounts forget lots that no call can draw any more when new money comes; so do the books, later.
    fn forget_lots(&mut self) {
        let clock = self.clock;
        self.lots.retain(|lot| !lot.can_be_forgotten(clock.plus_seconds(-FORGOTTEN_AFTER_S)));
    }

    /// Held by all lots.
    pub fn remaining(&self) -> Sum {
        self.lots.iter().map(|lot| Sum::from(lot.remaining)).sum()
    }

    /// Both sums of domain.md section 6, by the rebuilt figures.
    pub fn check_conservation(&self, at: &mut At<'_>) {
        let figures = &self.figures;
        let came: Sum = [figures.purchased, figures.adjusted].into_iter().sum();
        let went: Sum = [figures.spent, figures.forfeited, figures.refunded, self.remaining()].into_iter().sum();
        if came != went {
            at.differs("purchased + adjusted", format_args!("{went}, spent, forfeited, refunded and remaining"), came);
        }
        let paid = [figures.drawn, figures.overdrawn, figures.post_usage, figures.uncollected, figures.unlicensed];
        let paid: Sum = paid.into_iter().sum();
        if figures.charged != paid {
            at.differs("charged", format_args!("{paid}, what the funding lines sum to"), figures.charged);
        }
        let active = self.lots.iter().filter(|lot| lot.state == State::Active);
        let mut balance: Sum = active.map(|lot| Sum::from(lot.remaining)).sum();
        balance -= figures.overdraft;
        if balance != self.balance {
            at.differs("balance", format_args!("{balance}, by lots and overdraft"), self.balance);
        }
    }
}
