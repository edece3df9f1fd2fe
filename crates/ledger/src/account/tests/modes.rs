//! M: prepaid, strict and post-usage.

use super::check;

/// M1, domain.md section 8: from its processing on, also for calls made before; lots are drained first.
#[test]
fn post_usage_holds_from_its_processing_on() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-10 mode postUsage
          3 ModeSet postUsage = 10.00
        2026-01-11 call 15.00 from 2026-01-09
          4 debit L1 10.00→0.00, postUsage 0.00→5.00 = 0.00
          5 BalanceExhausted = 0.00
        2026-01-11 call 2.00
          6 debit postUsage 5.00→7.00 = 0.00
        2026-01-12 mode prepaid
          7 ModeSet prepaid = 0.00
        2026-01-13 call 1.00 from 2026-01-11
          8 debit overdraft 0.00→1.00 = -1.00
        ",
    );
}

/// M2: overdraft stays overdraft, and the next lot settles it.
#[test]
fn overdraft_survives_the_switch() {
    check(
        "
        2026-01-01 call 3.00
          2 debit overdraft 0.00→3.00 = -3.00
        2026-01-02 mode postUsage
          3 ModeSet postUsage = -3.00
        2026-01-02 call 1.00
          4 debit postUsage 0.00→1.00 = -3.00
        2026-01-03 buy L1 10.00
          5 FundsAdded L1 10.00 2026-01-03..2027-01-03 = 7.00
          6 OverdraftSettled L1 3.00, 0.00 left = 7.00
        2026-01-03 books
          purchased 10.00 spent 3.00 remaining 7.00 charged 4.00 overdrawn 3.00 postUsage 1.00
        ",
    );
}

/// M3: what has accrued stays invoiceable; money that comes later does not settle it.
#[test]
fn accrued_post_usage_never_becomes_overdraft() {
    check(
        "
        2026-01-01 open postUsage
          1 AccountOpened USD gold postUsage US = 0.00
        2026-01-01 call 5.00
          2 debit postUsage 0.00→5.00 = 0.00
        2026-01-02 mode prepaid
          3 ModeSet prepaid = 0.00
        2026-01-03 buy L1 2.00
          4 FundsAdded L1 2.00 2026-01-03..2027-01-03 = 2.00
        2026-01-03 call 3.00
          5 debit L1 2.00→0.00, overdraft 0.00→1.00 = -1.00
          6 BalanceExhausted = -1.00
        2026-01-03 books
          purchased 2.00 spent 2.00 charged 8.00 drawn 2.00 overdrawn 1.00 postUsage 5.00 overdraft 1.00
        ",
    );
}

/// M4: settings are kept but silent, the outstanding request may succeed; back in prepaid the trigger is looked at.
#[test]
fn recharging_is_silent_in_post_usage() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 mode postUsage
          4 ModeSet postUsage = 0.00
        2026-01-01T00:20 succeeded 1
          5 due 2026-01-01T00:15 RechargeRequested 1: 50.00, sending 2, attempt 1 = 0.00
          6 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01T00:20..2027-01-01T00:20 = 50.00
          7 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-01-02 call 60.00
          8 debit acme/1 50.00→0.00, postUsage 0.00→10.00 = 0.00
          9 BalanceExhausted = 0.00
        2026-01-02 auto 60.00 below 20.00
          10 AutoRechargeConfigured 60.00 below 20.00 = 0.00
        2026-01-03 mode prepaid
          11 ModeSet prepaid = 0.00
          12 RechargeRequested 2: 60.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// M4, R11: in post-usage recharging counts as off, so a retryable failure is final; the cool-down ends silently.
#[test]
fn a_failure_in_post_usage_is_final() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 mode postUsage
          4 ModeSet postUsage = 0.00
        2026-01-01T00:01 failed 1
          5 RechargeFailed 1: failed, rearm 2026-01-02T00:01 = 0.00
        2026-01-03 tick
        2026-01-03 mode prepaid
          6 ModeSet prepaid = 0.00
          7 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// M4: back in prepaid while disarmed: the cool-down goes on, for the switch of mode is neither settings nor money.
#[test]
fn the_mode_does_not_rearm() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 declined 1
          4 RechargeFailed 1: declined, rearm 2026-01-02 = 0.00
        2026-01-01T01:00 mode postUsage
          5 ModeSet postUsage = 0.00
        2026-01-01T02:00 mode prepaid
          6 ModeSet prepaid = 0.00
        2026-01-02 tick
          7 due 2026-01-02 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// M5: post-usage wins over strict.
#[test]
fn post_usage_wins_over_strict() {
    check(
        "
        2026-01-01 open postUsage strict
          1 AccountOpened USD gold postUsage US strict = 0.00
        2026-01-01 call 5.00
          2 debit postUsage 0.00→5.00 = 0.00
        2026-01-02 mode prepaid
          3 ModeSet prepaid = 0.00
        2026-01-02 call 1.00
          4 debit uncollected 0.00→1.00 = 0.00
        ",
    );
}
