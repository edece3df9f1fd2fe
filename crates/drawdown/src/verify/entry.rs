//! One line of the log, read and checked by itself: what can be said of a debit or an event without its account.
//!
//! This is the costly half of an audit, and it is done on all threads; what follows takes the entries in order.

mod fields;

use std::fmt::Display;

use drawdown_rating::Deck;
use drawdown_units::{Currency, Money, Timestamp};
use drawdown_wire::debit::{self, Debit, Funding};
use drawdown_wire::event::{self, AccountEvent, recharge_number};
use xxhash_rust::xxh3::xxh3_64;

use super::charge::{self, Recomputed};
use super::findings::Flaw;
use super::sum::Sum;
use fields::Fields;

/// A debit or an event, with everything of it that an account depends on.
#[derive(Debug)]
pub struct Entry {
    pub line: u64,
    pub org: Box<str>,
    pub seq: u64,
    pub at: Timestamp,
    pub balance_after: Money,
    pub body: Body,
}

/// What the line is about.
#[derive(Debug)]
pub enum Body {
    Debit(Booked),
    Event(Happening),
}

/// A debit.
#[derive(Debug)]
pub struct Booked {
    /// The hash of (source, id).
    pub identity: u64,
    pub id: Box<str>,
    pub started: Timestamp,
    pub currency: Option<Currency>,
    pub amount: Money,
    pub pool: Option<PoolUse>,
    pub lines: Vec<Line>,
    /// It takes an earlier debit back.
    pub is_reversal: bool,
    pub recomputed: Recomputed,
}

/// What was drawn from a pool, or given back.
#[derive(Debug)]
pub struct PoolUse {
    /// Name, use and month.
    pub pool: Box<str>,
    pub before: u64,
    pub after: u64,
}

/// A funding line, or what an adjustment drew.
#[derive(Debug)]
pub struct Line {
    pub payer: Payer,
    pub amount: Money,
    pub before: Money,
    pub after: Money,
    /// What a reversal gave to a new lot instead, and which.
    pub returned: Option<(Box<str>, Money)>,
}

/// Who paid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payer {
    Lot(Box<str>),
    Overdraft,
    PostUsage,
    Uncollected,
    Unlicensed,
}

/// A lot as the event that made it describes it.
#[derive(Debug, Clone)]
pub struct NewLot {
    pub id: Box<str>,
    pub amount: Money,
    pub purchased: Timestamp,
    pub expires: Timestamp,
}

/// An event, as far as it matters to an account.
#[derive(Debug)]
pub enum Happening {
    Opened {
        currency: Currency,
        country: Box<str>,
        rate_plan: Box<str>,
        post_usage: bool,
        strict: bool,
        licensing_required: bool,
    },
    Bought(NewLot),
    Recharged {
        number: u64,
        lot: NewLot,
    },
    AdjustedUp(NewLot),
    /// What a reversal could not give back where it came from.
    Returned(NewLot),
    Stated {
        amount: Money,
        post_usage: Money,
    },
    AdjustedDown {
        amount: Money,
        draws: Vec<Line>,
    },
    Settled {
        lot: Box<str>,
        amount: Money,
        overdraft: Money,
    },
    Expired {
        lot: Box<str>,
        amount: Money,
    },
    Forfeited {
        lot: Box<str>,
        amount: Money,
    },
    Refunded {
        lot: Box<str>,
        amount: Money,
    },
    Exhausted,
    Requested {
        number: u64,
        amount: Money,
        sending: u32,
    },
    Invoiced {
        invoice: u64,
        number: u64,
        amount: Money,
        lot: Box<str>,
    },
    GivenUp {
        number: u64,
    },
    ModeSet {
        post_usage: bool,
    },
    RatePlanSet {
        rate_plan: Box<str>,
    },
    Closed {
        overdraft: Money,
        post_usage: Money,
    },
    /// Nothing that moves money or changes what is compared.
    Other,
}

/// A line that was read: what it says, and what is wrong with it by itself.
#[derive(Debug, Default)]
pub struct Read {
    pub entry: Option<Entry>,
    pub flaws: Vec<Flaw>,
    /// Whose line it is, if there is no entry and this much could be read.
    pub org: Box<str>,
}

/// Reads and checks a line of debits.
pub fn read_debit(line: u64, bytes: &[u8], decks: &[Deck]) -> Read {
    let debit = match debit::read(bytes) {
        Ok(debit) => debit,
        Err(error) => return unreadable("a debit", &error),
    };
    let mut fields = Fields::default();
    let entry = debit_entry(line, &debit, decks, &mut fields);
    fields.into_read(entry, &debit.org_id)
}

