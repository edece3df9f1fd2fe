//! Account events: what happened to an account, one line each. Written by hand for speed, read back by [`read`].

mod read;
pub mod recharge;

use drawdown_ledger::command::{Outcome, PaymentMethod, Settings};
use drawdown_ledger::effects::{Event, Occurrence};

use crate::Cdr;
use crate::command::Actor;
use crate::json::{Writer, key};

pub use read::{AccountEvent, LotDraw, read};

/// What set an event off, for the reader of the event.
#[derive(Debug, Clone, Copy)]
pub enum Cause<'a> {
    /// A command, by its id, and who gave it.
    Command(&'a str, Option<&'a Actor>),
    /// The debit of this `seq`.
    Debit(u64),
    /// The reversing debit of this `seq`, and the record that corrects.
    Reversal(u64, &'a Cdr<'a>),
    /// Time alone.
    Time,
}

/// Appends one account event as one line of JSON.
pub fn write(out: &mut Vec<u8>, org: &str, occurrence: &Occurrence, cause: Cause<'_>) {
    out.reserve(512);
    let mut json = Writer::new(out);
    json.plain("{\"schemaVersion\":1,\"type\":", name(&occurrence.event));
    json.text(key!("orgId"), org);
    json.integer(key!("seq"), occurrence.seq);
    json.time(key!("at"), occurrence.at);
    write_fields(&mut json, org, &occurrence.event);
    json.money(key!("balanceAfter"), occurrence.balance_after);
    match cause {
        Cause::Command(id, actor) if !occurrence.due => {
            json.text(key!("commandId"), id);
            if let Some(actor) = actor {
                json.text(",\"actor\":{\"subject\":", &actor.subject);
                json.optional(key!("address"), actor.address.as_deref());
                json.optional(key!("request"), actor.request.as_deref());
                json.raw("}");
            }
        }
        Cause::Debit(seq) if !occurrence.due => json.integer(key!("debitSeq"), seq),
        Cause::Reversal(seq, cdr) if !occurrence.due => {
            json.integer(key!("debitSeq"), seq);
            if matches!(occurrence.event, Event::FundsReturned { .. }) {
                json.text(key!("source"), &cdr.source);
                json.text(key!("id"), &cdr.id);
                json.integer(key!("revision"), cdr.revision);
            }
        }
        Cause::Command(..) | Cause::Debit(_) | Cause::Reversal(..) | Cause::Time => {}
    }
    json.raw("}\n");
}

/// The event's name on the wire.
pub fn name(event: &Event) -> &'static str {
    match event {
        Event::AccountOpened { .. } => "AccountOpened",
        Event::FundsAdded { .. } => "FundsAdded",
        Event::OverdraftSettled { .. } => "OverdraftSettled",
        Event::AdjustedUp { .. } | Event::AdjustedDown { .. } => "Adjusted",
        Event::LotExpiring { .. } => "LotExpiring",
        Event::LotExpired { .. } => "LotExpired",
        Event::LotForfeited { .. } => "LotForfeited",
        Event::LotRefunded { .. } => "LotRefunded",
        Event::BalanceExhausted => "BalanceExhausted",
        Event::AutoRechargeConfigured { .. } => "AutoRechargeConfigured",
        Event::RechargeRequested { .. } => "RechargeRequested",
        Event::RechargeSucceeded { .. } => "RechargeSucceeded",
        Event::InvoiceIssued { .. } => "InvoiceIssued",
        Event::RechargeAttemptFailed { .. } => "RechargeAttemptFailed",
        Event::RechargeFailed { .. } => "RechargeFailed",
        Event::RechargeCapReached { .. } => "RechargeCapReached",
        Event::LicenceAssigned { .. } => "LicenceAssigned",
        Event::LicenceRemoved { .. } => "LicenceRemoved",
        Event::PoolThresholdReached { .. } => "PoolThresholdReached",
        Event::FundsReturned { .. } => "FundsReturned",
        Event::PostUsageStatement { .. } => "PostUsageStatement",
        Event::RatePlanSet { .. } => "RatePlanSet",
        Event::ModeSet { .. } => "ModeSet",
        Event::AccountClosed { .. } => "AccountClosed",
        Event::CommandRefused { .. } => "CommandRefused",
    }
}

