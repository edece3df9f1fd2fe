use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

fn record(identity: u64, content: u32, revision: u32, day: i64) -> Fingerprint {
    Fingerprint { identity, content, revision, day }
}

/// A spread of hashes like that of a good hash function, from a counter.
fn hash(counter: u64) -> u64 {
    xxhash_rust::xxh3::xxh3_64(&counter.to_le_bytes())
}

/// boundaries.md D4: lower is stale, equal with other content conflicts, higher corrects.
const CONFLICT: Known = Known::Conflict { transaction: 9, is_void: true };

#[test]
fn revisions_are_ordered() {
    let mut dedup = Dedup::default();
    dedup.forget_before(0);
    assert_eq!(dedup.look_up(record(7, 1, 0, 0)), Known::New);
    dedup.insert(record(7, 1, 3, 0), 9);
    assert_eq!(dedup.look_up(record(7, 1, 3, 0)), Known::Duplicate);
    assert_eq!(dedup.look_up(record(7, 2, 3, 0)), CONFLICT);
    assert_eq!(dedup.look_up(record(7, 2, 2, 0)), Known::Stale);
    assert_eq!(dedup.look_up(record(7, 1, 4, 0)), Known::Newer { transaction: 9, revision: 3, is_void: true });
    assert_eq!(dedup.look_up(record(7, 1, 3, 1)), Known::Duplicate, "the day is part of the content, not beside it");
    assert_eq!((dedup.day_of(7), dedup.day_of(8)), (Some(0), None));
}

#[test]
fn whole_days_are_forgotten() {
    let mut dedup = Dedup::default();
    dedup.forget_before(20_500);
    for day in 20_500..20_590 {
        dedup.insert(record(hash(day as u64), 1, 0, day), 1);
    }
    dedup.forget_before(20_530);
    dedup.forget_before(20_510);
    dedup.sweep(dedup.first_day());
    let held = |dedup: &Dedup, day: i64| dedup.look_up(record(hash(day as u64), 1, 0, day)) == Known::Duplicate;
    assert!((20_500..20_590).all(|day| held(&dedup, day) == (day >= 20_530)));
    assert_eq!(dedup.count(), 60);
    dedup.insert(record(1, 1, 0, 20_625), 1);
    dedup.forget_before(20_625);
    dedup.sweep(dedup.first_day());
    assert!(!held(&dedup, 20_580) && dedup.count() == 1);
    dedup.forget_before(90_000);
    dedup.sweep(dedup.first_day());
    assert_eq!(dedup.count(), 0, "a leap of years forgets everything");
}

/// What is forgotten is so before it is swept, is found again when it is undone, and a leap keeps what follows it.
#[test]
fn forgetting_can_be_undone() {
    let mut dedup = Dedup::default();
    let known = |dedup: &Dedup, day: i64| dedup.look_up(record(7, 1, 0, day));
    dedup.forget_before(20_500);
    dedup.insert(record(7, 1, 0, 20_510), 1);
    for first_day in [20_511, 20_590, 20_601, 20_700, 30_000] {
        let forgot = dedup.forget_before(first_day);
        assert_eq!(known(&dedup, 20_510), Known::New, "{first_day}");
        let inserted = dedup.insert(record(7, 1, 0, first_day + 50), 2);
        assert_eq!(known(&dedup, first_day + 50), Known::Duplicate, "{first_day}");
        let later = dedup.forget_before(first_day + 40);
        assert_eq!(known(&dedup, first_day + 50), Known::Duplicate, "{first_day}");
        [later, inserted, forgot].into_iter().for_each(|undo| dedup.undo(undo));
        assert_eq!((known(&dedup, 20_510), dedup.count()), (Known::Duplicate, 1), "{first_day}");
    }
    dedup.forget_before(20_590);
    dedup.insert(record(8, 1, 0, 20_680), 1);
    dedup.forget_before(20_650);
    assert_eq!(dedup.look_up(record(8, 1, 0, 20_680)), Known::Duplicate, "a sweep within a batch keeps what is held");
    assert_eq!(dedup.count(), 1);
}

/// The figure: at most 20 bytes an id, all in, at every size a busy day has.
#[test]
fn an_id_takes_at_most_twenty_bytes() {
    let mut dedup = Dedup::default();
    for counter in 0..1_500_000 {
        dedup.insert(record(hash(counter), 1, 0, 0), 1);
        if counter >= 200_000 && counter % 1_000 == 0 {
            let bytes = dedup.size_bytes() as f64 / dedup.count() as f64;
            assert!(bytes <= 20.0, "{bytes:.2} bytes an id with {counter} of them");
        }
    }
    assert!((0..1_500_000).all(|counter| dedup.look_up(record(hash(counter), 1, 0, 0)) == Known::Duplicate));
    assert!((1_500_000..1_600_000).all(|counter| dedup.look_up(record(hash(counter), 1, 0, 0)) == Known::New));
}

proptest! {
    /// Against a plain map, with hashes that crowd together and at both ends.
    #[test]
    fn equals_a_map(steps in proptest::collection::vec((any::<bool>(), 0_u64..40, 0_u8..4), 0..400)) {
        let mut dedup = Dedup::default();
        let mut map = BTreeMap::new();
        for (insert, number, crowd) in steps {
            let identity = match crowd {
                0 => number,
                1 => u64::MAX - number,
                2 => number << 56,
                _ => hash(number),
            };
            let known = dedup.look_up(record(identity, number as u32, 0, 0)) != Known::New;
            prop_assert_eq!(known, map.contains_key(&identity));
            if insert && !known {
                dedup.insert(record(identity, number as u32, 0, 0), 1);
                map.insert(identity, number);
            } else if !insert && known {
                dedup.undo(Undo(Change::Inserted(identity)));
                map.remove(&identity);
            }
            prop_assert_eq!(dedup.count(), map.len());
        }
    }
}
