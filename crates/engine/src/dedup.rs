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
    /// Digest of everything that rating, identity and attribution read (boundaries.md D2); 16 bits are kept, the last of which
    /// says whether it is a void.
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
    Conflict {
        /// The transaction that booked what is known.
        transaction: u32,
        /// Whether what is known is a void.
        is_void: bool,
    },
    /// A higher revision, correcting what is known.
    Newer {
        /// The transaction that booked it.
        transaction: u32,
        /// Its revision.
        revision: u32,
        /// Whether it is a void.
        is_void: bool,
    },
}

/// The highest revision that is told from others.
pub const REVISION_MAX: u32 = 254;

/// How many days may be held at once, and how many of those forgotten may still lie in the table: what tells two days
/// apart is kept in a byte.
pub const DAYS_MAX: i64 = 100;

/// The identities of one partition.
///
/// A day is forgotten the moment that [`Dedup::forget_before`] says so, whatever the batches: what still lies in the
/// table of days before is as good as absent, and [`Dedup::sweep`] takes it out.
#[derive(Debug, Clone)]
pub struct Dedup {
    table: Table,
    /// The first day held.
    first_day: i64,
    /// The first day of which anything may still lie in the table.
    swept_to: i64,
}

/// What it takes to undo one change, latest first.
#[derive(Debug)]
pub struct Undo(Change);

#[derive(Debug)]
enum Change {
    Inserted(u64),
    /// An earlier revision, or a forgotten identity, lay where the record claimed it.
    Replaced(Entry),
    Forgot {
        first_day: i64,
        swept_to: i64,
        /// As it was, where it was swept.
        table: Option<Box<Table>>,
    },
}

impl Default for Dedup {
    fn default() -> Self {
        Dedup { table: Table::default(), first_day: i64::MIN, swept_to: i64::MIN }
    }
}

impl Dedup {
    /// What is known of the record.
    #[inline]
    pub fn look_up(&self, record: Fingerprint) -> Known {
        let Some(entry) = self.held(record.identity) else {
            return Known::New;
        };
        let same = entry.packed & CONTENT_MASK == record.content & CONTENT_MASK;
        let is_void = entry.packed & VOID_MASK != 0;
        match record.revision.min(REVISION_MAX).cmp(&(entry.packed >> 24)) {
            std::cmp::Ordering::Less => Known::Stale,
            std::cmp::Ordering::Equal if same => Known::Duplicate,
            std::cmp::Ordering::Equal => Known::Conflict { transaction: entry.transaction, is_void },
            std::cmp::Ordering::Greater => {
                Known::Newer { transaction: entry.transaction, revision: entry.packed >> 24, is_void }
            }
        }
    }

    #[inline]
    fn held(&self, identity: u64) -> Option<Entry> {
        self.table.get(identity).filter(|entry| is_from(entry, self.first_day))
    }

    /// Reads the place where a record of that identity is or would be, for looking ahead.
    #[inline]
    pub fn look_near(&self, identity: u64) -> u64 {
        self.table.look_near(identity)
    }

    /// Remembers a record as booked by `transaction`, in the place of an earlier revision if there is one.
    #[inline]
    pub fn insert(&mut self, record: Fingerprint, transaction: u32) -> Undo {
        let day = u32::from(record.day as u8);
        let packed = (record.revision.min(REVISION_MAX) << 24) | (day << 16) | (record.content & CONTENT_MASK);
        let earlier = self.table.get(record.identity);
        if let Some(earlier) = earlier {
            self.table.remove(earlier.identity);
        }
        self.table.insert(record.identity, packed, transaction);
        Undo(earlier.map_or(Change::Inserted(record.identity), Change::Replaced))
    }

    /// Undoes the latest change.
    pub fn undo(&mut self, Undo(change): Undo) {
        match change {
            Change::Inserted(identity) => self.table.remove(identity),
            Change::Replaced(entry) => {
                self.table.remove(entry.identity);
                self.table.insert(entry.identity, entry.packed, entry.transaction);
            }
            Change::Forgot { first_day, swept_to, table } => {
                self.first_day = first_day;
                self.swept_to = swept_to;
                if let Some(table) = table {
                    self.table = *table;
                }
            }
        }
    }

    /// Forgets every day before `day`. The days held may not span more than [`DAYS_MAX`].
    pub fn forget_before(&mut self, day: i64) -> Undo {
        let mut undo = Change::Forgot { first_day: self.first_day, swept_to: self.swept_to, table: None };
        if day > self.first_day {
            if let Change::Forgot { table, .. } = &mut undo
                && day.saturating_sub(self.swept_to) > DAYS_MAX
            {
                // Any later, and a byte would not tell the days in the table apart.
                *table = Some(Box::new(self.table.clone()));
                self.sweep_to(day);
            }
            self.first_day = day;
        }
        Undo(undo)
    }

    /// The first day held.
    pub fn first_day(&self) -> i64 {
        self.first_day
    }

    /// Takes what was forgotten of the days before `day` out of the table: no undoing may reach back further.
    pub fn sweep(&mut self, day: i64) {
        let day = day.min(self.first_day);
        if day > self.swept_to {
            self.sweep_to(day);
        }
    }

    fn sweep_to(&mut self, day: i64) {
        let first_day = self.first_day;
        // The table spans fewer than 128 days on either side of the first day, so that its bytes mean days.
        let days_on = |entry: &Entry| i64::from(day_of(entry).wrapping_sub(first_day as u8) as i8);
        self.table.retain(|entry| days_on(entry) >= day.saturating_sub(first_day));
        self.swept_to = day;
    }

    /// The day by which a held identity is forgotten; meaningful once a first day is set.
    pub fn day_of(&self, identity: u64) -> Option<i64> {
        let entry = self.held(identity)?;
        Some(self.first_day + i64::from(day_of(&entry).wrapping_sub(self.first_day as u8)))
    }

    /// Whether the identity is held: for commands.
    pub fn holds(&self, identity: u64) -> bool {
        self.held(identity).is_some()
    }

    /// How many identities are held, forgotten ones that were not swept yet included.
    pub fn count(&self) -> usize {
        self.table.count()
    }

    /// The memory they take, in bytes.
    pub fn size_bytes(&self) -> usize {
        self.table.size_bytes()
    }
}

/// The bit of a digest that says whether the record is a void.
pub const VOID_MASK: u32 = 1;

/// The bits that are kept of a digest. One changed record in 32,768 passes for the same one: it is dropped as a
/// duplicate where it should be quarantined (boundaries.md D4). Neither books anything.
pub const CONTENT_MASK: u32 = 0xffff;

fn day_of(entry: &Entry) -> u8 {
    (entry.packed >> 16) as u8
}

/// Whether the entry's day is `first_day` or later.
#[inline]
fn is_from(entry: &Entry, first_day: i64) -> bool {
    day_of(entry).wrapping_sub(first_day as u8) < 128
}

#[cfg(test)]
mod tests;
