//! R, as far as waiting and failing go: silence, attempts, cool-down, answers to nothing.

use super::check;

/// R3: an unanswered request is sent again every 15 minutes since its last sending; no attempt is used up.
#[test]
fn silence_sends_again_under_the_same_id() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01T00:14:59.9999999 tick
        2026-01-01T00:31 tick
          4 due 2026-01-01T00:15 RechargeRequested 1: 50.00, sending 2, attempt 1 = 0.00
          5 due 2026-01-01T00:30 RechargeRequested 1: 50.00, sending 3, attempt 1 = 0.00
        2026-01-01T00:40 failed 1
          6 RechargeAttemptFailed 1: attempt 1, again 2026-01-01T00:41 = 0.00
        2026-01-01T00:57 tick
          7 due 2026-01-01T00:41 RechargeRequested 1: 50.00, sending 4, attempt 2 = 0.00
          8 due 2026-01-01T00:56 RechargeRequested 1: 50.00, sending 5, attempt 2 = 0.00
        ",
    );
}

/// R4: 4 attempts, 1, 5 and 30 minutes after the failure; the fourth failure is final.
#[test]
fn the_fourth_failure_is_final() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01T00:01 failed 1
          4 RechargeAttemptFailed 1: attempt 1, again 2026-01-01T00:02 = 0.00
        2026-01-01T00:03 failed 1
          5 due 2026-01-01T00:02 RechargeRequested 1: 50.00, sending 2, attempt 2 = 0.00
          6 RechargeAttemptFailed 1: attempt 2, again 2026-01-01T00:08 = 0.00
        2026-01-01T00:10 failed 1
          7 due 2026-01-01T00:08 RechargeRequested 1: 50.00, sending 3, attempt 3 = 0.00
          8 RechargeAttemptFailed 1: attempt 3, again 2026-01-01T00:40 = 0.00
        2026-01-01T00:40 failed 1
          9 due 2026-01-01T00:40 RechargeRequested 1: 50.00, sending 4, attempt 4 = 0.00
          10 RechargeFailed 1: failed, rearm 2026-01-02T00:40 = 0.00
        2026-01-02T00:39:59.9999999 tick
        2026-01-02T00:40 tick
          11 due 2026-01-02T00:40 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// R7: a positive adjustment re-arms; a negative one brings no money and does not.
#[test]
fn adjustments_rearm() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = 10.00
          4 RechargeRequested 1: 50.00, sending 1, attempt 1 = 10.00
        2026-01-01 declined 1
          5 RechargeFailed 1: declined, rearm 2026-01-02 = 10.00
        2026-01-01T01:00 adjust A1 -1.00
          6 Adjusted -1.00: L1 10.00→9.00 = 9.00
        2026-01-01T01:00 adjust A2 5.00
          7 Adjusted A2 5.00 2026-01-01T01:00..2027-01-01T01:00 = 14.00
          8 RechargeRequested 2: 50.00, sending 1, attempt 1 = 14.00
        ",
    );
}

/// R8: a success after the final failure is real money: a lot, counted in its month, re-arming; a second is refused.
#[test]
fn a_late_success_is_real_money() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 20.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 declined 1
          4 RechargeFailed 1: declined, rearm 2026-01-02 = 0.00
        2026-01-01T01:00 succeeded 1
          5 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01T01:00..2027-01-01T01:00 = 50.00
          6 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-01-01T01:00 succeeded 1
          7 CommandRefused settleRecharge already-settled = 50.00
        2026-01-01T02:00 call 40.00
          8 debit acme/1 50.00→10.00 = 10.00
          9 RechargeCapReached 50.00: 50.00 since 2026-01-01, no 50.00 more = 10.00
        ",
    );
}

/// R8, R5: the late success of last month's request does not count in this month, even with a newer one outstanding.
#[test]
fn a_late_success_counts_in_the_month_of_its_request() {
    check(
        "
        2026-03-31T23:59 auto 50.00 below 20.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 20.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-03-31T23:59 declined 1
          4 RechargeFailed 1: declined, rearm 2026-04-01T23:59 = 0.00
        2026-04-01 auto 50.00 below 100.00 cap 100.00
          5 AutoRechargeConfigured 50.00 below 100.00 cap 100.00 = 0.00
          6 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        2026-04-01 succeeded 1
          7 RechargeSucceeded 1: 50.00 as acme/1 2026-04-01..2027-04-01 = 50.00
          8 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-04-01 succeeded 2
          9 RechargeSucceeded 2: 50.00 as acme/2 2026-04-01..2027-04-01 = 100.00
          10 InvoiceIssued 2: 50.00 for 2 as acme/2 = 100.00
        2026-04-01 call 10.00
          11 debit acme/1 50.00→40.00 = 90.00
          12 RechargeRequested 3: 50.00, sending 1, attempt 1 = 90.00
        ",
    );
}

