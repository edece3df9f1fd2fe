//! Corrections: what was taken goes back where it came from, and the call is booked anew.

use super::check;

/// D8, D10, D13: exactly the debit's lines go back, the balance is looked at once, after both.
#[test]
fn a_call_is_taken_back_and_booked_anew() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 buy L2 5.00
          3 FundsAdded L2 5.00 2026-01-02..2027-01-02 = 15.00
        2026-01-03 call 12.00
          4 debit L1 10.00→0.00, L2 5.00→3.00 = 3.00
        2026-01-04 correct 4 to 15.00
          5 reversed L1 -10.00 0.00→10.00, L2 -2.00 3.00→5.00 = 15.00
          6 debit L1 10.00→0.00, L2 5.00→0.00 = 0.00
          7 BalanceExhausted = 0.00
        2026-01-05 void 6
          8 reversed L1 -10.00 0.00→10.00, L2 -5.00 0.00→5.00 = 15.00
        2026-01-05 books
          purchased 15.00 remaining 15.00
        ",
    );
}

/// D6, D7: into an expired lot in its grace; what is forfeited stays so, and there is a new lot, which re-arms nothing
/// that is not disarmed.
#[test]
fn a_lot_that_is_gone_gets_nothing_back() {
    check(
        "
        2026-01-01 buy L1 10.00 until 2026-02-01
          2 FundsAdded L1 10.00 2026-01-01..2026-02-01 = 10.00
        2026-01-31 call 4.00
          3 debit L1 10.00→6.00 = 6.00
        2026-01-31 call 5.00
          4 debit L1 6.00→1.00 = 1.00
        2026-02-02 void 3
          5 due 2026-02-01 LotExpired L1 1.00 = 0.00
          6 due 2026-02-01 BalanceExhausted = 0.00
          7 reversed L1 -4.00 1.00→5.00 = 0.00
        2026-02-04 void 4
          8 due 2026-02-03 LotForfeited L1 5.00 = 0.00
          9 reversed L1 -5.00 0.00→0.00 to c4/1 = 0.00
          10 FundsReturned c4/1 5.00 2026-02-04..2027-02-04 = 5.00
        2026-02-04 books
          purchased 10.00 forfeited 5.00 remaining 5.00
        ",
    );
}

/// D6: a refunded lot; and one that ran empty and is past its grace, which is as good as forfeited.
#[test]
fn refunded_and_empty_expired_lots_are_gone() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 call 3.00
          3 debit L1 10.00→7.00 = 7.00
        2026-01-03 refund L1
          4 LotRefunded L1 7.00 = 0.00
          5 BalanceExhausted = 0.00
        2026-01-04 void 3
          6 reversed L1 -3.00 0.00→0.00 to c3/1 = 0.00
          7 FundsReturned c3/1 3.00 2026-01-04..2027-01-04 = 3.00
        2026-01-05 call 3.00
          8 debit c3/1 3.00→0.00 = 0.00
          9 BalanceExhausted = 0.00
        2027-01-06T00:00:00.5 void 8
          10 reversed c3/1 -3.00 0.00→0.00 to c8/1 = 0.00
          11 FundsReturned c8/1 3.00 2027-01-06T00:00:00.5..2028-01-06T00:00:00.5 = 3.00
        ",
    );
}

/// L7, L6: overdraft first lowers what is outstanding; what was settled since comes back as a lot.
#[test]
fn overdraft_goes_down_first() {
    check(
        "
        2026-01-02 call 5.00
          2 debit overdraft 0.00→5.00 = -5.00
        2026-01-02 call 4.00
          3 debit overdraft 5.00→9.00 = -9.00
        2026-01-03 buy L1 6.00
          4 FundsAdded L1 6.00 2026-01-03..2027-01-03 = -3.00
          5 OverdraftSettled L1 6.00, 3.00 left = -3.00
        2026-01-04 void 2
          6 reversed overdraft -5.00 3.00→0.00 to c2/1 = 0.00
          7 FundsReturned c2/1 2.00 2026-01-04..2027-01-04 = 2.00
        2026-01-04 books
          purchased 6.00 spent 4.00 remaining 2.00 charged 4.00 overdrawn 4.00
        ",
    );
}

/// L6: money that goes back into a lot pays what is outstanding.
#[test]
fn returned_money_settles_overdraft() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 call 10.00
          3 debit L1 10.00→0.00 = 0.00
          4 BalanceExhausted = 0.00
        2026-01-02 call 4.00
          5 debit overdraft 0.00→4.00 = -4.00
        2026-01-03 correct 3 to 2.00
          6 reversed L1 -10.00 0.00→10.00 = 6.00
          7 OverdraftSettled L1 4.00, 0.00 left = 6.00
          8 debit L1 6.00→4.00 = 4.00
        2026-01-03 call 4.00
          9 debit L1 4.00→0.00 = 0.00
          10 BalanceExhausted = 0.00
        ",
    );
}

/// D13 and the statements of section 8: what accrued is stated at the month's end, and taken back in the next.
#[test]
fn post_usage_is_stated_and_taken_back() {
    check(
        "
        2026-01-10 open postUsage
          1 AccountOpened USD gold postUsage US = 0.00
        2026-01-12 call 5.00
          2 debit postUsage 0.00→5.00 = 0.00
        2026-02-03 call 2.00
          3 due 2026-02-01 PostUsageStatement 2026-01-01: 5.00 of 5.00 = 0.00
          4 debit postUsage 5.00→7.00 = 0.00
        2026-02-04 void 2
          5 reversed postUsage -5.00 7.00→2.00 = 0.00
        2026-02-05 mode prepaid
          6 ModeSet prepaid = 0.00
        2026-04-01 tick
          7 due 2026-03-01 PostUsageStatement 2026-02-01: -3.00 of 2.00 = 0.00
        2026-04-02 books
          charged 2.00 postUsage 2.00
        ",
    );
}

/// R1 and D14: reversal and re-rating are one change to the trigger; a request made before stands.
#[test]
fn the_trigger_is_looked_at_once() {
    check(
        "
        2026-01-01 buy L1 60.00
          2 FundsAdded L1 60.00 2026-01-01..2027-01-01 = 60.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = 60.00
        2026-01-02 call 30.00
          4 debit L1 60.00→30.00 = 30.00
        2026-01-02T00:01 correct 4 to 35.00
          5 reversed L1 -30.00 30.00→60.00 = 60.00
          6 debit L1 60.00→25.00 = 25.00
        2026-01-02T00:02 correct 6 to 45.00
          7 reversed L1 -35.00 25.00→60.00 = 60.00
          8 debit L1 60.00→15.00 = 15.00
          9 RechargeRequested 1: 50.00, sending 1, attempt 1 = 15.00
        2026-01-02T00:03 void 8
          10 reversed L1 -45.00 15.00→60.00 = 60.00
        2026-01-02T00:04 succeeded 1
          11 RechargeSucceeded 1: 50.00 as acme/1 2026-01-02T00:04..2027-01-02T00:04 = 110.00
          12 InvoiceIssued 1: 50.00 for 1 as acme/1 = 110.00
        ",
    );
}
