//! The prefix index: the longest prefix that begins a number, in two reads of memory.
//!
//! Prefixes nest, but as padded numbers they are ranges, and nested ranges cut the numbers into disjoint stretches, each
//! with one longest prefix. A root table over the first digits leads to the few stretches there; within them a search
//! among integers finds the one, and with it the prefix's row. A number can be shorter than the prefix whose stretch its
//! padding lands in (boundaries.md N5): then the nesting leads to ever shorter prefixes of the same digits.
//!
//! Built once, never changed. Knows nothing of prices, and of rows only which is the first of each prefix.

use crate::Number;
use crate::number::POWERS_OF_TEN;

/// A prefix and the first of its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Indexed {
    pub prefix: Number,
    pub row: u32,
}

/// The prefixes of one product.
#[derive(Debug)]
pub(crate) struct Index {
    /// How many numbers one bucket of the root spans: a power of ten.
    span: u64,
    /// The longest prefix: no number of as many digits can be too short for what it finds.
    longest_length: u8,
    /// By first digits: the row itself with [`DIRECT`] set, or where in `stretches` the bucket begins.
    root: Box<[u32]>,
    /// Bucket after bucket: how many stretches, then each as (start within the bucket) × 2²⁴ + row, ascending.
    stretches: Box<[u64]>,
    /// The prefixes in order, for all questions but the common one.
    nested: Box<[Nested]>,
}

/// A prefix among the others.
#[derive(Debug, Clone, Copy)]
struct Nested {
    indexed: Indexed,
    /// The place of the next shorter prefix that begins this one, or [`NONE`].
    covering: u32,
}

/// No row, no prefix.
const NONE: u32 = (1 << ROW_BITS) - 1;
const ROW_BITS: u32 = 24;
/// The root has the row, since the whole bucket is one stretch.
const DIRECT: u32 = 1 << 31;

impl Index {
    /// The most rows a deck can have.
    pub const ROWS_MAX: usize = NONE as usize;

    /// Indexes `prefixes`, which are distinct and sorted, with rows below [`Index::ROWS_MAX`].
    pub fn new(prefixes: &[Indexed]) -> Self {
        let fits = |indexed: &Indexed| (indexed.row as usize) < Self::ROWS_MAX;
        assert!(prefixes.iter().all(fits), "invariant: compiling refuses a deck with more rows");
        let digits = root_digits(prefixes.len());
        let span = POWERS_OF_TEN[Number::DIGITS_MAX.wrapping_sub(digits)];
        let (nested, boundaries) = flatten(prefixes);
        let bucket_count = if prefixes.is_empty() { 0 } else { POWERS_OF_TEN[digits] };
        let (root, stretches) = buckets(&boundaries, span, bucket_count);
        let longest_length = prefixes.iter().map(|indexed| indexed.prefix.length()).max().unwrap_or(0);
        Index { span, longest_length, root, stretches, nested }
    }

    /// The row of the longest prefix that begins `number`. `prefix_of` tells the prefix of a row.
    #[inline]
    pub fn longest(&self, number: Number, prefix_of: impl Fn(u32) -> Number) -> Option<u32> {
        let bucket = number.padded().checked_div(self.span)?;
        let within = number.padded().wrapping_sub(bucket.wrapping_mul(self.span));
        let entry = *self.root.get(bucket as usize)?;
        let row = if entry & DIRECT == 0 { self.search(entry as usize, within) } else { entry & !DIRECT };
        if row == NONE {
            return None;
        }
        if number.length() < self.longest_length {
            let prefix = prefix_of(row);
            if prefix.length() > number.length() {
                return self.shorter(prefix, number);
            }
        }
        Some(row)
    }

    /// The row of the last stretch of a bucket that begins at or before `within`; the first begins at 0.
    #[inline]
    fn search(&self, offset: usize, within: u64) -> u32 {
        let first = offset.wrapping_add(1);
        let stretches = &self.stretches[first..first.wrapping_add(self.stretches[offset] as usize)];
        let key = within << ROW_BITS | u64::from(NONE);
        let after = stretches.partition_point(|stretch| *stretch <= key);
        (stretches[after.wrapping_sub(1)] as u32) & NONE
    }

