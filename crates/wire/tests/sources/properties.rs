//! Properties: the same call is the same record in every format, and no bytes make a decoder panic.

use drawdown_units::Timestamp;
use drawdown_wire::framing::{Chunk, Options, Reader};
use drawdown_wire::source::{Context, Decoded, Profile};
use drawdown_wire::{Cdr, Rejection};
use proptest::prelude::*;

use super::profile;

#[derive(Debug, Clone)]
struct Call {
    id: String,
    name: String,
    callee: String,
    call_type: &'static str,
    start_s: i64,
    lasted_s: i64,
    duration: String,
    region: &'static str,
}

fn call() -> impl Strategy<Value = Call> {
    let callee =
        prop_oneof!["\\+[1-9][0-9]{3,16}", "0[0-9]{5,12}", "[0-9]{3}", "\\+49[0-9]{2,6}\\*{1,5}", "[a-z*#+ ]{0,8}"];
    let call_type = prop::sample::select(vec!["user_out", "conf_in", "user_in", "dr_out", "nonsense"]);
    let duration = prop_oneof!["[0-9]{1,6}", "[0-9]{1,3}\\.[0-9]{1,3}", Just("-1".to_owned()), Just(String::new())];
    let region = prop::sample::select(vec!["GB", "DE", "US", ""]);
    (
        "[a-z0-9]{1,12}",
        "[a-zA-Z ,\"é]{0,12}",
        callee,
        call_type,
        0_i64..4_000_000_000,
        -5_i64..100_000,
        duration,
        region,
    )
        .prop_map(|(id, name, callee, call_type, start_s, lasted_s, duration, region)| Call {
            id,
            // Spaces around a value are not part of it in CSV.
            name: name.trim().to_owned(),
            callee: callee.trim().to_owned(),
            call_type,
            start_s,
            lasted_s,
            duration,
            region,
        })
}

impl Call {
    fn times(&self) -> (String, String) {
        let at = |seconds| Timestamp::from_parts(seconds, 0).to_string();
        (at(self.start_s), at(self.start_s + self.lasted_s))
    }

    fn json(&self) -> String {
        let (start, end) = self.times();
        let text = |text: &str| serde_json::to_string(text).expect("a text");
        format!(
            r#"{{"id":{},"userDisplayName":{},"calleeNumber":{},"callType":{},"startDateTime":"{start}","endDateTime":"{end}","duration":{},"usageCountryCode":{}}}"#,
            text(&self.id),
            text(&self.name),
            text(&self.callee),
            text(self.call_type),
            text(&self.duration),
            text(self.region)
        )
    }

    fn csv(&self) -> String {
        let (start, end) = self.times();
        let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
        [
            quoted(&self.id),
            quoted(&self.name),
            quoted(&self.callee),
            self.call_type.to_owned(),
            start,
            quoted(&end),
            self.duration.clone(),
            self.region.to_owned(),
        ]
        .join(",")
    }
}

/// What must be equal: everything but the source's name and the names of fields.
fn essence(decoded: Result<Cdr<'_>, Rejection>) -> String {
    match decoded {
        Ok(cdr) => {
            let mut cdr = cdr;
            cdr.source = "".into();
            cdr.text.is_plain = false;
            format!("{cdr:?}")
        }
        Err(rejection) => rejection.reason.name().to_owned(),
    }
}

fn decode<'a>(
    profile: &'a Profile,
    record: &'a str,
    header: Option<&drawdown_wire::source::Header>,
) -> Result<Cdr<'a>, Rejection> {
    let context = Context { org: Some("o"), ..Context::default() };
    match profile.decode(record.as_bytes(), header, &context)? {
        Decoded::Cdr(cdr) => Ok(cdr),
        Decoded::NotACall => panic!("not a call"),
    }
}

/// The native field names as a JSON profile: the generic path over the same rows.
fn generic() -> Profile {
    let text = r#"
        name = "generic"
        format = "json"
        [fields]
        id = "id"
        callee = "calleeNumber"
        start = "startDateTime"
        end = "endDateTime"
        user_display_name = "userDisplayName"
        usage_country_code = "usageCountryCode"
        [call_type]
        field = "callType"
        [duration]
        field = "duration"
        [times]
        layouts = ["rfc3339"]
        [numbers]
        region_fields = ["usageCountryCode"]
    "#;
    Profile::parse("generic", text).unwrap_or_else(|faults| panic!("{faults:?}"))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_call_is_the_same_in_every_format(call in call()) {
        let (native, teams, generic) = (profile("native"), profile("teams-export"), generic());
        let names = "UsageId,User Display Name,Destination Number,Call Type,Start Time,End Time,Duration Seconds,User Location";
        let header = teams.header("t", &[names.as_bytes().to_vec()]).expect("a header");
        let (json, csv) = (call.json(), call.csv());
        let expected = essence(decode(&native, &json, None));
        prop_assert_eq!(&essence(decode(&teams, &csv, header.as_ref())), &expected);
        let generic = essence(decode(&generic, &json, None));
        prop_assert_eq!(generic, expected);
    }

    #[test]
    fn no_bytes_make_a_decoder_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        never_panics(&bytes);
    }

    #[test]
    fn no_text_makes_a_decoder_panic(text in "[{}\\[\\]\",:0-9a-eE+\\-*.\\\\ \n%xTZ/()#;é]{0,200}") {
        never_panics(text.as_bytes());
    }

    /// Mutations of a good row reach deeper than noise.
    #[test]
    fn no_mutation_makes_a_decoder_panic(call in call(), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        for text in [call.json(), call.csv()] {
            let mut bytes = text.into_bytes();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            never_panics(&bytes);
            bytes.truncate(at);
            never_panics(&bytes);
        }
    }
}

fn never_panics(bytes: &[u8]) {
    thread_local! {
        static PROFILES: Vec<Profile> = Profile::names()
            .map(|name| profile(&format!("{name},zone=Europe/Berlin,region=DE")))
            .collect();
    }
    PROFILES.with(|profiles| {
        for profile in profiles {
            let context = Context { org: Some("o"), ..Context::default() };
            drop(profile.decode(bytes, None, &context));
            if let Ok(Some(header)) = profile.header("t", &[bytes.to_vec()]) {
                drop(profile.decode(bytes, Some(&header), &context));
            }
            let mut reader = Reader::new(std::io::Cursor::new(bytes.to_vec()), "any", Options::new(profile.layout()));
            let mut chunk = Chunk::new();
            while let Ok(reader) = &mut reader
                && let Ok(true) = reader.next_chunk(&mut chunk)
            {
                for (_, record) in chunk.iter() {
                    drop(profile.decode(record, None, &context));
                }
            }
        }
    });
}
