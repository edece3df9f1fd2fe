//! From a record to its debit: what is free, what a pool covers, what the rest costs and who may pay it.

use rust_decimal::Decimal;
use serde_json::{Value, json};

use super::account::{Account, Debit, Draw};
use super::charge::{Call, Priced, Rates};
use super::command::Licensing;
use super::names::{flag, unrated};
use super::record::{Called, Kind, Record};
use super::{SOURCE, countries, licences, money};

/// What the call costs as the account stands now, and the debit's `charge` that says why.
pub fn rate(rates: &Rates, account: &Account, record: &Record) -> Debit {
    let (product, visible) = match (record.kind, &record.called) {
        (Kind::UserIn, _) => return free(account, record, flag::USER_IN),
        (Kind::DirectRouting, _) => return free(account, record, flag::DIRECT_ROUTING),
        (_, Called::Emergency | Called::NotNeeded) => return free(account, record, flag::EMERGENCY),
        (Kind::Outbound, Called::Digits { visible, .. }) => ("outbound", visible),
        (Kind::Inbound, Called::Digits { visible, .. }) => ("toll-free-inbound", visible),
    };
    let caller = record.caller_digits();
    let (start, seconds) = (record.content.start, record.content.seconds);
    let mut call = Call { product, called: visible, caller: &caller, start, seconds };
    if record.kind == Kind::Inbound || visible.is_empty() {
        return rate_for_money(rates, account, record, &call, None);
    }
    let is_premium = countries::is_premium(visible) || rates.is_premium(account.plan_at(start), &call);
    if has_add_on(account, record, visible) && !is_premium {
        return free(account, record, flag::DIAL_OUT_ADD_ON);
    }
    let draw = account.draw_for(record, visible, is_premium);
    let covered_s = draw.as_ref().map_or(0, |draw| 60 * draw.minutes.unsigned_abs());
    if covered_s > 0 && covered_s >= seconds {
        // No row is looked for (P11).
        return Debit { draw, ..free(account, record, flag::INCLUDED) };
    }
    // As a call of that length, begun when the whole call began (P1).
    call.seconds = seconds - covered_s;
    rate_for_money(rates, account, record, &call, draw)
}

/// To numbers of the United States and Canada, not of Puerto Rico (U19).
fn has_add_on(account: &Account, record: &Record, visible: &str) -> bool {
    let is_north = countries::country_of(visible).is_some_and(|country| ["US", "CA"].contains(&country));
    let content = &record.content;
    let holds = || account.licences.holds(content.user.as_deref(), licences::DIAL_OUT_ADD_ON, content.start);
    content.call_type == "conf_out" && is_north && holds()
}

/// The price of `call`, which is the record's or what a pool has left of it.
fn rate_for_money(rates: &Rates, account: &Account, record: &Record, call: &Call<'_>, draw: Option<Draw>) -> Debit {
    let plan = account.plan_at(call.start);
    let mut flags = Vec::new();
    let is_masked = matches!(&record.called, Called::Digits { masked: true, .. });
    if is_masked && !call.called.is_empty() && rates.is_uncertain(plan, call) {
        flags.push(flag::MASKED_UNCERTAIN);
    }
    let priced = if call.called.is_empty() { Err(unrated::NOTHING_VISIBLE) } else { rates.price(plan, call) };
    let (amount, mut charge) = match priced {
        Ok(priced) => {
            flags.extend(priced.row.blocked.then_some(flag::BLOCKED));
            flags.extend((call.seconds == 0).then_some(flag::ZERO_SECONDS));
            (priced.amount, priced_charge(&priced))
        }
        // Nothing visible is unrated whatever the call (N2).
        Err(why) if record.kind == Kind::Inbound && why != unrated::NOTHING_VISIBLE => {
            flags.push(flag::TOLL_NUMBER);
            (Decimal::ZERO, json!({ "amount": "0.00", "currency": account.currency }))
        }
        Err(why) => {
            flags.push(flag::UNRATED);
            (Decimal::ZERO, json!({ "amount": "0.00", "currency": account.currency, "unrated": why }))
        }
    };
    if draw.is_some() {
        charge["ratedSeconds"] = json!(call.seconds);
    }
    debit(account, record, draw, amount, charge, flags)
}

fn free(account: &Account, record: &Record, why: &'static str) -> Debit {
    let charge = json!({ "amount": "0.00", "currency": account.currency });
    debit(account, record, None, Decimal::ZERO, charge, vec![why])
}

fn debit(
    account: &Account,
    record: &Record,
    draw: Option<Draw>,
    amount: Decimal,
    charge: Value,
    mut flags: Vec<&'static str>,
) -> Debit {
    flags.extend(&record.flags);
    let (id, source, revision) = (record.id.clone(), SOURCE.to_owned(), record.revision);
    let (start, may_draw) = (record.content.start, may_draw_credits(account, record));
    Debit { id, source, revision, start, draw, amount, may_draw, charge, flags }
}

/// Section 5, as of the call's start. Resource accounts and calls to no user need no licence (W3).
fn may_draw_credits(account: &Account, record: &Record) -> bool {
    let content = &record.content;
    let needs_none = ["ucap_out", "ucap_in", "unassigned_in"].contains(&content.call_type.as_str());
    account.licensing == Licensing::None
        || needs_none
        || account.licences.may_draw_credits(content.user.as_deref(), content.start)
}

fn priced_charge(priced: &Priced<'_>) -> Value {
    let (deck, row) = (priced.deck, priced.row);
    let mut charge = json!({
        "amount": money::print(priced.amount), "currency": deck.currency, "connectionFee": money::print(priced.fee),
        "billableSeconds": priced.billable_s, "deck": deck.id, "deckVersion": deck.version,
        "product": row.product, "prefix": row.prefix, "destination": row.destination, "line": row.line,
    });
    if let Some(origin) = &row.origin {
        charge["originPrefix"] = json!(origin);
    }
    if let Some(bound) = priced.bound {
        charge["bound"] = json!(bound);
    }
    charge
}
