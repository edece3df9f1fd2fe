//! Golden scripts of boundary cases that only the engine as a whole can show, each by its id.

mod forgotten;
mod identity;
mod licences;
mod pricing;
mod script;
mod time;
mod undo;

use script::check;

/// boundaries.md U9, L18: no account, or a closed one; neither claims the id, so that the record can be replayed.
#[test]
fn u9_a_record_without_an_open_account_can_be_replayed() {
    check(
        "
        row 44 1
        2026-03-01 acme call C1 +442071838750 60s  -> rejected unknown-org
        2026-03-01 acme open                       -> 1 AccountOpened
        2026-03-02 acme call C1 +442071838750 60s  -> 2 debit 1.00 overdraft:1.00
        2026-03-03 acme close                      -> 3 AccountClosed
        2026-03-04 acme call C2 +442071838750 60s  -> rejected org-closed
        2026-03-04 acme call C2 +442071838750 60s  -> rejected org-closed
        2026-03-04 b    open                       -> 1 AccountOpened
        2026-03-04 b    call C2 +442071838750 60s  -> 2 debit 1.00 overdraft:1.00
        ",
    );
}

/// boundaries.md U10: the key stands in for a silent body, and the two may not differ.
#[test]
fn u10_body_and_key_agree() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                 -> 1 AccountOpened
        2026-03-01 acme call C1 +442071838750 60s key b      -> rejected org-mismatch
        2026-03-01 acme call C1 +442071838750 60s key acme   -> 2 debit 1.00 overdraft:1.00
        2026-03-01 -    call C2 +442071838750 60s key acme   -> 3 debit 1.00 overdraft:2.00
        2026-03-01 -    call C3 +442071838750 60s            -> rejected missing-field
        ",
    );
}

/// boundaries.md X6: debits, those of nothing too, and events take a `seq`; duplicates and rejects do not.
#[test]
fn x6_only_debits_and_events_are_numbered() {
    check(
        "
        row 44 1
        2026-03-01 acme open                                     -> 1 AccountOpened
        2026-03-01 acme buy L1 1.00                              -> 2 FundsAdded
        2026-03-02 acme call C1 +442071838750 0s                 -> 3 debit 0.00 #zero-seconds
        2026-03-02 acme call C1 +442071838750 0s                 -> duplicate
        2026-03-02 acme call C2 +0 60s                           -> rejected bad-number
        2026-03-02 acme call C3 +442071838750 60s                -> 4 debit 1.00 L1:1.00, 5 BalanceExhausted
        ",
    );
}

/// boundaries.md X7: a refused command is an event with a `seq`; one that no account can answer is a reject.
#[test]
fn x7_a_refused_command_is_an_event() {
    check(
        "
        row 44 1
        2026-03-01 acme buy L1 1.00    -> rejected unknown-org
        2026-03-01 acme open           -> 1 AccountOpened
        2026-03-01 acme open           -> 2 CommandRefused account-exists
        2026-03-01 acme buy L1 0       -> 3 CommandRefused amount-not-positive
        2026-03-01 acme buy L1 1.00    -> 4 FundsAdded
        2026-03-01 acme buy L1 1.00    -> 5 CommandRefused lot-exists
        2026-03-01 acme close          -> 6 LotRefunded, 7 AccountClosed, 8 BalanceExhausted
        2026-03-01 acme buy L2 1.00    -> 9 CommandRefused account-closed
        ",
    );
}

/// An account can only be opened on a plan that exists and is in its currency; there is none to number the refusal.
#[test]
fn x7_an_account_that_cannot_be_opened_is_a_reject() {
    check(
        "
        row 44 1
        plan gold
        2026-03-01 acme open on silver -> rejected refused
        2026-03-01 acme open on gold   -> 1 AccountOpened
        2026-03-01 acme plan silver    -> 2 CommandRefused unknown-rate-plan
        2026-03-01 acme plan gold      -> 3 RatePlanSet
        ",
    );
}
