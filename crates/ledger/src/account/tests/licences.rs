//! Licences, pools of minutes, and who may draw credits.
//!
//! The scripts' catalogue: EITHER has 10 domestic or 5 international minutes a user, shared over the country; OWN has 6
//! domestic ones for each user; PP is the credits licence; `talk 5 domestic by u1` draws minutes.

use super::check;

/// P1–P3, P9, P18: shared, drawn by the minute, one event at 80 % and one at 100 %, minutes carry no amount.
#[test]
fn a_shared_pool_is_drawn_to_its_end() {
    check(
        "
        2026-01-01 licence EITHER
          2 LicenceAssigned u1 EITHER US since 2026-01-01 = 0.00
        2026-01-01 licence EITHER for u2 in PR
          3 LicenceAssigned u2 EITHER PR since 2026-01-01 = 0.00
        2026-01-02 talk 15 domestic by u1
          4 debit EITHER/US domestic 0→15/20 = 0.00
        2026-01-02 talk 1 domestic by u2
          5 debit EITHER/US domestic 15→16/20 = 0.00
          6 PoolThresholdReached EITHER/US domestic 2026-01-01 80 %: 16/20 = 0.00
        2026-01-02 talk 9 domestic by u2 rest 2.00
          7 debit EITHER/US domestic 16→20/20, overdraft 0.00→2.00 = -2.00
          8 PoolThresholdReached EITHER/US domestic 2026-01-01 100 %: 20/20 = -2.00
        2026-01-02 talk 1 international by u2 rest 1.00
          9 debit overdraft 2.00→3.00 = -3.00
        2026-02-01 talk 1 international by u2
          10 debit EITHER/US international 0→1/10 = -3.00
        2026-02-01 talk 1 domestic by u2 from 2026-01-31T23:59:59.9999999 rest 1.00
          11 debit overdraft 3.00→4.00 = -4.00
        ",
    );
}

/// P7: reaching either closes both; a licence added later opens both for calls that start from then on.
#[test]
fn either_figure_closes_both() {
    check(
        "
        2026-01-01 licence EITHER
          2 LicenceAssigned u1 EITHER US since 2026-01-01 = 0.00
        2026-01-02 talk 9 international by u1 rest 1.00
          3 debit EITHER/US international 0→5/5, overdraft 0.00→1.00 = -1.00
          4 PoolThresholdReached EITHER/US international 2026-01-01 80 %: 5/5 = -1.00
          5 PoolThresholdReached EITHER/US international 2026-01-01 100 %: 5/5 = -1.00
        2026-01-03 talk 1 domestic by u1 rest 1.00
          6 debit overdraft 1.00→2.00 = -2.00
        2026-01-04 licence EITHER for u2
          7 LicenceAssigned u2 EITHER US since 2026-01-04 = -2.00
        2026-01-04 talk 1 domestic by u1
          8 debit EITHER/US domestic 0→1/20 = -2.00
        2026-01-04 talk 1 domestic by u1 from 2026-01-03T23:59:59 rest 1.00
          9 debit overdraft 2.00→3.00 = -3.00
        2026-01-05 unlicence EITHER for u2
          10 LicenceRemoved u2 EITHER US = -3.00
        2026-01-06 talk 1 domestic by u1 rest 1.00
          11 debit overdraft 3.00→4.00 = -4.00
        2026-01-06 talk 1 domestic by u2 from 2026-01-04T12:00
          12 debit EITHER/US domestic 1→2/20 = -4.00
        ",
    );
}

