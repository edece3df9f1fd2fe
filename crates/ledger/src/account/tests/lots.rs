//! L, as far as lots go: buying, adjusting, refunding, expiry and forfeiture.

use super::check;

/// L2: at most 5 minutes ahead, not yet expired; a backdated lot takes its place by its date.
#[test]
fn purchases_are_dated_within_reason() {
    check(
        "
        2026-03-01 buy L1 10.00 on 2026-03-01T00:05
          2 FundsAdded L1 10.00 2026-03-01T00:05..2027-03-01T00:05 = 10.00
        2026-03-01 buy L2 10.00 on 2026-03-01T00:05:00.0000001
          3 CommandRefused addFunds lot-in-the-future = 10.00
        2026-03-01 buy L2 10.00 on 2025-03-01
          4 CommandRefused addFunds lot-already-expired = 10.00
        2026-03-01 buy L2 10.00 until 2026-03-01
          5 CommandRefused addFunds lot-already-expired = 10.00
        2026-03-01 buy L2 4.00 on 2025-03-01T00:00:01
          6 FundsAdded L2 4.00 2025-03-01T00:00:01..2026-03-01T00:00:01 = 14.00
        2026-03-01 call 5.00
          7 debit L2 4.00→0.00, L1 10.00→9.00 = 9.00
        ",
    );
}

/// L4: forfeited at the very instant of expiry + 48 h, before a record of that instant.
#[test]
fn forfeits_come_before_the_record_of_their_instant() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2027-01-02T23:59:59.9999999 call 1.00 from 2026-12-31
          3 due 2027-01-01 LotExpired L1 10.00 = 0.00
          4 due 2027-01-01 BalanceExhausted = 0.00
          5 debit L1 10.00→9.00 = 0.00
        2027-01-03 call 1.00 from 2026-12-31
          6 due 2027-01-03 LotForfeited L1 9.00 = 0.00
          7 debit overdraft 0.00→1.00 = -1.00
        2027-01-03 books
          purchased 10.00 spent 1.00 forfeited 9.00 charged 2.00 drawn 1.00 overdrawn 1.00 overdraft 1.00
        ",
    );
}

/// L4: an empty lot expires and is forfeited without an event; so does one that a late call emptied.
#[test]
fn empty_lots_end_in_silence() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-01 call 10.00
          3 debit L1 10.00→0.00 = 0.00
          4 BalanceExhausted = 0.00
        2026-02-01 buy L2 5.00
          5 FundsAdded L2 5.00 2026-02-01..2027-02-01 = 5.00
        2027-02-02 call 5.00 from 2027-01-31
          6 due 2027-02-01 LotExpired L2 5.00 = 0.00
          7 due 2027-02-01 BalanceExhausted = 0.00
          8 debit L2 5.00→0.00 = 0.00
        2027-03-01 tick
        ",
    );
}

/// L5: expiry is a change of balance like any other.
#[test]
fn expiry_exhausts_and_recharges() {
    check(
        "
        2026-01-01 buy L1 30.00
          2 FundsAdded L1 30.00 2026-01-01..2027-01-01 = 30.00
        2026-01-01 auto 50.00 below 20.00
          3 AutoRechargeConfigured 50.00 below 20.00 = 30.00
        2027-01-01T00:01 tick
          4 due 2027-01-01 LotExpired L1 30.00 = 0.00
          5 due 2027-01-01 BalanceExhausted = 0.00
          6 due 2027-01-01 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// L9: a negative adjustment draws active lots in order, never more than the balance.
#[test]
fn negative_adjustments_draw_active_lots() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 buy L2 5.00
          3 FundsAdded L2 5.00 2026-01-02..2027-01-02 = 15.00
        2026-01-03 adjust A1 -12.00
          4 Adjusted -12.00: L1 10.00→0.00, L2 5.00→3.00 = 3.00
        2026-01-03 adjust A2 -3.000001
          5 CommandRefused adjust insufficient-balance = 3.00
        2026-01-03 adjust A3 -3.00
          6 Adjusted -3.00: L2 3.00→0.00 = 0.00
          7 BalanceExhausted = 0.00
        2026-01-03 books
          purchased 15.00 adjusted -15.00
        ",
    );
}

