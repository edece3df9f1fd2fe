use serde_json::{Value, json};

use super::{Script, check, row};

const MARCH: &str = "2026-03-01T00:00:00Z";

/// Users of MCOPSTN5 in Great Britain: 120 domestic minutes each.
fn with_users(users: &[&str]) -> Script {
    let mut script = Script::licensed();
    for user in users {
        script.assign("2026-01-01T00:00:00Z", user, "MCOPSTN5", "GB");
    }
    script
}

#[test]
fn the_rest_of_a_split_call_is_billed_in_seconds_as_a_call_of_its_own_p1_p2_p18() {
    let csv = "prefix,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,maximum_charge\n\
               44,0.6,0.1,30,6,,\n1,0.6,,30,6,5,\n7,0.6,0.1,30,6,,0.25\n";
    for (callee, seconds, expected) in [
        // 7,200 s are covered, 61 s are left: 0.10 + 0.6 × 66 / 60. Counted in minutes it would be 120 s.
        ("+442071838750", 7_261, ("0.76", 66, Some(61))),
        // One second left: the initial increment is in it.
        ("+442071838750", 7_201, ("0.40", 30, Some(1))),
        // Minimum and maximum bound the rest.
        ("+12025550123", 7_201, ("5.00", 30, Some(1))),
        ("+74951234567", 7_261, ("0.25", 66, Some(61))),
    ] {
        let mut script = Script::licensed_with(csv);
        script.assign("2026-01-01T00:00:00Z", "u1", "MCOPSTN5", "GB");
        let mut call = row("C1", seconds, MARCH);
        call["calleeNumber"] = json!(callee);
        call["destinationContext"] = json!("Domestic");
        let outputs = script.model.feed_cdr(&call, MARCH.parse().expect("an instant"));
        let charge = &outputs[0]["charge"];
        let found =
            (charge["amount"].as_str().expect("text"), charge["billableSeconds"].clone(), &charge["ratedSeconds"]);
        assert_eq!(found, (expected.0, json!(expected.1), &json!(expected.2)), "{callee} {seconds}");
        // The pool line carries minutes, no amount.
        let line = json!({
            "type": "pool", "pool": "MCOPSTN5/GB", "use": "domestic", "month": "2026-03", "minutes": 120, "before": 0,
            "after": 120, "size": 120,
        });
        assert_eq!(outputs[0]["funding"][0], line);
    }
    // Wholly covered: neither fee nor minimum (P2), no row is looked for.
    let mut script = Script::licensed_with(csv);
    script.assign("2026-01-01T00:00:00Z", "u1", "MCOPSTN5", "GB");
    let outputs = script.model.feed_cdr(&row("C1", 61, MARCH), MARCH.parse().expect("an instant"));
    assert_eq!(outputs[0]["charge"], json!({ "amount": "0.00", "currency": "USD" }));
    assert_eq!(outputs[0]["flags"], json!(["included"]));
}

