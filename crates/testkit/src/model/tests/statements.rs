//! Post-usage billing: modes and the statements of each month (section 8).

use serde_json::json;

use super::{Script, check};

fn set_mode(script: &mut Script, at: &str, mode: &str) -> String {
    script.command(at, "setMode", json!({ "mode": mode }))
}

#[test]
fn a_month_that_accrued_is_stated_at_its_end_t1_t3() {
    let mut script = Script::new();
    set_mode(&mut script, "2026-02-01T00:00:00Z", "postUsage");
    check(&script.call("C1", 120, "2026-02-10T00:00:00Z"), "debit 2.00 postUsage:2.00 = 0.00");
    // A call of February that comes at the first instant of March: after the statement (T1), so for the next one.
    check(
        &script.late_call("C2", 60, "2026-02-28T23:59:59.9999999Z", "2026-03-01T00:00:00Z"),
        "PostUsageStatement 2026-02 2.00 of 2.00 @03-01T00:00:00Z = 0.00
         debit 1.00 postUsage:1.00 = 0.00",
    );
    // Discovered months later, dated when it was due; of a month without anything there is none.
    check(
        &script.call("C3", 0, "2026-07-05T00:00:00Z"),
        "PostUsageStatement 2026-03 1.00 of 3.00 @04-01T00:00:00Z = 0.00\ndebit 0.00 #zero-seconds = 0.00",
    );
    check(&script.until("2026-12-01T00:00:00Z"), "");
    assert_eq!((script.total("postUsage"), script.total("statedPostUsage")), (json!("3.00"), json!("3.00")));
}

#[test]
fn what_accrued_is_stated_in_every_mode_and_when_closed_m1_m3_l18() {
    let mut script = Script::new();
    set_mode(&mut script, "2026-02-01T00:00:00Z", "postUsage");
    script.call("C1", 120, "2026-02-10T00:00:00Z");
    // Back in prepaid it never becomes overdraft; a late call is funded by the mode of its processing.
    set_mode(&mut script, "2026-02-11T00:00:00Z", "prepaid");
    check(
        &script.late_call("C2", 60, "2026-02-10T00:00:00Z", "2026-02-11T00:00:00Z"),
        "debit 1.00 overdraft:1.00 = -1.00",
    );
    script.command("2026-02-12T00:00:00Z", "closeAccount", json!({}));
    check(&script.until("2026-03-01T00:00:00Z"), "PostUsageStatement 2026-02 2.00 of 2.00 @03-01T00:00:00Z = -1.00");
}

#[test]
fn overdraft_stays_and_is_settled_by_the_next_lot_m2() {
    let mut script = Script::new();
    script.call("C1", 60, "2026-02-10T00:00:00Z");
    set_mode(&mut script, "2026-02-11T00:00:00Z", "postUsage");
    check(&script.until("2026-03-01T00:00:00Z"), "");
    check(
        &script.buy("L1", "3", "2026-03-02T00:00:00Z"),
        "FundsAdded L1 3.00 @03-02T00:00:00Z = 2.00
         OverdraftSettled L1 1.00 @03-02T00:00:00Z = 2.00",
    );
}

#[test]
fn what_a_reversal_takes_back_is_stated_as_negative_d13() {
    let mut script = Script::new();
    set_mode(&mut script, "2026-02-01T00:00:00Z", "postUsage");
    script.call("C1", 120, "2026-02-10T00:00:00Z");
    script.until("2026-03-01T00:00:00Z");
    let void = |script: &mut Script, id: &str, arrival: &str| {
        script.revise(id, 1, arrival, json!({ "startDateTime": "2026-02-10T00:00:00Z", "void": true }))
    };
    check(&void(&mut script, "C1", "2026-03-05T00:00:00Z"), "debit -2.00 postUsage:-2.00 #reversal = 0.00");
    check(&script.until("2026-04-01T00:00:00Z"), "PostUsageStatement 2026-03 -2.00 of 0.00 @04-01T00:00:00Z = 0.00");
    // Accrued and taken back within a month: nothing to state.
    script.late_call("C2", 60, "2026-02-10T00:00:00Z", "2026-04-02T00:00:00Z");
    void(&mut script, "C2", "2026-04-02T00:00:00Z");
    check(&script.until("2026-06-01T00:00:00Z"), "");
}

#[test]
fn a_statement_goes_after_lots_and_before_the_cap_t7() {
    let mut script = Script::new();
    set_mode(&mut script, "2026-01-07T00:00:00Z", "postUsage");
    script.call("C1", 120, "2026-01-08T00:00:00Z");
    // In prepaid again, and the cap of the month is reached.
    set_mode(&mut script, "2026-01-09T00:00:00Z", "prepaid");
    script.auto_recharge("2026-01-10T00:00:00Z", "50", "70", Some("50"));
    check(
        &script.settle("2026-01-10T00:00:00Z", "acme/1", "succeeded"),
        "RechargeSucceeded acme/1 50.00 @01-10T00:00:00Z = 50.00
         InvoiceIssued acme/1 50.00 @01-10T00:00:00Z = 50.00
         RechargeCapReached @01-10T00:00:00Z = 50.00",
    );
    let mut with_lots = Script { model: script.model.clone(), counter: script.counter };
    check(
        &script.until("2026-02-01T00:00:00Z"),
        "PostUsageStatement 2026-01 2.00 of 2.00 @02-01T00:00:00Z = 50.00
         RechargeRequested acme/2 50.00 @02-01T00:00:00Z = 50.00",
    );
    // One lot is forfeited, another expires at that instant: each due is an input, so the trigger is looked at there.
    with_lots.buy_until("L1", "1", "2026-01-11T00:00:00Z", "2026-01-30T00:00:00Z");
    with_lots.buy_until("L2", "2", "2026-01-11T00:00:00Z", "2026-02-01T00:00:00Z");
    check(
        &with_lots.until("2026-02-01T00:00:00Z"),
        "LotExpired L1 1.00 @01-30T00:00:00Z = 52.00
         LotExpired L2 2.00 @02-01T00:00:00Z = 50.00
         RechargeRequested acme/2 50.00 @02-01T00:00:00Z = 50.00
         LotForfeited L1 1.00 @02-01T00:00:00Z = 50.00
         PostUsageStatement 2026-01 2.00 of 2.00 @02-01T00:00:00Z = 50.00",
    );
}
