//! The table of identities: open addressing with linear probing, entries in order of their hash.
//!
//! Invariant: within a shard, entries stand in ascending order of hash, each at its home or after it, with no gap
//! between the two. So a look-up stops at the first greater hash, and growing is one sequential pass.
//!
//! The table may never be much emptier than full, or it would cost more than 20 bytes an id: it grows by a twelfth where
//! a usual hash table doubles. To keep each step short, a large one is split into 256 shards by the first byte.

/// One identity. An empty place has transaction 0, which no transaction has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Entry {
    pub identity: u64,
    pub packed: u32,
    pub transaction: u32,
}

#[derive(Debug, Default, Clone)]
pub struct Table {
    /// One, or [`SHARD_COUNT`].
    shards: Vec<Shard>,
    count: usize,
}

#[derive(Debug, Default, Clone)]
struct Shard {
    /// `homes` places that hashes map to, then a few for what runs past the last.
    places: Vec<Entry>,
    homes: u64,
    count: u64,
}

const SHARD_COUNT: usize = 256;
const SPLIT_ABOVE_COUNT: usize = 1 << 16;
const OVERRUN: usize = 16;

impl Table {
    pub fn count(&self) -> usize {
        self.count
    }

    pub fn size_bytes(&self) -> usize {
        let places: usize = self.shards.iter().map(|shard| shard.places.capacity() * size_of::<Entry>()).sum();
        places + self.shards.capacity() * size_of::<Shard>()
    }

    #[inline]
    pub fn get(&self, identity: u64) -> Option<Entry> {
        let (shard, hash) = self.locate(identity);
        self.shards.get(shard)?.get(identity, hash)
    }

    /// Whatever lies where the identity would.
    #[inline]
    pub fn look_near(&self, identity: u64) -> u64 {
        let (shard, hash) = self.locate(identity);
        let shard = self.shards.get(shard);
        shard.and_then(|shard| shard.places.get(shard.home(hash))).map_or(0, |entry| entry.identity)
    }

    /// Adds an identity that is not there yet.
    #[inline]
    pub fn insert(&mut self, identity: u64, packed: u32, transaction: u32) {
        assert!(transaction > 0, "invariant: transactions are numbered from 1");
        if self.shards.is_empty() {
            self.shards.push(Shard::default());
        } else if self.count >= SPLIT_ABOVE_COUNT && self.shards.len() == 1 {
            self.split();
        }
        self.count += 1;
        let narrow = self.shards.len() > 1;
        let (shard, _) = self.locate(identity);
        self.shards[shard].add(Entry { identity, packed, transaction }, narrow);
    }

    /// Keeps only the entries of which `keep` says so.
    pub fn retain(&mut self, keep: impl Fn(&Entry) -> bool) {
        let narrow = self.shards.len() > 1;
        for shard in &mut self.shards {
            shard.retain(narrow, &keep);
        }
        self.count = self.shards.iter().map(|shard| shard.count as usize).sum();
    }

    pub fn remove(&mut self, identity: u64) {
        let narrow = self.shards.len() > 1;
        let (shard, _) = self.locate(identity);
        self.shards[shard].remove(identity, narrow);
        self.count -= 1;
    }

    /// The shard, and the hash as that shard spreads it over its homes.
    #[inline]
    fn locate(&self, identity: u64) -> (usize, u64) {
        let narrow = self.shards.len() > 1;
        let shard = if narrow { (identity >> 56) as usize } else { 0 };
        (shard, spread(identity, narrow))
    }

    fn split(&mut self) {
        let whole = self.shards.pop().expect("invariant: there is one shard to split");
        self.shards = vec![Shard::default(); SHARD_COUNT];
        for entry in whole.entries() {
            self.shards[(entry.identity >> 56) as usize].add(entry, true);
        }
    }
}

/// A narrow shard holds one value of the first byte, so that the others decide.
#[inline]
fn spread(identity: u64, narrow: bool) -> u64 {
    identity << (8 * u32::from(narrow))
}

