//! T: time and order; C6: rate plans; X: numbers and refusals.

use super::check;

/// T1, T3: what was due runs before the input that discovers it, each at the instant it was due.
#[test]
fn dues_come_first_at_their_own_instants() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2027-01-05 call 1.00
          3 due 2027-01-01 LotExpired L1 10.00 = 0.00
          4 due 2027-01-01 BalanceExhausted = 0.00
          5 due 2027-01-03 LotForfeited L1 10.00 = 0.00
          6 debit overdraft 0.00→1.00 = -1.00
        ",
    );
}

/// T1, T3: the same with ticks between gives the same events.
#[test]
fn ticks_change_no_outcome() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-12-31T23:59:59.9999999 tick
        2027-01-01 tick
          3 due 2027-01-01 LotExpired L1 10.00 = 0.00
          4 due 2027-01-01 BalanceExhausted = 0.00
        2027-01-02T23:59:59.9999999 tick
        2027-01-04 tick
          5 due 2027-01-03 LotForfeited L1 10.00 = 0.00
        2027-01-05 call 1.00
          6 debit overdraft 0.00→1.00 = -1.00
        ",
    );
}

/// T1: up to and including the timestamp of the input, commands too.
#[test]
fn a_command_at_the_due_instant_comes_after_it() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2027-01-01 buy L2 5.00
          3 due 2027-01-01 LotExpired L1 10.00 = 0.00
          4 due 2027-01-01 BalanceExhausted = 0.00
          5 FundsAdded L2 5.00 2027-01-01..2028-01-01 = 5.00
        ",
    );
}

/// T2: the clock never goes back; what arrives with an older timestamp is handled now.
#[test]
fn an_older_record_is_handled_now() {
    check(
        "
        2026-02-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-02-01..2027-02-01 = 10.00
        2026-01-15 call 1.00
          3 at 2026-02-01 debit L1 10.00→9.00 = 9.00
        2026-01-10 adjust M1 1.00
          4 at 2026-02-01 Adjusted M1 1.00 2026-02-01..2027-02-01 = 10.00
        2026-01-20 tick
        2026-02-02 call 1.00
          5 debit L1 9.00→8.00 = 9.00
        ",
    );
}

/// T1, T2: a tick is no record: one that found nothing due does not move the clock.
#[test]
fn an_idle_tick_dates_nothing() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2026-02-01 tick
        2026-01-15 call 1.00
          3 debit L1 10.00→9.00 = 9.00
        2027-02-01 tick
          4 due 2027-01-01 LotExpired L1 9.00 = 0.00
          5 due 2027-01-01 BalanceExhausted = 0.00
          6 due 2027-01-03 LotForfeited L1 9.00 = 0.00
        2027-01-02 call 1.00
          7 at 2027-01-03 debit overdraft 0.00→1.00 = -1.00
        ",
    );
}

/// T2: an older record cannot bring back a lot that has expired since.
#[test]
fn an_older_record_finds_the_lots_of_now() {
    check(
        "
        2026-01-01 buy L1 10.00
          2 FundsAdded L1 10.00 2026-01-01..2027-01-01 = 10.00
        2027-01-03 tick
          3 due 2027-01-01 LotExpired L1 10.00 = 0.00
          4 due 2027-01-01 BalanceExhausted = 0.00
          5 due 2027-01-03 LotForfeited L1 10.00 = 0.00
        2026-12-31 call 1.00
          6 at 2027-01-03 debit overdraft 0.00→1.00 = -1.00
        ",
    );
}

/// T6: `purchasedAt` dates the lot and nothing else; the clock is the record's.
#[test]
fn the_purchase_dates_only_the_lot() {
    check(
        "
        2026-03-01 buy L1 10.00 on 2026-02-01
          2 FundsAdded L1 10.00 2026-02-01..2027-02-01 = 10.00
        2026-02-20 call 1.00
          3 at 2026-03-01 debit L1 10.00→9.00 = 9.00
        ",
    );
}

