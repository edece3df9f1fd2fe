//! Licences, pools and credits by call type: each row of domain.md sections 1, 4 and 5 through the whole engine.

use super::script::check;

/// Section 1: every call type with a pool, with money, or with nothing.
#[test]
fn call_types_and_who_pays() {
    check(
        "
        row 1 1
        row 44 1
        row 1800 0.5 toll-free-inbound
        2026-03-01 acme open licensed                                  -> 1 AccountOpened
        2026-03-01 acme licence MCOPSTN5                               -> 2 LicenceAssigned
        2026-03-01 acme licence MCOMEETADV                             -> 3 LicenceAssigned
        2026-03-01 acme licence MCOPSTNPP                              -> 4 LicenceAssigned
        2026-03-01 acme call O1 +12125550100 61s                       -> 5 debit 0.00 MCOPSTN5/US:2/120 #included
        2026-03-01 acme call O2 +12125550100 1s as user_out_conf       -> 6 debit 0.00 MCOPSTN5/US:3/120 #included
        2026-03-01 acme call O3 +12125550100 1s as user_out_transfer   -> 7 debit 0.00 MCOPSTN5/US:4/120 #included
        2026-03-01 acme call O4 +12125550100 1s as user_out_forwarding -> 8 debit 0.00 MCOPSTN5/US:5/120 #included
        2026-03-01 acme call O5 +442071838750 60s                      -> 9 debit 1.00 overdraft:1.00
        2026-03-01 acme call F1 +442071838750 60s as conf_out          -> 10 debit 0.00 MCOMEETADV:1/60 #included
        2026-03-01 acme call F2 +12125550100 60s as conf_out           -> 11 debit 0.00 MCOMEETADV:2/60 #included
        2026-03-01 acme call A1 +12125550100 60s as ucap_out           -> 12 debit 0.00 MCOPSTN5/US:6/120 #included
        2026-03-01 acme call A2 +442071838750 60s as ucap_out by ra    -> 13 debit 1.00 overdraft:2.00
        2026-03-01 acme call I1 +18005550100 60s as conf_in            -> 14 debit 0.50 overdraft:2.50
        2026-03-01 acme call I2 +18005550100 60s as ucap_in nobody     -> 15 debit 0.50 overdraft:3.00
        2026-03-01 acme call I3 +18005550100 60s as unassigned_in nobody -> 16 debit 0.50 overdraft:3.50
        2026-03-01 acme call I4 +12125550100 60s as conf_in            -> 17 debit 0.00 #toll-number
        2026-03-01 acme call I5 +12125550100 60s as user_in            -> 18 debit 0.00 #user-in
        2026-03-01 acme call D1 +12125550100 60s as dr_out             -> 19 debit 0.00 #direct-routing
        2026-03-01 acme call E1 911 60s in US                          -> 20 debit 0.00 #emergency
        2026-03-01 acme call Z1 +12125550100 0s                        -> 21 debit 0.00 #zero-seconds
        ",
    );
}

/// W1–W7, U11: who lacks a licence draws no credits; who has no plan draws no minutes.
#[test]
fn who_may_draw() {
    check(
        "
        row 1 1
        row 1800 0.5 toll-free-inbound
        2026-03-01 acme open licensed                                   -> 1 AccountOpened
        2026-03-01 acme buy L1 10.00                                    -> 2 FundsAdded
        2026-03-01 acme call W1 +12125550100 60s                        -> 3 debit 1.00 unlicensed:1.00
        2026-03-01 acme call W2 +12125550100 60s nobody                 -> 4 debit 1.00 unlicensed:2.00
        2026-03-01 acme licence MCOPSTNPP                               -> 5 LicenceAssigned
        2026-03-01 acme call W3 +12125550100 60s                        -> 6 debit 1.00 unlicensed:3.00
        2026-03-01 acme licence MCOPSTN_PAYG_1                          -> 7 LicenceAssigned
        2026-03-01 acme call W4 +12125550100 60s                        -> 8 debit 1.00 L1:1.00
        2026-03-01 acme unlicence MCOPSTN_PAYG_1                        -> 9 LicenceRemoved
        2026-03-01 acme licence MCOEV                                   -> 10 LicenceAssigned
        2026-03-01 acme call W5 +12125550100 60s                        -> 11 debit 1.00 unlicensed:4.00
        2026-03-01 acme call W6 +12125550100 60s as ucap_out nobody     -> 12 debit 1.00 L1:1.00
        2026-03-01 acme call W7 +18005550100 60s as conf_in             -> 13 debit 0.50 unlicensed:4.50
        2026-03-01 acme licence MCOMEETACPEA for u2                     -> 14 LicenceAssigned
        2026-03-01 acme call W8 +12125550100 60s by u2                  -> 15 debit 1.00 L1:1.00
        2026-03-01 acme call W9 +442071838750 60s                       -> 16 debit 0.00 unrated:no-row #unrated
        ",
    );
}

