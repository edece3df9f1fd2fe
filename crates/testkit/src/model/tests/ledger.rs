use serde_json::json;

use super::{Script, check};

#[test]
fn the_oldest_lot_is_spent_first_and_a_charge_splits() {
    let mut script = Script::new();
    // Bought in the other order, spent by purchase (L2, L16).
    script.buy("L2", "5", "2026-02-01T00:00:00Z");
    let older = json!({ "lotId": "L1", "amount": "10", "purchasedAt": "2026-01-02T00:00:00Z" });
    script.command("2026-02-02T00:00:00Z", "addFunds", older);
    check(&script.call("C1", 720, "2026-03-01T00:00:00Z"), "debit 12.00 L1:10.00 L2:2.00 = 3.00");
    assert_eq!(script.total("spent"), "12.00");
}

#[test]
fn ties_of_purchase_are_broken_bytewise_l15() {
    let mut script = Script::new();
    script.buy("L9", "1", "2026-02-01T00:00:00Z");
    script.buy("L10", "1", "2026-02-01T00:00:00Z");
    check(
        &script.call("C1", 90, "2026-03-01T00:00:00Z"),
        "debit 2.00 L10:1.00 L9:1.00 = 0.00\nBalanceExhausted @03-01T00:00:00Z = 0.00",
    );
}

