//! The prefix index: the longest prefix that begins a number, in three reads of memory.
//!
//! Prefixes nest, but as padded numbers they are ranges, and nested ranges cut the numbers into disjoint stretches, each
//! with one longest prefix. A root table over the first digits leads to the few stretches there; within them a search
//! among integers finds the one. A number can be shorter than the prefix whose stretch its padding lands in
//! (boundaries.md N5): from there `covering` leads to ever shorter prefixes of the same digits.
//!
//! Built once, never changed. Knows nothing of prices: a slot says which row or choice of rows a prefix has.

use crate::Number;
use crate::number::POWERS_OF_TEN;

/// What the index knows of one prefix.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slot {
    /// The prefix's only row, or the first of them.
    pub row: u32,
    /// Which choice among several rows the prefix has, or [`Slot::PLAIN`].
    pub choice: u32,
    /// The slot of the next shorter prefix that begins this one, or [`NONE`].
    covering: u32,
    /// Digits of the prefix.
    length: u8,
}

impl Slot {
    /// Instead of a choice: there is one row and nothing to choose.
    pub const PLAIN: u32 = u32::MAX;
}

/// One prefix to be indexed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Indexed {
    pub prefix: Number,
    pub row: u32,
    pub choice: u32,
}

/// The prefixes of one product.
#[derive(Debug)]
pub(crate) struct Index {
    /// How many numbers one bucket of the root spans: a power of ten.
    span: u64,
    /// By first digits: the slot itself with [`DIRECT`] set, or where in `stretches` the bucket begins.
    root: Box<[u32]>,
    /// Bucket after bucket: how many stretches, then each as (start within the bucket) × 2²⁴ + slot, ascending.
    stretches: Box<[u64]>,
    /// By padded prefix, then by length.
    slots: Box<[Slot]>,
}

/// No slot.
const NONE: u32 = (1 << SLOT_BITS) - 1;
const SLOT_BITS: u32 = 24;
/// The root has the slot, since the whole bucket is one stretch.
const DIRECT: u32 = 1 << 31;

impl Index {
    /// The most prefixes there can be.
    pub const PREFIXES_MAX: usize = NONE as usize;

    /// Indexes `prefixes`, which are distinct, sorted, and at most [`Index::PREFIXES_MAX`].
    pub fn new(prefixes: &[Indexed]) -> Self {
        assert!(prefixes.len() <= Self::PREFIXES_MAX, "invariant: compiling refuses a deck with more prefixes");
        if prefixes.is_empty() {
            return Index { span: 1, root: Box::default(), stretches: Box::default(), slots: Box::default() };
        }
        let digits = root_digits(prefixes.len());
        let span = POWERS_OF_TEN[Number::DIGITS_MAX.wrapping_sub(digits)];
        let (slots, boundaries) = flatten(prefixes);
        let (root, stretches) = buckets(&boundaries, span, POWERS_OF_TEN[digits]);
        Index { span, root, stretches, slots }
    }

    /// The longest prefix that begins `number`.
    #[inline]
    pub fn longest(&self, number: Number) -> Option<&Slot> {
        let bucket = number.padded().checked_div(self.span)?;
        let within = number.padded().wrapping_sub(bucket.wrapping_mul(self.span));
        let entry = *self.root.get(bucket as usize)?;
        let mut at = if entry & DIRECT == 0 { self.search(entry as usize, within) } else { entry & !DIRECT };
        loop {
            let slot = self.slots.get(at as usize)?;
            if slot.length <= number.length() {
                return Some(slot);
            }
            at = slot.covering;
        }
    }

    /// The slot of the last stretch of a bucket that begins at or before `within`; the first begins at 0.
    #[inline]
    fn search(&self, offset: usize, within: u64) -> u32 {
        let first = offset.wrapping_add(1);
        let stretches = &self.stretches[first..first.wrapping_add(self.stretches[offset] as usize)];
        let key = within << SLOT_BITS | u64::from(NONE);
        let after = stretches.partition_point(|stretch| *stretch <= key);
        (stretches[after.wrapping_sub(1)] as u32) & NONE
    }

    /// Whether some prefix continues `number`, that is, begins with its digits and has more.
    pub fn continues(&self, number: Number, prefix_of: impl Fn(&Slot) -> Number) -> bool {
        let after = self.slots.partition_point(|slot| prefix_of(slot) <= number);
        self.slots.get(after).is_some_and(|slot| prefix_of(slot).padded() < number.padded_end())
    }

    /// Every prefix with the next shorter one that covers it.
    pub fn nested(&self) -> impl Iterator<Item = (&Slot, Option<&Slot>)> {
        self.slots.iter().map(|slot| (slot, self.slots.get(slot.covering as usize)))
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

/// Slots with their covering ones, and where each stretch begins with the slot it belongs to.
fn flatten(prefixes: &[Indexed]) -> (Box<[Slot]>, Vec<(u64, u32)>) {
    let mut slots = Vec::with_capacity(prefixes.len());
    let mut boundaries: Vec<(u64, u32)> = vec![(0, NONE)];
    let mut open: Vec<(u64, u32)> = Vec::new();
    let begin = |boundaries: &mut Vec<(u64, u32)>, start: u64, slot: u32| match boundaries.last_mut() {
        Some(last) if last.0 == start => last.1 = slot,
        _ => boundaries.push((start, slot)),
    };
    let innermost = |open: &[(u64, u32)]| open.last().map_or(NONE, |(_, slot)| *slot);
    for (at, indexed) in prefixes.iter().enumerate() {
        while let Some((end, _)) = open.pop_if(|(end, _)| *end <= indexed.prefix.padded()) {
            begin(&mut boundaries, end, innermost(&open));
        }
        let (slot, covering) = (at as u32, innermost(&open));
        slots.push(Slot { row: indexed.row, choice: indexed.choice, covering, length: indexed.prefix.length() });
        begin(&mut boundaries, indexed.prefix.padded(), slot);
        open.push((indexed.prefix.padded_end(), slot));
    }
    while let Some((end, _)) = open.pop() {
        begin(&mut boundaries, end, innermost(&open));
    }
    boundaries.dedup_by_key(|(_, slot)| *slot);
    (slots.into_boxed_slice(), boundaries)
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
        if let Some((_, slot)) = rest.next_if(|(start, _)| *start == from) {
            current = *slot;
        }
        let offset = stretches.len();
        stretches.extend([1, u64::from(current)]);
        while let Some((start, slot)) = rest.next_if(|(start, _)| *start < to) {
            current = *slot;
            stretches.push(start.wrapping_sub(from) << SLOT_BITS | u64::from(current));
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
