//! What a record carries besides its bytes, as headers: CloudEvents in binary mode, and ours.
//!
//! The arrival is a header where it is not that of the record itself: a record of last month that is imported now must
//! not look a month old to the broker, which would delete it for its age.
//!
//! A header that does not read is as good as none: the record's bytes decide.

use std::ffi::CStr;
use std::str;

use drawdown_engine::log::{Attributes, Place};
use drawdown_units::Timestamp;
use rdkafka::message::{Header, OwnedHeaders};

use super::ffi::Headers;

const CE_ID: &str = "ce_id";
const CE_SOURCE: &str = "ce_source";
/// CloudEvents: the organisation, where the producer's key is something else.
const CE_PARTITION_KEY: &str = "ce_partitionkey";
const PARTITION_KEY: &str = "partitionkey";
/// The source profile, as on the command line.
const SOURCE: &str = "drawdown-source";
const COLUMNS: &str = "drawdown-columns";
const ORG: &str = "drawdown-org";
/// `<line>:<offset>:<file>`.
const FILE: &str = "drawdown-file";
/// `<length>:<hash, hexadecimal>` of a record that was too long to be sent whole.
const CUT: &str = "drawdown-cut";
/// RFC 3339.
const ARRIVAL: &str = "drawdown-arrival";

/// What headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Said<'a> {
    pub attributes: Attributes<'a>,
    /// When the record arrived, if that is not when it was sent.
    pub arrival: Option<Timestamp>,
}

/// Reads headers.
pub(super) fn read(headers: Headers<'_>) -> Said<'_> {
    let mut said = Said::default();
    for (name, value) in headers {
        if let (Ok(name), Ok(value)) = (CStr::to_str(name), str::from_utf8(value)) {
            note(&mut said, name, value);
        }
    }
    said
}

fn note<'a>(said: &mut Said<'a>, name: &str, value: &'a str) {
    let attributes = &mut said.attributes;
    match name {
        ARRIVAL => said.arrival = Timestamp::parse(value).ok(),
        CE_ID => attributes.ce_id = Some(value),
        CE_SOURCE => attributes.ce_source = Some(value),
        SOURCE => attributes.source = Some(value),
        COLUMNS => attributes.columns = Some(value),
        ORG => attributes.org = Some(value),
        CE_PARTITION_KEY | PARTITION_KEY => attributes.org = attributes.org.or(Some(value)),
        FILE => attributes.place = place(value),
        CUT => attributes.cut_from = cut(value),
        _ => {}
    }
}

fn place(value: &str) -> Option<Place<'_>> {
    let (line, rest) = value.split_once(':')?;
    let (offset, file) = rest.split_once(':')?;
    Some(Place { file, line: line.parse().ok()?, offset: offset.parse().ok()? })
}

fn cut(value: &str) -> Option<(u64, u64)> {
    let (length, hash) = value.split_once(':')?;
    Some((length.parse().ok()?, u64::from_str_radix(hash, 16).ok()?))
}

/// The headers of a record with `attributes` that arrived at `arrival`, or, without one, arrives as it is sent; none if
/// there is nothing to say.
pub fn headers(attributes: &Attributes<'_>, arrival: Option<Timestamp>) -> Option<OwnedHeaders> {
    if *attributes == Attributes::default() && arrival.is_none() {
        return None;
    }
    let arrival = arrival.map(|at| at.to_string());
    let place = attributes.place.map(|place| format!("{}:{}:{}", place.line, place.offset, place.file));
    let cut = attributes.cut_from.map(|(length, hash)| format!("{length}:{hash:016x}"));
    let texts = [
        (CE_ID, attributes.ce_id),
        (CE_SOURCE, attributes.ce_source),
        (SOURCE, attributes.source),
        (COLUMNS, attributes.columns),
        (ORG, attributes.org),
        (FILE, place.as_deref()),
        (CUT, cut.as_deref()),
        (ARRIVAL, arrival.as_deref()),
    ];
    let texts = texts.into_iter().filter_map(|(key, value)| Some((key, value?)));
    Some(texts.fold(OwnedHeaders::new(), |headers, (key, value)| headers.insert(Header { key, value: Some(value) })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::message::Headers as _;

    #[test]
    fn attributes_pass_through_headers() {
        let place = Some(Place { file: "C:/cdr/1.csv", line: 7, offset: 4_096 });
        let attributes = Attributes {
            ce_id: Some("e1"),
            ce_source: Some("//sbc1"),
            source: Some("asterisk-csv,zone=Europe/Berlin"),
            columns: Some("a;b\nc"),
            org: Some("contoso"),
            place,
            cut_from: Some((9_000_000, u64::MAX)),
        };
        let arrival = Some(Timestamp::from_parts(1_772_323_200, 123_456_789));
        let headers = headers(&attributes, arrival).expect("there is something to say");
        let mut said = Said::default();
        for header in headers.iter() {
            note(&mut said, header.key, str::from_utf8(header.value.expect("a value")).expect("text"));
        }
        assert_eq!(said, Said { attributes, arrival });
        assert!(super::headers(&Attributes::default(), None).is_none());
        assert!(super::headers(&Attributes::default(), arrival).is_some());
    }

    #[test]
    fn what_does_not_read_is_as_good_as_none() {
        let mut said = Said::default();
        let unreadable =
            [(FILE, "1"), (FILE, "x:2:f"), (CUT, "12"), (CUT, "12:xyz"), (ARRIVAL, "today"), ("else", "1")];
        for (name, value) in unreadable {
            note(&mut said, name, value);
        }
        assert_eq!(said, Said::default());
    }

    #[test]
    fn our_own_header_of_the_organisation_goes_first() {
        for order in [[ORG, PARTITION_KEY], [CE_PARTITION_KEY, ORG]] {
            let mut said = Said::default();
            for name in order {
                note(&mut said, name, if name == ORG { "ours" } else { "theirs" });
            }
            assert_eq!(said.attributes.org, Some("ours"));
        }
    }
}
