//! The identities that one transaction of one partition claimed: what de-duplication is restored from.
//!
//! Binary, since nobody but a partition reads it: a head, then 20 bytes for each record and 12 for each command.
//! Numbers are little-endian.

use drawdown_units::Timestamp;

/// The form and its version.
const FORM: u8 = 2;
/// The one before: it does not say when the transaction was appended.
const FORM_1: u8 = 1;
const HEAD_BYTES: usize = 29;
const APPENDED_BYTES: usize = 8;
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
    /// Which message of its partition it is, from 1; 0 where it does not say, as those of before 0.1 did not.
    pub ordinal: u32,
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

    /// Appends the message, the partition's `ordinal`-th; `appended` is the log's time.
    pub fn write(&self, out: &mut Vec<u8>, transaction: u32, ordinal: u32, clock: Timestamp, appended: Timestamp) {
        out.push(FORM);
        out.extend_from_slice(&transaction.to_le_bytes());
        out.extend_from_slice(&clock.seconds().to_le_bytes());
        out.extend_from_slice(&clock.nanos().to_le_bytes());
        out.extend_from_slice(&(self.records.len() as u64).to_le_bytes());
        // What follows the records are commands.
        out.extend_from_slice(&ordinal.to_le_bytes());
        out.extend_from_slice(&appended.milliseconds().to_le_bytes());
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
    let (appended, rest) = match head[0] {
        FORM => {
            let (bytes, rest) = rest.split_at_checked(APPENDED_BYTES).ok_or(ReadError("it is too short"))?;
            let milliseconds = i64::from_le_bytes(array(bytes));
            let nanos = milliseconds.rem_euclid(1_000) as u32 * 1_000_000;
            (Some(Timestamp::from_parts(milliseconds.div_euclid(1_000), nanos)), rest)
        }
        FORM_1 => (None, rest),
        _ => return Err(ReadError("its form is neither 1 nor 2")),
    };
    let transaction = u32::from_le_bytes(array(&head[1..5]));
    let nanos = u32::from_le_bytes(array(&head[13..17]));
    if nanos >= 1_000_000_000 || transaction == 0 {
        return Err(ReadError("its head has a number that cannot be"));
    }
    let clock = Timestamp::from_parts(i64::from_le_bytes(array(&head[5..13])), nanos);
    let length = usize::try_from(u64::from_le_bytes(array(&head[17..25])));
    let split = length.ok().and_then(|length| rest.split_at_checked(length));
    let (records, commands) = split.ok_or(ReadError("it is cut off"))?;
    if records.len() % RECORD_BYTES != 0 || commands.len() % COMMAND_BYTES != 0 {
        return Err(ReadError("it ends within an entry"));
    }
    let ordinal = u32::from_le_bytes(array(&head[25..29]));
    Ok(Seen { transaction, clock, ordinal, appended, records, commands })
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
            claims.write(&mut bytes, 7, 3, Timestamp::from_parts(1_780_000_000, 5), Timestamp::from_parts(9, 8_765_432));
            let seen = read(&bytes).unwrap();
            prop_assert_eq!((seen.transaction, seen.ordinal), (7, 3));
            prop_assert_eq!(seen.clock, Timestamp::from_parts(1_780_000_000, 5));
            prop_assert_eq!(seen.appended, Some(Timestamp::from_parts(9, 8_000_000)));
            prop_assert_eq!(seen.records().collect::<Vec<_>>(), records.into_iter().map(record).collect::<Vec<_>>());
            prop_assert_eq!(seen.commands().collect::<Vec<_>>(), commands.into_iter().map(command).collect::<Vec<_>>());
            // Cut anywhere, it is an error or fewer commands, never a panic.
            let _ = read(&bytes[..cut.min(bytes.len())]);
        }
    }
}
