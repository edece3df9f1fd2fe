//! R, as far as asking and succeeding go: trigger, cap, lots, settings.

use super::check;

/// R1: looked at once, after the whole effect: the settlement of overdraft included.
#[test]
fn the_trigger_is_looked_at_after_the_whole_effect() {
    check(
        "
        2026-01-01 call 40.00
          2 debit overdraft 0.00→40.00 = -40.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = -40.00
          4 RechargeRequested 1: 50.00, sending 1, attempt 1 = -40.00
        2026-01-01 succeeded 1
          5 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01..2027-01-01 = 10.00
          6 InvoiceIssued 1: 50.00 for 1 as acme/1 = 10.00
          7 OverdraftSettled acme/1 40.00, 0.00 left = 10.00
          8 RechargeRequested 2: 50.00, sending 1, attempt 1 = 10.00
        ",
    );
}

/// domain.md section 7: strictly below, and only while none is outstanding.
#[test]
fn strictly_below_and_one_at_a_time() {
    check(
        "
        2026-01-01 buy L1 30.00
          2 FundsAdded L1 30.00 2026-01-01..2027-01-01 = 30.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = 30.00
        2026-01-02 call 10.00
          4 debit L1 30.00→20.00 = 20.00
        2026-01-02 call 0.000001
          5 debit L1 20.00→19.999999 = 19.999999
          6 RechargeRequested 1: 50.00, sending 1, attempt 1 = 19.999999
        2026-01-02 call 1.00
          7 debit L1 19.999999→18.999999 = 18.999999
        ",
    );
}

/// R2: refunds and adjustments fire it too (expiry: L5).
#[test]
fn refunds_and_adjustments_fire_it() {
    check(
        "
        2026-01-01 buy L1 30.00
          2 FundsAdded L1 30.00 2026-01-01..2027-01-01 = 30.00
        2026-01-01 buy L2 30.00
          3 FundsAdded L2 30.00 2026-01-01..2027-01-01 = 60.00
        2026-01-01 auto 50.00 below 40.00
          4 AutoRechargeConfigured 50.00 below 40.00 = 60.00
        2026-01-02 refund L1
          5 LotRefunded L1 30.00 = 30.00
          6 RechargeRequested 1: 50.00, sending 1, attempt 1 = 30.00
        2026-01-02 succeeded 1
          7 RechargeSucceeded 1: 50.00 as acme/1 2026-01-02..2027-01-02 = 80.00
          8 InvoiceIssued 1: 50.00 for 1 as acme/1 = 80.00
        2026-01-03 adjust A1 -45.00
          9 Adjusted -45.00: L2 30.00→0.00, acme/1 50.00→35.00 = 35.00
          10 RechargeRequested 2: 50.00, sending 1, attempt 1 = 35.00
        ",
    );
}

/// R5: the month is that of the request, to 100 ns; reaching the cap exactly is allowed.
#[test]
fn the_cap_counts_by_the_month_of_the_request() {
    check(
        "
        2026-01-01 buy L1 30.00 until 2026-03-31T23:59:59.9999999
          2 FundsAdded L1 30.00 2026-01-01..2026-03-31T23:59:59.9999999 = 30.00
        2026-01-01 auto 50.00 below 20.00 cap 50.00
          3 AutoRechargeConfigured 50.00 below 20.00 cap 50.00 = 30.00
        2026-04-01T00:01 succeeded 1
          4 due 2026-03-31T23:59:59.9999999 LotExpired L1 30.00 = 0.00
          5 due 2026-03-31T23:59:59.9999999 BalanceExhausted = 0.00
          6 due 2026-03-31T23:59:59.9999999 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
          7 RechargeSucceeded 1: 50.00 as acme/1 2026-04-01T00:01..2027-04-01T00:01 = 50.00
          8 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-04-01T00:01 call 40.00
          9 debit acme/1 50.00→10.00 = 10.00
          10 RechargeRequested 2: 50.00, sending 1, attempt 1 = 10.00
        2026-04-01T00:02 succeeded 2
          11 RechargeSucceeded 2: 50.00 as acme/2 2026-04-01T00:02..2027-04-01T00:02 = 60.00
          12 InvoiceIssued 2: 50.00 for 2 as acme/2 = 60.00
        2026-04-01T00:03 call 50.00
          13 debit acme/1 10.00→0.00, acme/2 50.00→10.00 = 10.00
          14 RechargeCapReached 50.00: 50.00 since 2026-04-01, no 50.00 more = 10.00
        ",
    );
}

