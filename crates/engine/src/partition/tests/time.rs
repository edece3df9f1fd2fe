//! Time: what starts ahead of its arrival, what comes late, and clocks that are broken.

use super::check;

/// boundaries.md T9: five minutes ahead of arrival are accepted, to the tick.
#[test]
fn t9_a_start_may_lie_five_minutes_ahead() {
    check(
        "
        row 44 1
        2026-03-01T10:00 acme open                                                   -> 1 AccountOpened
        2026-03-01T10:00 acme call C1 +442071838750 60s from 2026-03-01T10:05        -> 2 debit 1.00 overdraft:1.00
        2026-03-01T10:00 acme call C2 +442071838750 60s from 2026-03-01T10:05:00.0000001 -> rejected in-the-future
        2026-03-01T10:01 acme call C2 +442071838750 60s from 2026-03-01T10:05:00.0000001 -> 3 debit 1.00 overdraft:2.00
        ",
    );
}

/// boundaries.md D1: a start is late by the later of arrival and clock (T2), and the edge is in.
#[test]
fn d1_the_window_ends_to_the_tick() {
    check(
        "
        row 44 1
        2026-03-08T10:00 acme open                                                   -> 1 AccountOpened
        2026-03-08T10:00 acme call C1 +442071838750 60s from 2026-03-01T10:00        -> 2 debit 1.00 overdraft:1.00
        2026-03-08T10:00 acme call C2 +442071838750 60s from 2026-03-01T09:59:59.9999999 -> rejected too-late
        2026-03-08T09:00 acme call C3 +442071838750 60s from 2026-03-01T09:59:59.9999999 -> rejected too-late
        2026-03-08T10:00 acme call C2 +442071838750 60s from 2026-03-01T10:00        -> 3 debit 1.00 overdraft:2.00
        ",
    );
}

/// boundaries.md T2: an older record is handled now, by the clock of its own organisation.
#[test]
fn t2_the_clock_is_the_organisations_own() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                           -> 1 AccountOpened
        2026-03-01 b    open                                           -> 1 AccountOpened
        2026-03-01 acme buy L1 5.00 until 2026-03-02                   -> 2 FundsAdded
        2026-03-05 b    call C1 +442071838750 60s                      -> 2 debit 1.00 overdraft:1.00
        2026-03-01T12:00 acme call C2 +442071838750 60s                -> 3 debit 1.00 L1:1.00
        2026-03-05 acme call C3 +442071838750 60s from 2026-03-01      -> 4 LotExpired, 5 BalanceExhausted, 6 LotForfeited, 7 debit 1.00 overdraft:1.00
        ",
    );
}

/// A record that is rejected or a duplicate moves no clock and runs nothing that is due.
#[test]
fn what_is_not_booked_leaves_no_trace() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                           -> 1 AccountOpened
        2026-03-01 acme buy L1 5.00 until 2026-03-04                   -> 2 FundsAdded
        2026-03-01 acme call C1 +442071838750 60s                      -> 3 debit 1.00 L1:1.00
        2026-03-05 acme call C1 +442071838750 60s from 2026-03-01      -> duplicate
        2026-03-05 acme call C2 +442071838750 60s from 2026-02-01      -> rejected too-late
        2026-03-03 acme call C3 +442071838750 60s                      -> 4 debit 1.00 L1:1.00
        2026-03-05 acme tick                                           -> 5 LotExpired, 6 BalanceExhausted
        2026-03-05 acme tick                                           ->
        ",
    );
}

/// An input ten years ahead is a broken clock: it would expire every lot of the account.
#[test]
fn a_leap_of_years_is_rejected() {
    check(
        "
        row 44 1
        2026-03-01 acme open                       -> 1 AccountOpened
        2026-03-01 acme buy L1 5.00                -> 2 FundsAdded
        2036-03-09 acme call C1 +442071838750 60s  -> rejected in-the-future
        2036-03-09 acme buy L2 5.00                -> rejected in-the-future
        2026-03-02 acme call C1 +442071838750 60s  -> 3 debit 1.00 L1:1.00
        ",
    );
}
