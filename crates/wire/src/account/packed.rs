//! Account state in its binary form: what the pipeline keeps of an account, one value per organisation.
//!
//! The same content as the line of JSON ([`super::write()`]) at a fifth of its size, and read back in a tenth of the
//! time: a partition of a million accounts is restored before its first call is rated. A first byte says which form
//! and version it is; a line of JSON begins with a brace, so that the two cannot be taken for one another.

use std::sync::Arc;

use drawdown_ledger::account::{Account, Head, Opening};
use drawdown_ledger::command::{Licensing, Mode, PaymentMethod, Settings};
use drawdown_ledger::lots::{Lot, LotId, State};
use drawdown_ledger::recharge::{GivenUp, Outstanding, Recharge};
use drawdown_units::{Currency, Money, Timestamp};
use serde::{Deserialize, Serialize, Serializer};

use super::ReadError;
use super::licences::PoolState;

/// The form and its version.
const FORM: u8 = 2;
/// The one before: what [`More`] holds is missing, and no licences are needed.
const FORM_1: u8 = 1;

pub(super) type Instant = (i64, u32);

/// Appends the state of `account`, without its users: they have values of their own.
pub fn pack(out: &mut Vec<u8>, account: &Account) {
    out.push(FORM);
    append(out, 256 + 64 * account.lots().all().len(), &State1::of(account));
    append(out, 64, &More::of(account));
}

/// Appends `state`, which takes about `room` bytes.
pub(super) fn append(out: &mut Vec<u8>, mut room: usize, state: &impl Serialize) {
    loop {
        let from = out.len();
        out.resize(from + room, 0);
        match postcard::to_slice(state, &mut out[from..]).map(|written| written.len()) {
            Ok(length) => return out.truncate(from + length),
            Err(_) => out.truncate(from),
        }
        room *= 2;
    }
}

/// Reads what [`pack`] wrote.
///
/// # Errors
/// What is wrong with it.
pub fn unpack(bytes: &[u8]) -> Result<Opening, ReadError> {
    let (form, body) = match bytes.split_first() {
        Some((form @ (&FORM | &FORM_1), body)) => (*form, body),
        Some((form, _)) => return Err(ReadError(format!("form {form}, where forms {FORM_1} and {FORM} are read"))),
        None => return Err(ReadError("nothing, where a form is expected".to_owned())),
    };
    let read = |error: postcard::Error| ReadError(error.to_string());
    let (state, rest): (State1<'_, Vec<LotState<'_>>>, _) = postcard::take_from_bytes(body).map_err(read)?;
    let (more, rest): (Option<More<'_>>, _) = match form {
        FORM_1 => (None, rest),
        _ => postcard::take_from_bytes(rest).map(|(more, rest)| (Some(more), rest)).map_err(read)?,
    };
    if !rest.is_empty() {
        return Err(ReadError(format!("{} bytes beyond its end", rest.len())));
    }
    let mut opening = state.into_opening()?;
    if let Some(more) = more {
        more.add_to(&mut opening)?;
    }
    Ok(opening)
}

/// What version 2 has behind version 1.
#[derive(Serialize, Deserialize)]
struct More<'a> {
    licensing_required: bool,
    unlicensed: i64,
    stated: i64,
    statement_due: Option<Instant>,
    #[serde(borrow)]
    pools: Vec<PoolState<'a>>,
}

impl<'a> More<'a> {
    fn of(account: &'a Account) -> Self {
        let head = account.head();
        let pools = account.entitlements().map_or(&[][..], |entitlements| entitlements.pools());
        More {
            licensing_required: account.licensing() == Licensing::Required,
            unlicensed: head.unlicensed.micros(),
            stated: head.stated.micros(),
            statement_due: (head.statement_due < Timestamp::MAX).then(|| instant(head.statement_due)),
            pools: pools.iter().map(PoolState::of).collect(),
        }
    }

    fn add_to(self, opening: &mut Opening) -> Result<(), ReadError> {
        opening.licensing = if self.licensing_required { Licensing::Required } else { Licensing::None };
        opening.head.unlicensed = Money::from_micros(self.unlicensed);
        opening.head.stated = Money::from_micros(self.stated);
        opening.head.statement_due = self.statement_due.map_or(Ok(Timestamp::MAX), timestamp)?;
        opening.pools = self.pools.into_iter().map(PoolState::into_pool).collect::<Result<_, _>>()?;
        Ok(())
    }
}

/// Version 1: fields are never moved or dropped; another version gets another first byte.
#[derive(Serialize, Deserialize)]
struct State1<'a, L> {
    org: &'a str,
    seq: u64,
    clock: Instant,
    currency: [u8; 3],
    country: [u8; 2],
    flags: u8,
    #[serde(borrow)]
    plans: Vec<(Instant, &'a str)>,
    /// In millionths, in the order of [`figures`].
    figures: [i64; FIGURES],
    lots: L,
    #[serde(borrow)]
    recharge: Option<RechargeState<'a>>,
}

