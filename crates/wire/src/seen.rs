//! The identities that one transaction of one partition claimed: what de-duplication is restored from.
//!
//! Binary, since nobody but a partition reads it: a head, then 20 bytes for each record and 12 for each command.
//! Numbers are little-endian.

use drawdown_units::Timestamp;

/// The form and its version.
const FORM: u8 = 3;
/// The one before: it does not say what the clock was before.
const FORM_2: u8 = 2;
/// The one before that: nor does it say when the transaction was appended.
const FORM_1: u8 = 1;
const HEAD_BYTES: usize = 29;
const APPENDED_BYTES: usize = 8;
const BEFORE_BYTES: usize = 12;
const RECORD_BYTES: usize = 20;
const COMMAND_BYTES: usize = 12;

/// A usage record that was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenRecord {
    /// Hash of (source, id).
    pub identity: u64,
    /// Digest of what rating, identity and attribution read.
    pub content: u32,
    /// Revision.
    pub revision: u32,
    /// Day of the call's start, counted from 1970.
    pub day: i32,
}

/// A command that was obeyed or refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SeenCommand {
    /// Hash of (organisation, command id).
    pub identity: u64,
    /// The day on which it was handled.
    pub day: i32,
}

/// Where a message stands among those of its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// Counted from 1.
    pub ordinal: u32,
    /// The partition's clock at the end of the message before; of the first, as it began.
    pub clock_before: Timestamp,
}

/// The identities claimed so far by a transaction.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Claims {
    records: Vec<u8>,
    commands: Vec<u8>,
}

/// What a transaction claimed, as read back.
#[derive(Debug, Clone, Copy)]
pub struct Seen<'a> {
    /// The transaction's number within its partition.
    pub transaction: u32,
    /// The partition's clock at its end.
    pub clock: Timestamp,
    /// Which message of its partition it is, and what the clock was at the end of the one before; `None` where it does not
    /// say.
    pub place: Option<Place>,
    /// The log's time shortly before it was appended, to the millisecond below.
    pub appended: Option<Timestamp>,
    records: &'a [u8],
    commands: &'a [u8],
}

impl Claims {
    /// Adds a record.
    #[inline]
    pub fn record(&mut self, seen: SeenRecord) {
        let mut bytes = [0; RECORD_BYTES];
        bytes[..8].copy_from_slice(&seen.identity.to_le_bytes());
        bytes[8..12].copy_from_slice(&seen.content.to_le_bytes());
        bytes[12..16].copy_from_slice(&seen.revision.to_le_bytes());
        bytes[16..].copy_from_slice(&seen.day.to_le_bytes());
        self.records.extend_from_slice(&bytes);
    }

    /// Adds a command.
    pub fn command(&mut self, seen: SeenCommand) {
        self.commands.extend_from_slice(&seen.identity.to_le_bytes());
        self.commands.extend_from_slice(&seen.day.to_le_bytes());
    }

    /// Whether nothing was claimed.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty() && self.commands.is_empty()
    }

    /// Forgets everything, keeping the memory.
    pub fn clear(&mut self) {
        self.records.clear();
        self.commands.clear();
    }

    /// How many records.
    pub fn record_count(&self) -> usize {
        self.records.len() / RECORD_BYTES
    }

    /// Appends the message; `appended` is the log's time.
    pub fn write(&self, out: &mut Vec<u8>, transaction: u32, place: Place, clock: Timestamp, appended: Timestamp) {
        out.push(FORM);
        out.extend_from_slice(&transaction.to_le_bytes());
        out.extend_from_slice(&clock.seconds().to_le_bytes());
        out.extend_from_slice(&clock.nanos().to_le_bytes());
        out.extend_from_slice(&(self.records.len() as u64).to_le_bytes());
        // What follows the records are commands.
        out.extend_from_slice(&place.ordinal.to_le_bytes());
        out.extend_from_slice(&appended.milliseconds().to_le_bytes());
        out.extend_from_slice(&place.clock_before.seconds().to_le_bytes());
        out.extend_from_slice(&place.clock_before.nanos().to_le_bytes());
        out.extend_from_slice(&self.records);
        out.extend_from_slice(&self.commands);
    }
}

/// Why a message is not one of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a record of identities: {0}")]
pub struct ReadError(&'static str);

/// Reads what [`Claims::write`] wrote.
///
/// # Errors
/// What is wrong with it.
pub fn read(bytes: &[u8]) -> Result<Seen<'_>, ReadError> {
    let (head, rest) = bytes.split_at_checked(HEAD_BYTES).ok_or(ReadError("it is too short"))?;
    let form = head[0];
    if ![FORM, FORM_2, FORM_1].contains(&form) {
        return Err(ReadError("its form is none of 1 to 3"));
    }
    let (appended, rest) = cut(rest, APPENDED_BYTES, form >= FORM_2)?;
    let (before, rest) = cut(rest, BEFORE_BYTES, form >= FORM)?;
    let transaction = u32::from_le_bytes(array(&head[1..5]));
    if transaction == 0 {
        return Err(ReadError("its head has a number that cannot be"));
    }
    let appended = appended.map(|bytes| {
        let milliseconds = i64::from_le_bytes(array(bytes));
        let nanos = milliseconds.rem_euclid(1_000) as u32 * 1_000_000;
        Timestamp::from_parts(milliseconds.div_euclid(1_000), nanos)
    });
    let clock = instant(&head[5..17])?;
    let ordinal = u32::from_le_bytes(array(&head[25..29]));
    let place = before.map(|bytes| Ok(Place { ordinal, clock_before: instant(bytes)? })).transpose()?;
    let length = usize::try_from(u64::from_le_bytes(array(&head[17..25])));
    let split = length.ok().and_then(|length| rest.split_at_checked(length));
    let (records, commands) = split.ok_or(ReadError("it is cut off"))?;
    if records.len() % RECORD_BYTES != 0 || commands.len() % COMMAND_BYTES != 0 {
        return Err(ReadError("it ends within an entry"));
    }
    Ok(Seen { transaction, clock, place, appended, records, commands })
}

