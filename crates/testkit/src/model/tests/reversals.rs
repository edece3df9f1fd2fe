//! Where the money and the minutes of a reversed call go.

use serde_json::{Value, json};

use super::{Script, check};

const START: &str = "2026-02-01T00:00:00Z";

fn void_at(script: &mut Script, id: &str, arrival: &str) -> String {
    script.revise(id, 1, arrival, json!({ "startDateTime": START, "void": true }))
}

#[test]
fn into_a_lot_in_its_grace_and_not_into_one_whose_grace_is_over_d6() {
    let mut script = Script::new();
    script.buy_until("L1", "10", "2026-01-15T00:00:00Z", "2026-02-10T00:00:00Z");
    script.call("C1", 120, START);
    script.call("C2", 180, START);
    check(
        &void_at(&mut script, "C1", "2026-02-11T23:59:59.9999999Z"),
        "LotExpired L1 5.00 @02-10T00:00:00Z = 0.00
         BalanceExhausted @02-10T00:00:00Z = 0.00
         debit -2.00 L1:-2.00 #reversal = 0.00",
    );
    // Forfeited in time, at that instant before the record; then it is an adjustment lot (D7).
    check(
        &void_at(&mut script, "C2", "2026-02-12T00:00:00Z"),
        "LotForfeited L1 7.00 @02-12T00:00:00Z = 0.00
         debit -3.00 L1:-3.00>C2/1 #reversal = 0.00
         FundsReturned C2/1 3.00 @02-12T00:00:00Z = 3.00",
    );
    // Not adjusted: no longer spent (L14).
    let totals = ["purchased", "adjusted", "spent", "forfeited"].map(|name| script.total(name));
    assert_eq!(totals, ["10.00", "0.00", "0.00", "7.00"]);
    let lot = &script.total("lots")[1];
    assert_eq!(
        (&lot["purchasedAt"], &lot["expiresAt"]),
        (&json!("2026-02-12T00:00:00Z"), &json!("2027-02-12T00:00:00Z"))
    );
}

#[test]
fn an_empty_lot_beyond_its_grace_takes_nothing_back_d6() {
    let mut script = Script::new();
    script.buy_until("L1", "2", "2026-01-15T00:00:00Z", "2026-02-10T00:00:00Z");
    script.call("C1", 120, START);
    // Nothing was forfeited, but its time has come.
    check(
        &void_at(&mut script, "C1", "2026-02-12T00:00:00Z"),
        "debit -2.00 L1:-2.00>C1/1 #reversal = 0.00
         FundsReturned C1/1 2.00 @02-12T00:00:00Z = 2.00",
    );
    let mut script = Script::new();
    script.buy_until("L1", "2", "2026-01-15T00:00:00Z", "2026-02-10T00:00:00Z");
    script.call("C1", 120, START);
    void_at(&mut script, "C1", "2026-02-11T23:59:59.9999999Z");
    check(&script.until("2026-02-12T00:00:00Z"), "LotForfeited L1 2.00 @02-12T00:00:00Z = 0.00");
}

#[test]
fn a_refunded_lot_takes_nothing_back_and_one_lot_holds_all_d6_d7() {
    let mut script = Script::new();
    script.buy("L1", "2", "2026-01-15T00:00:00Z");
    script.buy("L2", "2", "2026-01-16T00:00:00Z");
    script.buy("L3", "9", "2026-01-17T00:00:00Z");
    check(&script.call("C1", 300, START), "debit 5.00 L1:2.00 L2:2.00 L3:1.00 = 8.00");
    for lot in ["L1", "L2"] {
        script.command(START, "refundLot", json!({ "lotId": lot, "reason": "asked" }));
    }
    // The id is taken.
    script.buy("C1/1", "1", START);
    check(
        &void_at(&mut script, "C1", START),
        "debit -5.00 L1:-2.00>C1/1+ L2:-2.00>C1/1+ L3:-1.00 #reversal = 10.00
         FundsReturned C1/1+ 4.00 @02-01T00:00:00Z = 14.00",
    );
}

