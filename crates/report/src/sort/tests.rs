use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

fn sorted(records: &[(Vec<u8>, Vec<u8>)], memory_bytes_max: usize) -> Vec<(Vec<u8>, Vec<u8>)> {
    let mut sorter = Sorter::new(std::env::temp_dir(), memory_bytes_max);
    for (key, value) in records {
        sorter.push(key, value).expect("pushed");
    }
    let (mut sorted, mut all) = (sorter.finish().expect("finished"), Vec::new());
    while sorted.advance().expect("read back") {
        all.push((sorted.key().to_vec(), sorted.value().to_vec()));
    }
    all
}

proptest! {
    /// However little is held in memory, the order is that of a stable sort of everything.
    #[test]
    fn is_a_stable_sort(records in vec((vec(0_u8..3, 0..4), vec(any::<u8>(), 0..20)), 0..400), memory in 0_usize..2_000) {
        let mut expected = records.clone();
        expected.sort_by(|a, b| a.0.cmp(&b.0));
        prop_assert_eq!(sorted(&records, memory), expected);
    }
}

/// Every record is a run of its own here: levels are merged into levels, twice.
#[test]
fn merges_of_merges_keep_the_order() {
    let count = FAN_IN * FAN_IN + 3 * FAN_IN + 5;
    let records: Vec<_> =
        (0..count as u64).map(|n| ((n * 7_919 % 101).to_be_bytes().to_vec(), n.to_be_bytes().to_vec())).collect();
    let mut expected = records.clone();
    expected.sort_by(|a, b| a.0.cmp(&b.0));
    assert_eq!(sorted(&records, 0), expected);
}
