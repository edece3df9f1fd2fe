//! What a record with a known identity is, and that a correction is one input.

use serde_json::{Value, json};

use super::{Script, check, row};

const START: &str = "2026-02-01T00:00:00Z";
const LATER: &str = "2026-02-01T01:00:00Z";

fn with_money(amount: &str) -> Script {
    let mut script = Script::new();
    script.buy("L1", amount, "2026-01-15T00:00:00Z");
    script
}

fn revise(script: &mut Script, revision: u64, seconds: i64) -> String {
    script.revise("C1", revision, LATER, json!({ "startDateTime": START, "duration": seconds }))
}

fn void(script: &mut Script, revision: u64) -> String {
    script.revise("C1", revision, LATER, json!({ "startDateTime": START, "void": true }))
}

#[test]
fn a_higher_revision_replaces_a_lower_one_is_stale_d4() {
    let mut script = with_money("10");
    check(&script.call("C1", 60, START), "debit 1.00 L1:1.00 = 9.00");
    check(
        &revise(&mut script, 2, 180),
        "debit -1.00 L1:-1.00 #reversal = 10.00
         debit 3.00 L1:3.00 = 7.00",
    );
    // The first again, and another that is older than the booked one: stale. Of the same revision: by content.
    check(&script.call("C1", 60, START), "duplicate");
    check(&revise(&mut script, 1, 600), "duplicate");
    check(&revise(&mut script, 2, 180), "duplicate");
    check(&revise(&mut script, 2, 181), "reject quarantined");
    // The same content at a higher revision is a correction too; what it reverses is the latest debit.
    check(
        &revise(&mut script, 3, 180),
        "debit -3.00 L1:-3.00 #reversal = 10.00
         debit 3.00 L1:3.00 = 7.00",
    );
    // Of an id never seen, it is an ordinary record.
    check(&script.revise("C2", 7, LATER, json!({ "startDateTime": START })), "debit 1.00 L1:1.00 = 6.00");
}

#[test]
fn a_void_and_what_comes_after_it_d5() {
    let mut script = with_money("10");
    check(&void(&mut script, 0), "reject nothing-to-void");
    // It claimed nothing.
    check(&script.call("C1", 60, START), "debit 1.00 L1:1.00 = 9.00");
    // At the same revision, or a higher one.
    check(&void(&mut script, 0), "debit -1.00 L1:-1.00 #reversal = 10.00");
    check(&void(&mut script, 0), "duplicate");
    check(&script.call("C1", 60, START), "reject quarantined");
    check(&void(&mut script, 1), "reject nothing-to-void");
    check(&revise(&mut script, 1, 120), "debit 2.00 L1:2.00 = 8.00");
    check(&void(&mut script, 3), "debit -2.00 L1:-2.00 #reversal = 10.00");
    check(&revise(&mut script, 2, 120), "duplicate");
    check(&revise(&mut script, 3, 120), "reject quarantined");
    check(&revise(&mut script, 4, 60), "debit 1.00 L1:1.00 = 9.00");
    assert_eq!(script.total("spent"), "1.00");
}

#[test]
fn a_reversing_debit_says_what_it_reverses_d13() {
    let mut script = with_money("10");
    script.call("C1", 90, START);
    let at = |text: &str| text.parse().expect("an instant");
    let mut revised = row("C1", 60, START);
    revised["revision"] = json!(4);
    let outputs = script.model.feed_cdr(&revised, at(LATER));
    assert_eq!(outputs[0], reversal(4, 4, json!({ "revision": 0, "seq": 3 }), "-2.00", "8.00"));
    assert_eq!((&outputs[1]["revision"], &outputs[1]["seq"]), (&json!(4), &json!(5)));
    revised["void"] = json!(true);
    let outputs = script.model.feed_cdr(&revised, at(LATER));
    assert_eq!(outputs, [reversal(4, 6, json!({ "revision": 4, "seq": 5, "void": true }), "-1.00", "9.00")]);
}

/// Of a charge that L1 paid alone, before which it holds `before`.
fn reversal(revision: u64, seq: u64, reverses: Value, amount: &str, before: &str) -> Value {
    json!({
        "type": "debit", "id": "C1", "source": "native", "revision": revision, "orgId": "acme", "seq": seq, "at": LATER,
        "reverses": reverses, "charge": { "amount": amount, "currency": "USD" },
        "funding": [{ "type": "lot", "lotId": "L1", "amount": amount, "before": before, "after": "10.00" }],
        "balanceAfter": "10.00", "flags": ["reversal"],
    })
}

