//! Charges, case by case, each with the rule it shows.

use drawdown_units::Timestamp;

use crate::testing::{at, call, deck, number};
use crate::{Bound, Call, Charge, Deck, Uncharged};

fn charge<'d>(deck: &'d Deck, call: &Call) -> Charge<'d> {
    deck.charge(call).unwrap_or_else(|reason| panic!("{call:?}: {reason:?}"))
}

/// Rows of `prefix,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,maximum_charge`.
fn simple(row: &str) -> Deck {
    let header = "prefix,price_per_minute,connection_fee,initial_s,increment_s,minimum_charge,maximum_charge";
    deck("", &format!("{header}\n{row}\n"))
}

#[test]
fn bills_whole_increments_bounds_the_sum_and_rounds_once() {
    use Bound::{Maximum, Minimum, None};
    for (row, seconds, billable, amount, bound) in [
        // boundaries.md C1: a call of no seconds costs nothing, neither fee nor minimum.
        ("44,0.12,0.5,60,60,1,", 0, 0, "0.00", None),
        ("44,0.12,0.5,60,60,,", 1, 60, "0.62", None),
        ("44,0.12,,60,60,,", 60, 60, "0.12", None),
        ("44,0.12,,60,60,,", 61, 120, "0.24", None),
        ("44,0.12,,30,6,,", 30, 30, "0.06", None),
        ("44,0.12,,30,6,,", 31, 36, "0.072", None),
        ("44,0.12,,1,1,,", 7, 7, "0.014", None),
        // boundaries.md C3: an initial increment of 0 means that the others begin at once.
        ("44,0.12,,0,60,,", 1, 60, "0.12", None),
        ("44,0.12,,0,6,,", 12, 12, "0.024", None),
        // boundaries.md C2: minimum and maximum bound the whole charge, fee included.
        ("44,0.12,0.5,60,60,0.62,", 60, 60, "0.62", None),
        ("44,0.12,0.5,60,60,0.63,", 60, 60, "0.63", Minimum),
        ("44,0.12,0.5,60,60,,0.61", 60, 60, "0.61", Maximum),
        ("44,0.12,0.5,60,60,0.3,0.3", 60, 60, "0.30", Maximum),
        // Bounds are compared exactly: 0.0000004 is below a minimum that it would be rounded to.
        ("44,0.000000001,,1,1,0.000001,", 1, 1, "0.000001", Minimum),
        // boundaries.md C12: 0.000015 × 6 / 60 is a tie at six decimals.
        ("44,0.000015,,6,6,,", 6, 6, "0.000002", None),
    ] {
        let deck = simple(row);
        let charge = charge(&deck, &call("442071838750", seconds));
        assert_eq!(
            (charge.billable_seconds, charge.amount.to_string().as_str(), charge.bound),
            (billable, amount, bound),
            "{row} for {seconds} s"
        );
        assert!(!charge.is_compound);
        assert_eq!(charge.connection_fee.is_zero(), seconds == 0 || charge.row.connection_fee.is_zero());
    }
}

#[test]
fn absurd_amounts_are_an_outcome_not_a_panic() {
    let deck = simple("44,1000000,1000000000000,86400,86400,,\n45,1000000,1000000000000,1,1,,5");
    assert_eq!(deck.charge(&call("44", u32::MAX)).err(), Some(Uncharged::TooLarge));
    assert_eq!(charge(&deck, &call("45", u32::MAX)).amount.to_string(), "5.00");
    assert_eq!(deck.charge(&call("46", 1)).err(), Some(Uncharged::NoRow));
}

/// boundaries.md N6: the longest destination first, then the longest origin among its rows.
#[test]
fn chooses_by_destination_then_by_origin() {
    let deck = deck(
        "",
        "prefix,price_per_minute,origin_prefix\n44,1,\n44,2,1\n44,3,1425\n4420,4,49\n4420,5,4930\n447,6,\n447,7,33\n",
    );
    for (called, caller, price) in [
        ("441", None, Some("1.00")),
        ("441", Some("33"), Some("1.00")),
        ("441", Some("1212"), Some("2.00")),
        ("441", Some("14255550100"), Some("3.00")),
        ("441", Some("14"), Some("2.00")),
        ("4420", Some("4989"), Some("4.00")),
        ("4420", Some("4930"), Some("5.00")),
        // The longest destination has rows for other callers only: no row, and no way back to 44.
        ("4420", Some("33"), None),
        ("4420", None, None),
        ("447", None, Some("6.00")),
        ("447", Some("33140"), Some("7.00")),
    ] {
        let call = Call { caller: caller.map(number), ..call(called, 60) };
        let found = deck.charge(&call).map(|charge| charge.price_per_minute.to_string()).ok();
        assert_eq!(found.as_deref(), price, "+{called} from {caller:?}");
    }
}

