//! Prices: what costs nothing and why, what nobody can price, and which deck is asked.

use super::check;

/// boundaries.md U15: what costs nothing is a debit of nothing, with a `seq` and the reason.
#[test]
fn u15_nothing_is_a_debit_too() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                       -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s as user_in       -> 2 debit 0.00 #user-in
        2026-03-01 acme call C2 +442071838750 60s as dr_whatever   -> 3 debit 0.00 #direct-routing
        2026-03-01 acme call C3 999 60s in GB                      -> 4 debit 0.00 #emergency
        2026-03-01 acme call C4 +442071838750 60s as conf_in       -> 5 debit 0.00 #toll-number
        2026-03-01 acme call C4 +442071838750 60s as conf_in       -> duplicate
        ",
    );
}

/// boundaries.md U16: without a price it is a debit of nothing that claims its id.
#[test]
fn u16_unrated_is_debited() {
    check(
        "
        row 44 1
        2026-03-01 acme open                        -> 1 AccountOpened
        2026-03-01 acme call C1 +33123456789 60s    -> 2 debit 0.00 unrated:no-row #unrated
        2026-03-01 acme call C1 +33123456789 60s    -> duplicate
        2026-03-01 acme call C2 +*** 60s            -> 3 debit 0.00 unrated:nothing-visible #masked #unrated
        ",
    );
}

/// boundaries.md U18: outbound types ask outbound rows, inbound ones toll-free rows.
#[test]
fn u18_the_product_by_call_type() {
    check(
        "
        row 44 1
        row 44 2 toll-free-inbound
        2026-03-01 acme open                                      -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s as user_out     -> 2 debit 1.00 overdraft:1.00
        2026-03-01 acme call C2 +442071838750 60s as conf_out     -> 3 debit 1.00 overdraft:2.00
        2026-03-01 acme call C3 +442071838750 60s as ucap_out     -> 4 debit 1.00 overdraft:3.00
        2026-03-01 acme call C4 +442071838750 60s as conf_in      -> 5 debit 2.00 overdraft:5.00
        2026-03-01 acme call C5 +442071838750 60s as ucap_in      -> 6 debit 2.00 overdraft:7.00
        2026-03-01 acme call C6 +442071838750 60s as unassigned_in -> 7 debit 2.00 overdraft:9.00
        2026-03-01 acme call C7 +442071838750 60s as fax          -> rejected unknown-call-type
        ",
    );
}

/// boundaries.md U22: a toll-free number is one that the numbering plan or a row says is one.
#[test]
fn u22_toll_or_toll_free() {
    check(
        "
        row 44 1
        row 448081570 2 toll-free-inbound
        row 4930 3 toll-free-inbound
        2026-03-01 acme open                                      -> 1 AccountOpened
        2026-03-01 acme call C1 +448081570000 60s as conf_in      -> 2 debit 2.00 overdraft:2.00
        2026-03-01 acme call C2 +18002345678 60s as conf_in       -> 3 debit 0.00 unrated:no-row #unrated
        2026-03-01 acme call C3 +493012345678 60s as conf_in      -> 4 debit 3.00 overdraft:5.00
        2026-03-01 acme call C4 +498912345678 60s as conf_in      -> 5 debit 0.00 #toll-number
        ",
    );
}

/// boundaries.md C5: before the first version there is no deck.
#[test]
fn c5_before_the_first_version() {
    check(
        "
        from 2026-03-02T10:00
        row 44 1
        2026-03-02T10:00 acme open                                                       -> 1 AccountOpened
        2026-03-02T10:00 acme call C1 +442071838750 60s from 2026-03-02T09:59:59.9999999 -> 2 debit 0.00 unrated:no-deck #unrated
        2026-03-02T10:00 acme call C2 +442071838750 60s from 2026-03-02T10:00            -> 3 debit 1.00 overdraft:1.00
        ",
    );
}

/// boundaries.md C6: another plan is for calls that start at or after the command; earlier starts keep the old one.
#[test]
fn c6_a_rate_plan_holds_from_its_command_on() {
    check(
        "
        row 44 1
        row 44 5 toll-free-inbound
        plan gold
        plan deaf outbound
        2026-03-01T09:00 acme open on gold                                               -> 1 AccountOpened
        2026-03-01T10:00 acme plan deaf                                                  -> 2 RatePlanSet
        2026-03-01T11:00 acme call C1 +442071838750 60s as conf_in from 2026-03-01T09:59:59.9999999 -> 3 debit 5.00 overdraft:5.00
        2026-03-01T11:00 acme call C2 +442071838750 60s as conf_in from 2026-03-01T10:00 -> 4 debit 0.00 #toll-number
        2026-03-01T11:00 acme call C3 +442071838750 60s as user_out                      -> 5 debit 1.00 overdraft:6.00
        2026-03-01T11:00 acme call C4 +442071838750 60s as conf_in from 2026-02-28       -> 6 debit 5.00 overdraft:11.00
        ",
    );
}

/// boundaries.md N1: every masked number is flagged; one where a longer row could match is so too, found a row or not.
#[test]
fn n1_masked_numbers_are_flagged() {
    check(
        "
        row 44 1
        row 4479 2
        2026-03-01 acme open                          -> 1 AccountOpened
        2026-03-01 acme call C1 +4420*** 60s          -> 2 debit 1.00 overdraft:1.00 #masked
        2026-03-01 acme call C2 +447*** 60s           -> 3 debit 1.00 overdraft:2.00 #masked #masked-uncertain
        2026-03-01 acme call C3 +4*** 60s             -> 4 debit 0.00 unrated:no-row #masked #masked-uncertain #unrated
        2026-03-01 acme call C4 +33*** 60s            -> 5 debit 0.00 unrated:no-row #masked #unrated
        ",
    );
}
