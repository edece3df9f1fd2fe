//! Records of a log to usage records and commands: which profile reads them, and what their message says of them.

use std::collections::HashMap;
use std::sync::Arc;

use drawdown_wire::command::{self, Envelope};
use drawdown_wire::id::{ID_BYTES_MAX, LONG_ID_BYTES_MAX, check_length};
use drawdown_wire::reject::{Origin, Resend};
use drawdown_wire::source::{Context, Decoded, Header, Profile};
use drawdown_wire::{Cdr, Reason, Rejection};

use crate::intake::Raw;
use crate::log::{Input, Record};

/// A record may have this many bytes; a larger one is rejected, its beginning kept.
const RECORD_BYTES_MAX: usize = 1 << 20;
const HEAD_BYTES: usize = 64 << 10;
const COLUMNS_BYTES_MAX: usize = 64 << 10;
/// No path is longer.
const FILE_BYTES_MAX: usize = 4096;

/// Source profiles by name: those of the program, and those that the configuration adds.
#[derive(Debug, Clone, Default)]
pub struct Profiles {
    configured: HashMap<String, Arc<Profile>>,
}

impl Profiles {
    /// Adds a profile under a name of its own.
    pub fn add(&mut self, name: &str, profile: Profile) {
        self.configured.insert(name.to_owned(), Arc::new(profile));
    }

    /// The profile of a specification such as `asterisk-csv,zone=Europe/Berlin,region=DE`. Never a file: what names it
    /// may come from a message.
    fn find(&self, specification: &str) -> Result<Arc<Profile>, Rejection> {
        if let Some(profile) = self.configured.get(specification) {
            return Ok(Arc::clone(profile));
        }
        Profile::named(specification).map(Arc::new).map_err(|faults| {
            let detail = faults.first().map_or_else(String::new, ToString::to_string);
            Rejection::of_field(Reason::BadField, "drawdown-source", detail)
        })
    }
}

/// Profiles ready to decode with, one for each source and header line seen lately.
#[derive(Debug)]
pub struct Sources {
    profiles: Profiles,
    default: Arc<Profile>,
    known: Vec<Known>,
}

#[derive(Debug)]
struct Known {
    source: Box<str>,
    columns: Option<Box<str>>,
    reader: Result<(Arc<Profile>, Option<Header>), Rejection>,
}

/// Sources and header lines remembered, and those of a few records more; beyond, they are read anew each time they change.
const KNOWN_COUNT_MAX: usize = 64;

impl Sources {
    /// Reads with `default` what names no profile.
    pub fn new(default: Arc<Profile>, profiles: Profiles) -> Self {
        Sources { profiles, default, known: Vec::new() }
    }

