//! Identity: duplicates, conflicts, corrections, and when an identity is forgotten.

use super::check;

/// boundaries.md D2: what rating, identity and attribution read decides; names and upstream figures may differ.
#[test]
fn d2_the_same_content_is_a_duplicate() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                       -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s                  -> 2 debit 1.00 overdraft:1.00
        2026-03-01 acme call C1 +442071838750 60s named Other      -> duplicate
        2026-03-01 acme call C1 +442071838750 61s                  -> rejected quarantined
        2026-03-01 acme call C1 +442071838751 60s                  -> rejected quarantined
        2026-03-01 acme call C1 +442071838750 60s by u2            -> rejected quarantined
        2026-03-01 acme call C1 +442071838750 60s from 2026-02-28  -> rejected quarantined
        2026-03-01 acme call C1 +442071838750 60s source other     -> 3 debit 1.00 overdraft:2.00
        ",
    );
}

/// boundaries.md D2: the organisation is content, not identity.
#[test]
fn d11_the_same_id_of_another_organisation_is_quarantined() {
    check(
        "
        row 44 1
        2026-03-01 acme open                       -> 1 AccountOpened
        2026-03-01 b    open                       -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s  -> 2 debit 1.00 overdraft:1.00
        2026-03-01 b    call C1 +442071838750 60s  -> rejected quarantined
        ",
    );
}

/// boundaries.md D3: rejected and quarantined records claim nothing.
#[test]
fn d3_rejects_claim_no_id() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                       -> 1 AccountOpened
        2026-03-01 acme call C1 +0 60s                             -> rejected bad-number
        2026-03-01 acme call C1 +442071838750 60s from 2026-01-01  -> rejected too-late
        2026-03-01 acme call C1 +442071838750 60s from 2026-04-01  -> rejected in-the-future
        2026-03-01 acme call C1 +442071838750 60s                  -> 2 debit 1.00 overdraft:1.00
        2026-03-01 acme call C1 +442071838750 99s                  -> rejected quarantined
        2026-03-01 acme call C1 +442071838750 60s                  -> duplicate
        ",
    );
}

/// boundaries.md D4: missing is 0, lower is stale, equal with other content is quarantined; higher is a correction.
#[test]
fn d4_revisions() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                     -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s rev 1          -> 2 debit 1.00 overdraft:1.00
        2026-03-01 acme call C1 +442071838750 90s                -> duplicate
        2026-03-01 acme call C1 +442071838750 90s rev 1          -> rejected quarantined
        2026-03-01 acme call C1 +442071838750 90s rev 2          -> 3 debit -1.00 overdraft:0.00 #reversal, 4 debit 2.00 overdraft:2.00
        2026-03-01 acme call C1 +442071838750 60s rev 1          -> duplicate
        2026-03-01 acme call C1 +442071838750 90s rev 2          -> duplicate
        2026-03-01 acme call C2 +442071838750 60s rev 254        -> 5 debit 1.00 overdraft:3.00
        2026-03-01 acme call C3 +442071838750 60s rev 255        -> rejected bad-field
        ",
    );
}

/// boundaries.md D5: a void of nothing claims nothing; a later record needs a higher revision than the void.
#[test]
fn d5_voids() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                     -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s void           -> rejected nothing-to-void
        2026-03-01 acme call C1 +442071838750 60s                -> 2 debit 1.00 overdraft:1.00
        2026-03-01 acme call C1 +442071838750 60s void           -> 3 debit -1.00 overdraft:0.00 #reversal
        2026-03-01 acme call C1 +442071838750 60s void           -> duplicate
        2026-03-01 acme call C1 +442071838750 61s void           -> rejected nothing-to-void
        2026-03-01 acme call C1 +442071838750 60s                -> rejected quarantined
        2026-03-01 acme call C1 +442071838750 60s rev 1 void     -> rejected nothing-to-void
        2026-03-01 acme call C1 +442071838750 60s rev 1          -> 4 debit 1.00 overdraft:1.00
        2026-03-01 acme call C1 +442071838750 60s rev 3 void     -> 5 debit -1.00 overdraft:0.00 #reversal
        2026-03-01 acme call C1 +442071838750 60s rev 2          -> duplicate
        ",
    );
}

