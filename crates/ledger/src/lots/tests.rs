//! What a draw touches.

use super::*;

const UNIT: Money = Money::from_micros(1_000_000);

fn day(number: i64) -> Timestamp {
    Timestamp::EPOCH.plus_seconds(number.wrapping_mul(86_400))
}

/// `count` lots of one unit, bought on successive days.
fn lots(count: i64) -> Lots {
    let mut lots = Lots::default();
    for number in 0..count {
        lots.add(Lot::bought(format!("L{number:05}").into(), UNIT, day(number), Timestamp::MAX));
    }
    lots
}

/// A draw is flat in the number of spent lots: it begins at the first that holds anything.
#[test]
fn spent_lots_are_never_looked_at_again() {
    for spent_count in [0, 1, 2, 100, 10_000_u32] {
        let mut lots = lots(i64::from(spent_count).wrapping_add(3));
        let spent = Money::from_micros(UNIT.micros().wrapping_mul(spent_count.into()));
        let mut lines = Vec::new();
        assert_eq!(lots.spend(spent, day(0), &mut lines), Money::ZERO);
        assert_eq!((lines.len() as u32, lots.totals.first_open), (spent_count, spent_count));

        lines.clear();
        assert_eq!(lots.spend(UNIT.plus(UNIT), day(0), &mut lines), Money::ZERO);
        let touched: Vec<FundingSource> = lines.iter().map(|line| line.source).collect();
        let next = [spent_count, spent_count.wrapping_add(1)].map(FundingSource::Lot);
        assert_eq!(touched, next);
        assert_eq!(lots.totals.first_open, spent_count.wrapping_add(2));
    }
}

/// However the lots in front became empty, they are skipped; a backdated purchase before them is found.
#[test]
fn the_first_open_lot_is_known_after_every_change() {
    let mut lots = lots(4);
    lots.end(0, State::Refunded);
    assert_eq!(lots.totals.first_open, 1);
    lots.withdraw(UNIT);
    assert_eq!(lots.totals.first_open, 2);
    lots.expire(2);
    assert_eq!(lots.totals.first_open, 2, "an expired lot still holds its money");
    lots.end(2, State::Forfeited);
    assert_eq!(lots.totals.first_open, 3);
    assert_eq!(lots.add(Lot::bought("old".into(), UNIT, day(-1), Timestamp::MAX)), 0);
    assert_eq!(lots.totals.first_open, 0);
    let mut lines = Vec::new();
    lots.spend(UNIT.plus(UNIT), day(0), &mut lines);
    let touched: Vec<FundingSource> = lines.iter().map(|line| line.source).collect();
    assert_eq!(touched, [FundingSource::Lot(0), FundingSource::Lot(4)]);
    assert_eq!(lots.totals.first_open, 5);
}

/// Which lots a draw of 2.50 from three lots of 1.00 touches, by what they are.
#[test]
fn a_draw_takes_in_order_what_it_may() {
    struct Case {
        name: &'static str,
        prepare: fn(&mut Lots),
        lines: &'static [(u32, i64)],
        missing: i64,
    }
    let cases = [
        Case { name: "all", prepare: |_| {}, lines: &[(0, 1_000_000), (1, 1_000_000), (2, 500_000)], missing: 0 },
        Case {
            name: "one in its grace, though the call started in time",
            prepare: |lots| assert_eq!(lots.expire(0), UNIT),
            lines: &[(0, 1_000_000), (1, 1_000_000), (2, 500_000)],
            missing: 0,
        },
        Case {
            name: "one that ended as the call started",
            prepare: |lots| lots.lots[1].expires = day(10),
            lines: &[(0, 1_000_000), (2, 1_000_000)],
            missing: 500_000,
        },
        Case {
            name: "a forfeited one",
            prepare: |lots| assert_eq!(lots.end(2, State::Forfeited), UNIT),
            lines: &[(0, 1_000_000), (1, 1_000_000)],
            missing: 500_000,
        },
    ];
    for Case { name, prepare, lines: expected, missing } in cases {
        let mut lots = lots(3);
        prepare(&mut lots);
        let mut lines = Vec::new();
        let rest = lots.spend(Money::from_micros(2_500_000), day(10), &mut lines);
        let drawn: Vec<(FundingSource, i64)> = lines.iter().map(|line| (line.source, line.amount.micros())).collect();
        let expected: Vec<(FundingSource, i64)> =
            expected.iter().map(|(index, micros)| (FundingSource::Lot(*index), *micros)).collect();
        assert_eq!((drawn, rest.micros()), (expected, missing), "{name}");
        assert_eq!(lots.audit(), (lots.totals.remaining, lots.totals.spendable), "{name}");
    }
}

/// Saved lots that break an invariant are not opened.
#[test]
fn restoring_refuses_broken_lots() {
    let good = lots(2).lots;
    assert!(Lots::restore(good.clone()).is_some());
    let broken: [fn(&mut Vec<Lot>); 4] = [
        |lots| lots.reverse(),
        |lots| lots[1] = lots[0].clone(),
        |lots| lots[0].remaining = UNIT.plus(UNIT),
        |lots| lots[0].remaining = UNIT.negated(),
    ];
    for (number, break_them) in broken.iter().enumerate() {
        let mut lots = good.clone();
        break_them(&mut lots);
        assert_eq!(Lots::restore(lots), None, "case {number}");
    }
}