    /// Decodes a few usage records.
    pub(super) fn decode_all<'r>(
        &'r mut self,
        records: impl ExactSizeIterator<Item = Record<'r>> + Clone,
    ) -> Vec<(Record<'r>, Result<Decoded<'r>, Rejection>)> {
        // Nowhere else, since places must stay until all are decoded.
        if self.known.len() > KNOWN_COUNT_MAX {
            self.known.clear();
        }
        let prepared: Vec<Option<usize>> = records.clone().map(|record| self.prepare(&record)).collect();
        let sources = &*self;
        records.zip(prepared).map(|(record, prepared)| (record, sources.decode(prepared, &record))).collect()
    }

    /// Makes sure that the profile of `record` is at hand; its place in `known`, `None` for the default.
    fn prepare(&mut self, record: &Record<'_>) -> Option<usize> {
        let source = record.attributes.source?;
        check_lengths(record).ok()?;
        let columns = record.attributes.columns;
        let is_it = |known: &Known| *known.source == *source && known.columns.as_deref() == columns;
        if let Some(place) = self.known.iter().position(is_it) {
            return Some(place);
        }
        let reader = self.profiles.find(source).and_then(|profile| {
            let lines: Vec<Vec<u8>> =
                columns.map_or_else(Vec::new, |columns| columns.lines().map(|line| line.as_bytes().to_vec()).collect());
            let header = profile.header(source, &lines).map_err(|faults| {
                let detail = faults.first().map_or_else(String::new, ToString::to_string);
                Rejection::of_field(Reason::BadField, "drawdown-columns", detail)
            })?;
            Ok((profile, header))
        });
        self.known.push(Known { source: source.into(), columns: columns.map(Into::into), reader });
        Some(self.known.len() - 1)
    }

    /// Decodes a usage record whose profile was prepared.
    #[inline]
    fn decode<'r>(&'r self, prepared: Option<usize>, record: &Record<'r>) -> Result<Decoded<'r>, Rejection> {
        if let Some((length, _)) = record.attributes.cut_from {
            return Err(too_large(length));
        }
        if record.value.len() > RECORD_BYTES_MAX {
            return Err(too_large(record.value.len() as u64));
        }
        check_lengths(record)?;
        let attributes = &record.attributes;
        let context = Context {
            key: key_of(record)?,
            ce_id: attributes.ce_id,
            ce_source: attributes.ce_source,
            org: attributes.org,
            ..Context::default()
        };
        match prepared {
            None => self.default.decode(record.value, None, &context),
            Some(place) => match &self.known[place].reader {
                Ok((profile, header)) => profile.decode(record.value, header.as_ref(), &context),
                Err(rejection) => Err(rejection.clone()),
            },
        }
    }
}

/// Decodes a command. It must be for the organisation that its key names, or it would meet no account of that name.
pub(super) fn command(record: &Record<'_>) -> Result<Envelope, Rejection> {
    if record.value.len() > RECORD_BYTES_MAX {
        return Err(too_large(record.value.len() as u64));
    }
    check_lengths(record)?;
    let envelope = command::decode(record.value)?;
    match key_of(record)? {
        Some(key) if *key != *envelope.org => {
            let detail = format!("the command says {:?}, its key {key:?}", envelope.org);
            Err(Rejection::of_field(Reason::OrgMismatch, "orgId", detail))
        }
        _ => Ok(envelope),
    }
}

/// What comes beside a record is repeated in its reject: no more of it than that still is a message, with a record all of
/// whose bytes are escaped.
fn check_lengths(record: &Record<'_>) -> Result<(), Rejection> {
    let attributes = &record.attributes;
    let length = |text: Option<&str>| text.map_or(0, str::len);
    check_length(record.key.map_or(0, <[u8]>::len), ID_BYTES_MAX, "key")?;
    check_length(length(attributes.ce_id), ID_BYTES_MAX, "ce_id")?;
    check_length(length(attributes.ce_source), LONG_ID_BYTES_MAX, "ce_source")?;
    check_length(length(attributes.source), LONG_ID_BYTES_MAX, "drawdown-source")?;
    check_length(length(attributes.columns), COLUMNS_BYTES_MAX, "drawdown-columns")?;
    check_length(length(attributes.org), ID_BYTES_MAX, "drawdown-org")
}

fn key_of<'r>(record: &Record<'r>) -> Result<Option<&'r str>, Rejection> {
    // A producer without keys sends an empty one.
    match record.key.filter(|key| !key.is_empty()).map(std::str::from_utf8) {
        None => Ok(None),
        Some(Ok(key)) => Ok(Some(key)),
        Some(Err(_)) => Err(Rejection::of_field(Reason::BadField, "orgId", "the message's key is not UTF-8")),
    }
}

