use serde_json::json;

use super::{Script, check, row};

#[test]
fn a_second_coming_is_dropped_or_quarantined_d2_d4() {
    let mut script = Script::new();
    let at = "2026-02-01T00:10:00Z";
    let first = row("C1", 60, "2026-02-01T00:00:00Z");
    check(&script.row(first.clone(), at), "debit 1.00 overdraft:1.00 = -1.00");
    check(&script.row(first.clone(), at), "duplicate");
    // The same instant in another spelling, another name: the same content (D2).
    let mut spelt = first.clone();
    spelt["startDateTime"] = json!("2026-02-01T02:00:00.0000000+02:00");
    spelt["userDisplayName"] = json!("A. Nother");
    check(&script.row(spelt, at), "duplicate");
    let mut other = first;
    other["duration"] = json!(61);
    check(&script.row(other, at), "reject quarantined");
}

#[test]
fn a_reject_claims_nothing_d3_u9() {
    let mut script = Script::with_decks(vec![super::deck("", "prefix,price_per_minute\n44,1\n")]);
    check(&script.call("C1", 60, "2026-02-01T00:00:00Z"), "reject unknown-org");
    script.command("2026-02-02T00:00:00Z", "openAccount", json!({}));
    check(&script.call("C1", 60, "2026-02-01T00:00:00Z"), "debit 1.00 overdraft:1.00 = -1.00");
}

#[test]
fn a_repeated_command_is_dropped_l12() {
    let mut script = Script::new();
    script.counter = 0;
    check(&script.buy("L1", "5", "2026-02-01T00:00:00Z"), "duplicate");
}

#[test]
fn the_window_and_the_future_end_to_the_tick_d1_t9() {
    let mut script = Script::new();
    let now = "2026-06-01T00:00:00Z";
    for (start, expected) in [
        ("2026-03-03T00:00:00Z", "debit 1.00 overdraft:1.00 = -1.00"),
        ("2026-03-02T23:59:59.9999999Z", "reject too-late"),
        ("2026-06-01T00:05:00Z", "debit 1.00 overdraft:1.00 = -2.00"),
        ("2026-06-01T00:05:00.0000001Z", "reject in-the-future"),
    ] {
        check(&script.late_call(start, 60, start, now), expected);
    }
}

#[test]
fn rows_that_cannot_be_rated() {
    let mut script = Script::new();
    let start = "2026-02-01T00:00:00Z";
    for (field, value, expected) in [
        ("id", json!(null), "reject missing-field"),
        ("startDateTime", json!("0001-01-01T00:00:00Z"), "reject missing-field"),
        ("duration", json!(-1), "reject negative-duration"),
        ("callType", json!("User_Out"), "reject unknown-call-type"),
        ("calleeNumber", json!("+0441"), "reject bad-number"),
        ("calleeNumber", json!("+4412345678901234"), "reject bad-number"),
        ("endDateTime", json!("2026-01-31T23:59:59Z"), "reject end-before-start"),
    ] {
        let mut broken = row("C1", 60, start);
        broken[field] = value;
        check(&script.row(broken, start), expected);
    }
}

#[test]
fn what_costs_nothing_says_why_u15() {
    let mut script = Script::new();
    let start = "2026-02-01T00:00:00Z";
    for (id, call_type, callee, flag) in [
        ("C1", "user_in", "+442071838750", "user-in"),
        ("C2", "dr_xyz", "+442071838750", "direct-routing"),
        ("C3", "user_out", "999", "emergency"),
        ("C4", "conf_in", "+442071838750", "toll-number"),
    ] {
        let mut free = row(id, 60, start);
        free["callType"] = json!(call_type);
        free["calleeNumber"] = json!(callee);
        free["usageCountryCode"] = json!("GB");
        check(&script.row(free, start), &format!("debit 0.00 #{flag} = 0.00"));
    }
}