/// T6, R9: so does `processedAt`.
#[test]
fn the_payment_dates_only_the_lot() {
    check(
        "
        2026-03-01 auto 50.00 below 20.00
          2 AutoRechargeConfigured 50.00 below 20.00 = 0.00
          3 RechargeRequested 1: 50.00, sending 1, attempt 1 = 0.00
        2026-03-01T00:10 succeeded 1 on 2026-02-28T23:59
          4 RechargeSucceeded 1: 50.00 as acme/1 2026-02-28T23:59..2027-02-28T23:59 = 50.00
          5 InvoiceIssued 1: 50.00 for 1 as acme/1 = 50.00
        ",
    );
}

/// T7: at one instant expiries, in lot order, then forfeits, then the month's start. Each is an input of its own, so
/// the first expiry of the new month already asks for money.
#[test]
fn expiry_before_forfeit_at_one_instant_and_lots_in_order() {
    check(
        "
        2026-04-01 buy LA 10.00 until 2026-04-29
          2 FundsAdded LA 10.00 2026-04-01..2026-04-29 = 10.00
        2026-04-01 buy LC 30.00 until 2026-05-01
          3 FundsAdded LC 30.00 2026-04-01..2026-05-01 = 40.00
        2026-04-01 buy LB 20.00 until 2026-05-01
          4 FundsAdded LB 20.00 2026-04-01..2026-05-01 = 60.00
        2026-04-01 auto 50.00 below 200.00 cap 50.00
          5 AutoRechargeConfigured 50.00 below 200.00 cap 50.00 = 60.00
          6 RechargeRequested 1: 50.00, sending 1, attempt 1 = 60.00
        2026-04-01 succeeded 1
          7 RechargeSucceeded 1: 50.00 as acme/1 2026-04-01..2027-04-01 = 110.00
          8 InvoiceIssued 1: 50.00 for 1 as acme/1 = 110.00
          9 RechargeCapReached 50.00: 50.00 since 2026-04-01, no 50.00 more = 110.00
        2026-05-01 tick
          10 due 2026-04-29 LotExpired LA 10.00 = 100.00
          11 due 2026-05-01 LotExpired LB 20.00 = 80.00
          12 due 2026-05-01 RechargeRequested 2: 50.00, sending 1, attempt 1 = 80.00
          13 due 2026-05-01 LotExpired LC 30.00 = 50.00
          14 due 2026-05-01 LotForfeited LA 10.00 = 50.00
        ",
    );
}

/// T7: the end of a cool-down comes after expiry and forfeit.
#[test]
fn cool_down_end_after_expiry_and_forfeit() {
    check(
        "
        2026-01-01 buy LA 10.00 until 2026-03-08
          2 FundsAdded LA 10.00 2026-01-01..2026-03-08 = 10.00
        2026-01-01 buy LB 5.00 until 2026-03-10
          3 FundsAdded LB 5.00 2026-01-01..2026-03-10 = 15.00
        2026-03-09 auto 50.00 below 20.00
          4 due 2026-03-08 LotExpired LA 10.00 = 5.00
          5 AutoRechargeConfigured 50.00 below 20.00 = 5.00
          6 RechargeRequested 1: 50.00, sending 1, attempt 1 = 5.00
        2026-03-09 declined 1
          7 RechargeFailed 1: declined, rearm 2026-03-10 = 5.00
        2026-03-10 tick
          8 due 2026-03-10 LotExpired LB 5.00 = 0.00
          9 due 2026-03-10 BalanceExhausted = 0.00
          10 due 2026-03-10 LotForfeited LA 10.00 = 0.00
          11 due 2026-03-10 RechargeRequested 2: 50.00, sending 1, attempt 1 = 0.00
        ",
    );
}

/// T7: sending again comes last.
#[test]
fn resend_after_expiry_and_forfeit() {
    check(
        "
        2026-01-01 buy LA 10.00 until 2026-03-08
          2 FundsAdded LA 10.00 2026-01-01..2026-03-08 = 10.00
        2026-01-01 buy LB 5.00 until 2026-03-10
          3 FundsAdded LB 5.00 2026-01-01..2026-03-10 = 15.00
        2026-03-09T23:45 auto 50.00 below 20.00
          4 due 2026-03-08 LotExpired LA 10.00 = 5.00
          5 AutoRechargeConfigured 50.00 below 20.00 = 5.00
          6 RechargeRequested 1: 50.00, sending 1, attempt 1 = 5.00
        2026-03-10 tick
          7 due 2026-03-10 LotExpired LB 5.00 = 0.00
          8 due 2026-03-10 BalanceExhausted = 0.00
          9 due 2026-03-10 LotForfeited LA 10.00 = 0.00
          10 due 2026-03-10 RechargeRequested 1: 50.00, sending 2, attempt 1 = 0.00
        ",
    );
}

