//! The index against a search through all prefixes.

use proptest::prelude::*;

use super::*;
use crate::testing::number;

fn index_of(prefixes: &[Number]) -> Index {
    let indexed = |(at, prefix): (u32, &Number)| Indexed { prefix: *prefix, row: at };
    Index::new(&(0..).zip(prefixes).map(indexed).collect::<Vec<_>>())
}

/// The longest of the prefixes that begin `number`, found by trying each as text.
fn brute_force(prefixes: &[Number], number: Number) -> Option<u32> {
    let digits = number.to_string();
    let begins = |(_, prefix): &(u32, &Number)| digits.starts_with(&prefix.to_string());
    (0..).zip(prefixes).filter(begins).max_by_key(|(_, prefix)| prefix.length()).map(|(at, _)| at)
}

fn continues_by_force(prefixes: &[Number], number: Number) -> bool {
    let digits = number.to_string();
    prefixes.iter().map(ToString::to_string).any(|prefix| prefix.len() > digits.len() && prefix.starts_with(&digits))
}

fn check(prefixes: &[Number], numbers: impl IntoIterator<Item = Number>) {
    let index = index_of(prefixes);
    for number in numbers {
        let found = index.longest(number, |row| prefixes[row as usize]);
        assert_eq!(found, brute_force(prefixes, number), "{number} among {} prefixes", prefixes.len());
        let continues = index.continues(number);
        assert_eq!(continues, continues_by_force(prefixes, number), "{number} among {} prefixes", prefixes.len());
    }
}

/// Numbers of few different digits, so that they nest, meet and end in zeros.
fn digits(lengths: core::ops::RangeInclusive<usize>) -> impl Strategy<Value = Number> {
    let digit = prop_oneof![4 => Just(b'0'), 4 => Just(b'1'), 1 => Just(b'9'), 1 => b'0'..=b'9'];
    (b'1'..=b'9', prop::collection::vec(digit, 0..=lengths.end() - 1)).prop_map(move |(first, mut rest)| {
        rest.insert(0, if first > b'4' { b'1' } else { first });
        Number::from_digits(&rest).expect("digits")
    })
}

fn sorted(mut prefixes: Vec<Number>) -> Vec<Number> {
    prefixes.sort_unstable();
    prefixes.dedup();
    prefixes
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, failure_persistence: None, ..ProptestConfig::default() })]

    /// The size of the root table depends on how many prefixes there are: both few and many are tried.
    #[test]
    fn finds_what_a_search_through_all_prefixes_finds(
        prefixes in prop_oneof![
            prop::collection::vec(digits(1..=15), 0..30),
            prop::collection::vec(digits(1..=7), 100..600),
        ],
        numbers in prop::collection::vec(digits(1..=15), 1..40),
    ) {
        let prefixes = sorted(prefixes);
        // The prefixes themselves and their ends are where an index goes wrong.
        let edges = prefixes.iter().flat_map(|prefix| {
            let end = prefix.padded_end().saturating_sub(1).to_string();
            [*prefix, Number::from_digits(end.as_bytes()).expect("15 digits")]
        });
        check(&prefixes, edges.chain(numbers));
    }
}

/// boundaries.md N5: a number shorter than a prefix does not match it, though its padding falls into its range.
#[test]
fn a_number_shorter_than_a_prefix_does_not_match_it() {
    let prefixes = sorted(["1", "10", "100", "1000000000", "9", "99", "999999999999999"].map(number).to_vec());
    let numbers = ["1", "10", "100", "1000", "100000000", "1000000000", "9", "99", "999", "999999999999999", "2"];
    check(&prefixes, numbers.map(number));
}

#[test]
fn every_size_of_root_table_finds_every_prefix() {
    for count in [1, 199, 200, 4_999, 5_000, 200_001] {
        let prefixes: Vec<Number> = (0..count).map(|n| number(&format!("{}", 1_000_000 + n * 3))).collect();
        let prefixes = sorted(prefixes);
        let index = index_of(&prefixes);
        for (at, prefix) in (0..).zip(&prefixes) {
            let subscriber = number(&format!("{prefix}55501"));
            assert_eq!(index.longest(subscriber, |row| prefixes[row as usize]), Some(at));
            let beside = number(&format!("{}55501", prefix.padded() / 100_000_000 + 1));
            assert_eq!(index.longest(beside, |row| prefixes[row as usize]), None);
        }
    }
}
