//! L, as far as calls go: which lots pay in which order, and what they do not cover.

use super::check;

/// domain.md section 6: first in, first out; one charge may split over several lots.
#[test]
fn spends_the_oldest_lot_first() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-02-01 buy L2 5.00
          3 FundsAdded L2 5.00 2026-02-01..2027-02-01 = 15.00
        2026-03-01 call 12.00
          4 debit L1 10.00→0.00, L2 5.00→3.00 = 3.00
        ",
    );
}

/// domain.md section 6: a lot bought after the call started is eligible.
#[test]
fn a_later_lot_pays_an_earlier_call() {
    check(
        "
        2026-02-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-02-01..2027-02-01 = 10.00
        2026-02-01 call 1.00 from 2026-01-25
          3 debit L1 10.00→9.00 = 9.00
        ",
    );
}

/// L1: the balance is what unexpired lots hold less the overdraft, and may be negative.
#[test]
fn overdraft_counts_against_the_balance() {
    check(
        "
        2026-01-01 call 3.00
          2 debit overdraft 0.00→3.00 = -3.00
        2026-01-02 buy L1 10.00
          3 FundsAdded L1 10.00 2026-01-02..2027-01-02 = 7.00
          4 OverdraftSettled L1 3.00, 0.00 left = 7.00
        2026-01-03 call 9.00
          5 debit L1 7.00→0.00, overdraft 0.00→2.00 = -2.00
          6 BalanceExhausted = -2.00
        ",
    );
}

/// L3: an expired lot in its 48 hours keeps its place in the order, and drawing it does not move the balance.
#[test]
fn a_late_call_draws_the_expired_lot_in_its_place() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-06-01 buy L2 10.00
          3 FundsAdded L2 10.00 2026-06-01..2027-06-01 = 20.00
        2027-01-02 call 4.00 from 2026-12-31
          4 due 2027-01-01 LotExpired L1 10.00 = 10.00
          5 debit L1 10.00→6.00 = 10.00
        2027-01-02 call 1.00 from 2027-01-01
          6 debit L2 10.00→9.00 = 9.00
        2027-01-02 call 8.00 from 2026-12-31T23:59:59.9999999
          7 debit L1 6.00→0.00, L2 9.00→7.00 = 7.00
        2027-01-04 tick
        2027-01-04 books
          purchased 20.00 spent 13.00 remaining 7.00 charged 13.00 drawn 13.00
        ",
    );
}

/// L3: an older purchase that expires later stands before the expired lot.
#[test]
fn the_order_is_of_purchases_for_expired_lots_too() {
    check(
        "
        2026-01-01 buy L1 2.00 until 2028-01-01
          2 FundsAdded L1 2.00 2026-01-01..2028-01-01 = 2.00
        2026-02-01 buy L2 5.00
          3 FundsAdded L2 5.00 2026-02-01..2027-02-01 = 7.00
        2027-02-02 call 3.00 from 2027-01-31
          4 due 2027-02-01 LotExpired L2 5.00 = 2.00
          5 debit L1 2.00→0.00, L2 5.00→4.00 = 0.00
          6 BalanceExhausted = 0.00
        ",
    );
}

/// L6: any money that becomes spendable settles overdraft: adjusted, bought, recharged.
#[test]
fn any_money_settles_overdraft() {
    check(
        "
        2026-01-01 call 5.00
          2 debit overdraft 0.00→5.00 = -5.00
        2026-01-02 adjust A1 2.00
          3 Adjusted A1 2.00 2026-01-02..2027-01-02 = -3.00
          4 OverdraftSettled A1 2.00, 3.00 left = -3.00
        2026-01-03 buy L1 1.00
          5 FundsAdded L1 1.00 2026-01-03..2027-01-03 = -2.00
          6 OverdraftSettled L1 1.00, 2.00 left = -2.00
        2026-01-03 auto 50.00 below 0.00
          7 AutoRechargeConfigured 50.00 below 0.00 = -2.00
          8 RechargeRequested 1: 50.00, sending 1, attempt 1 = -2.00
        2026-01-03 succeeded 1
          9 RechargeSucceeded 1: 50.00 as acme/1 2026-01-03..2027-01-03 = 48.00
          10 InvoiceIssued 1: 50.00 for 1 as acme/1 = 48.00
          11 OverdraftSettled acme/1 2.00, 0.00 left = 48.00
        ",
    );
}

/// L7: overdraft is one figure of the account, whichever calls it came from.
#[test]
fn overdraft_is_one_figure() {
    check(
        "
        2026-01-01 call 5.00
          2 debit overdraft 0.00→5.00 = -5.00
        2026-01-02 call 2.00
          3 debit overdraft 5.00→7.00 = -7.00
        2026-01-03 buy L1 10.00
          4 FundsAdded L1 10.00 2026-01-03..2027-01-03 = 3.00
          5 OverdraftSettled L1 7.00, 0.00 left = 3.00
        ",
    );
}

/// L8: a crossing needs a balance above 0 before, and is told once.
#[test]
fn exhaustion_is_a_crossing() {
    check(
        "
        2026-01-01 call 1.00
          2 debit overdraft 0.00→1.00 = -1.00
        2026-01-02 buy L1 0.50
          3 FundsAdded L1 0.50 2026-01-02..2027-01-02 = -0.50
          4 OverdraftSettled L1 0.50, 0.50 left = -0.50
        2026-01-03 buy L2 2.00
          5 FundsAdded L2 2.00 2026-01-03..2027-01-03 = 1.50
          6 OverdraftSettled L2 0.50, 0.00 left = 1.50
        2026-01-04 call 1.50
          7 debit L2 1.50→0.00 = 0.00
          8 BalanceExhausted = 0.00
        2026-01-05 call 1.00
          9 debit overdraft 0.00→1.00 = -1.00
        2026-01-06 buy L3 2.00
          10 FundsAdded L3 2.00 2026-01-06..2027-01-06 = 1.00
          11 OverdraftSettled L3 1.00, 0.00 left = 1.00
        2026-01-07 call 5.00
          12 debit L3 1.00→0.00, overdraft 0.00→4.00 = -4.00
          13 BalanceExhausted = -4.00
        ",
    );
}