/// P14, P15: twice is nothing; another country is a removal; a user's own pool goes on.
#[test]
fn licences_come_and_go() {
    check(
        "
        2026-01-01 licence OWN
          2 LicenceAssigned u1 OWN US since 2026-01-01 = 0.00
        2026-01-02 licence OWN
          3 LicenceAssigned u1 OWN US since 2026-01-01 = 0.00
        2026-01-03 talk 4 domestic by u1
          4 debit OWN/u1 domestic 0→4/6 = 0.00
        2026-01-04 licence OWN in DE
          5 LicenceRemoved u1 OWN US = 0.00
          6 LicenceAssigned u1 OWN DE since 2026-01-04 = 0.00
        2026-01-05 unlicence OWN
          7 LicenceRemoved u1 OWN DE = 0.00
        2026-01-06 unlicence OWN
          8 CommandRefused removeLicence licence-not-held = 0.00
        2026-01-07 licence OWN
          9 LicenceAssigned u1 OWN US since 2026-01-07 = 0.00
        2026-01-07 talk 9 domestic by u1 rest 1.00
          10 debit OWN/u1 domestic 4→6/6, overdraft 0.00→1.00 = -1.00
          11 PoolThresholdReached OWN/u1 domestic 2026-01-01 80 %: 6/6 = -1.00
          12 PoolThresholdReached OWN/u1 domestic 2026-01-01 100 %: 6/6 = -1.00
        ",
    );
}

/// W1–W7: credits need a plan and the credits licence; the exemption needs neither; minutes need no credits licence.
#[test]
fn credits_need_licences() {
    check(
        "
        2026-01-01 open licensed
          1 AccountOpened USD gold prepaid US = 0.00
        2026-01-01 buy L1 9.00
          2 FundsAdded L1 9.00 2026-01-01..2027-01-01 = 9.00
        2026-01-01 licence OWN
          3 LicenceAssigned u1 OWN US since 2026-01-01 = 9.00
        2026-01-02 talk 7 domestic by u1 rest 1.00
          4 debit OWN/u1 domestic 0→6/6, unlicensed 0.00→1.00 = 9.00
          5 PoolThresholdReached OWN/u1 domestic 2026-01-01 80 %: 6/6 = 9.00
          6 PoolThresholdReached OWN/u1 domestic 2026-01-01 100 %: 6/6 = 9.00
        2026-01-03 licence PP
          7 LicenceAssigned u1 PP US since 2026-01-03 = 9.00
        2026-01-03 talk 1 domestic by u1 rest 1.00
          8 debit L1 9.00→8.00 = 8.00
        2026-01-03 talk 1 domestic by u1 from 2026-01-02T23:59:59 rest 1.00
          9 debit unlicensed 1.00→2.00 = 8.00
        2026-01-03 licence EXEMPT for u2
          10 LicenceAssigned u2 EXEMPT US since 2026-01-03 = 8.00
        2026-01-03 talk 1 domestic by u2 rest 1.00
          11 debit L1 8.00→7.00 = 7.00
        2026-01-03 talk 1 domestic by u3 rest 1.00
          12 debit unlicensed 2.00→3.00 = 7.00
        2026-01-03 talk 1 domestic by u3
          13 debit nothing = 7.00
        2026-01-03 books
          purchased 9.00 spent 2.00 remaining 7.00 charged 5.00 drawn 2.00 unlicensed 3.00
        ",
    );
}

/// D9: minutes go back into their month; a threshold that was raised is not raised again.
#[test]
fn minutes_are_given_back() {
    check(
        "
        2026-01-01 licence OWN
          2 LicenceAssigned u1 OWN US since 2026-01-01 = 0.00
        2026-01-02 talk 5 domestic by u1
          3 debit OWN/u1 domestic 0→5/6 = 0.00
          4 PoolThresholdReached OWN/u1 domestic 2026-01-01 80 %: 5/6 = 0.00
        2026-02-02 void 3
          5 reversed OWN/u1 domestic 5→0/6 = 0.00
        2026-02-02 talk 6 domestic by u1 from 2026-01-31
          6 debit OWN/u1 domestic 0→6/6 = 0.00
          7 PoolThresholdReached OWN/u1 domestic 2026-01-01 100 %: 6/6 = 0.00
        ",
    );
}
