//! Debits of earlier rounds, read back from the file they were written to: what corrections take back.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

use drawdown_engine::{Booked, Originals};
use drawdown_wire::debit::{Original, Sought};

/// Where the debits of one shard are in the file of debits: of its first, second, … record.
pub struct Places<'f> {
    pub file: &'f File,
    pub offsets: &'f [u64],
}

/// The debits of one shard.
pub struct Earlier<'p> {
    pub places: &'p Places<'p>,
    pub failure: &'p mut Option<io::Error>,
}

/// How much is read at first: a debit is shorter as a rule, a correction has two lines.
const BYTES_AT_FIRST: usize = 4 << 10;

impl Originals for Earlier<'_> {
    fn find(&mut self, sought: &Sought, booked: &Booked<'_>) -> Option<Box<Original>> {
        let place = (booked.number as usize).checked_sub(1).and_then(|index| self.places.offsets.get(index));
        let Some(place) = place.copied() else {
            return booked.in_progress(sought);
        };
        read(self.places.file, place, sought).unwrap_or_else(|error| {
            *self.failure = Some(error);
            None
        })
    }
}

/// The debit that is sought is the first line there, or the second, where the first takes an earlier one back.
fn read(file: &File, place: u64, sought: &Sought) -> io::Result<Option<Box<Original>>> {
    let mut bytes = vec![0; BYTES_AT_FIRST];
    loop {
        let length = fill(file, place, &mut bytes)?;
        let mut lines = bytes[..length].split_inclusive(|byte| *byte == b'\n').take(2);
        let whole = lines.clone().filter(|line| line.ends_with(b"\n")).count();
        let found = lines.find_map(|line| line.strip_suffix(b"\n").and_then(|line| sought.look(line).ok().flatten()));
        if found.is_some() || whole == 2 || length < bytes.len() {
            return Ok(found);
        }
        bytes.resize(bytes.len() * 4, 0);
    }
}

fn fill(file: &File, place: u64, bytes: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < bytes.len() {
        match file.read_at(&mut bytes[length..], place + length as u64)? {
            0 => break,
            count => length += count,
        }
    }
    Ok(length)
}