/// The names of all events.
pub const NAMES: [&str; 25] = [
    "AccountOpened",
    "FundsAdded",
    "OverdraftSettled",
    "Adjusted",
    "LotExpiring",
    "LotExpired",
    "LotForfeited",
    "LotRefunded",
    "BalanceExhausted",
    "AutoRechargeConfigured",
    "RechargeRequested",
    "RechargeSucceeded",
    "InvoiceIssued",
    "RechargeAttemptFailed",
    "RechargeFailed",
    "RechargeCapReached",
    "LicenceAssigned",
    "LicenceRemoved",
    "PoolThresholdReached",
    "FundsReturned",
    "PostUsageStatement",
    "RatePlanSet",
    "ModeSet",
    "AccountClosed",
    "CommandRefused",
];

fn write_fields(json: &mut Writer<'_>, org: &str, event: &Event) {
    match event {
        Event::AccountOpened { currency, rate_plan, mode, country, strict, licensing } => {
            json.plain(key!("currency"), currency.as_str());
            json.text(key!("ratePlan"), rate_plan);
            json.plain(key!("mode"), mode.name());
            json.text(key!("country"), &country_text(*country));
            json.boolean(key!("strict"), *strict);
            json.plain(key!("licensing"), licensing.name());
        }
        Event::FundsAdded { lot, amount, purchased, expires, reference } => {
            json.text(key!("lotId"), lot);
            json.money(key!("amount"), *amount);
            json.time(key!("purchasedAt"), *purchased);
            json.time(key!("expiresAt"), *expires);
            json.optional(key!("reference"), reference.as_deref());
        }
        Event::OverdraftSettled { lot, amount, overdraft } => {
            json.text(key!("lotId"), lot);
            json.money(key!("amount"), *amount);
            json.money(key!("overdraft"), *overdraft);
        }
        Event::AdjustedUp { lot, amount, purchased, expires, reason } => {
            json.money(key!("amount"), *amount);
            json.text(key!("reason"), reason);
            json.text(key!("lotId"), lot);
            json.time(key!("purchasedAt"), *purchased);
            json.time(key!("expiresAt"), *expires);
        }
        Event::AdjustedDown { amount, lots, reason } => {
            json.money(key!("amount"), *amount);
            json.text(key!("reason"), reason);
            json.list(key!("lots"), lots.iter(), |json, (lot, amount, before, after)| {
                json.text("{\"lotId\":", lot);
                json.money(key!("amount"), *amount);
                json.money(key!("before"), *before);
                json.money(key!("after"), *after);
                json.raw("}");
            });
        }
        Event::LotExpiring { lot, amount, expires } => {
            json.text(key!("lotId"), lot);
            json.money(key!("amount"), *amount);
            json.time(key!("expiresAt"), *expires);
        }
        Event::LotExpired { lot, amount } | Event::LotForfeited { lot, amount } => {
            json.text(key!("lotId"), lot);
            json.money(key!("amount"), *amount);
        }
        Event::LotRefunded { lot, amount, reason } => {
            json.text(key!("lotId"), lot);
            json.money(key!("amount"), *amount);
            json.text(key!("reason"), reason);
        }
        Event::BalanceExhausted => {}
        Event::RatePlanSet { rate_plan } => json.text(key!("ratePlan"), rate_plan),
        Event::ModeSet { mode } => json.plain(key!("mode"), mode.name()),
        Event::AccountClosed { overdraft, post_usage } => {
            json.money(key!("overdraft"), *overdraft);
            json.money(key!("postUsage"), *post_usage);
        }
        Event::CommandRefused { command, refusal } => {
            json.plain(key!("commandType"), command);
            json.plain(key!("reason"), refusal.name());
            json.plain(key!("detail"), refusal.detail());
        }
        Event::AutoRechargeConfigured { settings } => write_settings(json, settings),
        Event::LicenceAssigned { .. }
        | Event::LicenceRemoved { .. }
        | Event::PoolThresholdReached { .. }
        | Event::FundsReturned { .. }
        | Event::PostUsageStatement { .. } => write_usage_fields(json, event),
        Event::RechargeRequested { .. }
        | Event::RechargeSucceeded { .. }
        | Event::InvoiceIssued { .. }
        | Event::RechargeAttemptFailed { .. }
        | Event::RechargeFailed { .. }
        | Event::RechargeCapReached { .. } => write_recharge_fields(json, org, event),
    }
}

fn write_usage_fields(json: &mut Writer<'_>, event: &Event) {
    match event {
        Event::LicenceAssigned { user, licence, country, since } => {
            write_licence(json, user, licence, *country);
            json.time(key!("since"), *since);
        }
        Event::LicenceRemoved { user, licence, country } => write_licence(json, user, licence, *country),
        Event::PoolThresholdReached { pool, of, month, percent, used, size } => {
            json.text(key!("pool"), pool);
            json.plain(key!("use"), of.name());
            json.month(key!("month"), *month);
            json.integer(key!("percent"), *percent);
            json.integer(key!("used"), *used);
            json.integer(key!("size"), *size);
        }
        Event::FundsReturned { lot, amount, purchased, expires } => {
            json.text(key!("lotId"), lot);
            json.money(key!("amount"), *amount);
            json.time(key!("purchasedAt"), *purchased);
            json.time(key!("expiresAt"), *expires);
        }
        Event::PostUsageStatement { month, amount, post_usage } => {
            json.month(key!("month"), *month);
            json.money(key!("amount"), *amount);
            json.money(key!("postUsage"), *post_usage);
        }
        _ => {}
    }
}