#[test]
fn returned_money_rearms_and_settles_l6_r7() {
    let mut script = Script::new();
    script.buy("L1", "3", "2026-01-15T00:00:00Z");
    script.call("C1", 180, START);
    script.command(START, "refundLot", json!({ "lotId": "L1", "reason": "asked" }));
    check(&script.call("C2", 60, START), "debit 1.00 overdraft:1.00 = -1.00");
    script.auto_recharge(START, "50", "10", None);
    check(&script.settle(START, "acme/1", "declined"), "RechargeFailed acme/1 @02-01T00:00:00Z = -1.00");
    check(
        &void_at(&mut script, "C1", START),
        "debit -3.00 L1:-3.00>C1/1 #reversal = -1.00
         FundsReturned C1/1 3.00 @02-01T00:00:00Z = 2.00
         OverdraftSettled C1/1 1.00 @02-01T00:00:00Z = 2.00
         RechargeRequested acme/2 50.00 @02-01T00:00:00Z = 2.00",
    );
}

#[test]
fn money_back_in_an_old_lot_settles_too_l6() {
    let mut script = Script::new();
    script.buy("L1", "3", "2026-01-15T00:00:00Z");
    script.call("C1", 180, START);
    script.call("C2", 60, START);
    check(
        &void_at(&mut script, "C1", START),
        "debit -3.00 L1:-3.00 #reversal = 2.00
         OverdraftSettled L1 1.00 @02-01T00:00:00Z = 2.00",
    );
    assert_eq!(script.total("spent"), "1.00");
}

#[test]
fn overdraft_is_lowered_and_what_was_settled_returns_l7() {
    let mut script = Script::new();
    script.call("C1", 300, START);
    script.call("C2", 120, START);
    // 7.00 outstanding, 4.00 of them settled: the reversal lowers 3.00 and returns 2.00.
    script.buy("L1", "4", START);
    check(
        &void_at(&mut script, "C1", START),
        "debit -5.00 overdraft:-5.00>C1/1 #reversal = 0.00
         FundsReturned C1/1 2.00 @02-01T00:00:00Z = 2.00",
    );
    // Of the 4.00 spent, 2.00 came back.
    assert_eq!((script.total("spent"), script.total("overdraft")), (json!("2.00"), json!("0.00")));
    check(
        &void_at(&mut script, "C2", START),
        "debit -2.00 overdraft:-2.00>C2/1 #reversal = 2.00
         FundsReturned C2/1 2.00 @02-01T00:00:00Z = 4.00",
    );
    assert_eq!(script.total("spent"), "0.00");
    // Outstanding as a whole: only lowered.
    check(
        script.call("C3", 360, START).lines().next().unwrap_or(""),
        "debit 6.00 C1/1:2.00 C2/1:2.00 overdraft:2.00 = -2.00",
    );
    check(&void_at(&mut script, "C3", START), "debit -6.00 C1/1:-2.00 C2/1:-2.00 overdraft:-2.00 #reversal = 4.00");
}

#[test]
fn the_other_sums_go_down_d13() {
    for (strict, licensing, mode, kind) in [
        (false, "none", "postUsage", "postUsage"),
        (true, "none", "prepaid", "uncollected"),
        (false, "required", "prepaid", "unlicensed"),
    ] {
        let mut script = Script::with_decks(vec![super::deck("", "prefix,price_per_minute\n44,1\n")]);
        let fields = json!({ "strict": strict, "licensing": licensing, "mode": mode });
        script.command("2026-01-01T00:00:00Z", "openAccount", fields);
        script.call("C1", 120, START);
        script.call("C2", 60, START);
        // Whatever the mode is by then.
        script.command(START, "setMode", json!({ "mode": "prepaid" }));
        let mut void = super::row("C1", 120, START);
        void["void"] = json!(true);
        let outputs = script.model.feed_cdr(&void, START.parse().expect("an instant"));
        let line = json!({ "type": kind, "amount": "-2.00", "before": "3.00", "after": "1.00" });
        assert_eq!(outputs[0]["funding"], json!([line]));
        assert_eq!(script.total(kind), "1.00");
    }
}

/// A user of MCOPSTN5 who may draw, and 100.00.
fn with_pool() -> Script {
    let mut script = Script::licensed();
    script.buy("L1", "100", "2026-01-15T00:00:00Z");
    for licence in ["MCOPSTN5", "MCOPSTNPP"] {
        script.assign("2026-01-01T00:00:00Z", "u1", licence, "GB");
    }
    script
}