/// R5: a failed request frees its share, and money added by hand does not count.
#[test]
fn failed_requests_and_manual_funds_do_not_count() {
    check(
        "
        2026-03-01 auto 50.00 below 20.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 20.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-03-01 declined 1
          4 RechargeFailed 1: declined, rearm 2026-03-02 = 0.00
        2026-03-01 buy L1 10.00
          5 FundsAdded L1 10.00 2026-03-01..2027-03-01 = 10.00
          6 RechargeRequested 2: 50.00, sending 1, attempt 1 = 10.00
        ",
    );
}

/// R5: a request of last month that fails now frees nothing of this month.
#[test]
fn a_failure_frees_the_share_of_its_own_month() {
    check(
        "
        2026-03-31T23:59 auto 50.00 below 20.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 20.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-04-01 declined 1
          4 RechargeFailed 1: declined, rearm 2026-04-02 = 0.00
        2026-04-01T00:01 adjust A1 1.00
          5 Adjusted A1 1.00 2026-04-01T00:01..2027-04-01T00:01 = 1.00
          6 RechargeRequested 2: 50.00, sending 1, attempt 1 = 1.00
        2026-04-01T00:02 succeeded 2
          7 RechargeSucceeded 2: 50.00 as acme/2 2026-04-01T00:02..2027-04-01T00:02 = 51.00
          8 InvoiceIssued 1: 50.00 for 2 as acme/2 = 51.00
        2026-04-01T00:03 call 41.00
          9 debit A1 1.00→0.00, acme/2 50.00→10.00 = 10.00
          10 RechargeCapReached 50.00: 50.00 since 2026-04-01, no 50.00 more = 10.00
        ",
    );
}

/// R6, R14: one event a month; looked at again by any change, and at the next month's first instant; a refusal takes
/// no number.
#[test]
fn the_cap_refuses_once_a_month_aloud() {
    check(
        "
        2026-03-01 auto 50.00 below 60.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 60.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-03-01 succeeded 1
          4 RechargeSucceeded 1: 50.00 as acme/1 2026-03-01..2027-03-01 = 50.00
          5 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
          6 RechargeCapReached 50.00: 50.00 since 2026-03-01, no 50.00 more = 50.00
        2026-03-02 call 1.00
          7 debit acme/1 50.00→49.00 = 49.00
        2026-03-03 auto 50.00 below 60.00 cap 99.99
          8 AutoRechargeConfigured 50.00 below 60.00 cap 99.99 = 49.00
        2026-04-01T00:10 tick
          9 due 2026-04-01 RechargeRequested 2: 50.00, sending 1, attempt 1 = 49.00
        2026-04-01T00:10 succeeded 2
          10 RechargeSucceeded 2: 50.00 as acme/2 2026-04-01T00:10..2027-04-01T00:10 = 99.00
          11 InvoiceIssued 2: 50.00 for 2 as acme/2 = 99.00
        2026-04-02 call 49.00
          12 debit acme/1 49.00→0.00 = 50.00
          13 RechargeCapReached 99.99: 50.00 since 2026-04-01, no 50.00 more = 50.00
        ",
    );
}

/// R6, R19: a higher cap is looked at at once; counter and sum of the month go on.
#[test]
fn a_higher_cap_counts_what_was_bought_before() {
    check(
        "
        2026-03-01 auto 50.00 below 60.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 60.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-03-01 succeeded 1
          4 RechargeSucceeded 1: 50.00 as acme/1 2026-03-01..2027-03-01 = 50.00
          5 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
          6 RechargeCapReached 50.00: 50.00 since 2026-03-01, no 50.00 more = 50.00
        2026-03-04 auto 50.00 below 60.00 cap 100.00
          7 AutoRechargeConfigured 50.00 below 60.00 cap 100.00 = 50.00
          8 RechargeRequested 2: 50.00, sending 1, attempt 1 = 50.00
        2026-03-04 succeeded 2
          9 RechargeSucceeded 2: 50.00 as acme/2 2026-03-04..2027-03-04 = 100.00
          10 InvoiceIssued 2: 50.00 for 2 as acme/2 = 100.00
        2026-03-05 call 50.00
          11 debit acme/1 50.00→0.00 = 50.00
        2026-04-01 tick
          12 due 2026-04-01 RechargeRequested 3: 50.00, sending 1, attempt 1 = 50.00
        ",
    );
}

