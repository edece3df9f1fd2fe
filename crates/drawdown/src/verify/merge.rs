//! Two streams, each in the order of `seq` within an organisation, become one in that order, in bounded memory.
//!
//! The next entry of an organisation is taken from whichever stream has it. One that is ahead waits until what comes
//! before it was seen in the other stream. A gap is reported as soon as it is certain: when both streams are past it.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::books::Books;
use super::charge::Recomputed;
use super::entry::{Body, Entry};
use super::findings::{Findings, Place, Stream};
use super::identities::Identities;

/// How many entries may wait. Files further out of step than that are taken for files with gaps.
const WAITING_COUNT_MAX: usize = 1 << 18;

/// The streams that are merged, as indices.
const SIDES: [Stream; 2] = [Stream::Debits, Stream::Events];

/// An entry at the head of its stream, and the place of its organisation's books.
struct Head {
    org: usize,
    entry: Entry,
}

/// The merge in progress, and the books that it writes.
#[derive(Default)]
pub struct Merge {
    by_org: FxHashMap<Box<str>, usize>,
    pub books: Vec<Books>,
    /// By organisation: the last `seq` of each stream.
    last_seen: Vec<[u64; 2]>,
    /// By organisation: entries that are ahead, by stream and `seq`.
    waiting: FxHashMap<usize, [BTreeMap<u64, Entry>; 2]>,
    waiting_counts: [usize; 2],
    heads: [Option<Head>; 2],
    ended: [bool; 2],
    identities: Identities,
    /// How many charges were computed anew.
    pub recomputed: u64,
}

impl Merge {
    /// Which stream needs an entry.
    pub fn wanting(&self) -> Option<usize> {
        (0..SIDES.len()).find(|&side| self.heads[side].is_none() && !self.ended[side])
    }

    /// The next entry of a stream; `None` at its end.
    pub fn supply(&mut self, side: usize, entry: Option<Entry>, findings: &mut Findings) {
        let Some(entry) = entry else {
            self.ended[side] = true;
            return;
        };
        let org = self.org(&entry.org);
        let last = std::mem::replace(&mut self.last_seen[org][side], entry.seq);
        let mut at = findings.at(Place { stream: SIDES[side], line: entry.line }, &entry.org);
        if let Body::Debit(debit) = &entry.body {
            self.recomputed += u64::from(debit.recomputed == Recomputed::Done);
            if debit.is_reversal && !self.identities.release(debit.identity) {
                at.differs("id", "a record that was debited, and not taken back before", &debit.id);
            }
            if !debit.is_reversal && !self.identities.claim(debit.identity, entry.at, debit.started) {
                at.differs("id", "a record that was not debited before", &debit.id);
            }
        }
        if entry.seq <= last {
            at.differs("seq", format_args!("above {last}"), entry.seq);
        }
        self.heads[side] = Some(Head { org, entry });
    }

    /// The books of `org`, if there are any.
    pub fn find(&self, org: &str) -> Option<usize> {
        self.by_org.get(org).copied()
    }

    fn org(&mut self, org: &str) -> usize {
        if let Some(&place) = self.by_org.get(org) {
            return place;
        }
        self.by_org.insert(org.into(), self.books.len());
        self.books.push(Books::new(org));
        self.last_seen.push([0; 2]);
        self.books.len() - 1
    }

    /// Takes one head. `false` when there is none left.
    pub fn step(&mut self, findings: &mut Findings) -> bool {
        for side in 0..SIDES.len() {
            let is_due = |head: &Head| head.entry.seq <= self.books[head.org].seq.saturating_add(1);
            if let Some(head) = self.heads[side].take_if(|head| is_due(head)) {
                self.book(side, &head.entry, head.org, findings);
                if !self.waiting.is_empty() {
                    self.catch_up(head.org, findings);
                }
                return true;
            }
        }
        let side = match (&self.heads[0], &self.heads[1]) {
            (None, None) => return self.flush(findings),
            (Some(_), None) => 0,
            (None, Some(_)) => 1,
            (Some(_), Some(_)) => usize::from(self.waiting_counts[1] < self.waiting_counts[0]),
        };
        if let Some(head) = self.heads[side].take() {
            self.waiting_counts[side] += 1;
            self.waiting.entry(head.org).or_default()[side].insert(head.entry.seq, head.entry);
            self.catch_up(head.org, findings);
            if self.waiting_counts.iter().sum::<usize>() > WAITING_COUNT_MAX {
                self.jump(head.org, findings);
                self.catch_up(head.org, findings);
            }
        }
        true
    }

