//! Account state: one line per organisation, absolute, from which the account can be restored.

mod licences;
mod packed;
mod running;
mod snapshot;

use std::sync::Arc;

use drawdown_ledger::account::{Account, Head, Opening};
use drawdown_ledger::command::{Licensing, Mode, PaymentMethod, Settings};
use drawdown_ledger::lots::{Lot, LotId, State};
use drawdown_ledger::recharge::{GivenUp, Outstanding, Recharge};
use drawdown_units::{Currency, Money, Timestamp};
use serde::Deserialize;

use crate::event::{country_text, write_settings};
use crate::json::{Writer, key};

pub use licences::{is_user, org_of_key, pack_user, unpack_user, user_key, write_user};
pub use packed::{pack, unpack};
pub use running::{Claim, PoolClaim, RunningCall, call_key, call_of_key, is_call, pack_call, unpack_call, write_call};
pub use snapshot::{
    LotSnapshot, OutstandingSnapshot, PlanSnapshot, PoolSnapshot, RechargeSnapshot, Snapshot, UseSnapshot,
    UserSnapshot, snapshot,
};

/// Appends the state of `account` as one line of JSON.
pub fn write(out: &mut Vec<u8>, account: &Account) {
    out.reserve(1024);
    let saved = account.save();
    let head = account.head();
    let mut json = Writer::new(out);
    json.text("{\"schemaVersion\":1,\"type\":\"account\",\"orgId\":", account.org());
    json.integer(key!("seq"), head.seq);
    json.time(key!("clock"), head.clock);
    json.plain(key!("currency"), saved.currency.as_str());
    json.text(key!("country"), &country_text(saved.country));
    json.plain(key!("mode"), saved.mode.name());
    json.boolean(key!("strict"), saved.strict);
    json.plain(key!("licensing"), saved.licensing.name());
    json.boolean(key!("closed"), saved.closed);
    json.list(key!("ratePlans"), saved.earlier_plans.iter().chain([&saved.rate_plan]), |json, (since, plan)| {
        json.text("{\"ratePlan\":", plan);
        if *since > Timestamp::MIN {
            json.time(key!("since"), *since);
        }
        json.raw("}");
    });
    json.money(key!("balance"), account.balance());
    json.money(key!("overdraft"), head.overdraft);
    json.money(key!("purchased"), head.purchased);
    json.money(key!("adjusted"), head.adjusted);
    json.money(key!("spent"), head.spent);
    json.money(key!("forfeited"), head.forfeited);
    json.money(key!("refunded"), head.refunded);
    json.money(key!("remaining"), account.lots().totals().remaining);
    json.money(key!("charged"), head.charged);
    json.money(key!("drawn"), head.drawn);
    json.money(key!("overdrawn"), head.overdrawn);
    json.money(key!("postUsage"), head.post_usage);
    json.money(key!("uncollected"), head.uncollected);
    json.money(key!("unlicensed"), head.unlicensed);
    json.money(key!("statedPostUsage"), head.stated);
    if head.statement_due < Timestamp::MAX {
        json.time(key!("statementDueAt"), head.statement_due);
    }
    json.list(key!("lots"), saved.lots.iter(), write_lot);
    json.list(key!("pools"), saved.pools.iter(), licences::write_pool);
    json.list(key!("users"), saved.users.iter(), licences::write_user_entry);
    if let Some(recharge) = &saved.recharge {
        write_recharge(&mut json, recharge);
    }
    json.raw("}\n");
}

fn write_lot(json: &mut Writer<'_>, lot: &Lot) {
    json.text("{\"lotId\":", &lot.id);
    json.money(key!("amount"), lot.amount);
    json.money(key!("remaining"), lot.remaining);
    json.time(key!("purchasedAt"), lot.purchased);
    json.time(key!("expiresAt"), lot.expires);
    json.plain(key!("state"), lot.state.name());
    json.raw("}");
}

fn write_recharge(json: &mut Writer<'_>, recharge: &Recharge) {
    json.integer(",\"recharge\":{\"number\":", recharge.number);
    write_settings(json, &recharge.settings);
    json.integer(key!("invoice"), recharge.invoice);
    if let Some(outstanding) = &recharge.outstanding {
        json.money(",\"outstanding\":{\"amount\":", outstanding.amount);
        json.time(key!("requestedAt"), outstanding.requested);
        json.time(key!("sentAt"), outstanding.sent);
        json.integer(key!("sending"), outstanding.sending);
        json.integer(key!("attempt"), outstanding.attempt);
        if let Some(retry_at) = outstanding.retry_at {
            json.time(key!("retryAt"), retry_at);
        }
        json.raw("}");
    }
    if let Some(rearm_at) = recharge.rearm_at {
        json.time(key!("rearmAt"), rearm_at);
    }
    json.time(key!("month"), recharge.month);
    json.money(key!("counted"), recharge.counted);
    json.boolean(key!("capReported"), recharge.cap_reported);
    json.boolean(key!("capRefused"), recharge.cap_refused);
    json.list(key!("givenUp"), recharge.given_up.iter(), |json, given_up| {
        json.integer("{\"number\":", given_up.number);
        json.money(key!("amount"), given_up.amount);
        json.time(key!("requestedAt"), given_up.requested);
        json.raw("}");
    });
    json.raw("}");
}

