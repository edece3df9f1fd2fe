//! The rebuilt books against the account states that were written.

use drawdown_units::{Money, Timestamp};
use drawdown_wire::Text;
use drawdown_wire::account::{LotSnapshot, Snapshot, UseSnapshot};

use super::books::{Books, Lot, State};
use super::entry::pool_key;
use super::findings::At;
use super::sum::Sum;

/// Compares one account with its books.
pub fn compare(books: &Books, state: &Snapshot<'_>, at: &mut At<'_>) {
    at.same("seq", books.seq, state.seq);
    compare_terms(books, state, at);
    let figures = &books.figures;
    for (field, rebuilt, written) in [
        ("balance", books.balance, &state.balance),
        ("overdraft", figures.overdraft, &state.overdraft),
        ("purchased", figures.purchased, &state.purchased),
        ("adjusted", figures.adjusted, &state.adjusted),
        ("spent", figures.spent, &state.spent),
        ("forfeited", figures.forfeited, &state.forfeited),
        ("refunded", figures.refunded, &state.refunded),
        ("remaining", books.remaining(), &state.remaining),
        ("charged", figures.charged, &state.charged),
        ("drawn", figures.drawn, &state.drawn),
        ("overdrawn", figures.overdrawn, &state.overdrawn),
        ("postUsage", figures.post_usage, &state.post_usage),
        ("uncollected", figures.uncollected, &state.uncollected),
    ] {
        compare_sum(field, rebuilt, written, at);
    }
    if let Some(unlicensed) = &state.unlicensed {
        compare_sum("unlicensed", figures.unlicensed, unlicensed, at);
    }
    compare_pools(books, state, at);
    let clock = Timestamp::parse(&state.clock).ok();
    match clock {
        Some(clock) if clock >= books.clock => {}
        _ => at.differs("clock", format_args!("{} or later", books.clock), &*state.clock),
    }
    compare_lots(books, state, clock.unwrap_or(books.clock), at);
    compare_recharge(books, state, at);
}

fn compare_terms(books: &Books, state: &Snapshot<'_>, at: &mut At<'_>) {
    let Some(terms) = &books.terms else { return };
    at.same("currency", terms.currency.as_str(), &*state.currency);
    at.same("country", &*terms.country, &*state.country);
    at.same("mode", if terms.post_usage { "postUsage" } else { "prepaid" }, &*state.mode);
    at.same("strict", terms.strict, state.strict);
    at.same("closed", books.closed, state.closed);
    at.same("ratePlans", &*terms.rate_plan, state.rate_plans.last().map_or("none", |plan| &*plan.rate_plan));
}

fn compare_sum(field: &str, rebuilt: Sum, written: &Text<'_>, at: &mut At<'_>) {
    if Money::parse(written).ok().map(Sum::from) != Some(rebuilt) {
        at.differs(field, rebuilt, written);
    }
}

/// What is written of pools is what debits drew; months that no call can be of any more need not be written.
fn compare_pools(books: &Books, state: &Snapshot<'_>, at: &mut At<'_>) {
    let mut compare = |name: &str, uses: &[UseSnapshot<'_>]| {
        for written in uses {
            let key = pool_key(name, &written.of, &written.month);
            let rebuilt = books.pools.get(&key).copied().unwrap_or_default();
            at.same(&format!("pools {key}"), rebuilt, written.used);
        }
    };
    for pool in &state.pools {
        let is_whole = &*pool.country == "--";
        let name = if is_whole { pool.licence.to_string() } else { format!("{}/{}", pool.licence, pool.country) };
        compare(&name, &pool.uses);
    }
    for user in &state.users {
        user.pools.iter().for_each(|pool| compare(&format!("{}/{}", pool.licence, user.user_id), &pool.uses));
    }
}

fn compare_lots(books: &Books, state: &Snapshot<'_>, clock: Timestamp, at: &mut At<'_>) {
    let mut written = state.lots.iter().enumerate().peekable();
    for lot in &books.lots {
        match written.next_if(|(_, written)| *written.lot_id == *lot.id) {
            Some((index, written)) => compare_lot(index, lot, written, clock, at),
            None if lot.can_be_forgotten(clock) => {}
            None => at.differs("lots", format_args!("lot {} with {}", lot.id, lot.remaining), "no such lot there"),
        }
    }
    for (index, lot) in written {
        at.differs(
            format_args!("lots[{index}].lotId"),
            "no lot",
            format_args!("{} with {}", lot.lot_id, lot.remaining),
        );
    }
}

fn compare_lot(index: usize, lot: &Lot, written: &LotSnapshot<'_>, clock: Timestamp, at: &mut At<'_>) {
    // A lot that expires empty does so without an event.
    let is_over = lot.state == State::Active && clock >= lot.expires;
    let state = if is_over { State::Expired } else { lot.state };
    if is_over && lot.remaining.is_positive() {
        at.differs(format_args!("lots[{index}].state"), "a LotExpired event, since it held money", "none");
    }
    at.same(&format!("lots[{index}].state"), state.name(), &*written.state);
    for (field, rebuilt, found) in
        [("amount", lot.amount, &written.amount), ("remaining", lot.remaining, &written.remaining)]
    {
        if Money::parse(found) != Ok(rebuilt) {
            at.differs(format_args!("lots[{index}].{field}"), rebuilt, found);
        }
    }
    for (field, rebuilt, found) in
        [("purchasedAt", lot.purchased, &written.purchased_at), ("expiresAt", lot.expires, &written.expires_at)]
    {
        if Timestamp::parse(found) != Ok(rebuilt) {
            at.differs(format_args!("lots[{index}].{field}"), rebuilt, found);
        }
    }
}

fn compare_recharge(books: &Books, state: &Snapshot<'_>, at: &mut At<'_>) {
    let rebuilt = &books.recharges;
    let written = state.recharge.as_ref();
    at.same("recharge.number", rebuilt.requested.len() as u64, written.map_or(0, |recharge| recharge.number));
    at.same("recharge.invoice", rebuilt.invoice, written.map_or(0, |recharge| recharge.invoice));
    let outstanding = written.and_then(|recharge| recharge.outstanding.as_ref());
    let found = outstanding.map(|it| (Money::parse(&it.amount), it.sending));
    if rebuilt.outstanding.map(|(amount, sending)| (Ok(amount), sending)) != found {
        let show = |it: Option<(String, u32)>| {
            it.map_or_else(|| "none".to_owned(), |(amount, sending)| format!("{amount}, sent {sending} times"))
        };
        let expected = show(rebuilt.outstanding.map(|(amount, sending)| (amount.to_string(), sending)));
        let found = show(outstanding.map(|it| (it.amount.to_string(), it.sending)));
        at.differs("recharge.outstanding", expected, found);
    }
}
