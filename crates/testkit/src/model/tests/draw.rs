//! Who may draw credits (section 5).

use serde_json::{Value, json};

use super::{Script, check};

const MARCH: &str = "2026-03-01T00:00:00Z";
const OPEN: &str = "2026-01-01T00:00:00Z";

fn with_licences(licences: &[&str]) -> Script {
    let mut script = Script::licensed();
    script.buy("L1", "100", "2026-02-01T00:00:00Z");
    for licence in licences {
        script.assign(OPEN, "u1", licence, "GB");
    }
    script
}

/// Two minutes abroad, so that few plans cover them.
fn abroad(script: &mut Script, more: &Value) -> String {
    let mut fields = json!({ "destinationContext": "International" });
    for (name, value) in more.as_object().expect("fields") {
        fields[name] = value.clone();
    }
    script.call_with("C1", 120, MARCH, fields)
}

#[test]
fn a_plan_and_the_licence_to_draw_or_the_exemption_w1_w7() {
    for (licences, may_draw) in [
        (&[][..], false),
        (&["MCOPSTNPP"], false),
        (&["MCOPSTN1"], false),
        (&["MCOPSTN1", "MCOPSTNPP"], true),
        (&["MCOPSTN8", "MCOPSTNPP"], true),
        (&["MCOPSTN_PAYG_1", "MCOPSTNPP"], true),
        (&["MCOPSTN_PAYG_2", "MCOPSTNPP"], true),
        (&["MCOMEETADV", "MCOPSTNPP"], true),
        // Neither the add-on nor the phone system alone is a plan.
        (&["MCOMEETADD_DIALOUT_US", "MCOPSTNPP"], false),
        (&["MCOEV", "MCOPSTNPP"], false),
        (&["MCOMEETACPEA"], true),
    ] {
        let expected = if may_draw { "debit 2.00 L1:2.00 = 98.00" } else { "debit 2.00 unlicensed:2.00 = 100.00" };
        check(&abroad(&mut with_licences(licences), &json!({})), expected);
    }
}

#[test]
fn a_covered_call_needs_no_licence_but_its_rest_does_w2_p17() {
    let mut script = with_licences(&["MCOPSTN5"]);
    check(
        &script.call("C1", 60 * 119, MARCH),
        "debit 0.00 MCOPSTN5/GB:domestic:0+119/120 #included = 100.00
         PoolThresholdReached MCOPSTN5/GB domestic 80% 119/120",
    );
    check(
        &script.call("C2", 120, MARCH),
        "debit 1.00 MCOPSTN5/GB:domestic:119+1/120 unlicensed:1.00 = 100.00
         PoolThresholdReached MCOPSTN5/GB domestic 100% 120/120",
    );
}

#[test]
fn calls_of_nobody_and_inbound_calls_u11_w3() {
    let inbound = |call_type: &str, user: Value| json!({ "callType": call_type, "userId": user });
    for (fields, expected) in [
        (json!({ "userId": null }), "unlicensed:2.00 = 100.00"),
        (json!({ "callType": "conf_out", "userId": null }), "unlicensed:2.00 = 100.00"),
        (json!({ "callType": "ucap_out", "userId": null }), "L1:2.00 = 98.00"),
        (inbound("ucap_in", json!("u1")), "L1:2.00 = 98.00"),
        (inbound("unassigned_in", json!(null)), "L1:2.00 = 98.00"),
        (inbound("conf_in", json!("u1")), "unlicensed:2.00 = 100.00"),
        (inbound("conf_in", json!(null)), "unlicensed:2.00 = 100.00"),
    ] {
        let mut script =
            Script::licensed_with("prefix,price_per_minute,product\n44,1,outbound\n44,1,toll-free-inbound\n");
        script.buy("L1", "100", "2026-02-01T00:00:00Z");
        check(&abroad(&mut script, &fields), &format!("debit 2.00 {expected}"));
    }
    let mut script = Script::licensed_with("prefix,price_per_minute,product\n44,1,toll-free-inbound\n");
    script.buy("L1", "100", "2026-02-01T00:00:00Z");
    script.assign(OPEN, "u1", "MCOMEETACPEA", "GB");
    check(&abroad(&mut script, &inbound("conf_in", json!("u1"))), "debit 2.00 L1:2.00 = 98.00");
}

#[test]
fn a_charge_of_nothing_is_no_ones_w4() {
    let mut script = Script::licensed();
    check(&script.call("C1", 0, MARCH), "debit 0.00 #zero-seconds = 0.00");
    assert_eq!(script.total("unlicensed"), "0.00");
}

#[test]
fn a_later_licence_leaves_earlier_debits_w5() {
    let mut script = with_licences(&["MCOPSTN_PAYG_1"]);
    check(&abroad(&mut script, &json!({})), "debit 2.00 unlicensed:2.00 = 100.00");
    script.assign("2026-03-02T00:00:00Z", "u1", "MCOPSTNPP", "GB");
    assert_eq!((script.total("unlicensed"), script.total("balance")), (json!("2.00"), json!("100.00")));
    check(&script.call("C2", 60, "2026-03-02T00:00:00Z"), "debit 1.00 L1:1.00 = 99.00");
}

#[test]
fn unlicensed_goes_before_the_mode_w6() {
    for (strict, mode) in [(false, "postUsage"), (true, "prepaid"), (false, "prepaid")] {
        let mut script = Script::with_decks(vec![super::deck("", "prefix,price_per_minute\n44,1\n")]);
        script.command(OPEN, "openAccount", json!({ "licensing": "required", "strict": strict, "mode": mode }));
        check(&script.call("C1", 60, MARCH), "debit 1.00 unlicensed:1.00 = 0.00");
        let outputs = script.model.feed_cdr(&super::row("C2", 60, MARCH), MARCH.parse().expect("an instant"));
        let line = json!({ "type": "unlicensed", "amount": "1.00", "before": "1.00", "after": "2.00" });
        assert_eq!(outputs[0]["funding"], json!([line]));
        assert_eq!((script.total("unlicensed"), script.total("postUsage")), (json!("2.00"), json!("0.00")));
    }
}

#[test]
fn where_licensing_is_none_everybody_draws_and_plans_still_cover() {
    let mut script = Script::new();
    check(&script.call("C1", 60, MARCH), "debit 1.00 overdraft:1.00 = -1.00");
    script.assign("2026-03-02T00:00:00Z", "u1", "MCOPSTN5", "GB");
    check(&script.call("C2", 60, "2026-03-02T00:00:00Z"), "debit 0.00 MCOPSTN5/GB:domestic:0+1/120 #included = -1.00");
    assert_eq!(script.total("licensing"), "none");
    let opened = |licensing: Value| {
        let mut script = Script::with_decks(vec![super::deck("", "prefix,price_per_minute\n44,1\n")]);
        let outputs = script.command(OPEN, "openAccount", json!({ "licensing": licensing }));
        (outputs, script.model.accounts())
    };
    let (outputs, accounts) = opened(json!("some"));
    check(&outputs, "reject undecodable");
    assert!(accounts.is_empty());
}