#[derive(Serialize, Deserialize)]
struct LotState<'a> {
    id: &'a str,
    amount: i64,
    /// What is gone: nothing of a fresh lot, all of most old ones; both are short numbers.
    gone: i64,
    purchased: Instant,
    expires: Instant,
    state: u8,
}

#[derive(Serialize, Deserialize)]
struct RechargeState<'a> {
    enabled: bool,
    amount: i64,
    trigger: i64,
    monthly_cap: Option<i64>,
    card: Option<&'a str>,
    agreement: Option<(&'a str, Option<&'a str>)>,
    number: u64,
    invoice: u64,
    outstanding: Option<OutstandingState>,
    rearm_at: Option<Instant>,
    month: Instant,
    counted: i64,
    cap_reported: bool,
    cap_refused: bool,
    given_up: Vec<(u64, i64, Instant)>,
}

#[derive(Serialize, Deserialize)]
struct OutstandingState {
    amount: i64,
    requested: Instant,
    sent: Instant,
    sending: u32,
    attempt: u32,
    retry_at: Option<Instant>,
}

const FIGURES: usize = 11;

const POST_USAGE: u8 = 1;
const STRICT: u8 = 2;
const CLOSED: u8 = 4;

const STATES: [State; 4] = [State::Active, State::Expired, State::Forfeited, State::Refunded];

/// Lots written where they stand, without a list of them.
struct LotsOf<'a>(&'a [Lot]);

impl Serialize for LotsOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(LotState::of))
    }
}

pub(super) fn instant(at: Timestamp) -> Instant {
    (at.seconds(), at.nanos())
}

pub(super) fn timestamp((seconds, nanos): Instant) -> Result<Timestamp, ReadError> {
    if nanos < 1_000_000_000 {
        return Ok(Timestamp::from_parts(seconds, nanos));
    }
    Err(ReadError(format!("an instant with {nanos} nanoseconds")))
}

fn optional(at: Option<Instant>) -> Result<Option<Timestamp>, ReadError> {
    at.map(timestamp).transpose()
}

fn figures(head: &Head) -> [i64; FIGURES] {
    [
        head.purchased,
        head.adjusted,
        head.spent,
        head.forfeited,
        head.refunded,
        head.charged,
        head.drawn,
        head.overdrawn,
        head.overdraft,
        head.post_usage,
        head.uncollected,
    ]
    .map(Money::micros)
}

fn head(seq: u64, clock: Timestamp, figures: [i64; FIGURES]) -> Head {
    let [
        purchased,
        adjusted,
        spent,
        forfeited,
        refunded,
        charged,
        drawn,
        overdrawn,
        overdraft,
        post_usage,
        uncollected,
    ] = figures.map(Money::from_micros);
    Head {
        seq,
        purchased,
        adjusted,
        spent,
        forfeited,
        refunded,
        charged,
        drawn,
        overdrawn,
        overdraft,
        post_usage,
        uncollected,
        ..Head::new(clock)
    }
}

impl<'a> State1<'a, LotsOf<'a>> {
    fn of(account: &'a Account) -> Self {
        let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
        let currency = account.currency().as_str().as_bytes().try_into();
        State1 {
            org: account.org(),
            seq: account.head().seq,
            clock: instant(account.head().clock),
            currency: currency.expect("invariant: a currency has three letters"),
            country: account.country(),
            flags: flag(POST_USAGE, account.mode() == Mode::PostUsage)
                | flag(STRICT, account.is_strict())
                | flag(CLOSED, account.is_closed()),
            plans: account.rate_plans().map(|(since, plan)| (instant(since), &**plan)).collect(),
            figures: figures(account.head()),
            lots: LotsOf(account.lots().all()),
            recharge: account.recharge().map(RechargeState::of),
        }
    }
}

impl State1<'_, Vec<LotState<'_>>> {
    fn into_opening(self) -> Result<Opening, ReadError> {
        let mut plans = Vec::with_capacity(self.plans.len());
        for (since, plan) in self.plans {
            plans.push((timestamp(since)?, Arc::from(plan)));
        }
        let currency = std::str::from_utf8(&self.currency).ok().and_then(Currency::parse);
        Ok(Opening {
            head: head(self.seq, timestamp(self.clock)?, self.figures),
            lots: self.lots.into_iter().map(LotState::into_lot).collect::<Result<_, _>>()?,
            org: self.org.into(),
            rate_plan: plans.pop().ok_or_else(|| ReadError("no rate plan".into()))?,
            earlier_plans: plans,
            recharge: self.recharge.map(RechargeState::into_recharge).transpose()?,
            currency: currency.ok_or_else(|| ReadError("a currency that is none".into()))?,
            country: self.country,
            mode: if self.flags & POST_USAGE == 0 { Mode::Prepaid } else { Mode::PostUsage },
            licensing: Licensing::None,
            strict: self.flags & STRICT != 0,
            closed: self.flags & CLOSED != 0,
            pools: Vec::new(),
            users: Vec::new(),
        })
    }
}