    /// The row of the longest prefix that covers `prefix` and is no longer than `number`.
    #[cold]
    fn shorter(&self, prefix: Number, number: Number) -> Option<u32> {
        let mut at = self.nested.binary_search_by_key(&prefix, |nested| nested.indexed.prefix).ok()?;
        loop {
            let nested = self.nested.get(at)?;
            if nested.indexed.prefix.length() <= number.length() {
                return Some(nested.indexed.row);
            }
            at = nested.covering as usize;
        }
    }

    /// Whether some prefix continues `number`, that is, begins with its digits and has more.
    pub fn continues(&self, number: Number) -> bool {
        let after = self.nested.partition_point(|nested| nested.indexed.prefix <= number);
        self.nested.get(after).is_some_and(|nested| nested.indexed.prefix.padded() < number.padded_end())
    }

    /// Every prefix with the next shorter one that covers it.
    pub fn nested(&self) -> impl Iterator<Item = (Indexed, Option<Indexed>)> {
        let covering = |nested: &Nested| self.nested.get(nested.covering as usize).map(|covering| covering.indexed);
        self.nested.iter().map(move |nested| (nested.indexed, covering(nested)))
    }
}

/// How many first digits the root table is over: enough that a bucket holds few stretches, few enough that the table
/// stays in a near cache.
const fn root_digits(prefix_count: usize) -> usize {
    match prefix_count {
        0..200 => 3,
        200..5_000 => 4,
        5_000..200_000 => 5,
        _ => 6,
    }
}

/// The prefixes with their covering ones, and where each stretch begins with the row it belongs to.
fn flatten(prefixes: &[Indexed]) -> (Box<[Nested]>, Vec<(u64, u32)>) {
    let mut nested = Vec::with_capacity(prefixes.len());
    let mut boundaries: Vec<(u64, u32)> = vec![(0, NONE)];
    let mut begin = |start: u64, row: u32| match boundaries.last_mut() {
        Some(last) if last.0 == start => last.1 = row,
        _ => boundaries.push((start, row)),
    };
    // The prefixes around the current one, each with its place.
    let mut open: Vec<(u32, Indexed)> = Vec::new();
    let row_of = |open: &[(u32, Indexed)]| open.last().map_or(NONE, |(_, indexed)| indexed.row);
    for (at, indexed) in (0..).zip(prefixes) {
        while let Some((_, closed)) = open.pop_if(|(_, open)| open.prefix.padded_end() <= indexed.prefix.padded()) {
            begin(closed.prefix.padded_end(), row_of(&open));
        }
        nested.push(Nested { indexed: *indexed, covering: open.last().map_or(NONE, |(at, _)| *at) });
        begin(indexed.prefix.padded(), indexed.row);
        open.push((at, *indexed));
    }
    while let Some((_, closed)) = open.pop() {
        begin(closed.prefix.padded_end(), row_of(&open));
    }
    boundaries.dedup_by_key(|(_, row)| *row);
    (nested.into_boxed_slice(), boundaries)
}

/// The root table and the stretches behind it.
fn buckets(boundaries: &[(u64, u32)], span: u64, bucket_count: u64) -> (Box<[u32]>, Box<[u64]>) {
    let mut root = Vec::with_capacity(bucket_count as usize);
    let mut stretches: Vec<u64> = Vec::new();
    let mut rest = boundaries.iter().peekable();
    let mut current = NONE;
    for bucket in 0..bucket_count {
        let from = bucket.wrapping_mul(span);
        let to = from.wrapping_add(span);
        if let Some((_, row)) = rest.next_if(|(start, _)| *start == from) {
            current = *row;
        }
        let offset = stretches.len();
        stretches.extend([1, u64::from(current)]);
        while let Some((start, row)) = rest.next_if(|(start, _)| *start < to) {
            current = *row;
            stretches.push(start.wrapping_sub(from) << ROW_BITS | u64::from(current));
            stretches[offset] = stretches[offset].wrapping_add(1);
        }
        if stretches[offset] == 1 {
            stretches.truncate(offset);
            root.push(DIRECT | current);
        } else {
            root.push(u32::try_from(offset).ok().filter(|o| o & DIRECT == 0).expect("invariant: prefixes are bounded"));
        }
    }
    (root.into_boxed_slice(), stretches.into_boxed_slice())
}

#[cfg(test)]
mod tests;