#[test]
fn a_late_call_draws_the_expired_lot_until_it_is_forfeited() {
    let mut script = Script::new();
    script.buy_until("L1", "10", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z");
    script.buy("L2", "10", "2026-02-02T00:00:00Z");
    // Discovered later, dated when it was due (T3); out of the balance at once.
    check(
        &script.late_call("C1", 60, "2026-02-28T23:59:59.9999999Z", "2026-03-02T12:00:00Z"),
        "LotExpired L1 10.00 @03-01T00:00:00Z = 10.00
         debit 1.00 L1:1.00 = 10.00",
    );
    // Started at the expiry itself: no longer in time.
    check(&script.late_call("C2", 60, "2026-03-01T00:00:00Z", "2026-03-02T12:00:00Z"), "debit 1.00 L2:1.00 = 9.00");
    // At expiry + 48 h the due runs before the record of that instant (L4).
    check(
        &script.late_call("C3", 60, "2026-02-28T12:00:00Z", "2026-03-03T00:00:00Z"),
        "LotForfeited L1 9.00 @03-03T00:00:00Z = 9.00
         debit 1.00 L2:1.00 = 8.00",
    );
    assert_eq!(script.total("forfeited"), "9.00");
}

#[test]
fn the_lot_of_a_leap_day_expires_on_the_28th_t8() {
    let mut script = Script::new();
    script.command("2028-02-29T10:00:00Z", "setMode", json!({ "mode": "prepaid" }));
    script.buy("L1", "1", "2028-02-29T10:00:00Z");
    check(
        &script.until("2029-02-28T10:00:00Z"),
        "LotExpiring L1 1.00 @01-29T10:00:00Z = 1.00
         LotExpired L1 1.00 @02-28T10:00:00Z = 0.00
         BalanceExhausted @02-28T10:00:00Z = 0.00",
    );
}

#[test]
fn overdraft_is_settled_out_of_the_next_money() {
    let mut script = Script::new();
    script.buy("L1", "1", "2026-02-01T00:00:00Z");
    check(
        &script.call("C1", 180, "2026-02-02T00:00:00Z"),
        "debit 3.00 L1:1.00 overdraft:2.00 = -2.00
         BalanceExhausted @02-02T00:00:00Z = -2.00",
    );
    // Still below zero: no second crossing (L8).
    check(&script.call("C2", 60, "2026-02-02T00:00:00Z"), "debit 1.00 overdraft:1.00 = -3.00");
    check(
        &script.buy("L2", "2.5", "2026-02-03T00:00:00Z"),
        "FundsAdded L2 2.50 @02-03T00:00:00Z = -0.50
         OverdraftSettled L2 2.50 @02-03T00:00:00Z = -0.50",
    );
    check(
        &script.command("2026-02-03T00:00:00Z", "adjust", json!({ "amount": "1", "reason": "goodwill" })),
        "Adjusted c4 1.00 goodwill @02-03T00:00:00Z = 0.50
         OverdraftSettled c4 0.50 @02-03T00:00:00Z = 0.50",
    );
}

#[test]
fn strict_leaves_uncollected_and_post_usage_accrues() {
    let mut script = Script::new();
    script.command("2026-02-01T00:00:00Z", "setMode", json!({ "mode": "postUsage" }));
    script.buy("L1", "1", "2026-02-01T00:00:00Z");
    check(
        &script.call("C1", 120, "2026-02-01T00:00:00Z"),
        "debit 2.00 L1:1.00 postUsage:1.00 = 0.00
         BalanceExhausted @02-01T00:00:00Z = 0.00",
    );
    let mut strict = Script::with_decks(vec![super::deck("", "prefix,price_per_minute\n44,1\n")]);
    strict.command("2026-02-01T00:00:00Z", "openAccount", json!({ "strict": true }));
    check(&strict.call("C1", 120, "2026-02-01T00:00:00Z"), "debit 2.00 uncollected:2.00 = 0.00");
    assert_eq!(strict.total("uncollected"), "2.00");
}

#[test]
fn a_negative_adjustment_takes_what_is_there_and_no_more_l9() {
    let mut script = Script::new();
    script.buy("L1", "5", "2026-02-01T00:00:00Z");
    script.buy("L2", "5", "2026-02-02T00:00:00Z");
    let take = |amount: &str| json!({ "amount": amount, "reason": "error" });
    check(
        &script.command("2026-02-03T00:00:00Z", "adjust", take("-10.000001")),
        "CommandRefused insufficient-balance @02-03T00:00:00Z = 10.00",
    );
    check(
        &script.command("2026-02-03T00:00:00Z", "adjust", take("-10")),
        "Adjusted -10.00 error @02-03T00:00:00Z = 0.00
         BalanceExhausted @02-03T00:00:00Z = 0.00",
    );
    assert_eq!(script.total("adjusted"), "-10.00");
}

#[test]
fn a_lot_is_refunded_once_l11() {
    let mut script = Script::new();
    script.buy_until("L1", "5", "2026-02-01T00:00:00Z", "2026-02-10T00:00:00Z");
    script.buy("L2", "5", "2026-02-01T00:00:00Z");
    let refund = |lot: &str| json!({ "lotId": lot, "reason": "asked" });
    check(
        &script.command("2026-02-02T00:00:00Z", "refundLot", refund("L2")),
        "LotRefunded L2 5.00 asked @02-02T00:00:00Z = 5.00",
    );
    for (lot, reason) in [("L2", "lot-not-refundable"), ("L3", "unknown-lot")] {
        let refused = format!("CommandRefused {reason} @02-02T00:00:00Z = 5.00");
        check(&script.command("2026-02-02T00:00:00Z", "refundLot", refund(lot)), &refused);
    }
    check(
        &script.command("2026-02-10T00:00:00Z", "refundLot", refund("L1")),
        "LotExpired L1 5.00 @02-10T00:00:00Z = 0.00
         BalanceExhausted @02-10T00:00:00Z = 0.00
         CommandRefused lot-not-refundable @02-10T00:00:00Z = 0.00",
    );
}

#[test]
fn a_lots_dates_are_checked_to_the_last_tick_l2() {
    let mut script = Script::new();
    let lot = |id: &str, purchased: &str| json!({ "lotId": id, "amount": "1", "purchasedAt": purchased });
    let at = "2026-02-01T00:00:00Z";
    check(
        &script.command(at, "addFunds", lot("L1", "2026-02-01T00:05:00Z")),
        "FundsAdded L1 1.00 @02-01T00:00:00Z = 1.00",
    );
    check(
        &script.command(at, "addFunds", lot("L2", "2026-02-01T00:05:00.0000001Z")),
        "CommandRefused lot-in-the-future @02-01T00:00:00Z = 1.00",
    );
    check(
        &script.command(at, "addFunds", lot("L3", "2025-02-01T00:00:00Z")),
        "CommandRefused lot-already-expired @02-01T00:00:00Z = 1.00",
    );
    check(&script.command(at, "addFunds", lot("L1", at)), "CommandRefused lot-exists @02-01T00:00:00Z = 1.00");
}

#[test]
fn an_older_record_is_handled_now_t2() {
    let mut script = Script::new();
    script.buy_until("L1", "5", "2026-02-01T00:00:00Z", "2026-02-10T00:00:00Z");
    // Time alone moves the clock only to what was due, a command to its own time.
    script.command("2026-02-20T00:00:00Z", "setMode", json!({ "mode": "prepaid" }));
    let outputs = script.model.feed_cdr(
        &super::row("C1", 60, "2026-02-09T00:00:00Z"),
        super::time::parse("2026-02-09T00:01:00Z").expect("an instant"),
    );
    assert_eq!(outputs[0]["at"], "2026-02-20T00:00:00Z");
    assert_eq!(outputs[0]["funding"][0]["type"], "overdraft", "the lot is forfeited: {outputs:?}");
}

#[test]
fn closing_refunds_what_is_left_l18() {
    let mut script = Script::new();
    script.buy("L1", "5", "2026-02-01T00:00:00Z");
    script.auto_recharge("2026-02-01T00:00:00Z", "50", "10", None);
    check(
        &script
            .command("2026-02-02T00:00:00Z", "closeAccount", json!({}))
            .lines()
            .rev()
            .take(3)
            .collect::<Vec<_>>()
            .join("\n"),
        "BalanceExhausted @02-02T00:00:00Z = 0.00
         AccountClosed @02-02T00:00:00Z = 0.00
         LotRefunded L1 5.00 account-closed @02-02T00:00:00Z = 0.00",
    );
    // Nothing is sent again; the outstanding one may still succeed.
    check(&script.call("C1", 60, "2026-02-03T00:00:00Z"), "reject org-closed");
    check(
        &script.settle("2026-02-03T00:00:00Z", "acme/1", "succeeded"),
        "RechargeSucceeded acme/1 50.00 @02-03T00:00:00Z = 50.00
         InvoiceIssued acme/1 50.00 @02-03T00:00:00Z = 50.00
         LotRefunded acme/1 50.00 account-closed @02-03T00:00:00Z = 0.00",
    );
    assert_eq!(script.total("refunded"), "55.00");
}
