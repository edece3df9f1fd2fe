//! Debits and events of one organisation, merged by `seq`: one line of each is held.

use crate::account::{Body, Entry};
use crate::fault::Fault;
use crate::fields::Place;
use crate::line::{Debit, Event};
use crate::lines::Lines;

/// The merge in progress.
pub(super) struct Merge<'l> {
    org: String,
    sides: [Side<'l>; 2],
    /// The side that the current entry is of.
    current: Option<usize>,
}

/// Lines of one kind, the next of them kept.
struct Side<'l> {
    lines: &'l mut dyn Lines,
    name: String,
    head: Option<Head>,
    bytes: Vec<u8>,
}

struct Head {
    line: u64,
    seq: u64,
}

const DEBITS: usize = 0;

impl<'l> Merge<'l> {
    pub fn new(org: &str, debits: &'l mut impl Lines, events: &'l mut impl Lines) -> Self {
        let sides: [&'l mut dyn Lines; 2] = [debits, events];
        Merge { org: org.to_owned(), sides: sides.map(Side::new), current: None }
    }

    /// Goes to the next entry; `false` at the end.
    pub fn advance(&mut self) -> Result<bool, Fault> {
        match self.current {
            None => {
                for (index, side) in self.sides.iter_mut().enumerate() {
                    side.fill(&self.org, index == DEBITS)?;
                }
            }
            Some(index) => self.sides[index].fill(&self.org, index == DEBITS)?,
        }
        let next = (0..2).filter_map(|index| Some((self.sides[index].head.as_ref()?.seq, index))).min();
        self.current = next.map(|(_, index)| index);
        Ok(next.is_some())
    }

    /// The entry that was gone to.
    pub fn entry(&self) -> Result<Entry<'_>, Fault> {
        let index = self.current.expect("invariant: called where advance returned true");
        let side = &self.sides[index];
        let place = Place { name: &side.name, line: side.head.as_ref().map_or(0, |head| head.line) };
        if index == DEBITS {
            let debit: Debit<'_> = place.read(&side.bytes)?;
            let at = place.time("at", &debit.at)?;
            return Ok(Entry { place, seq: debit.seq, at, body: Body::Debit(debit) });
        }
        let event: Event<'_> = place.read(&side.bytes)?;
        let at = place.time("at", &event.at)?;
        Ok(Entry { place, seq: event.seq, at, body: Body::Event(event) })
    }
}

impl<'l> Side<'l> {
    fn new(lines: &'l mut dyn Lines) -> Self {
        let name = lines.name().to_owned();
        Side { lines, name, head: None, bytes: Vec::new() }
    }

    /// Keeps the next line of the organisation.
    fn fill(&mut self, org: &str, are_debits: bool) -> Result<(), Fault> {
        self.head = None;
        while let Some(line) = self.lines.next_line().map_err(Fault::Read)? {
            let place = Place { name: &self.name, line: line.number };
            let head = place.head(line.bytes)?;
            if *head.org_id != *org {
                continue;
            }
            if (*head.kind == *"debit") != are_debits {
                let expected = if are_debits { "a debit" } else { "an account event" };
                return Err(place.fault("type", format_args!("{:?}, where {expected} is expected", &*head.kind)));
            }
            self.head = Some(Head { line: line.number, seq: head.seq });
            self.bytes.clear();
            self.bytes.extend_from_slice(line.bytes);
            return Ok(());
        }
        Ok(())
    }
}
