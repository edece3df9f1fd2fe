//! Chance from a seed: whole numbers only, the same on every machine.

/// A stream of random numbers (SplitMix64).
#[derive(Debug, Clone)]
pub struct Random(u64);

/// What a stream is for: streams of one seed have nothing to do with one another, so that an option which draws from
/// one of them leaves all others as they were.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u64)]
pub enum Stream {
    Call = 1,
    Nature,
    Lateness,
    Masking,
    Resending,
    Id,
    Organisation,
    User,
    Licence,
    LicenceChange,
    Casting,
    Correcting,
}

impl Random {
    /// The stream of item `index`.
    pub fn new(seed: u64, stream: Stream, index: u64) -> Self {
        Random(mixed(seed, stream, index))
    }

    /// 64 random bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }

    /// A number below `bound`, which is not 0; without the last grain of evenness, which nobody can see in 64 bits.
    pub fn below(&mut self, bound: u64) -> u64 {
        ((u128::from(self.next()) * u128::from(bound)) >> 64) as u64
    }

    /// Whether a chance of `parts` in a million comes true.
    pub fn happens(&mut self, parts_per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(parts_per_million)
    }
}

/// 64 bits that belong to item `index` of a stream; different for different items.
pub fn mixed(seed: u64, stream: Stream, index: u64) -> u64 {
    let offset = mix(seed.wrapping_add(stream as u64).wrapping_mul(0xD120_0BE2_5D4F_3C6D) ^ (stream as u64));
    mix(index.wrapping_add(offset))
}

/// Every 64 bits have others (a bijection), which look nothing like them.
fn mix(bits: u64) -> u64 {
    let bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let bits = (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    bits ^ (bits >> 31)
}

/// Things of different weight, found by weight in constant time.
#[derive(Debug)]
pub struct Weighted {
    /// Ascending: where in the sum of all weights each thing ends.
    ends: Vec<u64>,
    /// For each stretch of 2^`shift`, the first thing that ends after its beginning.
    guide: Vec<u32>,
    shift: u32,
}

impl Weighted {
    /// Things by their weights, of which one at least is not 0 and whose sum is below 2^63.
    pub fn new(weights: impl IntoIterator<Item = u64>) -> Self {
        let mut total = 0_u64;
        let ends: Vec<u64> = weights
            .into_iter()
            .map(|weight| {
                total += weight;
                total
            })
            .collect();
        assert!((1..1 << 63).contains(&total), "invariant: weights have a sum");
        let things = ends.len() as u64;
        let shift = (0..64).find(|shift| total >> shift <= 2 * things).unwrap_or(63);
        let mut guide = Vec::new();
        let mut at = 0;
        for stretch in 0..=(total >> shift) {
            while ends.get(at).is_some_and(|end| *end <= stretch << shift) {
                at += 1;
            }
            guide.push(u32::try_from(at).expect("invariant: fewer than 2^32 things"));
        }
        Weighted { ends, guide, shift }
    }

    /// The sum of all weights.
    pub fn total(&self) -> u64 {
        self.ends.last().copied().unwrap_or_default()
    }

    /// The thing at `position` of the sum, which is below the total.
    pub fn find(&self, position: u64) -> usize {
        let mut at = self.guide[(position >> self.shift) as usize] as usize;
        while self.ends[at] <= position {
            at += 1;
        }
        at
    }

    /// Where in the sum a thing begins.
    pub fn begin(&self, thing: usize) -> u64 {
        thing.checked_sub(1).map_or(0, |before| self.ends[before])
    }

    /// The weight of a thing.
    pub fn weight(&self, thing: usize) -> u64 {
        self.ends[thing] - self.begin(thing)
    }

    /// One of them by chance.
    pub fn pick(&self, random: &mut Random) -> usize {
        self.find(random.below(self.total()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_what_a_scan_finds() {
        for weights in [vec![1], vec![5, 0, 3], vec![0, 0, 7], vec![1 << 40, 1, 1, 1], (1..200).collect::<Vec<_>>()] {
            let weighted = Weighted::new(weights.iter().copied());
            let total: u64 = weights.iter().sum();
            let step = (total / 5_000).max(1);
            for position in (0..total).step_by(step as usize).chain([total - 1]) {
                let found = weighted.find(position);
                let (begin, weight) = (weighted.begin(found), weighted.weight(found));
                assert!((begin..begin + weight).contains(&position), "{weights:?} {position}");
                assert_eq!(weight, weights[found]);
            }
        }
    }

    #[test]
    fn is_the_same_everywhere_and_for_ever() {
        let mut random = Random::new(7, Stream::Call, 0);
        let drawn = [random.next(), random.next(), random.below(100), random.below(100)];
        assert_eq!(drawn, [16_776_646_235_858_078_072, 90_959_739_465_592_862, 24, 43]);
    }
}