const TIERS: &str = "prefix,price_per_minute,initial_s,increment_s,tier2_from_s,tier2_price_per_minute,\
                     tier3_from_s,tier3_price_per_minute\n";

/// An increment has the price of the tier in which it begins.
#[test]
fn tiers_change_the_price_at_the_next_increment() {
    let deck = deck("", &format!("{TIERS}44,0.6,60,60,90,0.3,180,0\n45,0.6,60,60,600,0.3,,\n46,0.6,0,1,1,6,,\n"));
    for (called, seconds, amount, is_compound) in [
        ("44", 60, "0.60", false),
        // The second minute begins at 60, in the first tier.
        ("44", 91, "1.20", false),
        ("44", 121, "1.50", true),
        ("44", 100_000, "1.50", true),
        ("45", 600, "6.00", false),
        ("45", 601, "6.30", true),
        ("46", 1, "0.01", false),
        ("46", 2, "0.11", true),
        ("46", 0, "0.00", false),
    ] {
        let charge = charge(&deck, &call(called, seconds));
        let found = (charge.amount.to_string(), charge.is_compound);
        assert_eq!((found.0.as_str(), found.1), (amount, is_compound), "+{called} {seconds} s");
    }
}

/// Rows that are chosen by origin have tiers like any other.
#[test]
fn tiers_and_origins_go_together() {
    let header = "prefix,price_per_minute,origin_prefix,initial_s,increment_s,tier2_from_s,tier2_price_per_minute\n";
    let deck = deck("", &format!("{header}44,0.6,1,60,60,60,0.3\n44,0.6,2,60,60,,\n44,1.2,,60,60,120,0\n"));
    for (caller, amount) in [(Some("1"), "1.20"), (Some("2"), "1.80"), (Some("3"), "2.40"), (None, "2.40")] {
        let call = Call { caller: caller.map(number), ..call("442", 180) };
        assert_eq!(charge(&deck, &call).amount.to_string(), amount, "from {caller:?}");
    }
}

fn bands(selection: &str) -> String {
    format!(
        r#"[bands]
zone = "Europe/Berlin"
selection = "{selection}"
holidays = ["2026-12-25"]
[[bands.band]]
name = "peak"
days = ["mon", "tue", "wed", "thu", "fri"]
from = "08:00"
to = "18:00"
[[bands.band]]
name = "holiday"
days = ["holiday"]
from = "00:00"
to = "24:00"
"#
    )
}

const BANDED: &str = "prefix,price_per_minute,initial_s,increment_s,connection_fee,band\n\
                      49,0.6,60,60,1,peak\n49,0.3,60,60,1,\n49,0.1,60,60,1,holiday\n\
                      4930,0.9,1,1,,\n";

fn price_at(deck: &Deck, called: &str, start: &str) -> String {
    charge(deck, &Call { start: at(start), ..call(called, 60) }).price_per_minute.to_string()
}

/// boundaries.md C8: `[from, to)` in the band's zone, holiday before weekday. boundaries.md C7: prefix first, band second.
#[test]
fn the_band_of_the_start_is_local_and_half_open() {
    let deck = deck(&bands("start"), BANDED);
    for (start, price) in [
        ("2026-03-02T06:59:59.9999999Z", "0.30"),
        ("2026-03-02T07:00:00Z", "0.60"),
        ("2026-03-02T16:59:59.9999999Z", "0.60"),
        ("2026-03-02T17:00:00Z", "0.30"),
        // Summer time begins on 29 March 2026.
        ("2026-03-30T06:00:00Z", "0.60"),
        ("2026-03-30T05:59:59Z", "0.30"),
        ("2026-03-01T12:00:00Z", "0.30"),
        // Christmas is a Friday; its day begins and ends at local midnight.
        ("2026-12-25T12:00:00Z", "0.10"),
        ("2026-12-24T23:00:00Z", "0.10"),
        ("2026-12-24T22:59:59Z", "0.30"),
        ("2026-12-25T23:00:00Z", "0.30"),
    ] {
        assert_eq!(price_at(&deck, "498", start), price, "{start}");
        assert_eq!(price_at(&deck, "4930", start), "0.90", "{start}");
    }
    let long = charge(&deck, &Call { start: at("2026-03-02T16:59:00Z"), ..call("498", 600) });
    assert_eq!((long.amount.to_string().as_str(), long.is_compound), ("7.00", false));
}