#[test]
fn minutes_go_back_to_their_month_and_nothing_else_moves_d9() {
    let mut script = with_pool();
    check(
        &script.call("C1", 60 * 100, START),
        "debit 0.00 MCOPSTN5/GB:domestic:0+100/120 #included = 100.00
         PoolThresholdReached MCOPSTN5/GB domestic 80% 100/120",
    );
    check(
        &script.call("C2", 60 * 22, START),
        "debit 2.00 MCOPSTN5/GB:domestic:100+20/120 L1:2.00 = 98.00
         PoolThresholdReached MCOPSTN5/GB domestic 100% 120/120",
    );
    // In March: February's use goes down; C2 stays billed; nothing is un-raised, nor raised again.
    check(
        &void_at(&mut script, "C1", "2026-03-05T00:00:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:120-100/120 #reversal = 98.00",
    );
    check(
        &script.late_call("C3", 60 * 100, START, "2026-03-05T00:00:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:20+100/120 #included = 98.00",
    );
    check(&script.call("C4", 60, "2026-03-05T00:00:00Z"), "debit 0.00 MCOPSTN5/GB:domestic:0+1/120 #included = 98.00");
}

#[test]
fn a_revision_finds_the_minutes_its_first_rating_gave_back_d8() {
    let mut script = with_pool();
    script.call("C1", 60 * 120, START);
    let revised = |seconds: i64, start: &str| json!({ "startDateTime": start, "duration": seconds });
    check(
        &script.revise("C1", 1, START, revised(60 * 121, START)),
        "debit 0.00 MCOPSTN5/GB:domestic:120-120/120 #reversal = 100.00
         debit 1.00 MCOPSTN5/GB:domestic:0+120/120 L1:1.00 = 99.00",
    );
    // A new start in another month: that month's minutes; its own thresholds.
    check(
        &script.revise("C1", 2, START, revised(60 * 96, "2026-01-31T23:59:59.9999999Z")),
        "debit -1.00 MCOPSTN5/GB:domestic:120-120/120 L1:-1.00 #reversal = 100.00
         debit 0.00 MCOPSTN5/GB:domestic:0+96/120 #included = 100.00
         PoolThresholdReached MCOPSTN5/GB domestic 80% 96/120",
    );
}

#[test]
fn the_new_rating_knows_what_is_known_now_d8_w5() {
    let mut script = Script::licensed();
    script.buy("L1", "100", "2026-01-15T00:00:00Z");
    check(&script.call("C1", 60, START), "debit 1.00 unlicensed:1.00 = 100.00");
    for licence in ["MCOPSTN_PAYG_1", "MCOPSTNPP"] {
        script.assign("2026-02-02T00:00:00Z", "u1", licence, "GB");
    }
    // Licences of the new start: the old one finds none still, one after the assignment does.
    let revised = |start: &str| json!({ "startDateTime": start });
    check(
        &script.revise("C1", 1, "2026-02-03T00:00:00Z", revised(START)),
        "debit -1.00 unlicensed:-1.00 #reversal = 100.00
         debit 1.00 unlicensed:1.00 = 100.00",
    );
    check(
        &script.revise("C1", 2, "2026-02-03T00:00:00Z", revised("2026-02-02T00:00:00Z")),
        "debit -1.00 unlicensed:-1.00 #reversal = 100.00
         debit 1.00 L1:1.00 = 99.00",
    );
}

#[test]
fn free_and_unrated_calls_are_corrected_too() {
    let mut script = Script::new();
    script.buy("L1", "10", "2026-01-15T00:00:00Z");
    let unsold = json!({ "startDateTime": START, "calleeNumber": "+905321234567" });
    let of = |revision: u64, fields: &Value, script: &mut Script| script.revise("C1", revision, START, fields.clone());
    check(&of(0, &unsold, &mut script), "debit 0.00 #unrated = 10.00\nreject unrated");
    check(
        &of(1, &json!({ "startDateTime": START }), &mut script),
        "debit 0.00 #reversal = 10.00
         debit 1.00 L1:1.00 = 9.00",
    );
    check(
        &of(2, &unsold, &mut script),
        "debit -1.00 L1:-1.00 #reversal = 10.00
         debit 0.00 #unrated = 10.00
         reject unrated",
    );
}