/// R9: the lot is named as its recharge and takes its place by `processedAt`.
#[test]
fn a_recharged_lot_is_dated_by_its_payment() {
    check(
        "
        2026-01-02 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-02T00:05 buy L1 10.00
          4 FundsAdded L1 10.00 2026-01-02T00:05..2027-01-02T00:05 = 10.00
        2026-01-02T00:10 succeeded 1 on 2026-01-02T00:01
          5 RechargeSucceeded 1: 50.00 as acme/1 2026-01-02T00:01..2027-01-02T00:01 = 60.00
          6 InvoiceIssued 1: 50.00 for 1 as acme/1 = 60.00
        2026-01-03 call 15.00
          7 debit acme/1 50.00→35.00 = 45.00
        ",
    );
}

/// R9 where its date cannot be: the money is real, so a payment dated ahead, or so long ago that its lot would be
/// over already (L2), is dated by its arrival instead of being refused.
#[test]
fn a_payment_with_an_impossible_date_still_counts() {
    check(
        "
        2026-01-01 auto 50.00 below 120.00
          2 AutoRechargeConfigured 50.00 below 120.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 succeeded 1 on 2025-01-01
          4 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01..2027-01-01 = 50.00
          5 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
          6 RechargeRequested 2: 50.00, sending 1, attempt 1 = 50.00
        2026-01-01 succeeded 2 on 2026-01-01T00:05:00.0000001
          7 RechargeSucceeded 2: 50.00 as acme/2 2026-01-01..2027-01-01 = 100.00
          8 InvoiceIssued 2: 50.00 for 2 as acme/2 = 100.00
          9 RechargeRequested 3: 50.00, sending 1, attempt 1 = 100.00
        2026-01-01 succeeded 3 on 2025-01-01T00:00:01
          10 RechargeSucceeded 3: 50.00 as acme/3 2025-01-01T00:00:01..2026-01-01T00:00:01 = 150.00
          11 InvoiceIssued 3: 50.00 for 3 as acme/3 = 150.00
        ",
    );
}

/// R9, L12: a lot bought by hand under the recharge's name does not keep the money out.
#[test]
fn a_taken_name_does_not_keep_the_money_out() {
    check(
        "
        2026-01-01 buy acme/1 10.00
          2 FundsAdded acme/1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = 10.00
          4 RechargeRequested 1: 50.00, sending 1, attempt 1 = 10.00
        2026-01-01 succeeded 1
          5 RechargeSucceeded 1: 50.00 as acme/1+ 2026-01-01..2027-01-01 = 60.00
          6 InvoiceIssued 1: 50.00 for 1 as acme/1+ = 60.00
        ",
    );
}

/// R10: an outstanding request keeps its amount, and nothing new is asked for until it is settled.
#[test]
fn an_outstanding_request_keeps_its_amount() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01T00:01 auto 80.00 below 20.00
          4 AutoRechargeConfigured 80.00 below 20.00 = 0.00
        2026-01-01T00:15 succeeded 1
          5 due 2026-01-01T00:15 RechargeRequested 1: 50.00, sending 2, attempt 1 = 0.00
          6 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01T00:15..2027-01-01T00:15 = 50.00
          7 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-01-01T00:16 call 40.00
          8 debit acme/1 50.00→10.00 = 10.00
          9 RechargeRequested 2: 80.00, sending 1, attempt 1 = 10.00
        ",
    );
}

/// R14: ids count from 1, and the invoices of what was paid are gapless.
#[test]
fn numbers_are_taken_by_real_requests_only() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 declined 1
          4 RechargeFailed 1: declined, rearm 2026-01-02 = 0.00
        2026-01-01 auto 50.00 below 20.00
          5 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          6 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 succeeded 2
          7 RechargeSucceeded 2: 50.00 as acme/2 2026-01-01..2027-01-01 = 50.00
          8 InvoiceIssued 1: 50.00 for 2 as acme/2 = 50.00
        ",
    );
}

/// R15: one request after the other until the trigger is cleared.
#[test]
fn small_recharges_follow_each_other() {
    check(
        "
        2026-01-01 call 70.00
          2 debit overdraft 0.00→70.00 = -70.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = -70.00
          4 RechargeRequested 1: 50.00, sending 1, attempt 1 = -70.00
        2026-01-01 succeeded 1
          5 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01..2027-01-01 = -20.00
          6 InvoiceIssued 1: 50.00 for 1 as acme/1 = -20.00
          7 OverdraftSettled acme/1 50.00, 20.00 left = -20.00
          8 RechargeRequested 2: 50.00, sending 1, attempt 1 = -20.00
        2026-01-01 succeeded 2
          9 RechargeSucceeded 2: 50.00 as acme/2 2026-01-01..2027-01-01 = 30.00
          10 InvoiceIssued 2: 50.00 for 2 as acme/2 = 30.00
          11 OverdraftSettled acme/2 20.00, 0.00 left = 30.00
        ",
    );
}