/// The record as it is put aside, if it has to be.
pub(super) fn raw<'r>(record: &Record<'r>) -> Raw<'r> {
    let attributes = &record.attributes;
    let origin = match attributes.place {
        Some(place) => {
            let file = &place.file[..place.file.floor_char_boundary(FILE_BYTES_MAX)];
            Origin::File { file, line: place.line, offset: place.offset }
        }
        None => Origin::Topic { topic: record.input.name(), partition: record.partition, offset: record.offset },
    };
    let resend = Resend {
        arrival: record.arrival,
        key: record.key.and_then(|key| std::str::from_utf8(key).ok()),
        ce_id: attributes.ce_id,
        ce_source: attributes.ce_source,
        profile: attributes.source,
        columns: attributes.columns,
        org: attributes.org,
    };
    let is_whole = record.value.len() <= RECORD_BYTES_MAX;
    let length = record.value.len() as u64;
    Raw {
        bytes: if is_whole { record.value } else { &record.value[..HEAD_BYTES] },
        cut_from: attributes.cut_from.or_else(|| (!is_whole).then(|| (length, hash(record.value)))),
        origin,
        resend: check_lengths(record).is_ok().then_some(resend),
    }
}

fn hash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}

/// The organisation by which what becomes of a record is keyed.
pub(super) fn org_of<'r>(cdr: Option<&'r Cdr<'_>>, record: &Record<'r>) -> &'r [u8] {
    match cdr {
        Some(cdr) => cdr.org.as_bytes(),
        None => {
            let org = record.key.or(record.attributes.org.map(str::as_bytes));
            org.filter(|org| org.len() <= ID_BYTES_MAX).unwrap_or_default()
        }
    }
}

/// When a record arrived: `receivedAt` of a native row comes before what the medium says (boundaries.md T5).
#[inline]
pub(super) fn arrival(record: &Record<'_>, decoded: &Result<Decoded<'_>, Rejection>) -> drawdown_units::Timestamp {
    debug_assert_eq!(record.input, Input::Cdrs);
    match decoded {
        Ok(Decoded::Cdr(cdr)) => cdr.received.unwrap_or(record.arrival),
        Ok(Decoded::NotACall) | Err(_) => record.arrival,
    }
}

#[cold]
fn too_large(length: u64) -> Rejection {
    Rejection::new(Reason::TooLarge, format!("{length} bytes; a record may have {RECORD_BYTES_MAX} at most"))
}

#[cfg(test)]
mod tests {
    use drawdown_units::Timestamp;

    use super::*;
    use crate::intake::Intake;
    use crate::log::{Attributes, Place};

    /// Kafka takes 8 MiB, and a control character takes six bytes: what cannot be appended would come again for ever.
    #[test]
    fn the_reject_of_any_record_is_a_message() {
        let (key, value) = (vec![1_u8; 445_000], vec![1_u8; RECORD_BYTES_MAX]);
        let text = std::str::from_utf8(&key).ok();
        let place = text.map(|file| Place { file, line: 1, offset: 0 });
        let noted = Attributes {
            ce_id: text,
            ce_source: text,
            source: text,
            columns: text,
            org: text,
            place,
            ..Attributes::default()
        };
        for (key, attributes, field) in [
            (Some(&*key), Attributes::default(), "key"),
            (None, noted, "ce_id"),
            (None, Attributes { columns: text, ..Attributes::default() }, "drawdown-columns"),
        ] {
            let (input, arrival) = (Input::Cdrs, Timestamp::EPOCH);
            let record = Record { input, partition: 0, offset: 0, arrival, key, value: &value, attributes };
            let mut sources = Sources::new(Arc::new(Profile::named("native").unwrap()), Profiles::default());
            let (_, decoded) = sources.decode_all([record].into_iter()).pop().unwrap();
            for rejection in [decoded.unwrap_err(), command(&record).unwrap_err()] {
                assert_eq!((rejection.reason, rejection.field.as_deref()), (Reason::BadField, Some(field)));
                let mut intake = Intake::default();
                intake.undecodable(&rejection, &raw(&record));
                let size = org_of(None, &record).len() + intake.rejects.len();
                assert!(size > 6 * RECORD_BYTES_MAX && size < 7 << 20, "{field}: {size} bytes");
            }
        }
    }
}