/// boundaries.md C9: increments run from the call's start, each has the price of the band in which it begins; the fee
/// comes once.
#[test]
fn a_split_call_pays_each_increment_by_the_band_in_which_it_begins() {
    let deck = deck(&bands("split"), BANDED);
    for (start, seconds, amount) in [
        ("2026-03-02T16:58:00Z", 120, "2.20"),
        ("2026-03-02T16:58:00Z", 121, "2.50"),
        // The second minute begins half a minute before six.
        ("2026-03-02T16:58:30Z", 120, "2.20"),
        ("2026-03-02T16:58:30Z", 121, "2.50"),
        // A fraction of a second before six is before six.
        ("2026-03-02T16:59:59.9999999Z", 60, "1.60"),
        ("2026-03-02T16:59:59.9999999Z", 61, "1.90"),
        // From peak on Monday to peak on Tuesday: 2 min, 14 h, 1 min.
        ("2026-03-02T16:58:00Z", 120 + 14 * 3_600 + 60, "254.80"),
        ("2026-12-24T22:59:00Z", 120, "1.40"),
        ("2026-03-02T16:58:00Z", 0, "0.00"),
    ] {
        let charge = charge(&deck, &Call { start: at(start), ..call("498", seconds) });
        assert_eq!(charge.amount.to_string(), amount, "{seconds} s from {start}");
    }
}

#[test]
fn a_breakdown_adds_up_to_its_charge() {
    let deck = deck(&bands("split"), BANDED);
    let call = Call { start: at("2026-03-02T16:58:30Z"), ..call("498", 50_600) };
    let breakdown = deck.breakdown(&call).expect("a row");
    let parts: Vec<_> = breakdown
        .parts
        .iter()
        .map(|part| (part.from_second, part.seconds, part.price.to_string(), part.band, part.row.line))
        .collect();
    assert_eq!(
        parts,
        [
            (0, 120, "0.60".to_owned(), Some("peak"), 2),
            (120, 50_400, "0.30".to_owned(), None, 3),
            (50_520, 120, "0.60".to_owned(), Some("peak"), 2)
        ]
    );
    assert_eq!(breakdown.sum.to_string(), "255.40");
    assert_eq!(breakdown.charge.amount.to_string(), "255.40");
    assert!(breakdown.charge.is_compound);
    assert!(deck.breakdown(&Call { seconds: 0, ..call }).expect("a row").parts.is_empty());
}

/// The price of a century is a matter of milliseconds, and the edges of time are no edges of the code.
#[test]
fn the_longest_call_and_the_edges_of_time_are_priced() {
    let deck = deck(&bands("split"), BANDED);
    for start in [Timestamp::MIN, Timestamp::EPOCH, Timestamp::MAX, at("1893-03-31T23:00:00Z")] {
        let long = charge(&deck, &Call { start, ..call("498", u32::MAX) });
        assert!(long.amount.is_positive() && long.is_compound, "{start}");
    }
}

/// boundaries.md N1, N2: the longest certain prefix, and whether a longer one could match under the mask.
#[test]
fn masked_numbers_match_what_is_certain() {
    let deck = deck("", "prefix,price_per_minute\n49,1\n4912,2\n491234,3\n4930,4\n");
    for (called, prefix, is_uncertain) in [
        ("49***", Some("49"), true),
        ("491***", Some("49"), true),
        ("4912***", Some("4912"), true),
        ("49123***", Some("4912"), true),
        ("491234***", Some("491234"), false),
        ("4912345***", Some("491234"), false),
        ("4931***", Some("49"), false),
        ("4930***", Some("4930"), false),
        ("4***", None, false),
        ("49", Some("49"), false),
        ("491234", Some("491234"), false),
    ] {
        let found = deck.charge(&call(called, 60)).ok();
        let found = found.map(|charge| (charge.row.prefix.to_string(), charge.masked_uncertain));
        assert_eq!(found, prefix.map(|prefix| (prefix.to_owned(), is_uncertain)), "{called}");
    }
}