/// R15: … or the cap refuses.
#[test]
fn small_recharges_stop_at_the_cap() {
    check(
        "
        2026-01-01 call 140.00
          2 debit overdraft 0.00→140.00 = -140.00
        2026-01-01 auto 50.00 below 20.00 cap 100.00
          3 AutoRechargeConfigured 50.00 below 20.00 cap 100.00 = -140.00
          4 RechargeRequested 1: 50.00, sending 1, attempt 1 = -140.00
        2026-01-01 succeeded 1
          5 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01..2027-01-01 = -90.00
          6 InvoiceIssued 1: 50.00 for 1 as acme/1 = -90.00
          7 OverdraftSettled acme/1 50.00, 90.00 left = -90.00
          8 RechargeRequested 2: 50.00, sending 1, attempt 1 = -90.00
        2026-01-01 succeeded 2
          9 RechargeSucceeded 2: 50.00 as acme/2 2026-01-01..2027-01-01 = -40.00
          10 InvoiceIssued 2: 50.00 for 2 as acme/2 = -40.00
          11 OverdraftSettled acme/2 50.00, 40.00 left = -40.00
          12 RechargeCapReached 100.00: 100.00 since 2026-01-01, no 50.00 more = -40.00
        ",
    );
}

/// R16: a trigger of 0 fires only below 0; one above the amount is legal (see R6).
#[test]
fn a_trigger_of_zero_waits_for_overdraft() {
    check(
        "
        2026-01-01 auto 50.00 below 0.00
          2 AutoRechargeConfigured 50.00 below 0.00 = 0.00
        2026-01-01 buy L1 1.00
          3 FundsAdded L1 1.00 2026-01-01..2027-01-01 = 1.00
        2026-01-01 call 1.00
          4 debit L1 1.00→0.00 = 0.00
          5 BalanceExhausted = 0.00
        2026-01-01 call 0.01
          6 debit overdraft 0.00→0.01 = -0.01
          7 RechargeRequested 1: 50.00, sending 1, attempt 1 = -0.01
        ",
    );
}

/// R17: the amount is at least 50 and whole, the trigger whole and not negative, the cap not below the amount.
#[test]
fn settings_have_limits() {
    check(
        "
        2026-01-01 auto 49.00 below 20.00
          2 CommandRefused configureAutoRecharge recharge-amount-too-small = 0.00
        2026-01-01 auto 50.50 below 20.00
          3 CommandRefused configureAutoRecharge recharge-amount-not-whole = 0.00
        2026-01-01 auto 50.00 below 20.50
          4 CommandRefused configureAutoRecharge trigger-not-whole = 0.00
        2026-01-01 auto 50.00 below -1.00
          5 CommandRefused configureAutoRecharge trigger-not-whole = 0.00
        2026-01-01 auto 50.00 below 20.00 cap 49.99
          6 CommandRefused configureAutoRecharge cap-below-amount = 0.00
        2026-01-01 call 1.00
          7 debit overdraft 0.00→1.00 = -1.00
        2026-01-01 auto 50.00 below 0.00 cap 50.00
          8 AutoRechargeConfigured 50.00 below 0.00 cap 50.00 = -1.00
          9 RechargeRequested 1: 50.00, sending 1, attempt 1 = -1.00
        ",
    );
}

/// R19: the same settings again restart neither counter nor month.
#[test]
fn settings_restart_nothing() {
    check(
        "
        2026-03-01 auto 50.00 below 20.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 20.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-03-01 succeeded 1
          4 RechargeSucceeded 1: 50.00 as acme/1 2026-03-01..2027-03-01 = 50.00
          5 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-03-02 auto 50.00 below 60.00 cap 50.00
          6 AutoRechargeConfigured 50.00 below 60.00 cap 50.00 = 50.00
          7 RechargeCapReached 50.00: 50.00 since 2026-03-01, no 50.00 more = 50.00
        2026-03-02 auto 50.00 below 60.00
          8 AutoRechargeConfigured 50.00 below 60.00 = 50.00
          9 RechargeRequested 2: 50.00, sending 1, attempt 1 = 50.00
        ",
    );
}
