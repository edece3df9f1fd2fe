use std::io;
use std::sync::{Arc, Mutex};

use drawdown_engine::log::{Attributes, Batch, Input, Record};
use drawdown_units::Timestamp;
use drawdown_wire::source::Context;
use drawdown_wire::{debit, native};

use super::*;

/// Keeps what is logged.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn logged(level: &str, format: LogFormat, log: impl Fn()) -> String {
    let kept = Kept::default();
    let logging = Logging { level: level.to_owned(), format };
    let writer = kept.clone();
    let subscriber = subscriber(&logging, move || writer.clone()).unwrap();
    tracing::subscriber::with_default(subscriber, log);
    String::from_utf8(kept.0.lock().unwrap().clone()).unwrap()
}

const ROW: &str = r#"{"id":"c-1","orgId":"contoso","callType":"user_out","calleeNumber":"+442071838750","callerNumber":"+12125550150","userPrincipalName":"pradeep.gupta@contoso.example","userDisplayName":"Pradeep Gupta","startDateTime":"2026-03-05T10:09:21Z","endDateTime":"2026-03-05T10:10:21Z","duration":60}"#;
const DEBIT: &str = include_str!("../../tests/files/golden/v1/debits.jsonl");

/// Whatever holds a record can be logged without showing a whole telephone number or anybody's name.
#[test]
fn records_and_debits_are_logged_without_numbers_and_names() {
    let arrival = Timestamp::parse("2026-03-05T10:11:00Z").unwrap();
    let record = Record {
        input: Input::Cdrs,
        partition: 3,
        offset: 17,
        arrival,
        key: None,
        value: ROW.as_bytes(),
        attributes: Attributes::default(),
    };
    let mut batch = Batch::default();
    batch.push(&record);
    let cdr = native::decode(ROW.as_bytes(), &Context::default()).unwrap();
    let debit = debit::read(DEBIT.lines().next().unwrap().as_bytes()).unwrap();
    for format in [LogFormat::Text, LogFormat::Json] {
        let text = logged("info", format, || {
            tracing::info!(?record, ?batch, "read");
            tracing::info!(?cdr, "decoded");
            tracing::info!(?debit, "debited");
        });
        assert_eq!(text.lines().count(), 3, "{text}");
        assert!(text.contains("+442… (13 characters)") && text.contains("offset: 17"), "{text}");
        let number_as_bytes = format!("{:?}", b"2071838750");
        let secrets = ["2071838750", "2125550150", "radeep", "639980183", "93023125100", "Isaiah"];
        for secret in secrets.into_iter().chain([number_as_bytes.trim_matches(['[', ']'])]) {
            assert!(!text.contains(secret), "{secret} in {text}");
        }
    }
}

#[test]
fn json_is_one_object_a_line_with_fields_beside_the_message() {
    let text = logged("info", LogFormat::Json, || tracing::warn!(partition = 3, "behind"));
    let line: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&line["level"], &line["message"], &line["partition"]), (&"WARN".into(), &"behind".into(), &3.into()));
    assert!(line["timestamp"].is_string());
}

#[test]
fn the_level_may_differ_for_one_part() {
    let log = || {
        tracing::debug!("hidden");
        tracing::debug!(target: "drawdown_stream", "shown");
        tracing::info!("also shown");
    };
    let text = logged("info,drawdown_stream=debug", LogFormat::Text, log);
    assert!(text.contains("shown") && text.contains("also shown") && !text.contains("hidden"), "{text}");
    assert_eq!(text.lines().count(), 2, "{text}");
    for wrong in ["info,==", "loud=very", ""] {
        assert_eq!(parse_level(wrong).is_ok(), wrong.is_empty(), "{wrong}");
    }
}