/// U19, U20, P12: the add-on reaches the United States and Canada; premium numbers are paid with money; no pool but that
/// of conferencing pays for dial-out.
#[test]
fn dial_out() {
    check(
        "
        row 1 1
        row 44 1
        row 4420 1 outbound premium
        2026-03-01 acme open                                             -> 1 AccountOpened
        2026-03-01 acme licence MCOMEETADD_DIALOUT_US                    -> 2 LicenceAssigned
        2026-03-01 acme call C1 +12125550100 600s as conf_out            -> 3 debit 0.00 #dial-out-add-on
        2026-03-01 acme call C2 +14165550100 600s as conf_out            -> 4 debit 0.00 #dial-out-add-on
        2026-03-01 acme call C3 +17875550100 60s as conf_out             -> 5 debit 1.00 overdraft:1.00
        2026-03-01 acme call C4 +19005550100 60s as conf_out             -> 6 debit 1.00 overdraft:2.00
        2026-03-01 acme licence MCOMEETADV                               -> 7 LicenceAssigned
        2026-03-01 acme call C5 +17875550100 60s as conf_out             -> 8 debit 0.00 MCOMEETADV:1/60 #included
        2026-03-01 acme call C6 +441214960000 60s as conf_out            -> 9 debit 0.00 MCOMEETADV:2/60 #included
        2026-03-01 acme call C7 +442071838750 60s as conf_out            -> 10 debit 1.00 overdraft:3.00
        2026-03-01 acme call C8 +449098790000 60s as conf_out            -> 11 debit 1.00 overdraft:4.00
        2026-03-01 acme call C9 +441481234567 60s as conf_out            -> 12 debit 1.00 overdraft:5.00
        2026-03-01 acme licence MCOPSTN1 for u2                          -> 13 LicenceAssigned
        2026-03-01 acme call CA +12125550100 60s as conf_out by u2       -> 14 debit 1.00 overdraft:6.00
        ",
    );
}

/// P1, P2, P10, P11, P17: a call that crosses a pool's end is paid by minutes and money; what has no row stays unrated.
#[test]
fn calls_are_split_at_the_pools_end() {
    check(
        "
        row 1 1
        2026-03-01 acme open                                             -> 1 AccountOpened
        2026-03-01 acme licence MCOPSTN8                                 -> 2 LicenceAssigned
        2026-03-01 acme call C1 +12125550100 6900s                       -> 3 debit 0.00 MCOPSTN8/u1:115/120 #included, 4 PoolThresholdReached MCOPSTN8/u1 80
        2026-03-01 acme call C2 +12125550100 361s                        -> 5 debit 2.00 MCOPSTN8/u1:120/120 overdraft:2.00, 6 PoolThresholdReached MCOPSTN8/u1 100
        2026-03-01 acme call C3 +12125550100 1s                          -> 7 debit 1.00 overdraft:3.00
        2026-04-01 acme call C4 +33140000000 7261s context Domestic      -> 8 debit 0.00 MCOPSTN8/u1:120/120 unrated:no-row #unrated, 9 PoolThresholdReached MCOPSTN8/u1 80, 10 PoolThresholdReached MCOPSTN8/u1 100
        2026-04-01 acme call C5 +12125550100 1s from 2026-03-31T23:59:59 -> 11 debit 1.00 overdraft:4.00
        ",
    );
}

/// P5, P6: `destinationContext` decides where it is given; else the country called against that of the plan.
#[test]
fn domestic_is_where_the_plan_is_used() {
    check(
        "
        row 1 1
        row 49 1
        2026-03-01 acme open                                             -> 1 AccountOpened
        2026-03-01 acme licence MCOPSTN2 in DE                           -> 2 LicenceAssigned
        2026-03-01 acme call C1 +4930123456 60s                          -> 3 debit 0.00 MCOPSTN2/DE:1/1200 #included
        2026-03-01 acme call C2 +12125550100 60s                         -> 4 debit 0.00 MCOPSTN2/DE:1/600 #included
        2026-03-01 acme call C3 +12125550100 60s context Domestic        -> 5 debit 0.00 MCOPSTN2/DE:2/1200 #included
        2026-03-01 acme licence MCOPSTN1 for u2 in PR                    -> 6 LicenceAssigned
        2026-03-01 acme call C4 +12125550100 60s by u2                   -> 7 debit 0.00 MCOPSTN1/US:1/3000 #included
        2026-03-01 acme call C5 +17875550100 60s by u2                   -> 8 debit 0.00 MCOPSTN1/US:2/3000 #included
        2026-03-01 acme call C6 +14165550100 60s by u2                   -> 9 debit 1.00 overdraft:1.00
        ",
    );
}

/// D9, D11 and the cover of a corrected call: its own minutes are given back before they are drawn anew.
#[test]
fn corrections_of_included_calls() {
    check(
        "
        row 1 1
        2026-03-01 acme open                                             -> 1 AccountOpened
        2026-03-01 acme licence MCOPSTN8                                 -> 2 LicenceAssigned
        2026-03-01 acme call C1 +12125550100 7200s                       -> 3 debit 0.00 MCOPSTN8/u1:120/120 #included, 4 PoolThresholdReached MCOPSTN8/u1 80, 5 PoolThresholdReached MCOPSTN8/u1 100
        2026-03-01 acme call C1 +12125550100 7260s rev 1                 -> 6 debit 0.00 MCOPSTN8/u1:0/120 #reversal, 7 debit 1.00 MCOPSTN8/u1:120/120 overdraft:1.00
        2026-03-01 acme call C1 +12125550100 60s rev 2                   -> 8 debit -1.00 MCOPSTN8/u1:0/120 overdraft:0.00 #reversal, 9 debit 0.00 MCOPSTN8/u1:1/120 #included
        2026-03-01 other open                                            -> 1 AccountOpened
        2026-03-01 other call C1 +12125550100 60s rev 3                  -> rejected org-mismatch
        2026-03-01 acme call C1 +12125550100 60s rev 3 void              -> 10 debit 0.00 MCOPSTN8/u1:0/120 #reversal
        ",
    );
}