/// T8: 29 February becomes 28 February at the same time of day, and the edge is exact to 100 ns.
#[test]
fn twelve_calendar_months_at_full_precision() {
    check(
        "
        2028-02-29T10:00 buy L1 10.00
          2 FundsAdded L1 10.00 2028-02-29T10:00..2029-02-28T10:00 = 10.00
        2029-02-28T09:59:59.9999999 tick
        2029-02-28T12:00 call 1.00 from 2029-02-28T09:59:59.9999999
          3 due 2029-02-28T10:00 LotExpired L1 10.00 = 0.00
          4 due 2029-02-28T10:00 BalanceExhausted = 0.00
          5 debit L1 10.00→9.00 = 0.00
        2029-02-28T12:00 call 1.00 from 2029-02-28T10:00
          6 debit overdraft 0.00→1.00 = -1.00
        ",
    );
}

/// C6: a plan rates the calls that start at or after its command's timestamp.
#[test]
fn rate_plans_hold_from_their_command_on() {
    check(
        "
        2026-02-01T10:00 plan silver
          2 RatePlanSet silver = 0.00
        2026-03-01 plan bronze
          3 RatePlanSet bronze = 0.00
        2026-03-01 plan iron
          4 RatePlanSet iron = 0.00
        2025-12-31 plan?
          gold
        2026-02-01T09:59:59.9999999 plan?
          gold
        2026-02-01T10:00 plan?
          silver
        2026-02-28T23:59:59.9999999 plan?
          silver
        2026-03-01 plan?
          iron
        2027-01-01 plan?
          iron
        ",
    );
}

/// C6: plans that ended long ago are forgotten, but never one that a call within 90 days may need.
#[test]
fn rate_plans_are_kept_as_long_as_a_call_may_need_them() {
    check(
        "
        2026-02-01 plan silver
          2 RatePlanSet silver = 0.00
        2026-03-01 plan bronze
          3 RatePlanSet bronze = 0.00
        2027-01-01 plan iron
          4 RatePlanSet iron = 0.00
        2027-01-02 plan steel
          5 RatePlanSet steel = 0.00
        2026-10-03 plan?
          bronze
        2026-12-31T23:59:59 plan?
          bronze
        2027-01-01 plan?
          iron
        2027-01-02 plan?
          steel
        ",
    );
}

/// X6: debits, zero ones too, and events share one gapless count; a tick that does nothing takes no number.
#[test]
fn debits_and_events_share_one_count() {
    check(
        "
        2026-01-01 open
          1 AccountOpened USD gold prepaid US = 0.00
        2026-01-01 call 0.00
          2 debit nothing = 0.00
        2026-01-01 tick
        2026-01-01 buy L1 1.00
          3 FundsAdded L1 1.00 2026-01-01..2027-01-01 = 1.00
        2026-01-01 call 1.00
          4 debit L1 1.00→0.00 = 0.00
          5 BalanceExhausted = 0.00
        2026-01-01 call 0.00
          6 debit nothing = 0.00
        ",
    );
}

/// X7: what is refused, by the ledger or by who knows the rate plans, is an event with a number, and changes nothing.
#[test]
fn refusals_are_events() {
    check(
        "
        2026-01-01 buy L1 1.00
          2 FundsAdded L1 1.00 2026-01-01..2027-01-01 = 1.00
        2026-01-02 open
          3 CommandRefused openAccount account-exists = 1.00
        2026-01-02 buy L2 1.00 in EUR
          4 CommandRefused addFunds currency-mismatch = 1.00
        2026-01-02 buy L2 1.00 in USD
          5 FundsAdded L2 1.00 2026-01-02..2027-01-02 = 2.00
        2026-01-02 unlicence PP
          6 CommandRefused removeLicence licence-not-held = 2.00
        2026-01-02 unsold plan tin
          7 CommandRefused setRatePlan unknown-rate-plan = 2.00
        2026-01-02 plan?
          gold
        2026-01-02 books
          purchased 2.00 remaining 2.00
        ",
    );
}