/// L8: raised in post-usage mode too.
#[test]
fn exhaustion_is_told_in_post_usage_mode() {
    check(
        "
        2026-01-01 open postUsage
          1 AccountOpened USD gold postUsage US = 0.00
        2026-01-01 buy L1 1.00
          2 FundsAdded L1 1.00 2026-01-01..2027-01-01 = 1.00
        2026-01-02 call 1.00
          3 debit L1 1.00→0.00 = 0.00
          4 BalanceExhausted = 0.00
        ",
    );
}

/// L13, L8: a strict account drains its lots, and the rest is uncollected: no later money pays it.
#[test]
fn strict_accounts_never_overdraw() {
    check(
        "
        2026-01-01 open strict
          1 AccountOpened USD gold prepaid US strict = 0.00
        2026-01-01 buy L1 1.00
          2 FundsAdded L1 1.00 2026-01-01..2027-01-01 = 1.00
        2026-01-02 call 3.00
          3 debit L1 1.00→0.00, uncollected 0.00→2.00 = 0.00
          4 BalanceExhausted = 0.00
        2026-01-03 call 0.50
          5 debit uncollected 2.00→2.50 = 0.00
        2026-01-04 buy L2 5.00
          6 FundsAdded L2 5.00 2026-01-04..2027-01-04 = 5.00
        2026-01-04 books
          purchased 6.00 spent 1.00 remaining 5.00 charged 3.50 drawn 1.00 uncollected 2.50
        ",
    );
}

/// L14: spent are the lot lines of debits and the settlements.
#[test]
fn settlements_count_as_spent() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 call 13.00
          3 debit L1 10.00→0.00, overdraft 0.00→3.00 = -3.00
          4 BalanceExhausted = -3.00
        2026-01-02 books
          purchased 10.00 spent 10.00 charged 13.00 drawn 10.00 overdrawn 3.00 overdraft 3.00
        2026-01-03 buy L2 5.00
          5 FundsAdded L2 5.00 2026-01-03..2027-01-03 = 2.00
          6 OverdraftSettled L2 3.00, 0.00 left = 2.00
        2026-01-03 books
          purchased 15.00 spent 13.00 remaining 2.00 charged 13.00 drawn 10.00 overdrawn 3.00
        ",
    );
}

/// L15: lots bought at the same instant are ordered by the bytes of their ids.
#[test]
fn ties_of_purchase_go_by_bytes() {
    check(
        "
        2026-01-01 buy L9 1.00
          2 FundsAdded L9 1.00 2026-01-01..2027-01-01 = 1.00
        2026-01-01 buy L10 1.00
          3 FundsAdded L10 1.00 2026-01-01..2027-01-01 = 2.00
        2026-01-01 buy l1 1.00
          4 FundsAdded l1 1.00 2026-01-01..2027-01-01 = 3.00
        2026-01-02 call 2.50
          5 debit L10 1.00→0.00, L9 1.00→0.00, l1 1.00→0.50 = 0.50
        ",
    );
}

/// L16: by purchase, even if a later lot expires sooner.
#[test]
fn a_later_lot_waits_though_it_expires_sooner() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 buy L2 10.00 until 2026-02-01
          3 FundsAdded L2 10.00 2026-01-02..2026-02-01 = 20.00
        2026-01-03 call 4.00
          4 debit L1 10.00→6.00 = 16.00
        2026-02-01 tick
          5 due 2026-02-01 LotExpired L2 10.00 = 6.00
        ",
    );
}

/// L17: a zero charge is a debit without funding line or event.
#[test]
fn a_zero_charge_moves_nothing() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 call 0.00
          3 debit nothing = 10.00
        2026-01-02 call 10.00
          4 debit L1 10.00→0.00 = 0.00
          5 BalanceExhausted = 0.00
        2026-01-02 call 0.00
          6 debit nothing = 0.00
        ",
    );
}

/// L17: nor does it look at the trigger, though the cap has refused and a look would find the balance low.
#[test]
fn a_zero_charge_does_not_look_at_the_trigger() {
    check(
        "
        2026-01-01 auto 50.00 below 60.00 cap 50.00
          2 AutoRechargeConfigured 50.00 below 60.00 cap 50.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-01 call 0.00
          4 debit nothing = 0.00
        2026-01-01 succeeded 1
          5 RechargeSucceeded 1: 50.00 as acme/1 2026-01-01..2027-01-01 = 50.00
          6 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
          7 RechargeCapReached 50.00: 50.00 since 2026-01-01, no 50.00 more = 50.00
        2026-01-02 call 0.00
          8 debit nothing = 50.00
        ",
    );
}

/// L19: of one call: the debit, exhausted, recharge requested.
#[test]
fn debit_then_exhaustion_then_recharge() {
    check(
        "
        2026-01-01 buy L1 30.00
          2 FundsAdded L1 30.00 2026-01-01..2027-01-01 = 30.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = 30.00
        2026-01-02 call 31.00
          4 debit L1 30.00→0.00, overdraft 0.00→1.00 = -1.00
          5 BalanceExhausted = -1.00
          6 RechargeRequested 1: 50.00, sending 1, attempt 1 = -1.00
        ",
    );
}