    fn book(&mut self, side: usize, entry: &Entry, org: usize, findings: &mut Findings) {
        let books = &mut self.books[org];
        let mut at = findings.at(Place { stream: SIDES[side], line: entry.line }, &entry.org);
        if entry.seq <= books.seq {
            // Not booked: what was there first stands.
            at.differs("seq", format_args!("{}: this one was there before", books.seq + 1), entry.seq);
            return;
        }
        books.book(entry, &mut at);
    }

    /// Books whatever of an organisation has waited for its turn.
    fn catch_up(&mut self, org: usize, findings: &mut Findings) {
        loop {
            while let Some((side, entry)) = self.next_waiting(org) {
                self.book(side, &entry, org, findings);
            }
            if !self.gap_is_certain(org) {
                return;
            }
            self.jump(org, findings);
        }
    }

    fn next_waiting(&mut self, org: usize) -> Option<(usize, Entry)> {
        let due = self.books[org].seq.saturating_add(1);
        let waiting = self.waiting.get_mut(&org)?;
        let side =
            (0..SIDES.len()).find(|&side| waiting[side].first_key_value().is_some_and(|(seq, _)| *seq <= due))?;
        let (_, entry) = waiting[side].pop_first()?;
        self.waiting_counts[side] -= 1;
        if waiting.iter().all(BTreeMap::is_empty) {
            self.waiting.remove(&org);
        }
        Some((side, entry))
    }

    /// What each stream has next of an organisation, waiting or at its head.
    fn nexts(&self, org: usize) -> [Option<u64>; 2] {
        [0, 1].map(|side| {
            let waiting = self.waiting.get(&org).and_then(|sides| sides[side].first_key_value()).map(|(seq, _)| *seq);
            waiting.or(self.heads[side].as_ref().filter(|head| head.org == org).map(|head| head.entry.seq))
        })
    }

    fn gap_is_certain(&self, org: usize) -> bool {
        let nexts = self.nexts(org);
        let has_more = self.waiting.contains_key(&org);
        has_more
            && (0..SIDES.len()).all(|side| nexts[side].is_some() || (self.ended[side] && self.heads[side].is_none()))
            && nexts.into_iter().flatten().all(|seq| seq > self.books[org].seq.saturating_add(1))
    }

    /// Goes on after a gap, and says so at the line that comes after it.
    fn jump(&mut self, org: usize, findings: &mut Findings) {
        let nexts = self.nexts(org);
        let Some(next) = nexts.into_iter().flatten().min() else { return };
        let side = usize::from(nexts[0] != Some(next));
        let waiting = self.waiting.get(&org).and_then(|sides| sides[side].get(&next)).map(|entry| entry.line);
        let line = waiting.or(self.heads[side].as_ref().map(|head| head.entry.line)).unwrap_or_default();
        let books = &mut self.books[org];
        let expected = books.seq.saturating_add(1);
        let missing = match next.saturating_sub(expected) {
            1 => format!("{expected}, which is missing"),
            count => format!("{expected}: {count} are missing"),
        };
        findings.at(Place { stream: SIDES[side], line }, &books.org).differs("seq", missing, next);
        books.seq = next.saturating_sub(1);
    }

    /// Both streams have ended: what still waits comes after gaps.
    fn flush(&mut self, findings: &mut Findings) -> bool {
        if self.ended != [true; 2] {
            return true;
        }
        let mut orgs: Vec<usize> = self.waiting.keys().copied().collect();
        orgs.sort_unstable();
        orgs.into_iter().for_each(|org| self.catch_up(org, findings));
        false
    }
}