/// Reads a line that [`write()`] wrote.
///
/// # Errors
/// What is wrong, by field where that can be told.
pub fn read(bytes: &[u8]) -> Result<Opening, ReadError> {
    let state: AccountState = serde_json::from_slice(bytes).map_err(|error| ReadError(error.to_string()))?;
    state.into_opening()
}

/// Why a line is not the state of an account.
#[derive(Debug, thiserror::Error)]
#[error("not an account state: {0}")]
pub struct ReadError(String);

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AccountState {
    schema_version: u32,
    org_id: Box<str>,
    seq: u64,
    clock: String,
    currency: String,
    country: String,
    mode: String,
    strict: bool,
    closed: bool,
    rate_plans: Vec<PlanState>,
    overdraft: String,
    purchased: String,
    adjusted: String,
    spent: String,
    forfeited: String,
    refunded: String,
    charged: String,
    drawn: String,
    overdrawn: String,
    post_usage: String,
    uncollected: String,
    // What came later is absent in older states.
    unlicensed: Option<String>,
    stated_post_usage: Option<String>,
    statement_due_at: Option<String>,
    licensing: Option<String>,
    #[serde(default)]
    pools: Vec<licences::PoolEntry>,
    #[serde(default)]
    users: Vec<licences::UserEntry>,
    lots: Vec<LotState>,
    recharge: Option<RechargeState>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct PlanState {
    rate_plan: Arc<str>,
    since: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LotState {
    lot_id: String,
    amount: String,
    remaining: String,
    purchased_at: String,
    expires_at: String,
    state: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RechargeState {
    number: u64,
    enabled: bool,
    recharge_amount: String,
    trigger_amount: String,
    monthly_cap: Option<String>,
    payment_method: PaymentState,
    invoice: u64,
    outstanding: Option<OutstandingState>,
    rearm_at: Option<String>,
    month: String,
    counted: String,
    cap_reported: bool,
    cap_refused: bool,
    given_up: Vec<GivenUpState>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", untagged)]
enum PaymentState {
    Card {
        card: Box<str>,
    },
    #[serde(rename_all = "camelCase")]
    Agreement {
        agreement: Box<str>,
        purchase_order: Option<Box<str>>,
    },
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct OutstandingState {
    amount: String,
    requested_at: String,
    sent_at: String,
    sending: u32,
    attempt: u32,
    retry_at: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct GivenUpState {
    number: u64,
    amount: String,
    requested_at: String,
}

fn money(field: &str, text: &str) -> Result<Money, ReadError> {
    Money::parse(text).map_err(|error| ReadError(format!("{field} is {text:?}: {error}")))
}

fn time(field: &str, text: &str) -> Result<Timestamp, ReadError> {
    Timestamp::parse(text).map_err(|error| ReadError(format!("{field} is {text:?}: {error}")))
}

fn optional_time(field: &str, text: Option<&str>) -> Result<Option<Timestamp>, ReadError> {
    text.map(|text| time(field, text)).transpose()
}

fn optional_money(field: &str, text: Option<&str>) -> Result<Money, ReadError> {
    text.map_or(Ok(Money::ZERO), |text| money(field, text))
}

/// Accounts of before there was licensing need none.
fn licensing(text: Option<&str>) -> Result<Licensing, ReadError> {
    let Some(text) = text else { return Ok(Licensing::None) };
    let known = [Licensing::Required, Licensing::None];
    known.into_iter().find(|licensing| licensing.name() == text).ok_or_else(|| unknown("licensing", text))
}

fn unknown(field: &str, text: &str) -> ReadError {
    ReadError(format!("{field} is {text:?}, which is unknown"))
}

impl AccountState {
    fn into_opening(self) -> Result<Opening, ReadError> {
        if self.schema_version != 1 {
            return Err(unknown("schemaVersion", &self.schema_version.to_string()));
        }
        let head = self.head()?;
        let mut plans = Vec::new();
        for plan in self.rate_plans {
            plans.push((optional_time("since", plan.since.as_deref())?.unwrap_or(Timestamp::MIN), plan.rate_plan));
        }
        let country: Option<[u8; 2]> = self.country.as_bytes().try_into().ok();
        let modes = [Mode::Prepaid, Mode::PostUsage];
        Ok(Opening {
            head,
            lots: self.lots.into_iter().map(LotState::into_lot).collect::<Result<_, _>>()?,
            org: self.org_id,
            rate_plan: plans.pop().ok_or_else(|| ReadError("ratePlans is empty".into()))?,
            earlier_plans: plans,
            recharge: self.recharge.map(RechargeState::into_recharge).transpose()?,
            currency: Currency::parse(&self.currency).ok_or_else(|| unknown("currency", &self.currency))?,
            country: country.ok_or_else(|| unknown("country", &self.country))?,
            mode: modes.into_iter().find(|m| m.name() == self.mode).ok_or_else(|| unknown("mode", &self.mode))?,
            licensing: licensing(self.licensing.as_deref())?,
            strict: self.strict,
            closed: self.closed,
            pools: self.pools.into_iter().map(licences::PoolEntry::into_pool).collect::<Result<_, _>>()?,
            users: self.users.into_iter().map(licences::UserEntry::into_user).collect::<Result<_, _>>()?,
        })
    }

    fn head(&self) -> Result<Head, ReadError> {
        Ok(Head {
            seq: self.seq,
            purchased: money("purchased", &self.purchased)?,
            adjusted: money("adjusted", &self.adjusted)?,
            spent: money("spent", &self.spent)?,
            forfeited: money("forfeited", &self.forfeited)?,
            refunded: money("refunded", &self.refunded)?,
            charged: money("charged", &self.charged)?,
            drawn: money("drawn", &self.drawn)?,
            overdrawn: money("overdrawn", &self.overdrawn)?,
            overdraft: money("overdraft", &self.overdraft)?,
            post_usage: money("postUsage", &self.post_usage)?,
            uncollected: money("uncollected", &self.uncollected)?,
            unlicensed: optional_money("unlicensed", self.unlicensed.as_deref())?,
            stated: optional_money("statedPostUsage", self.stated_post_usage.as_deref())?,
            statement_due: optional_time("statementDueAt", self.statement_due_at.as_deref())?.unwrap_or(Timestamp::MAX),
            ..Head::new(time("clock", &self.clock)?)
        })
    }
}

impl LotState {
    fn into_lot(self) -> Result<Lot, ReadError> {
        let states = [State::Active, State::Expired, State::Forfeited, State::Refunded];
        let state = states.into_iter().find(|state| state.name() == self.state);
        Ok(Lot {
            id: LotId::from(self.lot_id),
            amount: money("amount", &self.amount)?,
            remaining: money("remaining", &self.remaining)?,
            purchased: time("purchasedAt", &self.purchased_at)?,
            expires: time("expiresAt", &self.expires_at)?,
            state: state.ok_or_else(|| unknown("state", &self.state))?,
        })
    }
}

impl RechargeState {
    fn into_recharge(self) -> Result<Recharge, ReadError> {
        let payment = match self.payment_method {
            PaymentState::Card { card } => PaymentMethod::Card(card),
            PaymentState::Agreement { agreement, purchase_order } => {
                PaymentMethod::Agreement { number: agreement, purchase_order }
            }
        };
        let settings = Settings {
            enabled: self.enabled,
            amount: money("rechargeAmount", &self.recharge_amount)?,
            trigger: money("triggerAmount", &self.trigger_amount)?,
            monthly_cap: self.monthly_cap.map(|cap| money("monthlyCap", &cap)).transpose()?,
            payment,
        };
        Ok(Recharge {
            settings: Arc::new(settings),
            number: self.number,
            invoice: self.invoice,
            outstanding: self.outstanding.map(OutstandingState::into_outstanding).transpose()?,
            rearm_at: optional_time("rearmAt", self.rearm_at.as_deref())?,
            month: time("month", &self.month)?,
            counted: money("counted", &self.counted)?,
            cap_reported: self.cap_reported,
            cap_refused: self.cap_refused,
            given_up: self.given_up.into_iter().map(GivenUpState::into_given_up).collect::<Result<_, _>>()?,
        })
    }
}

impl OutstandingState {
    fn into_outstanding(self) -> Result<Outstanding, ReadError> {
        Ok(Outstanding {
            amount: money("outstanding.amount", &self.amount)?,
            requested: time("outstanding.requestedAt", &self.requested_at)?,
            sent: time("outstanding.sentAt", &self.sent_at)?,
            sending: self.sending,
            attempt: self.attempt,
            retry_at: optional_time("outstanding.retryAt", self.retry_at.as_deref())?,
        })
    }
}

impl GivenUpState {
    fn into_given_up(self) -> Result<GivenUp, ReadError> {
        Ok(GivenUp {
            number: self.number,
            amount: money("givenUp.amount", &self.amount)?,
            requested: time("givenUp.requestedAt", &self.requested_at)?,
        })
    }
}