/// The next `length` bytes, where the form has them, and the rest.
fn cut(bytes: &[u8], length: usize, is_there: bool) -> Result<(Option<&[u8]>, &[u8]), ReadError> {
    if !is_there {
        return Ok((None, bytes));
    }
    let (field, rest) = bytes.split_at_checked(length).ok_or(ReadError("it is too short"))?;
    Ok((Some(field), rest))
}

/// Seconds and nanoseconds.
fn instant(bytes: &[u8]) -> Result<Timestamp, ReadError> {
    let nanos = u32::from_le_bytes(array(&bytes[8..12]));
    if nanos >= 1_000_000_000 {
        return Err(ReadError("it has a number that cannot be"));
    }
    Ok(Timestamp::from_parts(i64::from_le_bytes(array(&bytes[..8])), nanos))
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    bytes.try_into().expect("invariant: a field is cut to its size")
}

impl<'a> Seen<'a> {
    /// The records, in the order in which they were booked.
    pub fn records(&self) -> impl Iterator<Item = SeenRecord> + 'a {
        self.records.as_chunks::<RECORD_BYTES>().0.iter().map(|bytes| SeenRecord {
            identity: u64::from_le_bytes(array(&bytes[..8])),
            content: u32::from_le_bytes(array(&bytes[8..12])),
            revision: u32::from_le_bytes(array(&bytes[12..16])),
            day: i32::from_le_bytes(array(&bytes[16..])),
        })
    }

    /// The commands, in the order in which they were handled.
    pub fn commands(&self) -> impl Iterator<Item = SeenCommand> + 'a {
        self.commands.as_chunks::<COMMAND_BYTES>().0.iter().map(|bytes| SeenCommand {
            identity: u64::from_le_bytes(array(&bytes[..8])),
            day: i32::from_le_bytes(array(&bytes[8..])),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Messages of before stay in their topic for weeks.
    #[test]
    fn forms_of_before_are_read() {
        let mut claims = Claims::default();
        claims.record(SeenRecord { identity: 1, content: 2, revision: 3, day: 4 });
        let mut bytes = Vec::new();
        let clock = Timestamp::from_parts(1_780_000_000, 5);
        claims.write(&mut bytes, 7, Place { ordinal: 3, clock_before: clock }, clock, clock);
        let appended = read(&bytes).unwrap().appended;
        bytes.drain(HEAD_BYTES + APPENDED_BYTES..HEAD_BYTES + APPENDED_BYTES + BEFORE_BYTES);
        bytes[0] = FORM_2;
        assert_eq!(summary(&read(&bytes).unwrap()), (7, clock, None, appended, 1));
        bytes.drain(HEAD_BYTES..HEAD_BYTES + APPENDED_BYTES);
        bytes[0] = FORM_1;
        assert_eq!(summary(&read(&bytes).unwrap()), (7, clock, None, None, 1));
    }

    fn summary(seen: &Seen<'_>) -> (u32, Timestamp, Option<Place>, Option<Timestamp>, usize) {
        (seen.transaction, seen.clock, seen.place, seen.appended, seen.records().count())
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(
            records in prop::collection::vec(any::<(u64, u32, u32, i32)>(), 0..9),
            commands in prop::collection::vec(any::<(u64, i32)>(), 0..9),
            cut in 0_usize..400,
        ) {
            let record = |(identity, content, revision, day)| SeenRecord { identity, content, revision, day };
            let command = |(identity, day)| SeenCommand { identity, day };
            let mut claims = Claims::default();
            records.iter().copied().map(record).for_each(|seen| claims.record(seen));
            commands.iter().copied().map(command).for_each(|seen| claims.command(seen));
            let mut bytes = Vec::new();
            let place = Place { ordinal: 3, clock_before: Timestamp::from_parts(1_700_000_000, 6) };
            claims.write(&mut bytes, 7, place, Timestamp::from_parts(1_780_000_000, 5), Timestamp::from_parts(9, 8_765_432));
            let seen = read(&bytes).unwrap();
            prop_assert_eq!((seen.transaction, seen.place), (7, Some(place)));
            prop_assert_eq!(seen.clock, Timestamp::from_parts(1_780_000_000, 5));
            prop_assert_eq!(seen.appended, Some(Timestamp::from_parts(9, 8_000_000)));
            prop_assert_eq!(seen.records().collect::<Vec<_>>(), records.into_iter().map(record).collect::<Vec<_>>());
            prop_assert_eq!(seen.commands().collect::<Vec<_>>(), commands.into_iter().map(command).collect::<Vec<_>>());
            // Cut anywhere, it is an error or fewer commands, never a panic.
            let _ = read(&bytes[..cut.min(bytes.len())]);
        }
    }
}