/// L9: an expired lot in its grace is no active lot, and overdraft leaves nothing to adjust.
#[test]
fn negative_adjustments_leave_expired_lots_alone() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-06-01 buy L2 5.00
          3 FundsAdded L2 5.00 2026-06-01..2027-06-01 = 15.00
        2027-01-02 adjust A1 -5.00
          4 due 2027-01-01 LotExpired L1 10.00 = 5.00
          5 Adjusted -5.00: L2 5.00→0.00 = 0.00
          6 BalanceExhausted = 0.00
        2027-01-02 adjust A2 -1.00
          7 CommandRefused adjust insufficient-balance = 0.00
        2027-01-02 call 1.00
          8 debit overdraft 0.00→1.00 = -1.00
        2027-01-02 adjust A3 -1.00
          9 CommandRefused adjust insufficient-balance = -1.00
        ",
    );
}

/// L9, T9: a call dated a little ahead may start after a lot's expiry, and its overdraft then stands beside money:
/// still not more than the balance is adjusted away.
#[test]
fn negative_adjustments_leave_what_covers_overdraft() {
    check(
        "
        2026-01-01 buy L1 10.00 until 2026-02-01T00:02
          2 FundsAdded L1 10.00 2026-01-01..2026-02-01T00:02 = 10.00
        2026-02-01 call 4.00 from 2026-02-01T00:03
          3 debit overdraft 0.00→4.00 = 6.00
        2026-02-01 adjust A1 -6.01
          4 CommandRefused adjust insufficient-balance = 6.00
        2026-02-01 adjust A2 -6.00
          5 Adjusted -6.00: L1 10.00→4.00 = 0.00
          6 BalanceExhausted = 0.00
        2026-02-02 tick
          7 due 2026-02-01T00:02 LotExpired L1 4.00 = -4.00
        ",
    );
}

/// L10: a positive adjustment is a lot of 12 months, named as its command, dated now.
#[test]
fn positive_adjustments_are_lots() {
    check(
        "
        2026-02-01 adjust cmd-7 5.00
          2 Adjusted cmd-7 5.00 2026-02-01..2027-02-01 = 5.00
        2026-02-01 adjust cmd-8 0.00
          3 CommandRefused adjust amount-not-positive = 5.00
        2026-02-01 buy cmd-7 5.00
          4 CommandRefused addFunds lot-exists = 5.00
        2026-02-02 call 2.00
          5 debit cmd-7 5.00→3.00 = 3.00
        2026-02-02 refund cmd-7
          6 LotRefunded cmd-7 3.00 = 0.00
          7 BalanceExhausted = 0.00
        2026-02-02 books
          adjusted 5.00 spent 2.00 refunded 3.00 charged 2.00 drawn 2.00
        ",
    );
}

/// L11: what is left of an unexpired lot, once.
#[test]
fn refunds_pay_back_the_rest_once() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-01 call 4.00
          3 debit L1 10.00→6.00 = 6.00
        2026-01-02 refund L1
          4 LotRefunded L1 6.00 = 0.00
          5 BalanceExhausted = 0.00
        2026-01-02 refund L1
          6 CommandRefused refundLot lot-not-refundable = 0.00
        2026-01-02 refund L9
          7 CommandRefused refundLot unknown-lot = 0.00
        2026-01-02 books
          purchased 10.00 spent 4.00 refunded 6.00 charged 4.00 drawn 4.00
        2027-02-01 tick
        ",
    );
}

/// L11: an empty lot is refunded with 0, once too.
#[test]
fn an_empty_lot_is_refunded_with_nothing() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-01 call 10.00
          3 debit L1 10.00→0.00 = 0.00
          4 BalanceExhausted = 0.00
        2026-01-02 refund L1
          5 LotRefunded L1 0.00 = 0.00
        2026-01-02 refund L1
          6 CommandRefused refundLot lot-not-refundable = 0.00
        ",
    );
}