#[test]
fn minutes_are_of_the_licences_at_the_calls_start_p3_p4() {
    let mut script = with_users(&["u1"]);
    script.assign("2026-03-10T00:00:00Z", "u2", "MCOPSTN5", "GB");
    // Late: of before the second licence, so of the smaller pool.
    check(
        &script.late_call("C1", 60 * 115, "2026-03-09T23:59:59.9999999Z", "2026-03-10T12:00:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:0+115/120 #included = 0.00
         PoolThresholdReached MCOPSTN5/GB domestic 80% 115/120",
    );
    check(
        &script.call("C2", 60 * 10, "2026-03-10T12:00:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:115+10/240 #included = 0.00",
    );
    // Removed: what is used is more than the size, and nothing is left; a call of before still finds its minutes.
    script.remove("2026-03-11T00:00:00Z", "u2", "MCOPSTN5");
    check(&script.call("C3", 60, "2026-03-11T00:00:00Z"), "debit 1.00 unlicensed:1.00 = 0.00");
    check(
        &script.late_call("C4", 60, "2026-03-10T23:59:59.9999999Z", "2026-03-11T00:01:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:125+1/240 #included = 0.00",
    );
    // Held in [assigned, removed): at the removal itself no longer, at the assignment already.
    script.remove("2026-04-01T00:00:00Z", "u1", "MCOPSTN5");
    check(&script.call("C5", 60, "2026-04-01T00:00:00Z"), "debit 1.00 unlicensed:1.00 = 0.00");
    script.assign("2026-04-02T00:00:00Z", "u1", "MCOPSTN5", "GB");
    check(&script.call("C6", 60, "2026-04-02T00:00:00Z"), "debit 0.00 MCOPSTN5/GB:domestic:0+1/120 #included = 0.00");
    check(
        &script.late_call("C7", 60, "2026-04-01T23:59:59.9999999Z", "2026-04-02T00:00:00Z"),
        "debit 1.00 unlicensed:1.00 = 0.00",
    );
}

/// A call of one minute by `user`, with some fields.
fn minute(script: &mut Script, id: &str, fields: &Value) -> String {
    script.call_with(id, 60, MARCH, fields.clone())
}

#[test]
fn the_country_of_use_is_the_licences_p5() {
    let mut script = Script::licensed();
    script.assign("2026-01-01T00:00:00Z", "u1", "MCOPSTN1", "PR");
    script.assign("2026-01-01T00:00:00Z", "u2", "MCOPSTN1", "US");
    script.assign("2026-01-01T00:00:00Z", "u3", "MCOPSTN1", "GB");
    // Puerto Rico counts as the United States: one pool of two users.
    let to = |user: &str, country: &str| json!({ "userId": user, "calleeNumber": "+12125550123", "usageCountryCode": country });
    check(&minute(&mut script, "C1", &to("u1", "GB")), "debit 0.00 MCOPSTN1/US:domestic:0+1/6000 #included = 0.00");
    check(&minute(&mut script, "C2", &to("u2", "GB")), "debit 0.00 MCOPSTN1/US:domestic:1+1/6000 #included = 0.00");
    check(&minute(&mut script, "C3", &to("u3", "US")), "debit 2.00 unlicensed:2.00 = 0.00");
    check(
        &minute(&mut script, "C4", &json!({ "userId": "u3" })),
        "debit 0.00 MCOPSTN1/GB:domestic:0+1/1200 #included = 0.00",
    );
}

#[test]
fn domestic_is_what_the_record_says_else_the_called_country_p6() {
    for (country, callee, context, is_domestic) in [
        ("US", "+442071838750", json!("Domestic"), true),
        ("US", "+12125550123", json!("International"), false),
        ("US", "+12125550123", json!(null), true),
        ("US", "+17875550123", json!(null), true),
        ("PR", "+12125550123", json!(null), true),
        ("US", "+14165550123", json!(null), false),
        ("CA", "+14165550123", json!(null), true),
        ("CA", "+12125550123", json!(null), false),
        ("GB", "+442071838750", json!(null), true),
        // What is visible decides nothing: not domestic.
        ("US", "+1***", json!(null), false),
        ("US", "+1212***", json!(null), true),
    ] {
        let mut script = Script::licensed();
        script.assign("2026-01-01T00:00:00Z", "u1", "MCOPSTN2", country);
        let got = minute(&mut script, "C1", &json!({ "calleeNumber": callee, "destinationContext": context }));
        let found = got.contains(":domestic:");
        assert!(found == is_domestic && (found || got.contains(":international:0+1/600")), "{country} {callee}: {got}");
    }
}

#[test]
fn either_limit_of_mcopstn2_closes_both_until_a_licence_is_added_p7() {
    let mut script = Script::licensed();
    script.assign("2026-01-01T00:00:00Z", "u1", "MCOPSTN2", "GB");
    let abroad = json!({ "destinationContext": "International" });
    check(
        &script.call_with("C1", 60 * 599, MARCH, abroad.clone()),
        "debit 0.00 MCOPSTN2/GB:international:0+599/600 #included = 0.00
         PoolThresholdReached MCOPSTN2/GB international 80% 599/600",
    );
    // Two minutes, one of them covered.
    check(
        &script.call_with("C2", 120, MARCH, abroad),
        "debit 1.00 MCOPSTN2/GB:international:599+1/600 unlicensed:1.00 = 0.00
         PoolThresholdReached MCOPSTN2/GB international 100% 600/600",
    );
    check(
        &script.call_with("C3", 60, MARCH, json!({ "destinationContext": "Domestic" })),
        "debit 1.00 unlicensed:1.00 = 0.00",
    );
    script.assign("2026-03-02T00:00:00Z", "u2", "MCOPSTN2", "GB");
    check(&script.call("C4", 60, "2026-03-02T00:00:00Z"), "debit 0.00 MCOPSTN2/GB:domestic:0+1/2400 #included = 0.00");
    // Looked at per call: one that started before the second licence is still closed out.
    check(&script.call("C5", 60, MARCH), "debit 1.00 unlicensed:1.00 = 0.00");
}

#[test]
fn the_first_plan_with_minutes_of_the_kind_is_the_pool_p8() {
    let mut script = Script::licensed();
    for (user, licence) in [("u1", "MCOPSTN5"), ("u1", "MCOPSTN_PAYG_1"), ("u1", "MCOPSTN2"), ("u1", "MCOPSTN1")] {
        script.assign("2026-01-01T00:00:00Z", user, licence, "GB");
    }
    check(&minute(&mut script, "C1", &json!({})), "debit 0.00 MCOPSTN1/GB:domestic:0+1/1200 #included = 0.00");
    // MCOPSTN1 brings no international minutes.
    check(
        &minute(&mut script, "C2", &json!({ "destinationContext": "International" })),
        "debit 0.00 MCOPSTN2/GB:international:0+1/600 #included = 0.00",
    );
    // No second pool, though MCOPSTN2 and MCOPSTN5 have minutes.
    check(
        &script.call("C3", 60 * 1_200, MARCH),
        "debit 1.00 MCOPSTN1/GB:domestic:1+1199/1200 unlicensed:1.00 = 0.00
         PoolThresholdReached MCOPSTN1/GB domestic 80% 1200/1200
         PoolThresholdReached MCOPSTN1/GB domestic 100% 1200/1200",
    );
    check(&minute(&mut script, "C4", &json!({})), "debit 1.00 unlicensed:1.00 = 0.00");
}

#[test]
fn a_threshold_is_told_once_per_pool_and_month_p9() {
    let mut script = with_users(&["u1"]);
    check(&script.call("C1", 60 * 95, MARCH), "debit 0.00 MCOPSTN5/GB:domestic:0+95/120 #included = 0.00");
    // 96 of 120 is 80 % exactly.
    check(
        &script.call("C2", 60, MARCH),
        "debit 0.00 MCOPSTN5/GB:domestic:95+1/120 #included = 0.00
         PoolThresholdReached MCOPSTN5/GB domestic 80% 96/120",
    );
    // It grows, and 80 % of the new size is passed in silence; 100 % has not been told yet.
    script.assign("2026-03-02T00:00:00Z", "u2", "MCOPSTN5", "GB");
    check(
        &script.call("C3", 60 * 104, "2026-03-02T00:00:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:96+104/240 #included = 0.00",
    );
    check(
        &script.call("C4", 60 * 40, "2026-03-02T00:00:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:200+40/240 #included = 0.00
         PoolThresholdReached MCOPSTN5/GB domestic 100% 240/240",
    );
    // Another month tells anew; a pool of nothing (PAYG) never.
    check(
        &script.call("C5", 60 * 241, "2026-04-01T00:00:00Z"),
        "debit 1.00 MCOPSTN5/GB:domestic:0+240/240 unlicensed:1.00 = 0.00
         PoolThresholdReached MCOPSTN5/GB domestic 80% 240/240
         PoolThresholdReached MCOPSTN5/GB domestic 100% 240/240",
    );
}

#[test]
fn calls_of_no_length_and_calls_without_a_row_p10_p11() {
    let mut script = with_users(&["u1"]);
    check(&script.call("C1", 0, MARCH), "debit 0.00 #zero-seconds = 0.00");
    // Covered: no row is asked for. Split: the covered part stays covered, the rest is unrated.
    let unsold = json!({ "calleeNumber": "+33123456789", "destinationContext": "Domestic" });
    check(
        &script.call_with("C2", 60 * 119, MARCH, unsold.clone()),
        "debit 0.00 MCOPSTN5/GB:domestic:0+119/120 #included = 0.00
         PoolThresholdReached MCOPSTN5/GB domestic 80% 119/120",
    );
    check(
        &script.call_with("C3", 90, MARCH, unsold),
        "debit 0.00 MCOPSTN5/GB:domestic:119+1/120 #unrated = 0.00
         PoolThresholdReached MCOPSTN5/GB domestic 100% 120/120
         reject unrated",
    );
}

#[test]
fn a_call_belongs_to_the_month_of_its_start_p13() {
    let mut script = with_users(&["u1"]);
    script.late_call("C1", 60 * 120, "2026-02-28T23:59:59.9999999Z", "2026-03-01T02:00:00Z");
    check(
        &script.late_call("C2", 60, "2026-02-28T23:59:00Z", "2026-03-01T02:00:00Z"),
        "debit 1.00 unlicensed:1.00 = 0.00",
    );
    check(&script.call("C3", 60, "2026-03-01T02:00:00Z"), "debit 0.00 MCOPSTN5/GB:domestic:0+1/120 #included = 0.00");
}

#[test]
fn a_licence_given_twice_or_for_another_country_p14_p16() {
    let mut script = Script::licensed();
    check(
        &script.assign("2026-02-01T00:00:00Z", "u1", "MCOPSTN5", "GB"),
        "LicenceAssigned u1 MCOPSTN5 GB since 2026-02-01T00:00:00Z",
    );
    check(
        &script.assign("2026-02-02T00:00:00Z", "u1", "MCOPSTN5", "GB"),
        "LicenceAssigned u1 MCOPSTN5 GB since 2026-02-01T00:00:00Z",
    );
    check(
        &script.assign("2026-02-03T00:00:00Z", "u1", "MCOPSTN5", "DE"),
        "LicenceRemoved u1 MCOPSTN5 GB
         LicenceAssigned u1 MCOPSTN5 DE since 2026-02-03T00:00:00Z",
    );
    // One holder, of the pool of either country as of the start.
    let german = json!({ "calleeNumber": "+493012345678" });
    check(
        &script.call_with("C1", 60, "2026-02-03T00:00:00Z", german),
        "debit 0.00 MCOPSTN5/DE:domestic:0+1/120 #included = 0.00",
    );
    check(
        &script.late_call("C2", 60, "2026-02-02T23:59:59.9999999Z", "2026-02-03T00:00:00Z"),
        "debit 0.00 MCOPSTN5/GB:domestic:0+1/120 #included = 0.00",
    );
    // Removed from whatever country; once.
    check(&script.remove("2026-02-04T00:00:00Z", "u1", "MCOPSTN5"), "LicenceRemoved u1 MCOPSTN5 DE");
    check(
        &script.remove("2026-02-04T00:00:00Z", "u1", "MCOPSTN5"),
        "CommandRefused licence-not-held @02-04T00:00:00Z = 0.00",
    );
    // An unknown name is kept.
    check(
        &script.assign("2026-02-05T00:00:00Z", "u1", "MCOEV", "GB"),
        "LicenceAssigned u1 MCOEV GB since 2026-02-05T00:00:00Z",
    );
    check(&script.call("C3", 60, "2026-02-05T00:00:00Z"), "debit 1.00 unlicensed:1.00 = 0.00");
}

#[test]
fn a_pool_of_one_user_goes_on_when_the_licence_comes_back_p15() {
    let mut script = Script::licensed();
    for user in ["u1", "u2"] {
        script.assign("2026-01-01T00:00:00Z", user, "MCOPSTN8", "GB");
    }
    check(
        &script.call("C1", 60 * 100, MARCH),
        "debit 0.00 MCOPSTN8/u1:domestic:0+100/120 #included = 0.00
         PoolThresholdReached MCOPSTN8/u1 domestic 80% 100/120",
    );
    check(
        &minute(&mut script, "C2", &json!({ "userId": "u2" })),
        "debit 0.00 MCOPSTN8/u2:domestic:0+1/120 #included = 0.00",
    );
    script.remove("2026-03-02T00:00:00Z", "u1", "MCOPSTN8");
    script.assign("2026-03-03T00:00:00Z", "u1", "MCOPSTN8", "DE");
    check(
        &script.call_with("C3", 60 * 30, "2026-03-03T00:00:00Z", json!({ "destinationContext": "Domestic" })),
        "debit 10.00 MCOPSTN8/u1:domestic:100+20/120 unlicensed:10.00 = 0.00
         PoolThresholdReached MCOPSTN8/u1 domestic 100% 120/120",
    );
}

#[test]
fn resource_accounts_draw_their_plans_pool_and_callers_never_zone_a_p12() {
    let mut script = Script::licensed();
    script.assign("2026-01-01T00:00:00Z", "r1", "MCOPSTN5", "GB");
    script.assign("2026-01-01T00:00:00Z", "u1", "MCOMEETADV", "GB");
    let of_resource = json!({ "callType": "ucap_out", "userId": "r1" });
    check(&minute(&mut script, "C1", &of_resource), "debit 0.00 MCOPSTN5/GB:domestic:0+1/120 #included = 0.00");
    check(&minute(&mut script, "C2", &json!({})), "debit 1.00 unlicensed:1.00 = 0.00");
}