fn write_licence(json: &mut Writer<'_>, user: &str, licence: &str, country: [u8; 2]) {
    json.text(key!("userId"), user);
    json.text(key!("licence"), licence);
    json.text(key!("country"), &country_text(country));
}

fn write_recharge_fields(json: &mut Writer<'_>, org: &str, event: &Event) {
    match event {
        Event::RechargeRequested { number, amount, currency, sending, attempt, settings } => {
            write_recharge_id(json, org, *number);
            json.money(key!("amount"), *amount);
            json.plain(key!("currency"), currency.as_str());
            json.integer(key!("sending"), *sending);
            json.integer(key!("attempt"), *attempt);
            write_payment(json, &settings.payment);
        }
        Event::RechargeSucceeded { number, lot, amount, processed, purchased, expires } => {
            write_recharge_id(json, org, *number);
            json.money(key!("amount"), *amount);
            json.time(key!("processedAt"), *processed);
            json.text(key!("lotId"), lot);
            json.time(key!("purchasedAt"), *purchased);
            json.time(key!("expiresAt"), *expires);
        }
        Event::InvoiceIssued { invoice, number, amount, lot, settings } => {
            json.integer(key!("invoice"), *invoice);
            write_recharge_id(json, org, *number);
            json.money(key!("amount"), *amount);
            json.text(key!("lotId"), lot);
            write_payment(json, &settings.payment);
        }
        Event::RechargeAttemptFailed { number, attempt, reason, retry_at } => {
            write_recharge_id(json, org, *number);
            json.integer(key!("attempt"), *attempt);
            json.optional(key!("reason"), reason.as_deref());
            json.time(key!("retryAt"), *retry_at);
        }
        Event::RechargeFailed { number, outcome, reason, rearm_at } => {
            write_recharge_id(json, org, *number);
            json.plain(key!("outcome"), outcome_name(*outcome));
            json.optional(key!("reason"), reason.as_deref());
            json.time(key!("rearmAt"), *rearm_at);
        }
        Event::RechargeCapReached { cap, month, counted, amount } => {
            json.money(key!("monthlyCap"), *cap);
            json.month(key!("month"), *month);
            json.money(key!("counted"), *counted);
            json.money(key!("rechargeAmount"), *amount);
        }
        _ => {}
    }
}

/// The settings of automatic recharging, as fields.
pub(crate) fn write_settings(json: &mut Writer<'_>, settings: &Settings) {
    json.boolean(key!("enabled"), settings.enabled);
    json.money(key!("rechargeAmount"), settings.amount);
    json.money(key!("triggerAmount"), settings.trigger);
    if let Some(cap) = settings.monthly_cap {
        json.money(key!("monthlyCap"), cap);
    }
    write_payment(json, &settings.payment);
}

fn write_payment(json: &mut Writer<'_>, payment: &PaymentMethod) {
    match payment {
        PaymentMethod::Card(token) => json.text(",\"paymentMethod\":{\"card\":", token),
        PaymentMethod::Agreement { number, purchase_order } => {
            json.text(",\"paymentMethod\":{\"agreement\":", number);
            json.optional(key!("purchaseOrder"), purchase_order.as_deref());
        }
    }
    json.raw("}");
}

/// A recharge id is `<orgId>/<n>` (boundaries.md R14).
fn write_recharge_id(json: &mut Writer<'_>, org: &str, number: u64) {
    json.text(key!("rechargeId"), &format!("{org}/{number}"));
}

/// The number in a recharge id of `org`, if it is one.
pub fn recharge_number(org: &str, id: &str) -> Option<u64> {
    let number: u64 = id.strip_prefix(org)?.strip_prefix('/')?.parse().ok()?;
    (id.len() == org.len() + 1 + number.to_string().len()).then_some(number)
}

pub(crate) fn outcome_name(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Succeeded => "succeeded",
        Outcome::Declined => "declined",
        Outcome::Failed => "failed",
    }
}

pub(crate) fn country_text(country: [u8; 2]) -> String {
    country.iter().map(|&byte| char::from(byte)).collect()
}