/// Where among `homes` a hash belongs, in order of the hashes.
#[inline]
fn home(hash: u64, homes: u64) -> usize {
    ((u128::from(hash) * u128::from(homes)) >> 64) as usize
}

impl Shard {
    #[inline]
    fn home(&self, hash: u64) -> usize {
        home(hash, self.homes)
    }

    fn entries(&self) -> impl Iterator<Item = Entry> + '_ {
        self.places.iter().copied().filter(|entry| entry.transaction > 0)
    }

    /// The first place at or after the identity's home that is empty or holds no smaller hash.
    #[inline]
    fn seek(&self, identity: u64, hash: u64) -> usize {
        let mut place = self.home(hash);
        while self.places.get(place).is_some_and(|entry| entry.transaction > 0 && entry.identity < identity) {
            place += 1;
        }
        place
    }

    #[inline]
    fn get(&self, identity: u64, hash: u64) -> Option<Entry> {
        let found = self.places.get(self.seek(identity, hash))?;
        (found.transaction > 0 && found.identity == identity).then_some(*found)
    }

    fn add(&mut self, entry: Entry, narrow: bool) {
        // 7 of 8 full at most, 12 of 13 of that after growing: between 18.3 and 19.8 bytes an entry.
        if (self.count + 1) * 8 > self.homes * 7 {
            self.grow(narrow);
        }
        while !self.place(entry, narrow) {
            self.grow(narrow);
        }
        self.count += 1;
    }

    /// Moves what stands at the entry's place and after it one on, up to the next gap. `false` if there is no gap left.
    fn place(&mut self, entry: Entry, narrow: bool) -> bool {
        let place = self.seek(entry.identity, spread(entry.identity, narrow));
        let Some(gap) = self.places[place..].iter().position(|held| held.transaction == 0) else {
            return false;
        };
        self.places.copy_within(place..place + gap, place + 1);
        self.places[place] = entry;
        true
    }

    fn grow(&mut self, narrow: bool) {
        let homes = (self.homes + self.homes / 12).max(self.homes + 8);
        self.rebuild(homes, narrow, |_| true);
    }

    fn retain(&mut self, narrow: bool, keep: &impl Fn(&Entry) -> bool) {
        let kept = self.entries().filter(keep).count() as u64;
        if kept < self.count {
            self.count = kept;
            self.rebuild(kept * 7 / 6 + 8, narrow, keep);
        }
    }

    /// Lays the entries out anew over `homes`: one pass, since they stand in order.
    fn rebuild(&mut self, homes: u64, narrow: bool, keep: impl Fn(&Entry) -> bool) {
        let mut places = vec![Entry::default(); homes as usize + OVERRUN];
        let mut next = 0;
        for entry in self.entries().filter(&keep) {
            let place = home(spread(entry.identity, narrow), homes).max(next);
            match places.get_mut(place) {
                Some(free) => *free = entry,
                None => {
                    places.resize(place + OVERRUN, Entry::default());
                    places[place] = entry;
                }
            }
            next = place + 1;
        }
        // However crowded the end is, there is room for one more behind it.
        if next >= places.len() {
            places.resize(next + OVERRUN, Entry::default());
        }
        (self.places, self.homes) = (places, homes);
    }

    /// Closes the gap behind a removed entry, as far as entries stand after their home.
    fn remove(&mut self, identity: u64, narrow: bool) {
        let mut place = self.seek(identity, spread(identity, narrow));
        let held = self.places.get(place).is_some_and(|entry| entry.transaction > 0 && entry.identity == identity);
        assert!(held, "invariant: only what was inserted is removed");
        while let Some(next) = self.places.get(place + 1).copied() {
            if next.transaction == 0 || self.home(spread(next.identity, narrow)) > place {
                break;
            }
            self.places[place] = next;
            place += 1;
        }
        self.places[place] = Entry::default();
        self.count -= 1;
    }
}
