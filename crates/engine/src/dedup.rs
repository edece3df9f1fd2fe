//! De-duplication: which records were debited, by day of call start.
//!
//! Per day a table of 16-byte entries: a 64-bit hash of (source, id), the revision with a digest of the content, and
//! the number of the transaction that booked it. At most 20 bytes an id all in; whole days are forgotten at once.
//!
//! Two ids whose hashes meet are not confused silently: their contents differ, so the second is quarantined, which a
//! person sees. Knows nothing of records; [`Fingerprint`] says what of a record counts.

mod day;

use day::DayTable;

/// What of a record is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash of (source, id).
    pub identity: u64,
    /// Digest of everything that rating, identity and attribution read (boundaries.md D2); 24 bits are kept.
    pub content: u32,
    /// Revision; kept exactly up to 254.
    pub revision: u32,
    /// Day of the call's start, counted from 1970.
    pub day: i64,
}

/// What is known of an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Nothing: it is new.
    New,
    /// The same record, or one of a lower revision (boundaries.md D4).
    Duplicate,
    /// The same revision with other content.
    Conflict,
    /// A higher revision, correcting what this transaction booked.
    Newer {
        /// The transaction's number.
        transaction: u32,
    },
}

/// The highest revision that is told from others.
pub const REVISION_MAX: u32 = 254;

/// The identities of one partition.
#[derive(Debug, Default, Clone)]
pub struct Dedup {
    /// Ascending by day; few, and the last ones are asked most.
    days: Vec<(i64, DayTable)>,
}

impl Dedup {
    /// What is known of the record.
    #[inline]
    pub fn look_up(&self, record: Fingerprint) -> Known {
        let Some(entry) = self.table(record.day).and_then(|table| table.get(record.identity)) else {
            return Known::New;
        };
        let (content, revision) = unpack(entry.packed);
        match record.revision.min(REVISION_MAX).cmp(&revision) {
            std::cmp::Ordering::Less => Known::Duplicate,
            std::cmp::Ordering::Equal if content == record.content & CONTENT_MASK => Known::Duplicate,
            std::cmp::Ordering::Equal => Known::Conflict,
            std::cmp::Ordering::Greater => Known::Newer { transaction: entry.transaction },
        }
    }

    /// Remembers a new record as booked by `transaction`.
    #[inline]
    pub fn insert(&mut self, record: Fingerprint, transaction: u32) {
        let packed = pack(record.content, record.revision);
        self.table_mut(record.day).insert(record.identity, packed, transaction);
    }

    /// Forgets one record: undoes [`Dedup::insert`].
    pub fn remove(&mut self, day: i64, identity: u64) {
        self.table_mut(day).remove(identity);
    }

    /// Forgets every day before `day`.
    pub fn forget_before(&mut self, day: i64) {
        self.days.retain(|(held, _)| *held >= day);
    }

    /// Whether the identity is held under any day: for commands, whose day is when they arrived.
    pub fn holds(&self, identity: u64) -> bool {
        self.days.iter().any(|(_, table)| table.get(identity).is_some())
    }

    /// How many identities are held.
    pub fn count(&self) -> usize {
        self.days.iter().map(|(_, table)| table.count()).sum()
    }

    /// The memory they take, in bytes.
    pub fn size_bytes(&self) -> usize {
        let tables: usize = self.days.iter().map(|(_, table)| table.size_bytes()).sum();
        tables + self.days.capacity() * size_of::<(i64, DayTable)>()
    }

    fn table(&self, day: i64) -> Option<&DayTable> {
        self.days.iter().rev().find(|(held, _)| *held == day).map(|(_, table)| table)
    }

    fn table_mut(&mut self, day: i64) -> &mut DayTable {
        let place = match self.days.iter().rposition(|(held, _)| *held <= day) {
            Some(place) if self.days[place].0 == day => place,
            before => {
                let place = before.map_or(0, |place| place + 1);
                self.days.insert(place, (day, DayTable::default()));
                place
            }
        };
        &mut self.days[place].1
    }
}

const CONTENT_MASK: u32 = 0x00ff_ffff;

fn pack(content: u32, revision: u32) -> u32 {
    (content & CONTENT_MASK) | (revision.min(REVISION_MAX) << 24)
}

fn unpack(packed: u32) -> (u32, u32) {
    (packed & CONTENT_MASK, packed >> 24)
}

#[cfg(test)]
mod tests;