fn debit_entry(line: u64, debit: &Debit<'_>, decks: &[Deck], fields: &mut Fields) -> Option<Entry> {
    let at = fields.time("at", Some(&debit.at));
    let started = fields.time("call.startDateTime", Some(&debit.call.start_date_time));
    let amount = fields.money("charge.amount", Some(&debit.charge.amount));
    let balance_after = fields.money("balanceAfter", Some(&debit.balance_after));
    let is_reversal = debit.reverses.is_some();
    let pool = debit.funding.iter().find(|line| line.is_pool()).map(|line| pool_use(line, fields));
    let money = debit.funding.iter().enumerate().filter(|(_, line)| !line.is_pool());
    let lines: Option<Vec<Line>> =
        money.map(|(index, funding)| funding_line(index, funding, is_reversal, fields)).collect();
    let (at, started, amount, balance_after, lines) = (at?, started?, amount?, balance_after?, lines?);
    if amount.is_negative() != (is_reversal && !amount.is_zero()) {
        let expected = if is_reversal { "0.00 or below" } else { "0.00 or above" };
        fields.flaws.push(Flaw::new("charge.amount", expected, amount));
    }
    let paid: Sum = lines.iter().map(|line| Sum::from(line.amount)).sum();
    if paid != amount.into() {
        fields.flaws.push(Flaw::new("funding", format_args!("lines that sum to the charge, {amount}"), paid));
    }
    let recomputed = charge::check(debit, amount, started, decks, &mut fields.flaws);
    let mut identity = Vec::with_capacity(64);
    for part in [&debit.source, &debit.id] {
        identity.extend_from_slice(part.as_bytes());
        identity.push(0xfe);
    }
    let currency = Currency::parse(&debit.charge.currency);
    let identity = xxh3_64(&identity);
    let id = (&*debit.id).into();
    Some(Entry {
        line,
        org: (&*debit.org_id).into(),
        seq: debit.seq,
        at,
        balance_after,
        body: Body::Debit(Booked {
            identity,
            id,
            started,
            currency,
            amount,
            pool: pool.flatten(),
            lines,
            is_reversal,
            recomputed,
        }),
    })
}

fn pool_use(line: &Funding<'_>, fields: &mut Fields) -> Option<PoolUse> {
    let pool = fields.text("funding[0].pool", line.pool.as_ref())?;
    let of = fields.text("funding[0].use", line.of.as_ref())?;
    let month = fields.text("funding[0].month", line.month.as_ref())?;
    let minutes = fields.need("funding[0].minutes", line.minutes)?;
    let size = fields.need("funding[0].size", line.size)?;
    let before: u64 = fields.read("funding[0].before", &line.before, line.before.parse())?;
    let after: u64 = fields.read("funding[0].after", &line.after, line.after.parse())?;
    if before.checked_add_signed(minutes) != Some(after) {
        fields.flaws.push(Flaw::new("funding[0].after", format_args!("{before} and {minutes} minutes"), after));
    }
    if minutes > 0 && after > size {
        fields.flaws.push(Flaw::new("funding[0].after", format_args!("{size} at most, the pool's size"), after));
    }
    Some(PoolUse { pool: pool_key(&pool, &of, &month), before, after })
}

/// The key of what is used of a pool in a month.
pub fn pool_key(pool: &str, of: &str, month: &str) -> Box<str> {
    format!("{pool} {of} {month}").into()
}

fn funding_line(index: usize, funding: &Funding<'_>, is_reversal: bool, fields: &mut Fields) -> Option<Line> {
    let payer = match (&*funding.kind, &funding.lot_id) {
        ("lot", Some(lot)) => Some(Payer::Lot((&**lot).into())),
        ("overdraft", None) => Some(Payer::Overdraft),
        ("postUsage", None) => Some(Payer::PostUsage),
        ("uncollected", None) => Some(Payer::Uncollected),
        ("unlicensed", None) => Some(Payer::Unlicensed),
        (kind, _) => {
            let known = "pool, lot with a lotId, overdraft, postUsage, uncollected or unlicensed";
            fields.flaws.push(Flaw::new(format_args!("funding[{index}].type"), known, kind));
            None
        }
    };
    let figures = [&funding.amount, &funding.before, &funding.after];
    if is_reversal {
        fields.reversed_line(index, payer, figures, funding.returned_to.as_ref())
    } else {
        fields.line("funding", index, payer, figures)
    }
}