/// R11: switched off meanwhile: the request stands, is sent again, and may succeed.
#[test]
fn a_request_outlives_its_settings() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 auto 50.00 below 20.00 off
          4 AutoRechargeConfigured 50.00 below 20.00 off = 0.00
        2026-01-01T00:20 succeeded 1
          5 due 2026-01-01T00:15 RechargeRequested 1: 50.00, sending 2, attempt 1 = 0.00
          6 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01T00:20..2027-01-01T00:20 = 50.00
          7 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-01-01T00:21 call 45.00
          8 debit acme/1 50.00→5.00 = 5.00
        ",
    );
}

/// R11: … but a retryable failure is then final.
#[test]
fn a_failure_while_switched_off_is_final() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 auto 50.00 below 20.00 off
          4 AutoRechargeConfigured 50.00 below 20.00 off = 0.00
        2026-01-01T00:01 failed 1
          5 RechargeFailed 1: failed, rearm 2026-01-02T00:01 = 0.00
        2026-01-03 tick
        2026-01-03 auto 50.00 below 20.00
          6 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          7 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// R12: a decline disarms; the cool-down ends at failure + 24 h inclusively, under a new id.
#[test]
fn a_cool_down_ends_after_a_day() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01T00:01 declined 1
          4 RechargeFailed 1: declined, rearm 2026-01-02T00:01 = 0.00
        2026-01-01T12:00 call 1.00
          5 debit overdraft 0.00→1.00 = -1.00
        2026-01-02T00:00:59.9999999 tick
        2026-01-02T00:01 call 1.00
          6 due 2026-01-02T00:01 RechargeRequested 2: 50.00, sending 1, attempt 1 = -1.00
          7 debit overdraft 1.00→2.00 = -2.00
        ",
    );
}

/// R12: any settings re-arm, the same ones too; a refused command sets none.
#[test]
fn settings_rearm() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 declined 1
          4 RechargeFailed 1: declined, rearm 2026-01-02 = 0.00
        2026-01-01T00:01 auto 49.00 below 20.00
          5 CommandRefused configureAutoRecharge recharge-amount-too-small = 0.00
        2026-01-01T00:02 auto 50.00 below 20.00
          6 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          7 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01T00:03 declined 2
          8 RechargeFailed 2: declined, rearm 2026-01-02T00:03 = 0.00
        2026-01-02 tick
        2026-01-02T00:03 tick
          9 due 2026-01-02T00:03 RechargeRequested 3: 50.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// R13: a second failure while backing off is refused and uses no attempt.
#[test]
fn a_second_failure_while_backing_off_is_refused() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01T00:16 failed 1
          4 due 2026-01-01T00:15 RechargeRequested 1: 50.00, sending 2, attempt 1 = 0.00
          5 RechargeAttemptFailed 1: attempt 1, again 2026-01-01T00:17 = 0.00
        2026-01-01T00:16 failed 1
          6 CommandRefused settleRecharge no-attempt-pending = 0.00
        2026-01-01T00:17 tick
          7 due 2026-01-01T00:17 RechargeRequested 1: 50.00, sending 3, attempt 2 = 0.00
        ",
    );
}

/// R13 leaves the other answers: while backing off a decline is final, a success counts.
#[test]
fn declines_and_successes_count_while_backing_off() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 failed 1
          4 RechargeAttemptFailed 1: attempt 1, again 2026-01-01T00:01 = 0.00
        2026-01-01 declined 1
          5 RechargeFailed 1: declined, rearm 2026-01-02 = 0.00
        2026-01-01 declined 1
          6 CommandRefused settleRecharge already-settled = 0.00
        2026-01-02 failed 2
          7 due 2026-01-02 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
          8 RechargeAttemptFailed 2: attempt 1, again 2026-01-02T00:01 = 0.00
        2026-01-02 succeeded 2
          9 RechargeSucceeded 2: 50.00 as acme/2 2026-01-02..2027-01-02 = 50.00
          10 InvoiceIssued 1: 50.00 for 2 as acme/2 = 50.00
        2026-01-03 failed 2
          11 CommandRefused settleRecharge already-settled = 50.00
        ",
    );
}

/// R18: an id that was never given out is refused: money may have moved.
#[test]
fn unknown_recharges_are_refused() {
    check(
        "
        2026-01-01 succeeded 1
          2 CommandRefused settleRecharge unknown-recharge = 0.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          4 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 succeeded 2
          5 CommandRefused settleRecharge unknown-recharge = 0.00
        2026-01-01 declined 0
          6 CommandRefused settleRecharge unknown-recharge = 0.00
        2026-01-01 failed other/1
          7 CommandRefused settleRecharge unknown-recharge = 0.00
        2026-01-01T00:15 tick
          8 due 2026-01-01T00:15 RechargeRequested 1: 50.00, sending 2, attempt 1 = 0.00
        ",
    );
}
