//! De-duplication: which records were debited, with the day of call start by which they are forgotten.
//!
//! One table of 16-byte entries: a 64-bit hash of (source, id), the revision, the day and a digest of the content, and
//! the number of the transaction that booked it. At most 20 bytes an id all in; a day is forgotten whole, at once.
//!
//! One table, not one for each day: a record that comes again with another day of start is found as well, and a
//! look-up touches one place however many days are held.
//!
//! Two ids whose hashes meet are not confused silently: their contents differ, so the second is quarantined, which a
//! person sees. Knows nothing of records; [`Fingerprint`] says what of a record counts.

mod table;

use table::{Entry, Table};

/// What of a record is remembered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fingerprint {
    /// Hash of (source, id).
    pub identity: u64,
    /// Digest of everything that rating, identity and attribution read (boundaries.md D2); 16 bits are kept.
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
    /// The same record.
    Duplicate,
    /// A lower revision than was debited (boundaries.md D4).
    Stale,
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

/// How many days may be held at once: what tells two days apart is kept in a byte.
pub const DAYS_MAX: i64 = 100;

/// The identities of one partition.
#[derive(Debug, Clone)]
pub struct Dedup {
    table: Table,
    /// The first day held.
    first_day: i64,
}

impl Default for Dedup {
    fn default() -> Self {
        Dedup { table: Table::default(), first_day: i64::MIN }
    }
}

impl Dedup {
    /// What is known of the record.
    #[inline]
    pub fn look_up(&self, record: Fingerprint) -> Known {
        let Some(entry) = self.table.get(record.identity) else {
            return Known::New;
        };
        let same = entry.packed & CONTENT_MASK == record.content & CONTENT_MASK && day_of(&entry) == record.day as u8;
        match record.revision.min(REVISION_MAX).cmp(&(entry.packed >> 24)) {
            std::cmp::Ordering::Less => Known::Stale,
            std::cmp::Ordering::Equal if same => Known::Duplicate,
            std::cmp::Ordering::Equal => Known::Conflict,
            std::cmp::Ordering::Greater => Known::Newer { transaction: entry.transaction },
        }
    }

    /// Remembers a new record as booked by `transaction`.
    #[inline]
    pub fn insert(&mut self, record: Fingerprint, transaction: u32) {
        let day = u32::from(record.day as u8);
        let packed = (record.revision.min(REVISION_MAX) << 24) | (day << 16) | (record.content & CONTENT_MASK);
        self.table.insert(record.identity, packed, transaction);
    }

    /// Forgets one record: undoes [`Dedup::insert`].
    pub fn remove(&mut self, identity: u64) {
        self.table.remove(identity);
    }

    /// Forgets every day before `day`. The days held may not span more than [`DAYS_MAX`].
    pub fn forget_before(&mut self, day: i64) {
        if day <= self.first_day {
            return;
        }
        if day.saturating_sub(self.first_day) > DAYS_MAX && self.first_day > i64::MIN {
            // Nothing that was held lies within reach of the new first day.
            self.table = Table::default();
        } else {
            self.table.retain(|entry| day_of(entry).wrapping_sub(day as u8) < 128);
        }
        self.first_day = day;
    }

    /// Whether the identity is held: for commands.
    pub fn holds(&self, identity: u64) -> bool {
        self.table.get(identity).is_some()
    }

    /// How many identities are held.
    pub fn count(&self) -> usize {
        self.table.count()
    }

    /// The memory they take, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.table.size_bytes()
    }
}

const CONTENT_MASK: u32 = 0xffff;

fn day_of(entry: &Entry) -> u8 {
    (entry.packed >> 16) as u8
}

#[cfg(test)]
mod tests;