/// boundaries.md L12: a command is known by its id, also one that was refused, also long after it was sent.
#[test]
fn l12_a_command_comes_twice() {
    check(
        "
        row 44 1
        2026-03-01 acme open                       -> 1 AccountOpened
        2026-03-01 acme buy L1 1.00 id X           -> 2 FundsAdded
        2026-03-02 acme buy L2 1.00 id X           -> duplicate
        2026-03-02 acme buy L3 0 id Y              -> 3 CommandRefused amount-not-positive
        2026-03-02 acme buy L3 1.00 id Y           -> duplicate
        2026-03-02 b    buy L1 1.00 id X           -> rejected unknown-org
        2026-03-20 acme call C1 +442071838750 60s  -> 4 debit 1.00 L1:1.00, 5 BalanceExhausted
        2026-03-02 acme buy L4 1.00 id Z           -> 6 FundsAdded
        2026-03-20 acme buy L5 1.00 id Z           -> duplicate
        2026-03-20 acme buy L6 1.00 id X           -> 7 FundsAdded
        ",
    );
}

/// boundaries.md T2, L12: a command with an old timestamp is handled now, and remembered from now on.
#[test]
fn l12_an_old_command_is_remembered_from_its_handling_on() {
    check(
        "
        row 44 1
        2026-03-01 acme open                       -> 1 AccountOpened
        2026-03-20 acme call C1 +442071838750 60s  -> 2 debit 1.00 overdraft:1.00
        2026-03-02 acme buy L1 1.00 id Z           -> 3 FundsAdded, 4 OverdraftSettled
        2026-03-21 acme call C2 +442071838750 60s  -> 5 debit 1.00 overdraft:1.00
        2026-03-21 acme buy L2 1.00 id Z           -> duplicate
        ",
    );
}

/// A day is forgotten one day after its window ended, whatever the batches; within, the record is late, not new.
#[test]
fn d1_an_id_is_forgotten_by_the_day() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                           -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s                      -> 2 debit 1.00 overdraft:1.00
        2026-03-09T23:00 acme call C2 +442071838750 60s                -> 3 debit 1.00 overdraft:2.00
        2026-03-09T23:00 acme call C1 +442071838750 60s from 2026-03-01 -> rejected too-late
        2026-03-09T23:00 acme call C1 +442071838750 60s                -> rejected quarantined
        2026-03-10T00:00 acme call C3 +442071838750 60s                -> 4 debit 1.00 overdraft:3.00
        2026-03-10T00:00 acme call C1 +442071838750 60s                -> 5 debit 1.00 overdraft:4.00
        2026-03-10T00:00 acme call C1 +442071838750 60s                -> duplicate
        ",
    );
}

/// A leap of months forgets what lies before it, and nothing that came after it.
#[test]
fn d1_a_leap_of_months_keeps_what_follows() {
    check(
        "
        row 44 1
        2026-03-01 acme open                       -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s  -> 2 debit 1.00 overdraft:1.00
        2026-09-01 acme call C2 +442071838750 60s  -> 3 debit 1.00 overdraft:2.00
        2026-09-01 acme call C2 +442071838750 60s  -> duplicate
        2026-09-01 acme call C1 +442071838750 60s  -> 4 debit 1.00 overdraft:3.00
        2027-03-01 acme call C3 +442071838750 60s  -> 5 debit 1.00 overdraft:4.00
        2027-03-01 acme call C1 +442071838750 60s  -> 6 debit 1.00 overdraft:5.00
        2027-03-01 acme call C1 +442071838750 60s  -> duplicate
        ",
    );
}
