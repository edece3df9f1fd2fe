//! The notice of an expiry: 30 days before, once, of lots that have something to lose.

use super::script::{check, check_with_notices};

/// It carries the instant at which it was due, what the lot held then, and the end to come.
#[test]
fn a_lot_is_announced_30_days_before_its_end() {
    check_with_notices(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-12-01T23:59:59.9999999 call 4.00
          3 debit L1 10.00→6.00 = 6.00
        2026-12-05 call 1.00
          4 due 2026-12-02 LotExpiring L1 6.00 2027-01-01 = 6.00
          5 debit L1 6.00→5.00 = 5.00
        2026-12-06 tick
        2027-01-01 tick
          6 due 2027-01-01 LotExpired L1 5.00 = 0.00
          7 due 2027-01-01 BalanceExhausted = 0.00
        ",
    );
}

/// Several of one instant are announced together, in the order of lots, before whatever else is due at it.
#[test]
fn lots_of_one_instant_are_announced_together() {
    check_with_notices(
        "
        2026-03-01 buy L2 2.00 until 2026-08-01
          2 FundsAdded L2 2.00 2026-03-01..2026-08-01 = 2.00
        2026-03-01 buy L1 1.00 until 2026-08-01
          3 FundsAdded L1 1.00 2026-03-01..2026-08-01 = 3.00
        2026-03-01 buy L3 3.00 until 2026-07-02
          4 FundsAdded L3 3.00 2026-03-01..2026-07-02 = 6.00
        2026-07-02 tick
          5 due 2026-06-02 LotExpiring L3 3.00 2026-07-02 = 6.00
          6 due 2026-07-02 LotExpiring L1 1.00 2026-08-01 = 6.00
          7 due 2026-07-02 LotExpiring L2 2.00 2026-08-01 = 6.00
          8 due 2026-07-02 LotExpired L3 3.00 = 3.00
        2026-07-03 tick
        ",
    );
}

/// Whoever adds money that ends within 30 days knows it.
#[test]
fn a_lot_that_comes_too_late_for_a_notice_gets_none() {
    check_with_notices(
        "
        2026-03-01 buy L1 1.00 until 2026-03-31
          2 FundsAdded L1 1.00 2026-03-01..2026-03-31 = 1.00
        2026-03-01 buy L2 1.00 until 2026-03-31T00:00:00.0000001
          3 FundsAdded L2 1.00 2026-03-01..2026-03-31T00:00:00.0000001 = 2.00
        2026-03-02 tick
          4 due 2026-03-01T00:00:00.0000001 LotExpiring L2 1.00 2026-03-31T00:00:00.0000001 = 2.00
        ",
    );
}

/// A lot that holds nothing is not announced; one that got something back in time is.
#[test]
fn an_empty_lot_has_nothing_to_lose() {
    check_with_notices(
        "
        2026-01-01 buy L1 1.00
          2 FundsAdded L1 1.00 2026-01-01..2027-01-01 = 1.00
        2026-01-01 buy L2 5.00 until 2029-01-01
          3 FundsAdded L2 5.00 2026-01-01..2029-01-01 = 6.00
        2026-11-01 call 2.00
          4 debit L1 1.00→0.00, L2 5.00→4.00 = 4.00
        2026-12-03 void 4
          5 reversed L1 -1.00 0.00→1.00, L2 -1.00 4.00→5.00 = 6.00
        2026-12-04 tick
        2027-01-01 tick
          6 due 2027-01-01 LotExpired L1 1.00 = 5.00
        ",
    );
}

/// Where no notice is wanted, there is none.
#[test]
fn notices_can_be_switched_off() {
    check(
        "
        2026-01-01 buy L1 1.00
          2 FundsAdded L1 1.00 2026-01-01..2027-01-01 = 1.00
        2026-12-05 tick
        ",
    );
}
