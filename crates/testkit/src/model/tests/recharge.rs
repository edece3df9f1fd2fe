use serde_json::json;

use super::{Script, check};

#[test]
fn it_fires_strictly_below_the_trigger_and_once() {
    let mut script = Script::new();
    script.buy("L1", "6", "2026-02-01T00:00:00Z");
    check(
        &script.auto_recharge("2026-02-01T00:00:00Z", "50", "5", None),
        "AutoRechargeConfigured @02-01T00:00:00Z = 6.00",
    );
    check(&script.call("C1", 60, "2026-02-01T00:00:00Z"), "debit 1.00 L1:1.00 = 5.00");
    check(
        &script.call("C2", 60, "2026-02-01T00:00:00Z"),
        "debit 1.00 L1:1.00 = 4.00
         RechargeRequested acme/1 50.00 @02-01T00:00:00Z = 4.00",
    );
    check(&script.call("C3", 60, "2026-02-01T00:00:00Z"), "debit 1.00 L1:1.00 = 3.00");
    // Unanswered: sent again, at the instant it was due (R3).
    check(&script.until("2026-02-01T00:15:00Z"), "RechargeRequested acme/1 50.00 @02-01T00:15:00Z = 3.00");
    check(
        &script.settle("2026-02-01T00:16:00Z", "acme/1", "succeeded"),
        "RechargeSucceeded acme/1 50.00 @02-01T00:16:00Z = 53.00
         InvoiceIssued acme/1 50.00 @02-01T00:16:00Z = 53.00",
    );
    check(
        &script.settle("2026-02-01T00:17:00Z", "acme/1", "succeeded"),
        "CommandRefused already-settled @02-01T00:17:00Z = 53.00",
    );
}

#[test]
fn four_attempts_then_a_cool_down_r4_r12() {
    let mut script = Script::new();
    script.auto_recharge("2026-02-01T00:00:00Z", "50", "5", None);
    check(
        &script.settle("2026-02-01T00:10:00Z", "acme/1", "failed"),
        "RechargeAttemptFailed acme/1 @02-01T00:10:00Z = 0.00",
    );
    check(
        &script.settle("2026-02-01T00:10:30Z", "acme/1", "failed"),
        "CommandRefused no-attempt-pending @02-01T00:10:30Z = 0.00",
    );
    check(
        &script.settle("2026-02-01T00:11:00Z", "acme/1", "failed"),
        "RechargeRequested acme/1 50.00 @02-01T00:11:00Z = 0.00
         RechargeAttemptFailed acme/1 @02-01T00:11:00Z = 0.00",
    );
    check(
        &script.settle("2026-02-01T00:16:00Z", "acme/1", "failed"),
        "RechargeRequested acme/1 50.00 @02-01T00:16:00Z = 0.00
         RechargeAttemptFailed acme/1 @02-01T00:16:00Z = 0.00",
    );
    check(
        &script.settle("2026-02-01T00:46:00Z", "acme/1", "failed"),
        "RechargeRequested acme/1 50.00 @02-01T00:46:00Z = 0.00
         RechargeFailed acme/1 @02-01T00:46:00Z = 0.00",
    );
    check(&script.until("2026-02-02T00:45:59.9999999Z"), "");
    check(&script.until("2026-02-02T00:46:00Z"), "RechargeRequested acme/2 50.00 @02-02T00:46:00Z = 0.00");
    // A late success of the first: real money, which ends nothing of the second (R8).
    check(
        &script.settle("2026-02-02T00:47:00Z", "acme/1", "succeeded"),
        "RechargeSucceeded acme/1 50.00 @02-02T00:47:00Z = 50.00
         InvoiceIssued acme/1 50.00 @02-02T00:47:00Z = 50.00",
    );
    check(&script.until("2026-02-02T01:01:00Z"), "RechargeRequested acme/2 50.00 @02-02T01:01:00Z = 50.00");
}

#[test]
fn the_cap_refuses_until_the_month_begins_r5_r6() {
    let mut script = Script::new();
    script.auto_recharge("2026-02-01T00:00:00Z", "50", "60", Some("100"));
    // Reaching the cap exactly is allowed and says nothing.
    check(
        script.settle("2026-02-02T00:00:00Z", "acme/1", "succeeded").lines().last().unwrap_or(""),
        "RechargeRequested acme/2 50.00 @02-02T00:00:00Z = 50.00",
    );
    let second = script.settle("2026-02-02T00:00:00Z", "acme/2", "succeeded");
    check(second.lines().last().unwrap_or(""), "InvoiceIssued acme/2 50.00 @02-02T00:00:00Z = 100.00");
    check(
        &script.call("C1", 3_000, "2026-02-03T00:00:00Z"),
        "debit 50.00 acme/1:50.00 = 50.00
         RechargeCapReached @02-03T00:00:00Z = 50.00",
    );
    // One event per month; the next month looks by itself.
    check(&script.call("C2", 60, "2026-02-04T00:00:00Z"), "debit 1.00 acme/2:1.00 = 49.00");
    check(&script.until("2026-03-01T00:00:00Z"), "RechargeRequested acme/3 50.00 @03-01T00:00:00Z = 49.00");
}

