//! L18: closing an account.

use super::check;

/// L18: lots are refunded one by one, what is outstanding may still succeed and is refunded at once.
#[test]
fn closing_pays_everything_back() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 buy L2 70.00
          3 FundsAdded L2 70.00 2026-01-02..2027-01-02 = 80.00
        2026-01-03 auto 50.00 below 100.00
          4 AutoRechargeConfigured 50.00 below 100.00 = 80.00
          5 RechargeRequested 1: 50.00, sending 1, attempt 1 = 80.00
        2026-01-03 close
          6 LotRefunded L1 10.00 = 70.00
          7 LotRefunded L2 70.00 = 0.00
          8 AccountClosed overdraft 0.00 postUsage 0.00 = 0.00
          9 BalanceExhausted = 0.00
        2026-01-04 tick
        2026-01-05 succeeded 1
          10 RechargeSucceeded 1: 50.00 as acme/1 2026-01-05..2027-01-05 = 50.00
          11 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
          12 LotRefunded acme/1 50.00 = 0.00
        2026-01-05 succeeded 1
          13 CommandRefused settleRecharge already-settled = 0.00
        2027-02-01 tick
        2027-02-01 books
          purchased 130.00 refunded 130.00
        ",
    );
}

/// L18: every other command is refused, opening again among them.
#[test]
fn a_closed_account_takes_no_commands() {
    check(
        "
        2026-01-01 close
          2 AccountClosed overdraft 0.00 postUsage 0.00 = 0.00
        2026-01-02 buy L1 1.00
          3 CommandRefused addFunds account-closed = 0.00
        2026-01-02 auto 50.00 below 20.00
          4 CommandRefused configureAutoRecharge account-closed = 0.00
        2026-01-02 adjust A1 1.00
          5 CommandRefused adjust account-closed = 0.00
        2026-01-02 refund L1
          6 CommandRefused refundLot account-closed = 0.00
        2026-01-02 plan silver
          7 CommandRefused setRatePlan account-closed = 0.00
        2026-01-02 mode postUsage
          8 CommandRefused setMode account-closed = 0.00
        2026-01-02 close
          9 CommandRefused closeAccount account-closed = 0.00
        2026-01-02 open
          10 CommandRefused openAccount account-closed = 0.00
        2026-01-02 licence MCOPSTN1
          11 CommandRefused assignLicence account-closed = 0.00
        2026-01-02 succeeded 1
          12 CommandRefused settleRecharge unknown-recharge = 0.00
        ",
    );
}

/// L18: overdraft stays payable; money that still comes goes back whole and settles nothing.
#[test]
fn overdraft_and_post_usage_stay_payable() {
    check(
        "
        2026-01-01 open postUsage
          1 AccountOpened USD gold postUsage US = 0.00
        2026-01-01 call 7.00
          2 debit postUsage 0.00→7.00 = 0.00
        2026-01-01 mode prepaid
          3 ModeSet prepaid = 0.00
        2026-01-01 auto 50.00 below 0.00
          4 AutoRechargeConfigured 50.00 below 0.00 = 0.00
        2026-01-01 call 5.00
          5 debit overdraft 0.00→5.00 = -5.00
          6 RechargeRequested 1: 50.00, sending 1, attempt 1 = -5.00
        2026-01-01 close
          7 AccountClosed overdraft 5.00 postUsage 7.00 = -5.00
        2026-01-01T00:10 succeeded 1
          8 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01T00:10..2027-01-01T00:10 = 45.00
          9 InvoiceIssued 1: 50.00 for 1 as acme/1 = 45.00
          10 LotRefunded acme/1 50.00 = -5.00
        2026-01-02 books
          purchased 50.00 refunded 50.00 charged 12.00 overdrawn 5.00 postUsage 7.00 overdraft 5.00
        ",
    );
}

/// L18, R11: a closed account counts as off, so a failure is final; its money may still arrive (R8).
#[test]
fn a_failure_after_closing_is_final() {
    check(
        "
        2026-01-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 close
          4 AccountClosed overdraft 0.00 postUsage 0.00 = 0.00
        2026-01-01T00:20 failed 1
          5 RechargeFailed 1: failed, rearm 2026-01-02T00:20 = 0.00
        2026-01-03 tick
        2026-01-03 succeeded 1
          6 RechargeSucceeded 1: 50.00 as acme/1 2026-01-03..2027-01-03 = 50.00
          7 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
          8 LotRefunded acme/1 50.00 = 0.00
        ",
    );
}

/// L18, L11: a lot in its 48 hours is not refunded but forfeited in time, and an empty one says nothing.
#[test]
fn expired_lots_are_forfeited_after_closing() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-06-01 buy L2 5.00
          3 FundsAdded L2 5.00 2026-06-01..2027-06-01 = 15.00
        2026-06-01 buy L3 1.00 on 2025-12-01 until 2028-01-01
          4 FundsAdded L3 1.00 2025-12-01..2028-01-01 = 16.00
        2026-06-02 call 1.00
          5 debit L3 1.00→0.00 = 15.00
        2027-01-02 close
          6 due 2027-01-01 LotExpired L1 10.00 = 5.00
          7 LotRefunded L2 5.00 = 0.00
          8 AccountClosed overdraft 0.00 postUsage 0.00 = 0.00
          9 BalanceExhausted = 0.00
        2027-01-04 tick
          10 due 2027-01-03 LotForfeited L1 10.00 = 0.00
        ",
    );
}