impl<'a> LotState<'a> {
    fn of(lot: &'a Lot) -> Self {
        LotState {
            id: &lot.id,
            amount: lot.amount.micros(),
            gone: lot.amount.minus(lot.remaining).micros(),
            purchased: instant(lot.purchased),
            expires: instant(lot.expires),
            state: lot.state as u8,
        }
    }

    fn into_lot(self) -> Result<Lot, ReadError> {
        let remaining = self.amount.checked_sub(self.gone);
        let state = STATES.get(usize::from(self.state)).copied();
        Ok(Lot {
            id: LotId::new(self.id),
            amount: Money::from_micros(self.amount),
            remaining: Money::from_micros(remaining.ok_or_else(|| ReadError("a lot beyond 64 bits".into()))?),
            purchased: timestamp(self.purchased)?,
            expires: timestamp(self.expires)?,
            state: state.ok_or_else(|| ReadError(format!("lot state {}", self.state)))?,
        })
    }
}

impl<'a> RechargeState<'a> {
    fn of(recharge: &'a Recharge) -> Self {
        let settings = &recharge.settings;
        let (card, agreement) = match &settings.payment {
            PaymentMethod::Card(card) => (Some(&**card), None),
            PaymentMethod::Agreement { number, purchase_order } => (None, Some((&**number, purchase_order.as_deref()))),
        };
        RechargeState {
            enabled: settings.enabled,
            amount: settings.amount.micros(),
            trigger: settings.trigger.micros(),
            monthly_cap: settings.monthly_cap.map(Money::micros),
            card,
            agreement,
            number: recharge.number,
            invoice: recharge.invoice,
            outstanding: recharge.outstanding.as_ref().map(OutstandingState::of),
            rearm_at: recharge.rearm_at.map(instant),
            month: instant(recharge.month),
            counted: recharge.counted.micros(),
            cap_reported: recharge.cap_reported,
            cap_refused: recharge.cap_refused,
            given_up: recharge
                .given_up
                .iter()
                .map(|given_up| (given_up.number, given_up.amount.micros(), instant(given_up.requested)))
                .collect(),
        }
    }

    fn into_recharge(self) -> Result<Recharge, ReadError> {
        let payment = match (self.card, self.agreement) {
            (Some(card), None) => PaymentMethod::Card(card.into()),
            (None, Some((number, order))) => {
                PaymentMethod::Agreement { number: number.into(), purchase_order: order.map(Into::into) }
            }
            _ => return Err(ReadError("a payment method that is none".into())),
        };
        let mut given_up = Vec::with_capacity(self.given_up.len());
        for (number, amount, requested) in self.given_up {
            given_up.push(GivenUp { number, amount: Money::from_micros(amount), requested: timestamp(requested)? });
        }
        let settings = Settings {
            enabled: self.enabled,
            amount: Money::from_micros(self.amount),
            trigger: Money::from_micros(self.trigger),
            monthly_cap: self.monthly_cap.map(Money::from_micros),
            payment,
        };
        Ok(Recharge {
            settings: Arc::new(settings),
            number: self.number,
            invoice: self.invoice,
            outstanding: self.outstanding.map(OutstandingState::into_outstanding).transpose()?,
            rearm_at: optional(self.rearm_at)?,
            month: timestamp(self.month)?,
            counted: Money::from_micros(self.counted),
            cap_reported: self.cap_reported,
            cap_refused: self.cap_refused,
            given_up,
        })
    }
}

impl OutstandingState {
    fn of(outstanding: &Outstanding) -> Self {
        OutstandingState {
            amount: outstanding.amount.micros(),
            requested: instant(outstanding.requested),
            sent: instant(outstanding.sent),
            sending: outstanding.sending,
            attempt: outstanding.attempt,
            retry_at: outstanding.retry_at.map(instant),
        }
    }

    fn into_outstanding(self) -> Result<Outstanding, ReadError> {
        Ok(Outstanding {
            amount: Money::from_micros(self.amount),
            requested: timestamp(self.requested)?,
            sent: timestamp(self.sent)?,
            sending: self.sending,
            attempt: self.attempt,
            retry_at: optional(self.retry_at)?,
        })
    }
}