/// Reads and checks a line of account events.
pub fn read_event(line: u64, bytes: &[u8]) -> Read {
    let event = match event::read(bytes) {
        Ok(event) => event,
        Err(error) => return unreadable("an account event", &error),
    };
    let mut fields = Fields::default();
    let entry = event_entry(line, &event, &mut fields);
    fields.into_read(entry, &event.org_id)
}

fn event_entry(line: u64, event: &AccountEvent<'_>, fields: &mut Fields) -> Option<Entry> {
    let at = fields.time("at", Some(&event.at));
    let balance_after = fields.money("balanceAfter", Some(&event.balance_after));
    let body = happening(event, fields);
    Some(Entry {
        line,
        org: (&*event.org_id).into(),
        seq: event.seq,
        at: at?,
        balance_after: balance_after?,
        body: Body::Event(body?),
    })
}

fn happening(event: &AccountEvent<'_>, fields: &mut Fields) -> Option<Happening> {
    let number = |fields: &mut Fields| {
        let id = fields.text("rechargeId", event.recharge_id.as_ref())?;
        let number = recharge_number(&event.org_id, &id);
        if number.is_none() {
            fields.flaws.push(Flaw::new("rechargeId", format_args!("{}/n", &*event.org_id), &id));
        }
        number
    };
    let amount = |fields: &mut Fields| fields.money("amount", event.amount.as_ref());
    let lot = |fields: &mut Fields| fields.text("lotId", event.lot_id.as_ref());
    Some(match &*event.kind {
        "AccountOpened" => Happening::Opened {
            currency: fields.currency(event.currency.as_ref())?,
            country: fields.text("country", event.country.as_ref())?,
            rate_plan: fields.text("ratePlan", event.rate_plan.as_ref())?,
            post_usage: fields.mode(event.mode.as_ref())?,
            strict: fields.need("strict", event.strict)?,
            licensing_required: event.licensing.as_deref() == Some("required"),
        },
        "FundsAdded" => Happening::Bought(fields.lot(event)?),
        "RechargeSucceeded" => Happening::Recharged { number: number(fields)?, lot: fields.lot(event)? },
        "FundsReturned" => Happening::Returned(fields.lot(event)?),
        "PostUsageStatement" => Happening::Stated {
            amount: amount(fields)?,
            post_usage: fields.money("postUsage", event.post_usage.as_ref())?,
        },
        "Adjusted" if event.lot_id.is_some() => Happening::AdjustedUp(fields.lot(event)?),
        "Adjusted" => Happening::AdjustedDown {
            amount: amount(fields)?,
            draws: event.lots.iter().enumerate().map(|(i, draw)| fields.draw(i, draw)).collect::<Option<_>>()?,
        },
        "OverdraftSettled" => Happening::Settled {
            lot: lot(fields)?,
            amount: amount(fields)?,
            overdraft: fields.money("overdraft", event.overdraft.as_ref())?,
        },
        "LotExpired" => Happening::Expired { lot: lot(fields)?, amount: amount(fields)? },
        "LotForfeited" => Happening::Forfeited { lot: lot(fields)?, amount: amount(fields)? },
        "LotRefunded" => Happening::Refunded { lot: lot(fields)?, amount: amount(fields)? },
        "BalanceExhausted" => Happening::Exhausted,
        "RechargeRequested" => Happening::Requested {
            number: number(fields)?,
            amount: amount(fields)?,
            sending: fields.need("sending", event.sending)?,
        },
        "InvoiceIssued" => Happening::Invoiced {
            invoice: fields.need("invoice", event.invoice)?,
            number: number(fields)?,
            amount: amount(fields)?,
            lot: lot(fields)?,
        },
        "RechargeFailed" => Happening::GivenUp { number: number(fields)? },
        "ModeSet" => Happening::ModeSet { post_usage: fields.mode(event.mode.as_ref())? },
        "RatePlanSet" => Happening::RatePlanSet { rate_plan: fields.text("ratePlan", event.rate_plan.as_ref())? },
        "AccountClosed" => Happening::Closed {
            overdraft: fields.money("overdraft", event.overdraft.as_ref())?,
            post_usage: fields.money("postUsage", event.post_usage.as_ref())?,
        },
        "AutoRechargeConfigured"
        | "RechargeAttemptFailed"
        | "RechargeCapReached"
        | "CommandRefused"
        | "LicenceAssigned"
        | "LicenceRemoved"
        | "PoolThresholdReached"
        | "LotExpiring" => Happening::Other,
        unknown => {
            fields.flaws.push(Flaw::new("type", "an account event that this program knows", unknown));
            return None;
        }
    })
}

fn unreadable(what: &str, error: &impl Display) -> Read {
    Read { flaws: vec![Flaw::new("line", what, error)], ..Read::default() }
}
