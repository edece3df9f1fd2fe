//! Many sorted runs become one.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::io;

use super::run::Run;

/// A merge in progress.
#[derive(Debug)]
pub(super) struct Merge {
    runs: Vec<Run>,
    heads: BinaryHeap<Head>,
    current: Record,
}

#[derive(Debug, Default)]
struct Record {
    key: Vec<u8>,
    value: Vec<u8>,
}

/// The first record of a run that has not been given out.
#[derive(Debug)]
struct Head {
    record: Record,
    run: usize,
}

impl Merge {
    pub fn new(mut runs: Vec<Run>) -> io::Result<Self> {
        let mut heads = BinaryHeap::with_capacity(runs.len());
        for (run, reader) in runs.iter_mut().enumerate() {
            let mut record = Record::default();
            if reader.read(&mut record.key, &mut record.value)? {
                heads.push(Head { record, run });
            }
        }
        Ok(Merge { runs, heads, current: Record::default() })
    }

    pub fn advance(&mut self) -> io::Result<bool> {
        let Some(mut head) = self.heads.peek_mut() else { return Ok(false) };
        std::mem::swap(&mut self.current, &mut head.record);
        let head_mut = &mut *head;
        if !self.runs[head_mut.run].read(&mut head_mut.record.key, &mut head_mut.record.value)? {
            PeekMut::pop(head);
        }
        Ok(true)
    }

    pub fn key(&self) -> &[u8] {
        &self.current.key
    }

    pub fn value(&self) -> &[u8] {
        &self.current.value
    }
}

impl Ord for Head {
    /// The heap gives out its greatest: the least key, of equal ones that of the earliest run.
    fn cmp(&self, other: &Self) -> Ordering {
        (&other.record.key, other.run).cmp(&(&self.record.key, self.run))
    }
}

impl PartialOrd for Head {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Head {}
