//! Conferences that dial out: the add-on and Zone A.

use serde_json::json;

use super::{Script, check};

const MARCH: &str = "2026-03-01T00:00:00Z";
const OPEN: &str = "2026-01-01T00:00:00Z";

fn dial_out(script: &mut Script, id: &str, user: &str, callee: &str) -> String {
    script.call_with(id, 60, MARCH, json!({ "callType": "conf_out", "userId": user, "calleeNumber": callee }))
}

#[test]
fn zone_a_is_the_organisations_but_for_organisers_with_the_licence_p12_u17() {
    let mut script = Script::licensed();
    // Whatever the organiser's country: one pool.
    script.assign(OPEN, "u1", "MCOMEETADV", "US");
    script.assign(OPEN, "u2", "MCOMEETADV", "DE");
    script.assign(OPEN, "u3", "MCOPSTN1", "GB");
    check(
        &dial_out(&mut script, "C1", "u1", "+442071838750"),
        "debit 0.00 MCOMEETADV:dial-out:0+1/120 #included = 0.00",
    );
    check(
        &dial_out(&mut script, "C2", "u2", "+17875550123"),
        "debit 0.00 MCOMEETADV:dial-out:1+1/120 #included = 0.00",
    );
    // A Calling Plan is not for conferences, and its holder has no Zone A.
    check(&dial_out(&mut script, "C3", "u3", "+442071838750"), "debit 1.00 unlicensed:1.00 = 0.00");
    // Not in Zone A; undecided under the mask.
    let unsold = "debit 0.00 #unrated = 0.00\nreject unrated";
    check(&dial_out(&mut script, "C4", "u1", "+905321234567"), unsold);
    check(&dial_out(&mut script, "C5", "u1", "+1***"), "debit 2.00 unlicensed:2.00 #masked = 0.00");
    check(
        &dial_out(&mut script, "C6", "u1", "+4930***"),
        "debit 0.00 MCOMEETADV:dial-out:2+1/120 #included #masked = 0.00",
    );
}

#[test]
fn the_add_on_is_for_the_united_states_and_canada_u19() {
    let mut script = Script::licensed();
    script.assign(OPEN, "u1", "MCOMEETADD_DIALOUT_US", "US");
    let free = "debit 0.00 #dial-out-add-on = 0.00";
    check(&dial_out(&mut script, "C1", "u1", "+12125550123"), free);
    check(&dial_out(&mut script, "C2", "u1", "+14165550123"), free);
    // Puerto Rico is not meant, nor what may be anywhere under +1.
    check(&dial_out(&mut script, "C3", "u1", "+17875550123"), "debit 2.00 unlicensed:2.00 = 0.00");
    check(&dial_out(&mut script, "C4", "u1", "+1***"), "debit 2.00 unlicensed:2.00 #masked = 0.00");
    // Before Zone A, which it does not draw; and not for the calls of users.
    script.assign("2026-03-02T00:00:00Z", "u1", "MCOMEETADV", "US");
    let out = json!({ "callType": "conf_out", "calleeNumber": "+12125550123" });
    check(&script.call_with("C5", 60, "2026-03-02T00:00:00Z", out), free);
    let by_user = json!({ "calleeNumber": "+12125550123" });
    check(&script.call_with("C6", 60, "2026-03-02T00:00:00Z", by_user), "debit 2.00 unlicensed:2.00 = 0.00");
}

#[test]
fn premium_numbers_of_a_conference_cost_money_u20() {
    let mut script = Script::licensed_with("prefix,price_per_minute,premium\n44,1,\n1,2,\n4420,3,true\n");
    for licence in ["MCOMEETADV", "MCOMEETADD_DIALOUT_US"] {
        script.assign(OPEN, "u1", licence, "US");
    }
    check(&dial_out(&mut script, "C1", "u1", "+19002345678"), "debit 2.00 unlicensed:2.00 = 0.00");
    check(&dial_out(&mut script, "C2", "u1", "+449098790000"), "debit 1.00 unlicensed:1.00 = 0.00");
    // By the deck's mark.
    check(&dial_out(&mut script, "C3", "u1", "+442071838750"), "debit 3.00 unlicensed:3.00 = 0.00");
    check(
        &dial_out(&mut script, "C4", "u1", "+447900123456"),
        "debit 0.00 MCOMEETADV:dial-out:0+1/60 #included = 0.00",
    );
    // A Calling Plan asks for no such thing.
    script.assign("2026-03-02T00:00:00Z", "u1", "MCOPSTN5", "GB");
    check(&script.call("C5", 60, "2026-03-02T00:00:00Z"), "debit 0.00 MCOPSTN5/GB:domestic:0+1/120 #included = 0.00");
}

#[test]
fn a_conference_is_split_at_the_pools_end_p1() {
    let mut script = Script::licensed();
    script.assign(OPEN, "u1", "MCOMEETADV", "US");
    script.assign(OPEN, "u1", "MCOPSTNPP", "US");
    script.buy("L1", "10", "2026-02-01T00:00:00Z");
    check(
        &script.call_with("C1", 60 * 62 + 1, MARCH, json!({ "callType": "conf_out" })),
        "debit 3.00 MCOMEETADV:dial-out:0+60/60 L1:3.00 = 7.00
         PoolThresholdReached MCOMEETADV dial-out 80% 60/60
         PoolThresholdReached MCOMEETADV dial-out 100% 60/60",
    );
}