/// L11: neither an expired lot nor a forfeited one is refunded.
#[test]
fn expired_and_forfeited_lots_are_not_refunded() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2027-01-01 refund L1
          3 due 2027-01-01 LotExpired L1 10.00 = 0.00
          4 due 2027-01-01 BalanceExhausted = 0.00
          5 CommandRefused refundLot lot-not-refundable = 0.00
        2027-01-03 refund L1
          6 due 2027-01-03 LotForfeited L1 10.00 = 0.00
          7 CommandRefused refundLot lot-not-refundable = 0.00
        ",
    );
}

/// L12: a lot's id is taken for good, spent or refunded, bought or recharged.
#[test]
fn a_lot_id_is_taken_once() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-01-02 buy L1 10.00
          3 CommandRefused addFunds lot-exists = 10.00
        2026-01-02 adjust L1 10.00
          4 CommandRefused adjust lot-exists = 10.00
        2026-01-02 refund L1
          5 LotRefunded L1 10.00 = 0.00
          6 BalanceExhausted = 0.00
        2026-01-03 buy L1 10.00
          7 CommandRefused addFunds lot-exists = 0.00
        2026-01-03 auto 50.00 below 20.00
          8 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          9 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-01-03 succeeded 1
          10 RechargeSucceeded 1: 50.00 as acme/1 2026-01-03..2027-01-03 = 50.00
          11 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        2026-01-03 buy acme/1 10.00
          12 CommandRefused addFunds lot-exists = 50.00
        ",
    );
}

/// L12, L11: a lot that has ended keeps its id, and is known to have ended.
#[test]
fn an_ended_lot_keeps_its_id() {
    check(
        "
        2026-01-01 buy L1 10.00 until 2026-02-01
          2 FundsAdded L1 10.00 2026-01-01..2026-02-01 = 10.00
        2026-02-10 buy L2 5.00
          3 due 2026-02-01 LotExpired L1 10.00 = 0.00
          4 due 2026-02-01 BalanceExhausted = 0.00
          5 due 2026-02-03 LotForfeited L1 10.00 = 0.00
          6 FundsAdded L2 5.00 2026-02-10..2027-02-10 = 5.00
        2026-02-10 buy L1 5.00
          7 CommandRefused addFunds lot-exists = 5.00
        2026-02-10 refund L1
          8 CommandRefused refundLot lot-not-refundable = 5.00
        ",
    );
}

/// L20: any expiry is taken as given; amounts are above 0, down to a millionth.
#[test]
fn amounts_and_expiries_of_purchases() {
    check(
        "
        2026-01-01 buy L1 10.00 until 2030-01-01
          2 FundsAdded L1 10.00 2026-01-01..2030-01-01 = 10.00
        2026-01-01 buy L2 0.00
          3 CommandRefused addFunds amount-not-positive = 10.00
        2026-01-01 buy L2 -1.00
          4 CommandRefused addFunds amount-not-positive = 10.00
        2026-01-01 buy L2 0.000001
          5 FundsAdded L2 0.000001 2026-01-01..2027-01-01 = 10.000001
        2027-01-03 tick
          6 due 2027-01-01 LotExpired L2 0.000001 = 10.00
          7 due 2027-01-03 LotForfeited L2 0.000001 = 10.00
        ",
    );
}

/// No figure of an account ever leaves the range of money, however often it is filled and emptied.
#[test]
fn an_account_holds_what_money_can_count() {
    check(
        "
        2026-01-01 buy L1 1000000000000.00
          2 FundsAdded L1 1000000000000.00 2026-01-01..2027-01-01 = 1000000000000.00
        2026-01-01 buy L2 0.000001
          3 CommandRefused addFunds amount-too-large = 1000000000000.00
        2026-01-01 refund L1
          4 LotRefunded L1 1000000000000.00 = 0.00
          5 BalanceExhausted = 0.00
        2026-01-01 buy L2 0.000001
          6 CommandRefused addFunds amount-too-large = 0.00
        2026-01-01 adjust A1 0.000001
          7 CommandRefused adjust amount-too-large = 0.00
        2026-01-01 call 1000000000000.00
          8 debit overdraft 0.00→1000000000000.00 = -1000000000000.00
        ",
    );
}