#[test]
fn a_recharge_smaller_than_the_hole_asks_again_r15() {
    let mut script = Script::new();
    script.call("C1", 6_000, "2026-02-01T00:00:00Z");
    script.auto_recharge("2026-02-01T00:00:00Z", "50", "0", None);
    check(
        &script.settle("2026-02-01T00:01:00Z", "acme/1", "succeeded"),
        "RechargeSucceeded acme/1 50.00 @02-01T00:01:00Z = -50.00
         InvoiceIssued acme/1 50.00 @02-01T00:01:00Z = -50.00
         OverdraftSettled acme/1 50.00 @02-01T00:01:00Z = -50.00
         RechargeRequested acme/2 50.00 @02-01T00:01:00Z = -50.00",
    );
    // At 0 the trigger of 0 is silent (R16).
    let settled = script.settle("2026-02-01T00:02:00Z", "acme/2", "succeeded");
    check(settled.lines().last().unwrap_or(""), "OverdraftSettled acme/2 50.00 @02-01T00:02:00Z = 0.00");
}

#[test]
fn off_means_a_failure_is_final_and_prepaid_looks_again_r11_m4() {
    let mut script = Script::new();
    script.auto_recharge("2026-02-01T00:00:00Z", "50", "5", None);
    script.command("2026-02-01T00:01:00Z", "setMode", json!({ "mode": "postUsage" }));
    check(&script.settle("2026-02-01T00:02:00Z", "acme/1", "failed"), "RechargeFailed acme/1 @02-01T00:02:00Z = 0.00");
    // Disarmed still; any money re-arms, and back in prepaid the trigger is looked at.
    script.buy("L1", "1", "2026-02-01T00:03:00Z");
    check(
        &script.command("2026-02-01T00:04:00Z", "setMode", json!({ "mode": "prepaid" })),
        "ModeSet @02-01T00:04:00Z = 1.00
         RechargeRequested acme/2 50.00 @02-01T00:04:00Z = 1.00",
    );
}

#[test]
fn dues_of_one_instant_keep_their_order_t7() {
    let mut script = Script::new();
    // L1 is forfeited when L2 and L3 expire, and that is the first of a month.
    script.buy_until("L1", "1", "2026-01-05T00:00:00Z", "2026-01-30T00:00:00Z");
    script.buy_until("L2", "2", "2026-01-06T00:00:00Z", "2026-02-01T00:00:00Z");
    script.buy_until("L3", "50", "2026-01-07T00:00:00Z", "2026-02-01T00:00:00Z");
    script.auto_recharge("2026-01-08T00:00:00Z", "50", "60", Some("50"));
    script.settle("2026-01-08T00:00:00Z", "acme/1", "succeeded");
    check(
        &script.until("2026-02-01T00:00:00Z"),
        "LotExpired L1 1.00 @01-30T00:00:00Z = 102.00
         LotExpired L2 2.00 @02-01T00:00:00Z = 100.00
         LotExpired L3 50.00 @02-01T00:00:00Z = 50.00
         RechargeRequested acme/2 50.00 @02-01T00:00:00Z = 50.00
         LotForfeited L1 1.00 @02-01T00:00:00Z = 50.00",
    );
}

#[test]
fn a_payment_of_another_amount_settles_nothing() {
    let mut script = Script::new();
    script.auto_recharge("2026-02-01T00:00:00Z", "50", "5", None);
    let settle = |amount: &str, outcome: &str| {
        json!({
            "rechargeId": "acme/1", "outcome": outcome, "processedAt": "2026-02-01T00:01:00Z", "amount": amount,
        })
    };
    let at = "2026-02-01T00:01:00Z";
    let mismatch = "CommandRefused recharge-amount-mismatch @02-01T00:01:00Z = 0.00";
    for amount in ["49.99", "50.000001", "0", "-50"] {
        check(&script.command(at, "settleRecharge", settle(amount, "succeeded")), mismatch);
    }
    // Of a failure the amount says nothing; after giving up a success must still fit.
    check(
        &script.command(at, "settleRecharge", settle("1", "declined")),
        "RechargeFailed acme/1 @02-01T00:01:00Z = 0.00",
    );
    check(&script.command(at, "settleRecharge", settle("51", "succeeded")), mismatch);
    check(
        &script.command(at, "settleRecharge", settle("50.00", "succeeded")),
        "RechargeSucceeded acme/1 50.00 @02-01T00:01:00Z = 50.00
         InvoiceIssued acme/1 50.00 @02-01T00:01:00Z = 50.00",
    );
    // What it is goes before what it says.
    check(
        &script.command(at, "settleRecharge", settle("51", "succeeded")),
        "CommandRefused already-settled @02-01T00:01:00Z = 50.00",
    );
}

#[test]
fn an_invoice_names_the_way_of_paying_in_force_at_settlement() {
    let mut script = Script::new();
    script.auto_recharge("2026-02-01T00:00:00Z", "50", "5", None);
    let fields = json!({
        "enabled": true, "rechargeAmount": "60", "triggerAmount": "5", "paymentMethod": { "agreement": "EA-7" },
    });
    script.command("2026-02-01T00:01:00Z", "configureAutoRecharge", fields);
    let outputs = script.model.feed_command(&json!({
        "commandId": "s1", "orgId": "acme", "at": "2026-02-01T00:02:00Z", "type": "settleRecharge",
        "rechargeId": "acme/1", "outcome": "succeeded", "processedAt": "2026-02-01T00:02:00Z",
    }));
    assert_eq!(outputs[1]["type"], "InvoiceIssued");
    assert_eq!(
        (&outputs[1]["paymentMethod"], &outputs[1]["amount"]),
        (&json!({ "agreement": "EA-7" }), &json!("50.00"))
    );
}