#[test]
fn a_correction_is_judged_like_any_record_d3_d11_d12() {
    let mut script = with_money("10");
    script.command("2026-01-01T00:00:00Z", "openAccount", json!({}));
    let mut other = json!({ "currency": "USD", "ratePlan": "any", "country": "GB", "licensing": "none" });
    for (name, value) in [("commandId", "x1"), ("orgId", "b-2"), ("at", START), ("type", "openAccount")] {
        other[name] = json!(value);
    }
    script.model.feed_command(&other);
    script.call("C1", 60, START);
    let of = |fields: Value| {
        let mut all = json!({ "startDateTime": START, "duration": 120 });
        for (name, value) in fields.as_object().expect("fields") {
            all[name] = value.clone();
        }
        all
    };
    for (fields, arrival, expected) in [
        (json!({ "orgId": "b-2" }), LATER, "reject org-mismatch"),
        (json!({ "orgId": "b-2", "void": true }), LATER, "reject org-mismatch"),
        (json!({ "orgId": "nobody" }), LATER, "reject unknown-org"),
        (json!({ "calleeNumber": "+0441" }), LATER, "reject bad-number"),
        (json!({ "startDateTime": "2026-02-01T01:05:00.0000001Z" }), LATER, "reject in-the-future"),
        (json!({ "startDateTime": "2025-11-02T00:59:59.9999999Z" }), LATER, "reject too-late"),
        (json!({ "void": true }), "2026-05-02T00:00:00.0000001Z", "reject too-late"),
    ] {
        check(&script.revise("C1", 1, arrival, of(fields)), expected);
    }
    check(&script.revise("C1", 255, LATER, of(json!({}))), "reject bad-field");
    // No trace of any of them: the original stands, and can be corrected.
    check(
        &script.revise("C1", 1, LATER, of(json!({}))),
        "debit -1.00 L1:-1.00 #reversal = 10.00
         debit 2.00 L1:2.00 = 8.00",
    );
    script.command(LATER, "closeAccount", json!({}));
    check(&script.revise("C1", 2, LATER, of(json!({}))), "reject org-closed");
}

#[test]
fn nothing_is_looked_at_between_reversal_and_new_rating_d10() {
    let mut script = with_money("10");
    script.auto_recharge("2026-01-15T00:00:00Z", "50", "4", None);
    check(&script.call("C1", 300, START), "debit 5.00 L1:5.00 = 5.00");
    // 10.00 in between, and the crossing of the trigger is seen after both.
    check(
        &revise(&mut script, 1, 420),
        "debit -5.00 L1:-5.00 #reversal = 10.00
         debit 7.00 L1:7.00 = 3.00
         RechargeRequested acme/1 50.00 @02-01T01:00:00Z = 3.00",
    );
    // Below zero before and after, above zero in between: no crossing.
    let mut script = with_money("10");
    script.call("C1", 600, START);
    check(&script.call("C2", 60, START), "debit 1.00 overdraft:1.00 = -1.00");
    check(
        &revise(&mut script, 1, 660),
        "debit -10.00 L1:-10.00 #reversal = 9.00
         OverdraftSettled L1 1.00 @02-01T01:00:00Z = 9.00
         debit 11.00 L1:9.00 overdraft:2.00 = -2.00",
    );
}

#[test]
fn what_a_reversed_call_caused_stands_and_may_come_again_d14() {
    let mut script = with_money("10");
    script.auto_recharge("2026-01-15T00:00:00Z", "50", "0", None);
    check(
        &script.call("C1", 601, START),
        "debit 11.00 L1:10.00 overdraft:1.00 = -1.00
         BalanceExhausted @02-01T00:00:00Z = -1.00
         RechargeRequested acme/1 50.00 @02-01T00:00:00Z = -1.00",
    );
    // The request is still outstanding, so no second one.
    check(
        &script.revise("C1", 0, START, json!({ "startDateTime": START, "void": true })),
        "debit -11.00 L1:-10.00 overdraft:-1.00 #reversal = 10.00",
    );
    check(
        &script.call("C2", 601, START),
        "debit 11.00 L1:10.00 overdraft:1.00 = -1.00
         BalanceExhausted @02-01T00:00:00Z = -1.00",
    );
}

#[test]
fn events_name_the_debit_they_belong_to() {
    let mut script = with_money("10");
    script.call("C1", 600, START);
    script.call("C2", 60, START);
    script.command(LATER, "refundLot", json!({ "lotId": "L1", "reason": "asked" }));
    let mut revised = row("C1", 60, START);
    revised["revision"] = json!(1);
    let outputs = script.model.feed_cdr(&revised, LATER.parse().expect("an instant"));
    // 3 C1, 4 exhausted, 5 C2, 6 refunded; 7 the reversal, 8 returned, 9 settled, 10 the new debit.
    let seqs: Vec<(&str, &Value, &Value)> = outputs
        .iter()
        .map(|output| (output["type"].as_str().expect("text"), &output["seq"], &output["debitSeq"]))
        .collect();
    assert_eq!(
        seqs,
        [
            ("debit", &json!(7), &json!(null)),
            ("FundsReturned", &json!(8), &json!(7)),
            ("OverdraftSettled", &json!(9), &json!(7)),
            ("debit", &json!(10), &json!(null)),
        ]
    );
}

#[test]
fn an_identity_is_known_as_long_as_the_latest_of_its_starts_d1() {
    let mut script = with_money("10");
    check(&script.call("C1", 60, START), "debit 1.00 L1:1.00 = 9.00");
    let earlier = json!({ "startDateTime": "2026-01-20T00:00:00Z" });
    check(
        &script.revise("C1", 1, LATER, earlier),
        "debit -1.00 L1:-1.00 #reversal = 10.00
         debit 1.00 L1:1.00 = 9.00",
    );
    // 90 days after 20 January and some: the first delivery of C1 comes once more.
    script.call("C2", 0, "2026-04-28T00:00:00Z");
    check(&script.late_call("C1", 60, START, "2026-04-28T00:00:00Z"), "duplicate");
}
